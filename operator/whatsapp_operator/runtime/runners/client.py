"""One long-poll of one runner: the request, and which answers are accepted.

    GET http://POD-IP:8080/v1/state?after=REVISION&wait=10        Authorization: Bearer TOKEN (scope state)

The answer comes from a program that runs a foreign web page, so it is trusted only as far as needed: its size (on the
wire, too, see `connection`), time and shape are limited, it must name the session and the pod that we asked, and the
token that we send only allows to read the state. An answer that fails any of these checks counts as none, and nothing of
it is repeated in what is told about it.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import aiohttp
from session_protocol.answers import State, read_state

from whatsapp_operator.api.constants import RUNNER_PORT
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, PodUID, Rejection, SessionUID
from whatsapp_operator.runtime.runners.connection import MAX_BYTES, AnswerTooLargeError, BoundedConnector

WAIT: Final = timedelta(seconds=10)
""" How long a runner holds an answer back when nothing changes. Well below the 15 s that count as silence. """
GRACE: Final = timedelta(seconds=4)
""" How much longer than WAIT an answer may take. """
CONNECT: Final = timedelta(seconds=3)
""" How long connecting may take; a pod's network is near. """


class NoAnswer(Exception):
    """The runner did not answer, or its answer was rejected."""

    def __init__(self, message: str, *, rejection: Rejection | None = None) -> None:
        super().__init__(message)
        self.rejection = rejection
        """ Why its answer was rejected; None: there was none. """


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

    @property
    def url(self) -> str:
        """The URL of the runner's state."""
        host = f"[{self.ip}]" if ipaddress.ip_address(self.ip).version == 6 else self.ip
        return f"http://{host}:{RUNNER_PORT}/v1/state"


class RunnerClient(Protocol):
    """The seam to the runners."""

    async def get_state(self, target: Target, *, after: int | None) -> State:
        """Return the runner's state once its revision differs from `after`, or after `WAIT`.

        :raises NoAnswer: no answer came, or it was rejected.
        """


class HttpRunnerClient:
    """Polls runners over HTTP."""

    def __init__(
        self, *, token: Callable[[SessionUID, KeyID], str], rejected: Callable[[Rejection], object] = lambda _: None
    ) -> None:
        self._token = token
        """ The token of scope *state*; may raise LookupError when the key is gone. """
        self._rejected = rejected
        """ Called for each answer that does not count. """
        self._session: aiohttp.ClientSession | None = None

    async def get_state(self, target: Target, *, after: int | None) -> State:
        """Send one long-poll; with `after` None (the first one) the runner answers at once."""
        query = {"wait": "0"} if after is None else {"after": str(after), "wait": f"{WAIT.total_seconds():g}"}
        try:
            return await self._state(target, query)
        except LookupError as error:
            raise NoAnswer(str(error)) from error
        except NoAnswer as error:
            if error.rejection is not None:
                self._rejected(error.rejection)
            raise

    async def _state(self, target: Target, query: dict[str, str]) -> State:
        token = self._token(target.session_uid, target.key_id)
        try:
            url = target.url
        except ValueError as error:
            raise NoAnswer("the pod's address is none") from error
        try:
            answer = read_state(await self._get(url, query, token))
        except AnswerTooLargeError as error:
            raise NoAnswer("the answer is too large", rejection=Rejection.TOO_LARGE) from error
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
            raise NoAnswer("the answer is no HTTP", rejection=Rejection.INVALID_HTTP) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # An operating system's error is ours to tell; the library's others may quote what came.
            why = f": {error}" if isinstance(error, OSError) else ""
            raise NoAnswer(f"{type(error).__name__}{why}") from error
        except ValueError as error:
            raise NoAnswer("the answer is not a state", rejection=Rejection.INVALID_STATE) from error
        if (answer.session_uid, answer.pod_uid) != (target.session_uid, target.pod_uid):
            raise NoAnswer("the answer is another pod's", rejection=Rejection.OTHER_POD)
        return answer

    async def _get(self, url: str, query: dict[str, str], token: str) -> bytes:
        if self._session is None:
            self._session = _http_session()
        async with self._session.get(
            url, params=query, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise NoAnswer(f"status {response.status}", rejection=Rejection.STATUS)
            text = bytearray()
            async for chunk in response.content.iter_any():
                text += chunk
                if len(text) > MAX_BYTES:
                    raise AnswerTooLargeError
            return bytes(text)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


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
