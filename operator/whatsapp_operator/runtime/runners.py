"""Listening to the runners: one long-poll per session with a running pod, so that a change is known when it happens.

    GET http://POD-IP:8080/v1/state?after=REVISION&wait=10        Authorization: Bearer TOKEN (scope state)

What comes back is the word of a program that holds a stranger's web page, so it is believed only as far as needed:
its size, its time and its shape are limited, it must name the session and the pod that we asked, and the token sent
allows to read the state and nothing else. An answer that fails any of this is no answer. Silence is not judged here:
the report keeps the time it was heard, and the core decides what that means.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import aiohttp
from session_protocol.answers import State, read_state

from whatsapp_operator.api.constants import RUNNER_PORT
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, PodUID, RunnerReport, SessionUID
from whatsapp_operator.runtime.clock import Clock, Jitter, spread

logger = logging.getLogger(__name__)

WAIT: Final = timedelta(seconds=10)
""" How long a runner holds an answer back when nothing changes. Well below the 15 s that count as silence. """
GRACE: Final = timedelta(seconds=4)
""" How much longer than that an answer may take. """
CONNECT: Final = timedelta(seconds=3)
""" How long a connection may take to be made: a pod's network is near. """
FIRST_RETRY: Final = 0.2
""" Seconds until the next try after the first failure; a starting runner answers soon. """
LAST_RETRY: Final = 5.0
""" No pause between tries is longer, in seconds. """
LEAST_GAP: Final = 0.2
""" Seconds between two answers at least: a runner that changes without end must not keep the operator busy. """
UNCHANGED_GAP: Final = 1.0
""" The same when nothing has changed: a runner that does not hold its answer back must not either. """
LARGEST: Final = 64 * 1024
""" Bytes of an answer that are read. """


class NoAnswer(Exception):
    """The runner did not answer, or with something that does not count."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The runner of one pod."""

    key: ObjectKey
    """ The session, for the work queue. """
    session_uid: SessionUID
    pod_uid: PodUID
    ip: str
    key_id: KeyID
    """ Which key the pod's tokens come from. """

    @property
    def url(self) -> str:
        """Where the state is."""
        host = f"[{self.ip}]" if ipaddress.ip_address(self.ip).version == 6 else self.ip
        return f"http://{host}:{RUNNER_PORT}/v1/state"


class Listener(Protocol):
    """The seam to the runners."""

    async def ask(self, target: Target, *, after: int | None) -> State:
        """Return the runner's state once it is another than that revision, or after `WAIT`.

        :raises NoAnswer: nothing that counts came.
        """


class HttpListener:
    """Asks over HTTP."""

    def __init__(self, *, token: Callable[[SessionUID, KeyID], str]) -> None:
        self._token = token
        """ The token of scope *state*; may raise LookupError when the key is gone. """
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, target: Target, *, after: int | None) -> State:
        """Make one long-poll; the first one (`after` None) is answered at once."""
        query = {"wait": "0"} if after is None else {"after": str(after), "wait": f"{WAIT.total_seconds():g}"}
        try:
            token = self._token(target.session_uid, target.key_id)
            answer = read_state(await self._get(target.url, query, token))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        except ValueError as error:
            raise NoAnswer("the answer is not a state") from error
        except LookupError as error:
            raise NoAnswer(str(error)) from error
        if (answer.session_uid, answer.pod_uid) != (target.session_uid, target.pod_uid):
            raise NoAnswer("the answer is another pod's")
        return answer

    async def _get(self, url: str, query: dict[str, str], token: str) -> bytes:
        if self._session is None:
            self._session = _http_session()
        async with self._session.get(
            url, params=query, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise NoAnswer(f"status {response.status}")
            text = b""
            async for chunk in response.content.iter_chunked(LARGEST):
                text += chunk
                if len(text) > LARGEST:
                    raise NoAnswer("the answer is too long")
            return text

    async def close(self) -> None:
        """Drop the connections."""
        if self._session is not None:
            await self._session.close()


def _http_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # One connection per session is parked; there is no sensible limit over all.
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=2),
        timeout=aiohttp.ClientTimeout(total=(WAIT + GRACE).total_seconds(), sock_connect=CONNECT.total_seconds()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # a proxy of the environment is for the world outside
        auto_decompress=False,  # we ask for no compression, and a small answer must not become a large one
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


class _Poll(NamedTuple):
    target: Target
    task: asyncio.Task[None]
    since: datetime


class Heard(NamedTuple):
    """What one session's runner said, and since when the operator listens to it."""

    report: RunnerReport | None
    since: datetime | None


class Runners:
    """One task per session that is listened to, and the last report of each."""

    def __init__(
        self,
        *,
        listener: Listener,
        clock: Clock,
        changed: Callable[[ObjectKey], None],
        jitter: Jitter = spread,
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._changed = changed
        """ Called with the session's key when its runner said something new. """
        self._jitter = jitter
        self._polls: dict[ObjectKey, _Poll] = {}
        self._reports: dict[ObjectKey, RunnerReport] = {}

    def listen(self, target: Target) -> bool:
        """Listen to this runner, and to no other of the same session; return whether that is new."""
        poll = self._polls.get(target.key)
        if poll is not None:
            if poll.target == target and not poll.task.done():
                return False
            poll.task.cancel()
        report = self._reports.get(target.key)
        if report is not None and report.pod_uid != target.pod_uid:
            del self._reports[target.key]
        task = asyncio.get_running_loop().create_task(self._poll(target), name=f"listening to {target.key}")
        self._polls[target.key] = _Poll(target, task, self._clock.now())
        return True

    def ignore(self, key: ObjectKey) -> None:
        """Listen to nobody for this session. Its last report is kept: the core knows how old it is."""
        poll = self._polls.pop(key, None)
        if poll is not None:
            poll.task.cancel()

    def forget(self, key: ObjectKey) -> None:
        """The session is gone."""
        self.ignore(key)
        self._reports.pop(key, None)

    def heard(self, key: ObjectKey, *, pods: Collection[PodUID]) -> Heard:
        """Return the last answer for a session, whose own pods these are.

        It is kept when its pod is gone, also a pod that no status has told of yet; once another one is there, it is of
        before for good.
        """
        report, poll = self._reports.get(key), self._polls.get(key)
        if report is not None and pods and report.pod_uid not in pods:
            report = None
            del self._reports[key]
        return Heard(report, poll.since if poll is not None and poll.target.pod_uid in pods else None)

    @property
    def listening(self) -> int:
        """To how many runners the operator listens."""
        return len(self._polls)

    async def close(self) -> None:
        """Stop listening to all."""
        tasks = [poll.task for poll in self._polls.values()]
        self._polls.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, target: Target) -> None:
        revision: int | None = None
        failures = 0
        while True:
            started = self._clock.monotonic()
            try:
                answer = await self._listener.ask(target, after=revision)
            except NoAnswer as error:
                # Debug: a runner that starts, stops or is cut off is no event of the operator; the core tells of it.
                logger.debug("Runner did not answer", extra={"session": str(target.key), "why": str(error)})
                revision = None  # a runner that comes back tells its state at once
                await self._clock.sleep(self._jitter(min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures, 10))))
                failures += 1
                continue
            failures = 0
            self._heard(target, answer)
            gap = LEAST_GAP if answer.revision != revision else UNCHANGED_GAP
            revision = answer.revision
            await self._clock.sleep(max(0.0, gap - (self._clock.monotonic() - started)))

    def _heard(self, target: Target, answer: State) -> None:
        known = self._reports.get(target.key)
        report = RunnerReport(
            session_uid=target.session_uid,
            pod_uid=target.pod_uid,
            revision=answer.revision,
            state=answer.state,
            reason=answer.reason,
            message=answer.message,
            since=answer.since,
            linked_time=answer.linked_time,
            durable_time=answer.durable_time,
            round=answer.round,
            linked=answer.linked,
            heard=self._clock.now(),
        )
        self._reports[target.key] = report
        if known is None or report != replace(known, heard=report.heard) or _was_silent(known, report):
            self._changed(target.key)


def _was_silent(before: RunnerReport, after: RunnerReport) -> bool:
    """Whether the pause was long enough that the session may count as unreachable, and no longer does."""
    return after.heard - before.heard > WAIT + GRACE
