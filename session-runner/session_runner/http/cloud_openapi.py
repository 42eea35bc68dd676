"""The Cloud API's routes in the OpenAPI document, made from their table. `openapi` writes them beside the others."""

import re
from collections.abc import Iterable
from typing import Any, Final

from session_runner.http.cloud_routes import CLOUD_ROUTES, NUMBER, TEXT, VERSION, CloudRoute, record
from session_runner.http.errors import PROBLEM

_NAME_IN_PATH: Final = re.compile(r"{(\w+)}")
_REFUSED: Final = "CloudApiRefused"
_FAILED: Final = "CloudApiFailed"
_ERROR: Final = record(
    error=record(
        message=TEXT,
        type=TEXT,
        code=NUMBER,
        error_data=record(messaging_product={"const": "whatsapp"}, details=TEXT),
        fbtrace_id=TEXT,
    )
)
_NO_STORE: Final = {"Cache-Control": {"required": True, "schema": {"const": "no-store"}}}

SECURITY_SCHEMES: Final = {
    "tokenInQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "access_token",
        "description": "The same token, as some of the Cloud API's clients send it. Beside a header it is not looked at.",
    }
}
SCHEMAS: Final = {"CloudApiError": _ERROR}
RESPONSES: Final = {
    name: {
        "description": description,
        "headers": _NO_STORE,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/CloudApiError"}},
            # What cannot be read as HTTP never reaches a route.
            PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }
    for name, description in (
        (_REFUSED, "It is refused; the code says why, as the Cloud API's does, and `error_data.details` what to do."),
        (_FAILED, "It cannot be done now."),
    )
}


def paths() -> dict[str, Any]:
    """Return the paths with their operations."""
    return {
        f"/{{version}}{path}": {route.method.lower(): _operation(route) for route in CLOUD_ROUTES if route.path == path}
        for path in dict.fromkeys(route.path for route in CLOUD_ROUTES)
    }


def _operation(route: CloudRoute) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": "In the shape of Meta's Cloud API. Needs the scope `send`.\n" + route.description,
        "tags": ["Cloud API"],
        "security": [{"bearer": []}, {"tokenInQuery": []}],
        "parameters": [*_in_path(route), *_in_query(route)],
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {route.takes: {"schema": route.body}}}
    operation["responses"] = {
        "200": {
            "description": route.answer,
            "headers": _NO_STORE,
            "content": {route.gives: {"schema": route.content}},
        },
        "4XX": {"$ref": f"#/components/responses/{_REFUSED}"},
        "5XX": {"$ref": f"#/components/responses/{_FAILED}"},
    }
    return operation


def _in_path(route: CloudRoute) -> Iterable[dict[str, Any]]:
    yield {
        "name": "version",
        "in": "path",
        "required": True,
        "description": "Any; it changes nothing.",
        "schema": {"type": "string", "pattern": f"^{VERSION}$"},
    }
    for name in _NAME_IN_PATH.findall(route.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": "The session's id, which is its phone-number-id and its WhatsApp Business Account ID; or a file's.",
            "schema": {"type": "string", "pattern": "^([0-9]{15}){1,2}$"},
        }


def _in_query(route: CloudRoute) -> Iterable[dict[str, Any]]:
    for name, description in route.query.items():
        yield {
            "name": name,
            "in": "query",
            "required": name in route.demanded,
            "description": description,
            "schema": TEXT,
        }
