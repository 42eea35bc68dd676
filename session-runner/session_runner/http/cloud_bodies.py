"""Reads bodies and keys of requests about messages: bounded in bytes and time before anything looks at them."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from session_runner.http.bodies import NoBodyError, arrived
from session_runner.messages.errors import BadParameterError, BadRequestError, NotReadyError
from session_runner.outbox.schema import DamagedOutboxError

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 128 * 1024
""" Bytes: the longest text, each of its characters written as an escape of twelve, and room for the rest. """
LONGEST_KEY: Final = 255
""" Characters of an Idempotency-Key. """

Answer = Callable[[web.Request], Awaitable[dict[str, Any] | web.StreamResponse]]
""" A route's handler: its document goes out with 200, or the response that it made, an error in the Cloud API's form. """


VOLUMES_FAULTS: Final = (sqlite3.OperationalError, DamagedOutboxError)
""" What is no fault of the runner: its volume is full, or fails. """


def volume_trouble(error: Exception) -> NotReadyError:
    """Return what a caller is told of one; the volume's own watch says what is wrong with it."""
    logger.warning("The volume did not do what a request needs", extra={"error": type(error).__name__})
    return NotReadyError("The session's volume is full or fails, so nothing was done; ask again later.")


async def read_body(request: web.Request) -> bytes:
    """Return a request's body.

    :raises BadRequestError: it is too large, or does not arrive.
    """
    try:
        return await arrived(request, at_most=LARGEST_BODY)
    except NoBodyError as error:
        raise BadRequestError(str(error)) from error


def idempotency_key(request: web.Request) -> str | None:
    """Return the key by which a request that is sent again is known; None: it has none.

    :raises BadParameterError: it is no key.
    """
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return None
    if len(given) > 1 or not 0 < len(given[0]) <= LONGEST_KEY or not given[0].isascii():
        raise BadParameterError(f"Idempotency-Key is one header of up to {LONGEST_KEY} ASCII characters.")
    return given[0]
