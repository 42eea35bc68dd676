"""One request to one webhook's receiver: a delivery, or the handshake of the Cloud API.

The only HTTP that the runner sends. It uses no proxy, neither the session's nor the environment's, follows no redirect,
reads little of an answer, and asks the guard about each address that a socket is about to connect to.
"""

import contextlib
import functools
import ipaddress
import secrets
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from session_protocol.live_settings import Webhook
from session_protocol.public_addresses import Address, meant
from session_protocol.vocabulary import WebhookFormat

from session_runner.webhooks.guard import Destinations, Target, refusal
from session_runner.webhooks.retries import asked_pause
from session_runner.webhooks.secret_files import Secret
from session_runner.webhooks.signing import cloud_api_headers, standard_headers

SECONDS: Final = 15.0
""" For a whole request: receivers answer first and work then. """
CONNECT: Final = 5.0
AT_ONCE: Final = 8
""" Connections to one receiver, each of another chat. """
READ: Final = 4096
""" Bytes of an answer that are read; with more the connection is closed. """
Guard = Callable[[Address, Target, Destinations], str | None]


@dataclass(frozen=True, kw_only=True)
class Answer:
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
        extra_ca: Path | None = None,
        guard: Guard = refusal,
    ) -> None:
        self._webhook = webhook
        self._destinations = destinations
        self._clock = clock
        self._extra_ca = extra_ca
        self._guard = guard
        self._target = target_of(webhook.url)
        self._refusal: str | None = None
        """ What the guard said last. """
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
        self._refusal = None
        session = self._session = self._session or self._open()
        try:
            async with session.request(
                method, self._webhook.url, headers=headers, data=body, params=parameters, allow_redirects=False
            ) as response:
                asked = asked_pause(response.headers.get("Retry-After"), now=self._clock())
                return Answer(status=response.status, asked_pause=asked, text=await response.content.read(READ))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # The library's words may quote the address, in which people put tokens.
            refused = self._refusal
            return Answer(problem=refused or _reason(error), refused=refused is not None)

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=_trust(self._extra_ca) if self._target.scheme == "https" else True,
            limit=AT_ONCE + 1,  # and one for what passes
            socket_factory=self._guarded_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=SECONDS, sock_connect=CONNECT),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": "whatsapp-session-operator", "Accept-Encoding": "identity"},
        )

    def _guarded_socket(self, info: Any) -> socket.socket:
        """Return a socket for the address that will be connected to. :raises OSError: nothing may go there."""
        family, kind, protocol, _, address = info
        known = ipaddress.ip_address(address[0].partition("%")[0])
        why = self._guard(known, self._target, self._destinations)
        if why is None and self._guard is refusal and _is_own(meant(known)):
            why = "The webhook's host is the session's own pod, to which nothing is sent."
        if why is not None:
            self._refusal = why
            raise OSError(why)
        return socket.socket(family, kind, protocol)


def target_of(url: str) -> Target:
    """Return what a webhook's address says of its connection."""
    parts = urlsplit(url)
    with contextlib.suppress(ValueError):
        return Target(
            scheme=parts.scheme, host=parts.hostname or "", port=parts.port or (443 if parts.scheme == "https" else 80)
        )
    return Target(scheme=parts.scheme, host="", port=0)  # a port that is none: no connection is made


def _is_own(address: Address) -> bool:
    """Whether an address is the pod's own: the kernel then sends from the address itself."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect((str(address), 9))  # which sends nothing
        return bool(probe.getsockname()[0] == str(address))
    return False


@functools.lru_cache(maxsize=1)
def _trust(extra_ca: Path | None) -> ssl.SSLContext:
    """Return whom TLS trusts: the image's authorities and those that the operator adds. Made when it is first needed."""
    context = ssl.create_default_context()
    if extra_ca is not None:
        with contextlib.suppress(OSError, ssl.SSLError):
            context.load_verify_locations(cafile=extra_ca)
    return context


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
