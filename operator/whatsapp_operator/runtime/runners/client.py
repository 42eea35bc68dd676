"""The operator's calls of one runner: the request, and which answers are accepted.

    GET http://POD-IP:8080/v1/state?after=REVISION&wait=10        signed, with a nonce (`signed_call`)
    GET http://POD-IP:8080/v1/account                             the same; only the number's hash leaves this module

The answer comes from a program that runs a foreign web page, so it is trusted only as far as needed: its size (on the
wire, too, see `connection`), time and shape are limited, it must be signed by the pod that we asked and name it and its
session. An answer that fails any of these checks counts as none, and nothing of it is repeated in what is told about it.
A pod that an older operator made is shown the token that may read the state, instead.
"""

import asyncio
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import aiohttp
from session_protocol.answers import State, read_account, read_state
from session_protocol.live_settings import LiveSettings, digest_in_use, digest_of_settings, write_live_settings
from session_protocol.vocabulary import TokenScope

from whatsapp_operator.api.constants import RUNNER_PORT
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import AccountHash, KeyID, PodUID, Rejection, SessionUID, TokenSource
from whatsapp_operator.core.objects.account_hash import account_hash
from whatsapp_operator.core.objects.tokens import hashes, operator_key, token
from whatsapp_operator.runtime.runners.connection import MAX_BYTES, AnswerTooLargeError, BoundedConnector
from whatsapp_operator.runtime.runners.signed_call import Answer, Attempt, Outcome, Unauthentic, signed_call

WAIT: Final = timedelta(seconds=10)
""" How long a runner holds an answer back when nothing changes. Well below the 15 s that count as silence. """
GRACE: Final = timedelta(seconds=4)
""" How much longer than WAIT an answer may take. """
RENEWAL: Final = timedelta(seconds=5)
""" How long telling a runner of its tokens may take, so that it does not look silent meanwhile. """
CONNECT: Final = timedelta(seconds=3)
""" How long connecting may take; a pod's network is near. """


class NoAnswer(Exception):
    """The runner did not answer, or its answer was rejected."""

    def __init__(self, message: str, *, rejection: Rejection | None = None) -> None:
        super().__init__(message)
        self.rejection = rejection
        """ Why its answer was rejected; None: there was none. """


_REFUSALS: Final = (Rejection.UNSIGNED, Rejection.STATUS)
MAX_NONCES: Final = 20_000
""" Pods whose next nonce is remembered; for another one it is asked for. """


@dataclass(frozen=True, kw_only=True)
class Target:
    """The runner of one pod."""

    key: ObjectKey
    """ The session, for the work queue. """
    session_uid: SessionUID
    pod_uid: PodUID
    ip: str
    key_id: KeyID
    """ The key from which the pod's tokens are derived. """
    renewal: str | None = None
    """ The renewal that the Secret in the pod is of; None: it holds plain tokens. """
    renew: TokenSource | None = None
    """ The tokens that the runner is to be told of; None: it has the right ones. """
    settings: LiveSettings | None = None
    """ What the runner is to go by; None: its session's spec cannot be used, so it keeps what it has. """

    @property
    def url(self) -> str:
        """The URL of the runner.

        :raises ValueError: the pod's address is none.
        """
        host = f"[{self.ip}]" if ipaddress.ip_address(self.ip).version == 6 else self.ip
        return f"http://{host}:{RUNNER_PORT}"


class RunnerClient(Protocol):
    """The seam to the runners."""

    async def get_state(self, target: Target, *, after: int | None) -> State:
        """Return the runner's state once its revision differs from `after`, or after `WAIT`.

        :raises NoAnswer: no answer came, or it was rejected.
        """

    async def renew_tokens(self, target: Target, source: TokenSource) -> None:
        """Let the runner take the tokens of this source, and no others after a while.

        :raises NoAnswer: it is not known whether it does; it may be told again.
        """

    async def change_settings(self, target: Target, settings: LiveSettings) -> bool:
        """Let the runner go by these settings; return whether it goes by all of them: an older one does not know all.

        :raises NoAnswer: it is not known whether it does; it may be told again.
        """

    async def get_account(self, target: Target, *, key_id: KeyID) -> tuple[int, AccountHash]:
        """Return which of its accounts is linked, by the runner's count, and the hash of it with this key.

        :raises NoAnswer: no answer came, or it was rejected.
        """


class HttpRunnerClient:
    """Calls runners over HTTP."""

    def __init__(
        self, *, key: Callable[[KeyID], bytes], rejected: Callable[[Rejection], object] = lambda _: None
    ) -> None:
        self._key = key
        """ Gives a key by its id; may raise LookupError when it is gone. """
        self._rejected = rejected
        """ Called for each answer that does not count. """
        self._nonces: dict[PodUID, str] = {}
        """ What each pod's next call is to be signed with, the latest last. """
        self._session: aiohttp.ClientSession | None = None

    async def get_state(self, target: Target, *, after: int | None) -> State:
        """Send one long-poll; with `after` None (the first one) the runner answers at once."""
        query = "wait=0" if after is None else f"after={after}&wait={WAIT.total_seconds():g}"
        try:
            return _state(await self._call(target, "GET", f"/v1/state?{query}"), target)
        except NoAnswer as error:
            if error.rejection is not None:
                self._rejected(error.rejection)
            raise

    async def renew_tokens(self, target: Target, source: TokenSource) -> None:
        """Send the hashes of these tokens."""
        try:
            key = self._key(source.key_id)
            known = hashes(key, session_uid=target.session_uid, renewal=source.renewal)
            async with asyncio.timeout(RENEWAL.total_seconds()):
                await self._call(target, "PUT", "/v1/tokens", json.dumps(known).encode())
        except (LookupError, TimeoutError) as error:
            raise NoAnswer(f"the tokens cannot be renewed: {error or 'no answer in time'}") from error

    async def change_settings(self, target: Target, settings: LiveSettings) -> bool:
        """Send them. A runner that does not know the call, or a word in it, refuses, and errors are not signed."""
        try:
            async with asyncio.timeout(RENEWAL.total_seconds()):
                body = await self._call(target, "PUT", "/v1/settings", write_live_settings(settings))
            return digest_in_use(body) == digest_of_settings(settings)
        except NoAnswer as error:
            if error.rejection in _REFUSALS:
                return False
            raise
        except (TimeoutError, ValueError) as error:
            raise NoAnswer("no answer in time, or none that can be read") from error

    async def get_account(self, target: Target, *, key_id: KeyID) -> tuple[int, AccountHash]:
        """Ask for the number, and hash it."""
        body = await self._call(target, "GET", "/v1/account")
        try:
            account = read_account(body)
            hashed = account_hash(self._key(key_id), key_id=key_id, phone_number=account.phone_number)
        except (ValueError, LookupError) as error:
            raise NoAnswer(str(error)) from error
        return account.account_revision, hashed

    async def _call(self, target: Target, method: str, path: str, body: bytes = b"") -> bytes:
        """Send one call and return the body of the answer, which has status 200. :raises NoAnswer: there is none."""
        try:
            key = self._key(target.key_id)
            if target.renewal is None:
                return await self._call_with_token(target, key, method, path)
            return await self._call_signed(target, key, method, path, body)
        except LookupError as error:
            raise NoAnswer(str(error)) from error
        except AnswerTooLargeError as error:
            raise NoAnswer("the answer is too large", rejection=Rejection.TOO_LARGE) from error
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
            raise NoAnswer("the answer is no HTTP", rejection=Rejection.INVALID_HTTP) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # An operating system's error is ours to tell; the library's others may quote what came.
            why = f": {error}" if isinstance(error, OSError) else ""
            raise NoAnswer(f"{type(error).__name__}{why}") from error
        except ValueError as error:
            raise NoAnswer("the pod's address is none") from error

    async def _call_with_token(self, target: Target, key: bytes, method: str, path: str) -> bytes:
        """Call a pod that holds plain tokens: an older operator made it, and its runner knows no signatures."""
        shown = token(key, session_uid=target.session_uid, scope=TokenScope.STATE, renewal=None)
        answer = await self._send(target, method, path, Attempt({"Authorization": f"Bearer {shown}"}))
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}", rejection=Rejection.STATUS)
        return answer.body

    async def _call_signed(self, target: Target, key: bytes, method: str, path: str, body: bytes) -> bytes:
        call = signed_call(
            operator_key(key, session_uid=target.session_uid, renewal=target.renewal or ""),
            pod_uid=target.pod_uid,
            method=method,
            target=path,
            body=body,
            nonce=self._nonces.pop(target.pod_uid, None),
        )
        attempt = next(call)
        try:
            while True:
                attempt = call.send(await self._send(target, method, path, attempt))
        except StopIteration as stop:
            outcome: Outcome = stop.value
        except Unauthentic as error:
            raise NoAnswer(str(error), rejection=Rejection.UNSIGNED) from error
        self._nonces[target.pod_uid] = outcome.nonce
        if len(self._nonces) > MAX_NONCES:
            del self._nonces[next(iter(self._nonces))]
        return outcome.body

    async def _send(self, target: Target, method: str, path: str, attempt: Attempt) -> Answer:
        if self._session is None:
            self._session = _http_session()
        url = f"{target.url}{path}"  # nothing in it is to be encoded: what is signed is what is sent
        async with self._session.request(
            method, url, headers=attempt.headers, data=attempt.body or None, allow_redirects=False
        ) as response:
            text = bytearray()
            async for chunk in response.content.iter_any():
                text += chunk
                if len(text) > MAX_BYTES:
                    raise AnswerTooLargeError
            return Answer(response.status, response.headers, bytes(text))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _state(body: bytes, target: Target) -> State:
    """Return the state in an answer. :raises NoAnswer: there is none, or another pod's."""
    try:
        answer = read_state(body)
    except ValueError as error:
        raise NoAnswer("the answer is not a state", rejection=Rejection.INVALID_STATE) from error
    if (answer.session_uid, answer.pod_uid) != (target.session_uid, target.pod_uid):
        raise NoAnswer("the answer is another pod's", rejection=Rejection.OTHER_POD)
    return answer


def _http_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # Each session keeps one connection open, so there is no sensible limit on their number.
        connector=BoundedConnector(limit=0, limit_per_host=2),
        timeout=aiohttp.ClientTimeout(total=(WAIT + GRACE).total_seconds(), sock_connect=CONNECT.total_seconds()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # the environment's proxy is for traffic that leaves the cluster
        auto_decompress=False,  # we ask for no compression, and a small answer must not become a large one
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )
