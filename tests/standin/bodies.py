"""The JSON body of a request to the phone, read the same way for every call."""

import base64
import binascii
import json
from typing import Any

from aiohttp import web

from standin.errors import MalformedRequestError

__all__ = ["decoded", "json_body"]


async def json_body(request: web.Request) -> dict[str, Any]:
    """Read the object; no body is an empty one."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise MalformedRequestError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise MalformedRequestError("The body is not a JSON object.")
    return body


def decoded(given: object, name: str) -> bytes:
    """Return the bytes of a field that holds them in base64."""
    try:
        return base64.b64decode(given, validate=True)  # type: ignore[arg-type]
    except (binascii.Error, TypeError, ValueError) as error:
        raise MalformedRequestError(f"{name} is not base64.") from error
