"""Reads the bodies of requests that are no messages, and makes those of answers in JSON."""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from session_protocol.bad_requests import PEERS_FAULTS

from session_runner.http.errors import BadRequestError, HttpError

BODY_SECONDS = 5.0
""" For a body to arrive. """


async def read_body(request: web.Request) -> bytes:
    """Return the body of a request, which is as long as the application takes at most.

    :raises HttpError: it does not arrive in time.
    :raises BadRequestError: whoever sends it is gone, or it is malformed.
    :raises HTTPRequestEntityTooLarge: it is longer than the application takes.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT) from error
    except (RuntimeError, *PEERS_FAULTS) as error:  # the first: the connection is closed already
        raise BadRequestError("The body did not arrive.") from error


def json_response(document: Any) -> web.Response:
    """Return an answer of status 200, which no cache keeps."""
    body = msgspec.json.encode(document)
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})
