"""Strict JSON schemas of every kind, from the OpenAPI documents that an API server publishes about itself.

kubeconform would fetch schemas from the internet, of a Kubernetes that is not quite ours and without our kinds. Here
they come from the API server that the tests run: one file for each kind, named after group, version and kind.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["kinds", "strict", "write_schemas"]

REFERENCE = "#/components/schemas/"
Schema = dict[str, Any]


def write_schemas(*, fetch: Callable[[str], Any], folder: Path) -> None:
    """Write the schema of every kind into the folder; `fetch` answers a path of the API server as JSON."""
    for place in fetch("/openapi/v3")["paths"].values():
        schemas: dict[str, Schema] = fetch(place["serverRelativeURL"]).get("components", {}).get("schemas", {})
        for (group, version, kind), name in kinds(schemas):
            reachable = {each: strict(schemas[each]) for each in _reachable(name, schemas)}
            schema = {"$ref": f"#/definitions/{name}", "definitions": reachable}
            file = folder / f"{group or version}_{version}_{kind.lower()}.json"  # as kubeconform names the core group
            file.write_text(json.dumps(schema))


def kinds(schemas: dict[str, Schema]) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Every kind that a document describes, as group, version and kind, with its schema's name."""
    for name, schema in schemas.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            # DeleteOptions and the like belong to every group and are nothing that anybody applies.
            if {"apiVersion", "kind", "metadata"} <= schema.get("properties", {}).keys():
                yield (kind["group"], kind["version"], kind["kind"]), name


def strict(schema: Any) -> Any:
    """The same schema, in which an object with named fields has no others, and references point to `definitions`."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    if isinstance(reference := found.get("$ref"), str):
        found["$ref"] = reference.replace(REFERENCE, "#/definitions/")
    fields = found.get("properties")
    if isinstance(fields, dict) and "type" in found and not found.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found


def _reachable(name: str, schemas: dict[str, Schema]) -> set[str]:
    """The names of all schemas that this one needs, itself included."""
    known: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in known:
            known.add(current)
            waiting += _references(schemas[current])
    return known


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.removeprefix(REFERENCE)
        for value in schema.values():
            yield from _references(value)
