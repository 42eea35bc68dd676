"""Polls the runners: one long-poll per session with a running pod, so that a change is known when it happens.

The reconciler starts and stops the polling, pod by pod; the observer reads the last report. Silence is not judged here:
the report has the time at which it was received, and the core decides what that means.

Each answer is the newest word, so nothing is lost by asking later a runner whose words change without end (`budgets`).
Its state is taken at once, a new text when its turn has come (`texts`).
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from session_protocol.answers import State
from session_protocol.live_settings import digest_of_settings

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import AccountHash, KeyID, PodUID, Rejection, RunnerReport, SessionUID, TokenSource
from whatsapp_operator.runtime.process.clock import Clock, Jitter, spread
from whatsapp_operator.runtime.process.token_bucket import TokenBucket
from whatsapp_operator.runtime.runners import budgets
from whatsapp_operator.runtime.runners.accounts import AccountReader
from whatsapp_operator.runtime.runners.client import GRACE, WAIT, NoAnswer, RunnerClient, Target
from whatsapp_operator.runtime.runners.texts import RunnerText, TextBudgets

logger = logging.getLogger(__name__)

FIRST_RETRY: Final = 0.2
""" Seconds until the retry after the first failure; a starting runner answers soon. """
LAST_RETRY: Final = 5.0
""" The longest delay between two tries, in seconds. """
MIN_INTERVAL: Final = 0.2
""" The fewest seconds between two polls. """
UNCHANGED_INTERVAL: Final = 1.0
""" The same after an unchanged answer, for a runner that answers at once instead of waiting. """
TURNS_INTERVAL: Final = 0.5
""" Seconds between two looks at the texts that wait. """


class _Poll(NamedTuple):
    target: Target
    task: asyncio.Task[None]
    since: datetime


class LastReport(NamedTuple):
    """The last report of one session's runner, and since when the operator polls it."""

    report: RunnerReport | None
    since: datetime | None
    rejection: Rejection | None = None
    """ Why the answers that came since do not count. """
    renewed: TokenSource | None = None
    """ The tokens that it was told of, and takes. """
    takes_settings: bool | None = None
    """ Whether it goes by all of the settings that it was brought; None: that is not known yet. """


class _Settings(NamedTuple):
    """What became of settings that a pod's runner is to go by."""

    pod_uid: PodUID
    digest: str | None
    taken: bool


class RunnerPoller:
    """One task per session that is polled, and the last report of each."""

    def __init__(
        self,
        *,
        client: RunnerClient,
        clock: Clock,
        on_changed: Callable[[ObjectKey], None],
        jitter: Jitter = spread,
        current_key: Callable[[], KeyID] = lambda: KeyID(""),
    ) -> None:
        self._client = client
        self._clock = clock
        self._on_changed = on_changed
        """ Called with the session's key when its runner reports something new. """
        self._jitter = jitter
        self._polls: dict[ObjectKey, _Poll] = {}
        self._reports: dict[ObjectKey, RunnerReport] = {}
        self._since: dict[ObjectKey, datetime | None] = {}
        """ Since when the last reported state is, by the runner's own clock. """
        self._rejections: dict[ObjectKey, Rejection] = {}
        """ By session, the first reason since the last answer that counted. """
        self._renewed: dict[ObjectKey, tuple[PodUID, TokenSource]] = {}
        self._settings: dict[ObjectKey, _Settings] = {}
        self._accounts = AccountReader(client=client, clock=clock, current_key=current_key)
        self._tenants = budgets.TenantBudgets()
        self._texts = TextBudgets()
        self._turns: asyncio.Task[None] | None = None
        """ Reads the texts that wait, while there are any. """

    def start(self, target: Target) -> bool:
        """Poll this runner, and no other of the same session; return False if it is polled already."""
        poll = self._polls.get(target.key)
        if poll is not None:
            if poll.target == target and not poll.task.done():
                return False
            poll.task.cancel()
        report = self._reports.get(target.key)
        if report is not None and report.pod_uid != target.pod_uid:
            del self._reports[target.key]
        self._rejections.pop(target.key, None)
        task = asyncio.get_running_loop().create_task(self._poll(target), name=f"polling {target.key}")
        self._polls[target.key] = _Poll(target, task, self._clock.now())
        return True

    def stop(self, key: ObjectKey) -> None:
        """Stop polling for this session. Its last report is kept, with its time."""
        poll = self._polls.pop(key, None)
        self._rejections.pop(key, None)
        if poll is not None:
            poll.task.cancel()

    def forget(self, key: ObjectKey) -> None:
        """Stop polling for a session that is gone, and drop its report."""
        self.stop(key)
        self._reports.pop(key, None)
        self._since.pop(key, None)
        self._renewed.pop(key, None)
        self._settings.pop(key, None)
        self._accounts.forget(key)
        self._texts.forget(key)

    def last_report(self, key: ObjectKey, *, pods: Collection[PodUID]) -> LastReport:
        """Return the last report of a session's runner, and since when it is polled.

        A report is kept after its pod is gone, even if that pod never was in status. It is dropped as soon as the
        session has another pod.

        :param pods: the session's own pods that exist now.
        """
        report, poll = self._reports.get(key), self._polls.get(key)
        if report is not None and pods and report.pod_uid not in pods:
            report = None
            del self._reports[key]
        since = poll.since if poll is not None and poll.target.pod_uid in pods else None
        pod, renewed = self._renewed.get(key, (None, None))
        settings = self._settings.get(key)
        takes = settings.taken if settings is not None and settings.pod_uid in pods else None
        return LastReport(report, since, self._rejections.get(key), renewed if pod in pods else None, takes)

    @property
    def active(self) -> int:
        """How many runners the operator polls."""
        return len(self._polls)

    async def close(self) -> None:
        """Stop polling altogether."""
        tasks = [poll.task for poll in self._polls.values()]
        tasks += [self._turns] if self._turns is not None else []
        self._polls.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, target: Target) -> None:
        revision: int | None = None
        failures = 0
        pace = TokenBucket(budgets.BURST, budgets.PER_SECOND)
        while True:
            started = self._clock.monotonic()
            await self._renew_tokens(target)
            try:
                answer = await self._client.get_state(target, after=revision)
            except NoAnswer as error:
                # Debug only: a runner that starts, stops or cannot be reached is normal; the core reports what matters.
                logger.debug("Runner did not answer", extra={**target.key.log_fields, "error": str(error)})
                revision = None  # a runner that is back reports its state at once
                if error.rejection is not None and target.key not in self._rejections:
                    self._rejections[target.key] = error.rejection
                    self._on_changed(target.key)
                await self._clock.sleep(self._jitter(min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures, 10))))
                failures += 1
                continue
            failures = 0
            self._received(target, answer, await self._accounts.read(target, answer))
            await self._bring_settings(target, answer)
            gap = UNCHANGED_INTERVAL
            if answer.revision != revision:
                now = self._clock.monotonic()
                late = self._tenants.delay_after_change(target.key.namespace, now=now)
                gap = max(MIN_INTERVAL, pace.spend(now=now), late)
            revision = answer.revision
            await self._clock.sleep(max(0.0, gap - (self._clock.monotonic() - started)))

    async def _renew_tokens(self, target: Target) -> None:
        """Tell the runner of its new tokens; if it cannot be told now, the next poll tries again."""
        if target.renew is None or self._renewed.get(target.key) == (target.pod_uid, target.renew):
            return
        try:
            await self._client.renew_tokens(target, target.renew)
        except NoAnswer as error:
            logger.debug("Runner was not told of its tokens", extra={**target.key.log_fields, "error": str(error)})
            return
        self._renewed[target.key] = target.pod_uid, target.renew
        self._on_changed(target.key)

    async def _bring_settings(self, target: Target, answer: State) -> None:
        """Let the runner go by the settings of today, if it says that it does not; if it cannot be told, the next poll tries.

        A runner that answered and does not go by them is older than they are, so it is not asked again.
        """
        if target.settings is None:
            return
        wanted, before = digest_of_settings(target.settings), self._settings.get(target.key)
        taken = answer.settings_digest == wanted
        if not taken:
            if before == (target.pod_uid, wanted, False):
                return
            try:
                taken = await self._client.change_settings(target, target.settings)
            except NoAnswer as error:
                logger.debug(
                    "Runner was not told of its settings", extra={**target.key.log_fields, "error": str(error)}
                )
                return
            if not taken:
                logger.info("A runner does not know all of its session's settings", extra=target.key.log_fields)
        self._settings[target.key] = _Settings(target.pod_uid, wanted, taken)
        was_taken = before is None or before.pod_uid != target.pod_uid or before.taken
        if taken != was_taken:
            self._on_changed(target.key)

    def _received(self, target: Target, answer: State, account: AccountHash | None) -> None:
        self._rejections.pop(target.key, None)
        previous = self._reports.get(target.key)
        report = report_of(answer, session_uid=target.session_uid, pod_uid=target.pod_uid, received=self._clock.now())
        report = replace(report, since=self._own_since(target.key, previous, report), account=account)
        text = RunnerText(target.key, target.pod_uid, report.revision, report.message)
        if self._texts.knows(text):
            self._reports[target.key] = report
        else:
            # Until its turn, which mostly is now, the last text stays if the state is the same.
            same = previous is not None and previous.state == report.state
            self._reports[target.key] = replace(
                report, message=previous.message if previous is not None and same else ""
            )
            self._texts.put(text, now=self._clock.monotonic())
            self._take_turns(target.key)
        report = self._reports[target.key]
        if previous is None or report != replace(previous, received=report.received) or _was_silent(previous, report):
            self._on_changed(target.key)

    def _take_turns(self, asking: ObjectKey | None = None) -> None:
        """Read the texts whose turn has come, and report the changes; the session that asks looks itself."""
        for text in self._texts.turns(now=self._clock.monotonic()):
            report = self._reports.get(text.key)
            if report is None or (report.pod_uid, report.revision) != (text.pod_uid, text.revision):
                continue
            self._reports[text.key] = replace(report, message=text.content)
            if text.key != asking:
                self._on_changed(text.key)
        if self._texts.waits and (self._turns is None or self._turns.done()):
            self._turns = asyncio.get_running_loop().create_task(self._read_waiting(), name="reading what runners say")

    async def _read_waiting(self) -> None:
        while self._texts.waits:
            await self._clock.sleep(TURNS_INTERVAL)
            self._take_turns()

    def _own_since(self, key: ObjectKey, previous: RunnerReport | None, report: RunnerReport) -> datetime | None:
        """Return since when the state is, by our own clock: the runner's may be wrong, or be set at any moment."""
        same = previous is not None and (previous.pod_uid, previous.state) == (report.pod_uid, report.state)
        same = same and self._since.get(key) == report.since
        self._since[key] = report.since
        if report.since is None:
            return None
        return previous.since if previous is not None and same else report.received


def report_of(answer: State, *, session_uid: SessionUID, pod_uid: PodUID, received: datetime) -> RunnerReport:
    """Return the report that is remembered of an answer, under the UIDs that were polled."""
    return RunnerReport(
        session_uid=session_uid,
        pod_uid=pod_uid,
        revision=answer.revision,
        state=answer.state,
        reason=answer.reason,
        message=answer.message,
        since=answer.since,
        linked_time=answer.linked_time,
        durable_time=answer.durable_time,
        round=answer.round,
        linked=answer.linked,
        logout_time=answer.logout_time,
        logout_reason=answer.logout_reason,
        browser_sandbox=answer.browser_sandbox,
        user_namespace=answer.user_namespace,
        browser_version=answer.browser_version,
        account_expected=answer.account_expected,
        received=received,
    )


def _was_silent(before: RunnerReport, after: RunnerReport) -> bool:
    """Whether the gap was so long that the session may have counted as unreachable, which is over now."""
    return after.received - before.received > WAIT + GRACE
