"""The largest object that a structural schema admits, by its bounds alone: every field, every list and map at its end.

Rules in CEL are not run: they only narrow what the bounds admit, but for the length of a map's keys, which no bound of a
schema can name (`KEY`). So what is built here is at least as large as anything the API server takes.
"""

from typing import Any

Schema = dict[str, Any]
KEY = 100
""" The longest key of a label that our rules admit. """


class UnboundedError(ValueError):
    """A field has no end."""


def largest(schema: Schema, *, path: str = "") -> Any:  # noqa: PLR0911 -- one for each kind of value
    """Return the largest value of a schema. :raises UnboundedError: there is none."""
    if "enum" in schema:
        return max(schema["enum"], key=lambda value: len(str(value)))
    if schema.get("x-kubernetes-int-or-string"):
        return _text(schema, path)
    match schema.get("type"):
        case "object":
            return _object(schema, path)
        case "array":
            return [largest(schema["items"], path=f"{path}[]")] * _bound(schema, "maxItems", path)
        case "string":
            return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else _text(schema, path)
        case "integer":
            return schema.get("minimum", -(2**31 if schema.get("format") == "int32" else 2**63))
        case "boolean":
            return False
    raise UnboundedError(f"{path}: {schema}")


def _object(schema: Schema, path: str) -> dict[str, Any]:
    if "properties" in schema:
        return {name: largest(field, path=f"{path}.{name}") for name, field in schema["properties"].items()}
    entries = _bound(schema, "maxProperties", path)
    value = largest(schema["additionalProperties"], path=f"{path}{{}}")
    return {f"{number:0{KEY - 64}}/{'k' * 63}": value for number in range(entries)}


def _text(schema: Schema, path: str) -> str:
    return "x" * _bound(schema, "maxLength", path)


def _bound(schema: Schema, name: str, path: str) -> int:
    if name not in schema:
        raise UnboundedError(f"{path}: no {name}")
    return int(schema[name])
