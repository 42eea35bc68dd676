"""Polling the runners: one long-poll per session with a running pod, so that a change is known when it happens.

Started and stopped by the reconciler, pod by pod; the observer asks for the last report. Silence is not judged here:
the report keeps the time it was received, and the core decides what that means.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from session_protocol.answers import State

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import PodUID, RunnerReport
from whatsapp_operator.runtime.process.clock import Clock, Jitter, spread
from whatsapp_operator.runtime.runners.client import GRACE, WAIT, NoAnswer, RunnerClient, Target

logger = logging.getLogger(__name__)

FIRST_RETRY: Final = 0.2
""" Seconds until the next try after the first failure; a starting runner answers soon. """
LAST_RETRY: Final = 5.0
""" No pause between tries is longer, in seconds. """
MIN_INTERVAL: Final = 0.2
""" Seconds between two answers at least: a runner that changes without end must not keep the operator busy. """
UNCHANGED_INTERVAL: Final = 1.0
""" The same when nothing has changed: a runner that does not hold its answer back must not either. """


class _Poll(NamedTuple):
    target: Target
    task: asyncio.Task[None]
    since: datetime


class LastReport(NamedTuple):
    """The last report of one session's runner, and since when the operator polls it."""

    report: RunnerReport | None
    since: datetime | None


class RunnerPoller:
    """One task per session that is polled, and the last report of each."""

    def __init__(
        self,
        *,
        client: RunnerClient,
        clock: Clock,
        on_changed: Callable[[ObjectKey], None],
        jitter: Jitter = spread,
    ) -> None:
        self._client = client
        self._clock = clock
        self._on_changed = on_changed
        """ Called with the session's key when its runner said something new. """
        self._jitter = jitter
        self._polls: dict[ObjectKey, _Poll] = {}
        self._reports: dict[ObjectKey, RunnerReport] = {}

    def start(self, target: Target) -> bool:
        """Poll this runner, and no other of the same session; return whether that is new."""
        poll = self._polls.get(target.key)
        if poll is not None:
            if poll.target == target and not poll.task.done():
                return False
            poll.task.cancel()
        report = self._reports.get(target.key)
        if report is not None and report.pod_uid != target.pod_uid:
            del self._reports[target.key]
        task = asyncio.get_running_loop().create_task(self._poll(target), name=f"polling {target.key}")
        self._polls[target.key] = _Poll(target, task, self._clock.now())
        return True

    def stop(self, key: ObjectKey) -> None:
        """Poll nobody for this session. Its last report is kept: the core knows how old it is."""
        poll = self._polls.pop(key, None)
        if poll is not None:
            poll.task.cancel()

    def forget(self, key: ObjectKey) -> None:
        """The session is gone."""
        self.stop(key)
        self._reports.pop(key, None)

    def last_report(self, key: ObjectKey, *, pods: Collection[PodUID]) -> LastReport:
        """Return the last answer for a session, whose own pods these are.

        It is kept when its pod is gone, also a pod that is in no status yet; once another one exists, it is outdated
        for good.
        """
        report, poll = self._reports.get(key), self._polls.get(key)
        if report is not None and pods and report.pod_uid not in pods:
            report = None
            del self._reports[key]
        return LastReport(report, poll.since if poll is not None and poll.target.pod_uid in pods else None)

    @property
    def active(self) -> int:
        """How many runners the operator polls."""
        return len(self._polls)

    async def close(self) -> None:
        """Stop polling all."""
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
                answer = await self._client.get_state(target, after=revision)
            except NoAnswer as error:
                # Debug: a runner that starts, stops or is cut off is no event of the operator; the core reports it.
                logger.debug("Runner did not answer", extra={"session": str(target.key), "why": str(error)})
                revision = None  # a runner that comes back tells its state at once
                await self._clock.sleep(self._jitter(min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures, 10))))
                failures += 1
                continue
            failures = 0
            self._received(target, answer)
            gap = MIN_INTERVAL if answer.revision != revision else UNCHANGED_INTERVAL
            revision = answer.revision
            await self._clock.sleep(max(0.0, gap - (self._clock.monotonic() - started)))

    def _received(self, target: Target, answer: State) -> None:
        previous = self._reports.get(target.key)
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
            received=self._clock.now(),
        )
        self._reports[target.key] = report
        if previous is None or report != replace(previous, received=report.received) or _was_silent(previous, report):
            self._on_changed(target.key)


def _was_silent(before: RunnerReport, after: RunnerReport) -> bool:
    """Whether the pause was long enough that the session may count as unreachable, and no longer does."""
    return after.received - before.received > WAIT + GRACE
