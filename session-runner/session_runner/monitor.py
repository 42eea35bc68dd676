"""Loads the page, then probes it at short intervals.

`session` runs this between opening and closing the browser. Each time it probes the page, updates the history and the
state file, classifies and publishes the state, and perhaps requests a new round of QR codes. It ends only by raising
`RunEnded`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Protocol

from session_protocol.durations import format_duration
from session_protocol.logouts import LogoutReason, logout_reason
from session_protocol.redaction import redact
from session_protocol.states import Phase, is_linked, rests, traits_of
from session_protocol.times import format_time
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason

from session_runner import answers
from session_runner.answers import Answers
from session_runner.exits import RunEnded, died, out_of_memory, unresponsive
from session_runner.host.memory import KillCounter, killed_since
from session_runner.metrics import Metrics
from session_runner.page.errors import NavigationError, OutdatedTrustError, PageGoneError, ProbeTimeoutError
from session_runner.pairing import pair, show_codes, with_numbers
from session_runner.phone_numbers import PhoneNumbers
from session_runner.presence import PresenceKeeper
from session_runner.proxy.watching import WatchedProxy, wait_for_try
from session_runner.settings import Settings
from session_runner.state_file import StateFile
from session_runner.states.classify import Verdict, behind_proxy, classify, without_answers
from session_runner.states.facts import Facts, Socket
from session_runner.states.fetch_failures import FetchFailure, no_answer
from session_runner.states.fetching import (
    Fetching,
    gave_up,
    new_document,
    noticed,
    patience,
    pause_before,
    unfetched,
    why_again,
)
from session_runner.states.history import (
    History,
    acknowledged,
    asked_for_code,
    checked,
    left,
    logout_explained,
    remember,
    reported,
    wants_acknowledgement,
    wants_code,
)
from session_runner.states.hold import HeldState
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

CODELESS_PATIENCE = 1.5
""" Seconds. A page that waits for a phone shows its code within a second; after this time wa-js is asked for it. """
LOADING_INTERVAL, MOVING_INTERVAL, RESTING_INTERVAL = 0.3, 2.0, 5.0
""" Seconds between two probes; an event of the page makes the next one earlier. """
EVENT_PAUSE = 0.05
""" Seconds. Events come in bunches, and one probe serves them all. """
SLOW_SECONDS = 15.0
""" A host that has not answered for so long is reported, while it is still waited for. """
PAGE_IS_LOADING = Verdict(RunnerState.LOADING, StateReason.PAGE_LOADING, "The page is loading.")
_UNDER_WAY = frozenset({Socket.OPENING, Socket.UNPAIRED, Socket.UNPAIRED_IDLE})


class Page(answers.Page, Protocol):
    """What the monitor needs of a browser's page; `page.browser.BrowserPage` is the real one."""

    died: asyncio.Future[str]

    async def navigate(self, url: str, *, deadline: float, without_cache: bool) -> None:
        """Load the document, also past what is stored of earlier answers.

        :raises NavigationError: the document was not loaded.
        :raises PageGoneError: the page is dead.
        """


@lru_cache(maxsize=64)
def _redacted(message: str) -> str:
    """Return a message as everybody may read it: a ban's code is in the page's own words."""
    return redact(message)


def pause_after(state: RunnerState, *, health_check: float) -> float:
    """Return the seconds until the next probe, few beside the health check, which begins with the probe."""
    traits = traits_of(state)
    interval = RESTING_INTERVAL
    if traits.phase is Phase.STARTING:
        interval = LOADING_INTERVAL
    elif traits.brief:
        interval = MOVING_INTERVAL
    return min(interval, health_check / 9)


@dataclass(kw_only=True)
class PageMonitor:
    """The loop over probe, history and published state."""

    settings: Settings
    store: StateStore
    metrics: Metrics
    state_file: StateFile
    kills: KillCounter
    monotonic: Callable[[], float]
    clock: Callable[[], datetime]
    started: float
    """ When the process began, on the monotonic clock. """
    numbers: PhoneNumbers
    presence: PresenceKeeper
    random: Callable[[], float]
    """ From 0 to 1. """
    trust_is_outdated: Callable[[], bool] = lambda: False
    """ Whether a browser that is opened now would trust other authorities. """
    first_classified: Callable[[], None] = lambda: None
    """ Called once, when start-up is over. """
    proxy: WatchedProxy | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _history: History = field(init=False)
    _kills_before: int | None = field(init=False)
    _starting: bool = True
    _stuck_since: float | None = field(init=False)
    """ Since when the page only loads and does nothing that may lead to a code or a session; None: it is not stuck. """
    _is_off_screen: bool = False  # the page's code, so that wa-js is asked for it
    _opened: float = 0.0
    """ Seconds after which the browser was open. """
    _answers: Answers = field(init=False)
    _verdict: Verdict | None = None
    """ The last one published. """
    _remark: str = ""
    """ What is said beside every state: that the volume is nearly full, say. """

    def __post_init__(self) -> None:
        self._history = self.state_file.history(now=self.started)
        self._kills_before = self.kills()
        self._stuck_since = self.started
        self.numbers.changed = self._woken.set
        self._answers = Answers(
            health_check=self.settings.health_check_timeout,
            protocol=self.settings.protocol_timeout,
            monotonic=self.monotonic,
            silent=self._show_silence,
            pending=self._show_navigation,
        )

    def wake(self, name: str, detail: str | None) -> None:
        """Handle an event of the page: probe soon, and record the two events that no later probe would show."""
        if name == "logout_asked":
            self._history = replace(self._history, logout_asked=self.monotonic())
        if name == "logout_reason":
            logger.info("The page was logged out", extra={"logout_reason": detail})
            # Asked for by our API, the page says that its user did it.
            asked = self._history.asked_lately(now=self.monotonic()) and detail == "user_initiated"
            self.state_file.keep_logout_reason(LogoutReason.LOGOUT_REQUESTED if asked else logout_reason(detail))
            if detail == "account_locked":
                self._history = replace(self._history, logout_hold="AccountLocked")
            self._history = logout_explained(self._history, detail, now=self.monotonic())
        self._woken.set()

    def killed(self) -> bool:
        """Whether the kernel has killed one of our processes, out of memory, since we began."""
        return killed_since(self._kills_before, self.kills())

    def navigating(self, is_pending: bool) -> None:  # noqa: FBT001 -- an event with one value
        """Handle the begin and the end of a navigation, which is the page's own unless `fetch` runs."""
        self._answers.navigating(is_pending=is_pending)
        if is_pending:
            self._leave()
        else:
            self._woken.set()

    def fetch_failed(self, failure: FetchFailure, of_document: bool) -> None:  # noqa: FBT001 -- the same
        """Handle what the browser could not fetch: a page that does not come up without it is fetched again."""
        before = self._history.fetching
        after = noticed(before, failure, of_document=of_document)
        if after == before:  # a page that is up may try the same ten times a second
            return
        self._note(after)
        extra = {"reason": failure.reason, "why": failure.message}
        logger.info("Something of the page could not be fetched", extra=extra)
        self._woken.set()

    def document_began(self, is_error: bool) -> None:  # noqa: FBT001 -- the same
        """Handle a new document in the tab, the page's own reloads included."""
        self.metrics.loads.inc()
        self._note(new_document(self._history.fetching, now=self.monotonic(), is_error=is_error))
        self._leave()
        self._woken.set()

    def _leave(self) -> None:
        """Take back at once what the page's last document showed: a reload may take any time, and end anywhere.

        What waits for a person is not taken back: the next document has to show that it is over.
        """
        self._history = left(self._history, now=self.monotonic())
        self.store.show_code(None, lifetime=0)
        self.store.show_pairing_code(None, lifetime=0)
        if self._verdict is None or self.state_file.saved.hold is not None or self._history.fetching.shown is not None:
            return
        if traits_of(self._verdict.state).phase is not Phase.EXITING:
            self.publish(PAGE_IS_LOADING)

    async def repeat(self, hold: HeldState) -> None:
        """Publish a hold from an earlier run, with the page closed, until the pod is deleted."""
        logger.warning(
            "The session is on hold since an earlier runner, the page stays closed",
            extra={"state": hold.state, "reason": hold.reason},
        )
        self.publish(Verdict(hold.state, hold.reason, hold.message))
        await asyncio.Event().wait()

    async def fetch(self, browser: Page) -> None:
        """Load the document, and try again for as long as it cannot be fetched. The runner navigates nowhere else.

        It is called again only for a page that is not up, which has no session that a reload could take over.

        :raises RunEnded: page or browser died.
        :raises OutdatedTrustError: a browser that is opened now may trust the page's certificate.
        """
        if self._history.fetching.shown is None:
            self._opened = self.monotonic() - self.started
            self.publish(PAGE_IS_LOADING)
        while (failure := await self._navigate(browser)) is not None:
            await self._give_up(browser, failure)
        if self._history.fetching.tries:  # what could not be fetched before has cost the page none of its time
            now = self.monotonic()
            self._stuck_since = now
            self._history = replace(self._history, unclassified_since=now)

    async def _navigate(self, browser: Page) -> FetchFailure | None:
        """Try once; return why it failed."""
        last, deadline = self._history.fetching.shown, patience(self.settings.startup_timeout)
        self._note(new_document(self._history.fetching, now=self.monotonic()))
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._show_slowness)
        try:
            await browser.navigate(
                self.settings.url, deadline=deadline, without_cache=last is not None and last.is_answer
            )
        except NavigationError as error:
            return error.failure
        except PageGoneError:
            raise await self._death(browser) from None
        finally:
            slow.cancel()
        # What it was is over, however long the page takes now.
        if self.proxy is not None and self.proxy.failure is None:
            self._note(replace(self._history.fetching, shown=None))
        return None

    async def _give_up(self, browser: Page, failure: FetchFailure) -> None:
        """Report a failure and wait until the next try is due."""
        if self.proxy is not None and self.proxy.failure is not None:  # of which the browser has but one word
            failure = FetchFailure(self.proxy.failure.reason, self.proxy.failure.message)
        self._note(gave_up(self._history.fetching, failure))
        self.metrics.fetch_failures.labels(failure.reason).inc()
        self._show_failure(failure)
        if failure.reason is StateReason.CERTIFICATE_NOT_TRUSTED and self.trust_is_outdated():
            raise OutdatedTrustError
        seconds = pause_before(self._history.fetching.tries, random=self.random())
        await wait_for_try(seconds, proxy=self.proxy, died=browser.died, monotonic=self.monotonic)
        if browser.died.done():
            raise await self._death(browser)
        self._check_kills()

    def _show_failure(self, failure: FetchFailure) -> None:
        of_proxy = None if self.proxy is None else self.proxy.failure
        self.publish(behind_proxy(Verdict(RunnerState.LOAD_ERROR, *failure), of_proxy))

    def _show_slowness(self) -> None:
        if self._history.fetching.shown is None:
            self._show_failure(no_answer(self.settings.policy.host, seconds=SLOW_SECONDS))

    def _note(self, fetching: Fetching) -> None:
        self._history = replace(self._history, fetching=fetching)

    async def watch(self, browser: Page) -> None:
        """Probe the page until something dies.

        :raises RunEnded: page or browser died, hangs, or cannot start.
        """
        browser.died.add_done_callback(lambda _: self._woken.set())
        while True:
            self._woken.clear()
            try:
                facts = await self._look(browser)
            except NavigationError as error:
                failure: FetchFailure | None = error.failure
            else:
                self._take(facts)
                failure = self._why_again(facts)
            if failure is not None:
                await self._give_up(browser, failure)
                await self.fetch(browser)
                continue
            order, state = partial(self._answers.order, browser), self.store.snapshot.state
            if state is RunnerState.CONNECTED:
                await self.presence.keep(order, now=self.monotonic())
            now = self.monotonic()
            self._history = await pair(order, self._history, facts, state=state, state_file=self.state_file, now=now)
            if wants_code(self._history, facts, policy=self.settings.policy, now=now):
                await self._ask_for_code(browser)
            if wants_acknowledgement(self._history, now=self.monotonic()):
                await self._acknowledge(browser)
            with contextlib.suppress(TimeoutError):
                pause = pause_after(self.store.snapshot.state, health_check=self.settings.health_check_timeout)
                await asyncio.wait_for(self._woken.wait(), pause)
            if browser.died.done():
                raise await self._death(browser)
            self._check_kills()
            await asyncio.sleep(EVENT_PAUSE)

    def publish(self, verdict: Verdict, *, note: str = "") -> None:
        """Publish a state: to the state file and to the store; log and count it if it is new. A note is not stored."""
        self._verdict = verdict
        message = _redacted(verdict.message)
        self.state_file.reported(state=verdict.state, reason=verdict.reason, message=message)
        if self.store.is_unexpected and verdict.reason is not StateReason.UNEXPECTED_ACCOUNT:
            note += " The linked account is another one than the number in the session's Secret."
        message += note
        saved = self.state_file.saved
        linked = is_linked(verdict.state, answer=self._remembered_link())
        times = linked is not False
        if linked is False:
            self.store.show_account(None)
        changed = self.store.publish(
            state=verdict.state,
            reason=verdict.reason,
            message=f"{message} {self._remark}" if self._remark else message,
            linked=linked,
            linked_time=saved.linked_time if times else None,
            durable_time=saved.durable_time if times else None,
            round=self._history.round,
            logout=saved.logout if linked is False else None,
        )
        if changed:
            self.metrics.show_state(verdict.state)
            logger.info(
                "The state changed",
                extra={"state": verdict.state, "reason": verdict.reason, "round": self._history.round},
            )

    def add_remark(self, remark: str) -> None:
        """Add a remark to every state from now on; empty: none."""
        if remark != self._remark:
            self._remark = remark
            if remark:
                logger.warning("The state has a remark", extra={"remark": remark})
            else:
                logger.info("The state has no remark any more")
            if self._verdict is not None:
                self.publish(self._verdict)

    def _remembered_link(self) -> bool | None:
        """Whether a phone is linked, by the state file and earlier probes; None: unknown."""
        if self.state_file.login_is_over:
            return False
        if self.state_file.saved.linked_time is not None:
            return True
        return False if self._history.unregistered_since is not None else None

    async def _look(self, browser: Page) -> Facts:
        """Return the facts of one probe.

        :raises NavigationError: the page's next document does not arrive, so that nothing can be asked.
        :raises RunEnded: the page is dead, or gave no answer for the whole health check.
        """
        began = self.monotonic()
        try:
            facts = await self._answers.probe(browser)
        except ProbeTimeoutError:
            self._check_kills()
            raise unresponsive(self.settings.health_check_timeout) from None
        except PageGoneError:
            raise await self._death(browser) from None
        self.metrics.probe_seconds.observe(self.monotonic() - began)
        self.store.probed = self.clock()
        self.metrics.probe_time.value = self.store.probed.timestamp()
        allows = self.settings.allowed_hosts.allows
        if facts.document is not None and facts.document.script is not None and not allows(facts.document.script.host):
            facts = replace(facts, document=replace(facts.document, script=None))  # it was refused by us
        if self.proxy is not None:
            if facts.is_let_in:
                self.proxy.let_in()
            facts = replace(facts, proxy_failure=self.proxy.failure)
        codeless = self._history.lasted(self._history.codeless_since, now=began)
        if facts.code is None and (self._is_off_screen or codeless >= CODELESS_PATIENCE):
            facts = replace(facts, code=await self._code_from_library(browser, facts))
            self._is_off_screen = facts.code is not None
        return facts

    def _show_navigation(self, seconds: float) -> None:
        """Report that the page's next document is on its way, unless the page stays closed for a person.

        :raises NavigationError: it has been for too long.
        """
        if self.state_file.saved.hold is not None:
            return
        if self._history.fetching.shown is None:
            self._show_slowness() if seconds >= SLOW_SECONDS else self.publish(PAGE_IS_LOADING)
        longest = patience(self.settings.startup_timeout)
        if seconds >= longest:
            raise NavigationError(no_answer(self.settings.policy.host, seconds=longest))

    def _show_silence(self) -> None:
        """Report since when the page does not answer: a time and no age, so that it is published once."""
        if self._verdict is not None:
            since = "" if self.store.probed is None else f" since {format_time(self.store.probed)}"
            after = format_duration(timedelta(seconds=self.settings.health_check_timeout))
            self.publish(self._verdict, note=f" The page has not answered{since}; after {after} it counts as dead.")

    async def _code_from_library(self, browser: Page, facts: Facts) -> str | None:
        asks_to_link = facts.registered is False and facts.socket == Socket.UNPAIRED
        return await self._answers.order(browser, "code.js") if asks_to_link else None

    def _take(self, facts: Facts) -> None:
        now, policy, before = self.monotonic(), self.settings.policy, self._history
        self._history = remember(with_numbers(before, self.numbers), facts, policy=policy, now=now)
        self._history = checked(self._history, facts, expected=self.numbers.expected, now=now)
        self.store.expected = self.numbers.expected
        self.state_file.update(before, self._history, facts)
        if facts.account is not None:
            self.store.show_account(facts.account)
        verdict = without_answers(classify(facts, self._history, policy=policy, now=now), self.store.unanswered)
        failure, hold = unfetched(self._history.fetching, facts, host=policy.host), self.state_file.saved.hold
        # Nothing is fetched in a hold until a person asks; and the codes of a page that began anew by itself are none.
        linked = facts.registered is True and facts.has_modules
        closed = failure is not None or (hold is not None and rests(hold.state) and not linked)
        if hold is not None and closed:
            verdict = Verdict(hold.state, hold.reason, hold.message)
        self.publish(verdict)
        self._history = reported(self._history, verdict.state, now=now)
        show_codes(self.store, verdict.state, self._history, facts, now=now)
        loading = traits_of(verdict.state).phase is Phase.STARTING
        # A page that has booted and does not get any further is stuck, too. One that opens its connection or waits for
        # its code is not: if WhatsApp cannot be reached, another pod would not get any further either.
        stuck = loading and (facts.registered is None or facts.socket not in _UNDER_WAY)
        self._stuck_since = (now if self._stuck_since is None else self._stuck_since) if stuck else None
        if self._history.lasted(self._stuck_since, now=now) >= policy.startup:
            if failure is None:
                raise self._not_up(verdict)
            self._stuck_since = now  # the network took this time, and the page has as long again
        if self._starting and not loading:
            self._starting = False
            self.first_classified()

    def _not_up(self, verdict: Verdict) -> RunEnded:
        """Return the end of a run whose page has arrived and does not come up."""
        startup, message = self.settings.startup_timeout, verdict.message
        if verdict.state is RunnerState.LOADING:
            message = f"The page did not get further within the startup timeout: {message}"
        if self._starting and self._opened >= startup:
            message = f"{message} The browser alone took {self._opened:.0f} s to start."
        return RunEnded(ExitCode.LOAD_FAILED, message, state=verdict.state, reason=verdict.reason)

    async def _ask_for_code(self, browser: Page) -> None:
        self._history = asked_for_code(self._history, now=self.monotonic())
        self.metrics.rounds.inc()
        way = await self._answers.order(browser, "refresh.js")
        logger.info("A new round of QR codes was asked for", extra={"round": self._history.round, "way": way})

    async def _acknowledge(self, browser: Page) -> None:
        self._history = acknowledged(self._history)
        if await self._answers.order(browser, "acknowledge.js") == "acknowledged":
            logger.info("The page's notice of what is new was acknowledged")

    def _why_again(self, facts: Facts) -> FetchFailure | None:
        """Return why the page has to be fetched again. Not in a hold: what opens the page then is a person's request."""
        if self.state_file.saved.hold is not None:
            return None
        settings = self.settings
        return why_again(
            self._history.fetching,
            facts,
            host=settings.policy.host,
            startup=settings.startup_timeout,
            now=self.monotonic(),
        )

    def _check_kills(self) -> None:
        if self.killed():
            raise out_of_memory()

    async def _death(self, browser: Page) -> RunEnded:
        """Return what died: the browser's event may come a moment after the failed call."""
        await asyncio.wait({browser.died}, timeout=1.0)
        if self.killed():
            return out_of_memory()
        return died(browser.died.result() if browser.died.done() else "browser")
