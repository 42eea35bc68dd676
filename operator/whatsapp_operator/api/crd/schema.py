"""From a model to the structural schema that a CRD demands.

pydantic makes a JSON schema; the API server wants a narrower form: no references, no titles, no "or null", no defaults
except those that it is to write into the object. Everything else (bounds, rules, list types) the models already say in
the words of the CRD, and passes through.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from session_protocol.durations import format_duration

from whatsapp_operator.api.base import DEFAULT_KEY, REQUIRED_KEY

Schema = dict[str, Any]

_DROPPED = {"$defs", "title", "default", DEFAULT_KEY, REQUIRED_KEY}


class UnsupportedSchemaError(ValueError):
    """A model says something that a structural schema cannot: change the model."""


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with defaults as people write them in a manifest."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def structural(model: type[BaseModel], *, show_defaults: bool) -> Schema:
    """Return the structural schema of a model; with show_defaults each description ends with the default in effect."""
    raw = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _convert(raw, raw.get("$defs", {}), show_defaults=show_defaults)


def _convert(given: Mapping[str, Any], definitions: Mapping[str, Any], *, show_defaults: bool) -> Schema:
    node = _resolved(given, definitions)
    schema: Schema = {}
    if "description" in node:
        schema["description"] = " ".join(node["description"].split()) + (_default_text(node) if show_defaults else "")
    if node.get(DEFAULT_KEY):
        schema["default"] = node["default"]
    schema |= {key: value for key, value in node.items() if key not in {"description", *_DROPPED}}
    if isinstance(schema.get("items"), Mapping):
        schema["items"] = _convert(schema["items"], definitions, show_defaults=show_defaults)
        schema.setdefault("x-kubernetes-list-type", "atomic")
    if isinstance(schema.get("additionalProperties"), Mapping):
        schema["additionalProperties"] = _convert(
            schema["additionalProperties"], definitions, show_defaults=show_defaults
        )
    if "properties" in schema:
        properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
        required = [
            *schema.pop("required", ()),
            *(name for name, field in properties.items() if field.get(REQUIRED_KEY)),
        ]
        schema["properties"] = {
            name: _convert(field, definitions, show_defaults=show_defaults) for name, field in properties.items()
        }
        if required:
            schema["required"] = sorted(required)
    return schema


def _resolved(given: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node with references and "or null" replaced by what they stand for; what stands beside them wins."""
    node = dict(given)
    while True:
        if "$ref" in node:
            inner: Mapping[str, Any] = definitions[str(node.pop("$ref")).removeprefix("#/$defs/")]
        elif "anyOf" in node:
            choices = [choice for choice in node.pop("anyOf") if choice != {"type": "null"}]
            if len(choices) != 1:
                raise UnsupportedSchemaError(f"a field has one type or none: {choices}")
            inner = choices[0]
        else:
            return node
        node = {**inner, **node}


def _default_text(node: Mapping[str, Any]) -> str:
    default = node.get("default")
    return f" Default: {default}." if isinstance(default, str | int) and default != "" else ""
