"""Fetches a file from the link that a message names, a piece at a time onto the volume.

`preparing` calls this and decides what a failure means. No proxy is used, and each redirect is a connection of its own, to
an address that the guard has allowed. What comes is bounded in bytes and time, and what it is, is read from its content.
Neither the link nor a word of its server gets into what people read.
"""

import asyncio
import re
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
from yarl import URL

from session_runner.media.files import Writer
from session_runner.messages.errors import MediaError, NoMediaRoomError
from session_runner.messages.links import MOST_REDIRECTS, after_redirect, seconds_for
from session_runner.webhooks.connections import CONNECT, Guard, GuardedSockets, open_connections, target_of
from session_runner.webhooks.guard import Destinations
from session_runner.webhooks.retries import Outcome, outcome

PIECE: Final = 256 * 1024
SILENCE: Final = 30.0
""" Seconds without a byte after which a server is given up. """
HOST: Final = "The link's host"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LETTERS: Final = re.compile(r"[A-Za-z0-9._~:/?\[\]!$&'()*+,;=%-]+")
_LATE: Final = "The link's server did not give the file in time."


class Given(NamedTuple):
    """The file is there."""

    mime_type: str
    """ What its server calls it. """


class LinkBrokenError(Exception):
    """The file could not be had; the text says why, without the link."""

    def __init__(self, problem: str, *, again: bool) -> None:
        super().__init__(problem)
        self.again = again
        """ Whether it may be had a little later. """


async def fetch(
    link: str,
    writer: Writer,
    *,
    most: int,
    destinations: Destinations,
    extra_ca: Path | None,
    guard: Guard,
) -> str:
    """Write all of the file; return the type that its server gave.

    :param most: bytes that it may have.
    :raises LinkBrokenError: it cannot be had.
    :raises MessageError: it is too large, or there is no room.
    """
    try:
        async with asyncio.timeout(seconds_for(most)):
            for _ in range(MOST_REDIRECTS + 1):
                sockets = GuardedSockets(target_of(link, whose=HOST), destinations, guard)
                found = await _ask(link, writer, most=most, sockets=sockets, extra_ca=extra_ca)
                if isinstance(found, Given):
                    return found.mime_type
                link = found
    except TimeoutError:
        raise LinkBrokenError(_LATE, again=True) from None
    raise LinkBrokenError(f"The link redirects more than {MOST_REDIRECTS} times; name where it leads to.", again=False)


async def _ask(link: str, writer: Writer, *, most: int, sockets: GuardedSockets, extra_ca: Path | None) -> Given | str:
    """Take the file, or return where it is instead."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)
    try:
        async with (
            open_connections(sockets, extra_ca=extra_ca, at_once=1, timeout=timeout) as connections,
            connections.get(_as_written(link), allow_redirects=False) as response,
        ):
            if response.status not in _REDIRECTS:
                await _take(response, writer, most=most)
                return Given(response.content_type)
            following = after_redirect(link, response.headers.get("Location"))
    except (aiohttp.ClientError, OSError, ValueError) as error:  # whose words may quote the link
        if sockets.refusal is not None:
            raise LinkBrokenError(sockets.refusal, again=False) from None
        raise LinkBrokenError(_reason(error), again=not isinstance(error, aiohttp.InvalidURL)) from None
    if following is None:
        raise LinkBrokenError("The link's server redirects to where no file is had from.", again=False)
    return following


def _as_written(link: str) -> URL:
    """Return a link that is asked for letter by letter, as far as it has none that have to be escaped: it may be signed."""
    return URL(link, encoded=_LETTERS.fullmatch(link) is not None)


async def _take(response: aiohttp.ClientResponse, writer: Writer, *, most: int) -> None:
    if response.status != 200:
        again = outcome(response.status) is Outcome.AGAIN
        raise LinkBrokenError(f"The link's server answered {response.status}, not 200 with the file.", again=again)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise LinkBrokenError("The link's server compresses the file though that was not asked for.", again=False)
    size = response.content_length or 0
    if size > most:
        raise MediaError(f"The link's file has {size} bytes; {most} are the most as this.")
    taken = 0
    async for piece in response.content.iter_chunked(PIECE):
        taken += len(piece)
        if taken > most:
            raise MediaError(f"The link's file has more than {most} bytes, which are the most as this.")
        try:
            await writer.write(piece)
        except OSError as error:  # the disk's, not the server's
            raise NoMediaRoomError("The volume does not take the file.") from error


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return _LATE
        case aiohttp.InvalidURL():
            return "The link is no address that can be asked."
        case aiohttp.ClientConnectorCertificateError():
            return "The certificate of the link's server is not trusted."
        case aiohttp.ClientConnectorDNSError():
            return "The name of the link's host is not found."
        case aiohttp.ClientConnectorError():
            return f"The link's server cannot be reached ({error.os_error.strerror or 'no connection'})."
        case _:
            return f"The link's server broke off ({type(error).__name__})."
