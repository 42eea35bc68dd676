"""Reads the bodies of the Cloud API's routes: bounded in bytes and time before anything looks at them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from session_runner.messages.errors import BadRequestError

LARGEST_BODY: Final = 128 * 1024
""" Bytes: the longest text, each of its characters written as an escape of twelve, and room for the rest. """
BODY_SECONDS: Final = 5.0
""" For a body to arrive. """

Answer = Callable[[web.Request], Awaitable[dict[str, Any] | web.StreamResponse]]
""" A route's handler: its document goes out with 200, or the response that it made, an error in the Cloud API's form. """


async def read_body(request: web.Request) -> bytes:
    """Return a request's body.

    :raises BadRequestError: it is too large, or does not arrive.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for some in request.content.iter_any():
                body += some
                if len(body) > LARGEST_BODY:
                    raise BadRequestError(f"The body has more than {LARGEST_BODY} bytes.")
    except TimeoutError as error:
        raise BadRequestError("The body did not arrive.") from error
    return bytes(body)
