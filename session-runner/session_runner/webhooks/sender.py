"""One request to one webhook's receiver: a delivery, or the handshake of the Cloud API.

It uses no proxy, neither the session's nor the environment's, follows no redirect, reads little of an answer, and asks the
guard about each address that a socket is about to connect to.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
from msgspec import Struct
from session_protocol.live_settings import Webhook
from session_protocol.vocabulary import WebhookFormat

from session_runner.webhooks.connections import CONNECT, Guard, GuardedSockets, open_connections, target_of
from session_runner.webhooks.guard import Destinations
from session_runner.webhooks.retries import asked_pause
from session_runner.webhooks.secret_files import Secret
from session_runner.webhooks.signing import cloud_api_headers, standard_headers

SECONDS: Final = 15.0
""" For a whole request: receivers answer first and work then. """
AT_ONCE: Final = 8
""" Connections to one receiver, each of another chat. """
BODY: Final = 2.0
""" Seconds for the body of an answer: a delivery needs its status alone, and the next one of the chat waits. """
READ: Final = 4096
""" Bytes of an answer that are read; with more the connection is closed. """


class Answer(Struct, frozen=True, kw_only=True):
    """What came of a request."""

    status: int | None = None
    """ None: nothing came. """
    problem: str = ""
    """ Why not, in words of ours. """
    refused: bool = False
    """ Whether the guard let nothing out. """
    asked_pause: float | None = None
    """ Seconds, by Retry-After. """
    text: bytes = b""
    """ The beginning of the body. """


class Sender:
    """The connections to one webhook's receiver."""

    def __init__(
        self,
        webhook: Webhook,
        destinations: Destinations,
        *,
        clock: Callable[[], datetime],
        extra_ca: Path | None,
        guard: Guard,
    ) -> None:
        self._webhook = webhook
        self._clock = clock
        self._extra_ca = extra_ca
        self._sockets = GuardedSockets(target_of(webhook.url), destinations, guard)
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, body: bytes, *, identifier: str, secret: Secret) -> Answer:
        """Send a body, signed as the webhook's format says."""
        headers = {header.name: header.value for header in self._webhook.headers} | {"Content-Type": "application/json"}
        headers |= {} if secret.authorization is None else {"Authorization": secret.authorization}
        if secret.signing is not None and self._webhook.format is WebhookFormat.CLOUD_API:
            headers |= cloud_api_headers(secret.signing, body)
        elif secret.signing is not None:
            now = int(self._clock().timestamp())
            headers |= standard_headers(secret.signing, identifier=identifier, timestamp=now, body=body)
        return await self._send("POST", headers=headers, body=body)

    async def shake_hands(self, verify_token: str) -> str | None:
        """Ask the receiver whether it wants the events, as Meta does; return why it does not seem to, or None."""
        challenge = str(secrets.randbelow(9 * 10**9) + 10**9)  # digits: a client may read a number
        parameters = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        answer = await self._send("GET", parameters=parameters)
        if answer.status == 200 and answer.text.strip() == challenge.encode():
            return None
        if answer.status is None:
            return answer.problem
        return f"The receiver answered the handshake with {answer.status} and not with 200 and the challenge: compare the verify token."

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(
        self,
        method: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Answer:
        self._sockets.refusal = None
        session = self._session = self._session or self._open()
        try:
            async with session.request(
                method, self._webhook.url, headers=headers, data=body, params=parameters, allow_redirects=False
            ) as response:
                asked = asked_pause(response.headers.get("Retry-After"), now=self._clock())
                return Answer(status=response.status, asked_pause=asked, text=await _beginning(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # The library's words may quote the address, in which people put tokens.
            refused = self._sockets.refusal
            return Answer(problem=refused or _reason(error), refused=refused is not None)

    def _open(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=SECONDS, sock_connect=CONNECT)
        return open_connections(self._sockets, extra_ca=self._extra_ca, at_once=AT_ONCE + 1, timeout=timeout)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of a body as far as it comes: the status has said already what became of the request."""
    text = bytearray()
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
        async with asyncio.timeout(BODY):
            while len(text) < READ and (piece := await response.content.read(READ - len(text))):
                text += piece
    return bytes(text)


def _reason(error: Exception) -> str:  # noqa: PLR0911 -- one for each error
    match error:
        case aiohttp.InvalidURL():
            return "The webhook's address is none: a host is a name, or an address in its usual form."
        case TimeoutError():
            return f"The receiver did not answer within {SECONDS:g} s."
        case aiohttp.ClientConnectorCertificateError():
            return "The receiver's certificate is not trusted."
        case aiohttp.ClientConnectorDNSError():
            return "The receiver's name is not found."
        case aiohttp.ClientConnectorError():
            return f"The receiver cannot be reached ({error.os_error.strerror or 'no connection'})."
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "The receiver closed the connection without an answer."
        case _:
            return f"No answer came ({type(error).__name__})."
