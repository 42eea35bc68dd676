"""The contract as an OpenAPI document, made from the route table and the structures of the answers.

`make generate` writes openapi.yaml beside this file, and a test compares the file with what this module returns. It is
a file, and not generated at every start, so that people can link to it and pods need no memory for it: the runner sends
the file and never imports this module.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

import msgspec
from session_protocol.answers import Problem

from session_runner.http import cloud_openapi
from session_runner.http.errors import PROBLEM, ApiError, BadRequestError, ExpectationError, InternalError
from session_runner.http.route import Route
from session_runner.http.routes import ROUTES

FILE = Path(__file__).with_name("openapi.yaml")

_HEADER = "# Written by `make generate` from session_runner.http.routes, cloud_routes beside it, and session_protocol.answers; change those.\n"
_NAME_IN_PATH = re.compile(r"{(\w+)}")
_REF = "#/components/schemas/{name}"
_EVERYWHERE = (BadRequestError, ExpectationError, InternalError)
""" The errors of every route: invalid HTTP, an unsupported Expect header, a fault of the runner. """
_INFO = {
    "title": "Session runner",
    "version": "v1",
    "summary": "What one WhatsApp Web session says about itself",
    "description": "Every runner serves this API on port 8080 of its pod.\n"
    "Routes below /v1 need a token of the session (`Authorization: Bearer TOKEN`), each route its scope, or one of two; "
    "a token of the scope `admin` opens all.\n"
    "Probes and metrics need none and hold nothing secret.\n"
    "Every error is a problem (RFC 9457) with the object `error: {code, message}` in it; programs go by its code. "
    "Routes below /v24.0, or any other of Meta's versions, have the shape of the Cloud API, also in their errors. "
    "A method that a route does not have is 405 with the header Allow.\n"
    "Parameters that a route does not name are ignored; one that it names may be given once, unless it says otherwise.\n"
    "A later version may add fields to an answer.\n",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
_SERVER = {
    "url": "http://{session}.whatsapp-sessions.{namespace}.svc:8080",
    "variables": {"session": {"default": "sales"}, "namespace": {"default": "shop"}},
}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of the session's tokens; its status names the Secrets with them.",
}
_OPERATOR = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "The operator's signature (`Session-HMAC NONCE:SIGNATURE`), with a key that only it and the pod have.",
}


_SECONDS = {"type": "string", "pattern": "^[1-9][0-9]*$"}
""" Some errors know better than their class. """


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    answers = {kind for route in ROUTES for kind in route.content.values() if isinstance(kind, type)} | {Problem}
    _, read = msgspec.json.schema_components(
        [route.body for route in ROUTES if isinstance(route.body, type | UnionType)], ref_template=_REF
    )
    _, written = msgspec.json.schema_components(answers, ref_template=_REF)
    schemas = {name: _as_read(schema) for name, schema in read.items()}
    schemas |= {name: _as_written(schema) for name, schema in written.items() if name not in read}
    found = {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [_SERVER],
        "security": [{"bearer": []}],
        "paths": {
            path: {route.method.lower(): _operation(route) for route in ROUTES if route.path == path}
            for path in dict.fromkeys(route.path for route in ROUTES)
        }
        | cloud_openapi.paths(),
        "components": {
            "securitySchemes": {"bearer": _BEARER, "operator": _OPERATOR} | cloud_openapi.SECURITY_SCHEMES,
            "responses": {error.code: _problem(error) for route in ROUTES for error in _errors(route)}
            | cloud_openapi.RESPONSES,
            "schemas": dict(sorted(schemas.items())) | cloud_openapi.SCHEMAS,
        },
    }
    return dict(_portable(found))


def _portable(node: Any) -> Any:
    r"""Return a part of the document with patterns that every language reads: the end is `$`, for which Python has `\Z`."""
    if isinstance(node, Mapping):
        found = {key: _portable(value) for key, value in node.items()}
        if isinstance(pattern := found.get("pattern"), str):
            found["pattern"] = pattern.replace(r"\Z", "$")
        return found
    return [_portable(one) for one in node] if isinstance(node, list | tuple) else node


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    if description := _needed_scope(route) + route.description:
        operation["description"] = description
    if route.scope is None or route.operator:
        operation["security"] = [{"bearer": []}] * bool(route.scope) + [{"operator": []}] * route.operator
    parameters = [_in_path(name) for name in _NAME_IN_PATH.findall(route.path)]
    if route.query is not None:
        parameters += _parameters(route.query)
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {route.takes: {"schema": _schema(route.body)}}}
    answer: dict[str, Any] = {"description": route.answer}
    if not route.cached:
        answer["headers"] = {"Cache-Control": {"required": True, "schema": {"const": "no-store"}}}
    answer["content"] = {media: {"schema": _schema(kind)} for media, kind in route.content.items()}
    problems = {str(int(error.status)): {"$ref": f"#/components/responses/{error.code}"} for error in _errors(route)}
    return operation | {"responses": {"200": answer} | problems}


def _needed_scope(route: Route) -> str:
    scopes = " or ".join(f"`{scope}`" for scope in route.scopes)
    return f"Needs the scope {scopes}.\n" if scopes else ""


def _errors(route: Route) -> list[type[ApiError]]:
    return sorted({*route.refusals, *_EVERYWHERE}, key=lambda error: (error.status, error.code))


def _schema(kind: type[msgspec.Struct] | UnionType | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(kind, Mapping):
        return dict(kind)
    return dict(msgspec.json.schema_components([kind], ref_template=_REF)[0][0])


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameters(query: type[msgspec.Struct]) -> Iterable[dict[str, Any]]:
    schema = msgspec.json.schema_components([query])[1][query.__name__]
    for name, of_it in schema["properties"].items():
        yield {"name": name, "in": "query", "description": of_it.pop("description"), "schema": of_it}


def _problem(error: type[ApiError]) -> dict[str, Any]:
    headers = {"Cache-Control": "no-store", **dict(error.headers)}
    return {
        "description": (error.__doc__ or "").strip(),
        "headers": {
            name: {"required": True, "schema": _SECONDS if name == "Retry-After" else {"const": value}}
            for name, value in headers.items()
        },
        "content": {PROBLEM: {"schema": _schema(Problem)}},
    }


def _as_written(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer with all fields required: the defaults are for answers of older runners."""
    if "properties" not in schema:
        return schema
    return _as_read(schema) | {"required": list(schema["properties"]), "additionalProperties": False}


def _as_read(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a body without the defaults, which only say what a field is while it is not given."""
    if "properties" not in schema:  # a vocabulary
        return schema
    properties = {
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in schema["properties"].items()
    }
    return schema | {"properties": properties}


def text() -> str:
    """Return the file's content."""
    import yaml  # where this is run there is one; the runner's image has none

    class Dumper(yaml.SafeDumper):
        """Paragraphs as blocks, so that they can be read and compared."""

    Dumper.add_representer(
        str,
        lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else ""),
    )
    plain = msgspec.json.decode(msgspec.json.encode(document()))  # no object twice, so no alias in the file
    first, rest = yaml.dump(plain, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True).split("\n", 1)
    return f"{first}\n{_HEADER}{rest}"
