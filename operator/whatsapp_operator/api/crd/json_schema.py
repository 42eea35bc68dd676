"""The same schema as JSON Schema, for editors and for checks outside of a cluster.

The API server's form has keywords of its own: they are translated to JSON Schema, and the rules in CEL, which no editor
runs, are left out. An object with named fields has no others, so that a misspelt one is found while it is typed. Files
lie as collections of such schemas have them: group/kind_version.json.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whatsapp_operator.api import constants
from whatsapp_operator.api.crd.definitions import Kind, root_schema
from whatsapp_operator.api.crd.schema import Schema

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that YAML editors know in full."""

_INT_OR_STRING = "x-kubernetes-int-or-string"
_EXTENSION_PREFIX = "x-kubernetes-"


def json_schema_path(kind: Kind) -> Path:
    """Return where a kind's schema lies below the folder of schemas."""
    return Path(constants.GROUP) / f"{kind.kind.lower()}_{constants.VERSION}.json"


def json_schema(kind: Kind) -> Schema:
    """Return the JSON Schema of a kind's whole object."""
    schema = _strict(root_schema(kind))
    fields = schema["properties"]
    fields["apiVersion"]["enum"] = [f"{constants.GROUP}/{constants.VERSION}"]
    fields["kind"]["enum"] = [kind.kind]
    # The CRD names one field of it, for a rule; the others are Kubernetes' own and not listed here.
    del fields["metadata"]["additionalProperties"]
    return {"$schema": DIALECT, "title": kind.kind, **schema, "required": ["apiVersion", "kind", "metadata", "spec"]}


def _strict(given: Mapping[str, Any]) -> Schema:
    schema: Schema = {key: value for key, value in given.items() if not key.startswith(_EXTENSION_PREFIX)}
    if given.get(_INT_OR_STRING):
        schema["type"] = ["integer", "string"]
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            schema[key] = _strict(schema[key])
    if "properties" in schema:
        schema["properties"] = {name: _strict(field) for name, field in schema["properties"].items()}
        schema["additionalProperties"] = False
    return schema
