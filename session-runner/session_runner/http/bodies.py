"""Reads the bodies of requests that are no messages, and makes those of answers in JSON."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from session_protocol.bad_requests import PEERS_FAULTS

from session_runner.http.errors import BadRequestError, HttpError

BODY_SECONDS: Final = 5.0
""" For a body to arrive. """
LARGEST_BODY: Final = 16 * 1024
""" Bytes of one that is no message; the largest settings have 9 KiB. """


class NoBodyError(Exception):
    """A request's body has not arrived as it has to; each API answers that in its own form."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


async def arrived(request: web.Request, *, at_most: int) -> bytes:
    """Return the body of a request.

    :raises NoBodyError: it is too long, slow or malformed, or whoever sends it is gone.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for some in request.content.iter_any():
                body += some
                if len(body) > at_most:
                    raise NoBodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {at_most} bytes.")
    except TimeoutError as error:
        raise NoBodyError(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive.") from error
    except (RuntimeError, *PEERS_FAULTS) as error:  # the first: the connection is closed already
        raise NoBodyError(HTTPStatus.BAD_REQUEST, "The body did not arrive.") from error
    return bytes(body)


async def read_body(request: web.Request) -> bytes:
    """Return the body of a request that is no message.

    :raises HttpError: it is too long, or does not arrive in time.
    :raises BadRequestError: whoever sends it is gone, or it is malformed.
    """
    try:
        return await arrived(request, at_most=LARGEST_BODY)
    except NoBodyError as error:
        if error.status is HTTPStatus.BAD_REQUEST:
            raise BadRequestError(str(error)) from error
        raise HttpError(error.status) from error


def json_response(document: Any) -> web.Response:
    """Return an answer of status 200, which no cache keeps."""
    body = msgspec.json.encode(document)
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})
