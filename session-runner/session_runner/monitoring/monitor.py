"""Loads the page, then probes it at short intervals.

`session` runs this between opening and closing the browser. Each time it probes the page, updates the history and the
state file, classifies and publishes the state, and perhaps requests a new round of QR codes. It ends only by raising
`RunEnded`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from datetime import timedelta
from functools import partial
from typing import Protocol

from msgspec.structs import replace
from session_protocol.durations import format_duration
from session_protocol.logouts import LogoutReason, logout_reason
from session_protocol.states import Phase, rests, traits_of
from session_protocol.times import format_time
from session_protocol.vocabulary import ExitCode, RunnerState

from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.account.presence import PresenceKeeper
from session_runner.exits import RunEnded, unresponsive
from session_runner.metrics.metrics import Metrics
from session_runner.monitoring import answers, fetcher
from session_runner.monitoring.answers import Answers
from session_runner.monitoring.deaths import Deaths
from session_runner.monitoring.fetcher import PAGE_IS_LOADING, Fetcher
from session_runner.monitoring.pairing import pair, show_codes, with_numbers
from session_runner.monitoring.publisher import Publisher
from session_runner.monitoring.state_file import StateFile
from session_runner.page.errors import NavigationError, PageGoneError, ProbeTimeoutError
from session_runner.proxy.watching import WatchedProxy
from session_runner.seams import Seams
from session_runner.settings import Settings
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Facts, Socket
from session_runner.states.fetch_failures import FetchFailure
from session_runner.states.fetching import unfetched
from session_runner.states.history import (
    History,
    acknowledged,
    asked_for_code,
    checked,
    left,
    logout_explained,
    remember,
    reported,
    version_refused,
    wants_acknowledgement,
    wants_code,
)
from session_runner.states.hold import HeldState
from session_runner.states.unanswered import without_answers
from session_runner.states.updating import is_endless
from session_runner.store import Restriction, StateStore

logger = logging.getLogger(__name__)

CODELESS_PATIENCE = 1.5
""" Seconds. A page that waits for a phone shows its code within a second; after this time wa-js is asked for it. """
LOADING_INTERVAL, MOVING_INTERVAL, RESTING_INTERVAL = 0.3, 2.0, 5.0
""" Seconds between two probes; an event of the page makes the next one earlier. """
EVENT_PAUSE = 0.05
""" Seconds. Events come in bunches, and one probe serves them all. """
_UNDER_WAY = frozenset({Socket.OPENING, Socket.UNPAIRED, Socket.UNPAIRED_IDLE})


class Page(answers.Page, fetcher.Page, Protocol):
    """What the monitor needs of a browser's page; `page.browser.BrowserPage` is the real one."""


def pause_after(state: RunnerState, *, health_check: float, is_turning: bool = False) -> float:
    """Return the seconds until the next probe, few beside the health check, which begins with the probe.

    A state that `is_turning` will be another in a moment, if nothing happens.
    """
    traits = traits_of(state)
    interval = RESTING_INTERVAL
    if traits.phase is Phase.STARTING or is_turning:
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
    seams: Seams
    started: float
    """ When the process began, on the monotonic clock. """
    numbers: PhoneNumbers
    presence: PresenceKeeper
    trust_is_outdated: InitVar[Callable[[], bool]]
    first_classified: Callable[[], None]
    """ Called once, when start-up is over. """
    proxy: InitVar[WatchedProxy | None]
    deaths: Deaths = field(init=False)
    fetcher: Fetcher = field(init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _history: History = field(init=False)
    _starting: bool = True
    _stuck_since: float | None = field(init=False)
    """ Since when the page only loads and does nothing that may lead to a code or a session; None: it is not stuck. """
    _is_off_screen: bool = False  # the page's code, so that wa-js is asked for it
    _opened: float = 0.0
    """ Seconds after which the browser was open. """
    _answers: Answers = field(init=False)
    _publisher: Publisher = field(init=False)

    def __post_init__(self, trust_is_outdated: Callable[[], bool], proxy: WatchedProxy | None) -> None:
        self._history = self.state_file.history(now=self.started)
        self.deaths = Deaths(self.seams.kills)
        self._publisher = Publisher(store=self.store, state_file=self.state_file, metrics=self.metrics)
        self.fetcher = Fetcher(
            settings=self.settings,
            metrics=self.metrics,
            deaths=self.deaths,
            publish=self.publish,
            woken=self._woken.set,
            monotonic=self.seams.monotonic,
            random=self.seams.random,
            trust_is_outdated=trust_is_outdated,
            proxy=proxy,
        )
        self._stuck_since = self.started
        self.numbers.asked.connect(self._woken.set)
        self._answers = Answers(
            health_check=self.settings.health_check_timeout,
            protocol=self.settings.protocol_timeout,
            monotonic=self.seams.monotonic,
            silent=self._show_silence,
            pending=self._show_navigation,
        )

    def wake(self, name: str, detail: str | None) -> None:
        """Handle an event of the page: probe soon, and record the three events that no later probe would show."""
        if name == "logout_asked":
            self._history = replace(self._history, logout_asked=self.seams.monotonic())
        if name == "needsUpdate":
            self._history = version_refused(self._history, now=self.seams.monotonic())
        if name == "logout_reason":
            logger.info("The page was logged out", extra={"logout_reason": detail})
            # Asked for by our API, the page says that its user did it.
            asked = self._history.asked_lately(now=self.seams.monotonic()) and detail == "user_initiated"
            self.state_file.keep_logout_reason(LogoutReason.LOGOUT_REQUESTED if asked else logout_reason(detail))
            if detail == "account_locked":
                self._history = replace(self._history, logout_hold="AccountLocked")
            self._history = logout_explained(self._history, detail, now=self.seams.monotonic())
        self._woken.set()

    def navigating(self, is_pending: bool) -> None:  # noqa: FBT001 -- an event with one value
        """Handle the begin and the end of a navigation, which is the page's own unless `fetch` runs."""
        self._answers.navigating(is_pending=is_pending)
        if is_pending:
            self._leave()
        else:
            self._woken.set()

    def fetch_failed(self, failure: FetchFailure, of_document: bool) -> None:  # noqa: FBT001 -- the same
        """Handle what the browser could not fetch."""
        self.fetcher.failed(failure, of_document=of_document)

    def document_began(self, is_error: bool) -> None:  # noqa: FBT001 -- the same
        """Handle a new document in the tab, the page's own reloads included."""
        self.metrics.loads.inc()
        self.fetcher.began(is_error=is_error)
        self.presence.document_began()
        self._leave()
        self._woken.set()

    def _leave(self) -> None:
        """Take back at once what the page's last document showed: a reload may take any time, and end anywhere.

        What waits for a person is not taken back: the next document has to show that it is over.
        """
        self._history = left(self._history, now=self.seams.monotonic())
        self.store.show_code(None, lifetime=0)
        self.store.show_pairing_code(None, lifetime=0)
        verdict, now, startup = self._publisher.verdict, self.seams.monotonic(), self.settings.policy.startup
        if verdict is None or self.state_file.saved.hold is not None or self.fetcher.fetching.shown is not None:
            return
        if is_endless(self._history.updating, patience=startup, now=now):  # the next document is no news
            return
        if traits_of(verdict.state).phase is not Phase.EXITING:
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
        if self.fetcher.fetching.shown is None:
            self._opened = self.seams.monotonic() - self.started
            self.publish(PAGE_IS_LOADING)
        await self.fetcher.fetch(browser)
        now = self.seams.monotonic()
        # What a browser took that was slow to start is not the page's, which has done nothing yet.
        self._history = replace(self._history, unclassified_since=now)
        if self.fetcher.fetching.tries:  # what could not be fetched before has cost the page none of its time
            self._stuck_since = now

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
                await self.fetcher.give_up(browser, failure)
                await self.fetch(browser)
                continue
            order, state = partial(self._answers.order, browser), self.store.snapshot.state
            if state is RunnerState.CONNECTED:
                await self.presence.keep(order, now=self.seams.monotonic())
            now = self.seams.monotonic()
            asked = await pair(order, self._history, facts, state=state, state_file=self.state_file, now=now)
            if asked is not None:  # of all the rest events may have told meanwhile
                self._history = replace(self._history, pairing=asked)
            if wants_code(self._history, facts, policy=self.settings.policy, now=now):
                await self._ask_for_code(browser)
            if wants_acknowledgement(self._history, now=self.seams.monotonic()):
                await self._acknowledge(browser)
            with contextlib.suppress(TimeoutError):
                pause = self._pause()
                await asyncio.wait_for(self._woken.wait(), pause)
            if browser.died.done():
                raise await self.deaths.of(browser)
            self.deaths.check()
            await asyncio.sleep(EVENT_PAUSE)

    def _pause(self) -> float:
        state = self.store.snapshot.state
        waits = state in (RunnerState.QR_PENDING, RunnerState.PAIRING_CODE_PENDING)
        is_turning = waits and self._history.lost_since is not None
        # A logout that is followed by a QR code is shown for a moment, and that code does not live for long.
        is_turning |= state is RunnerState.LOGGED_OUT and not self._history.must_wait(self.settings.policy)
        return pause_after(state, health_check=self.settings.health_check_timeout, is_turning=is_turning)

    def publish(self, verdict: Verdict, *, note: str = "") -> None:
        """Publish a state."""
        self._publisher.publish(verdict, self._history, note=note)

    def add_remark(self, remark: str) -> None:
        """Add a remark to every state from now on; empty: none."""
        self._publisher.add_remark(remark, self._history)

    async def _look(self, browser: Page) -> Facts:
        """Return the facts of one probe.

        :raises NavigationError: the page's next document does not arrive, so that nothing can be asked.
        :raises RunEnded: the page is dead, or gave no answer for the whole health check.
        """
        began = self.seams.monotonic()
        try:
            facts = await self._answers.probe(browser)
        except ProbeTimeoutError:
            self.deaths.check()
            raise unresponsive(self.settings.health_check_timeout) from None
        except PageGoneError:
            raise await self.deaths.of(browser) from None
        self.metrics.probe_seconds.observe(self.seams.monotonic() - began)
        self.store.probed = self.seams.clock()
        self.metrics.probe_time.value = self.store.probed.timestamp()
        allows = self.settings.allowed_hosts.allows
        if facts.document is not None and facts.document.script is not None and not allows(facts.document.script.host):
            facts = replace(facts, document=replace(facts.document, script=None))  # it was refused by us
        if (proxy := self.fetcher.proxy) is not None:
            if facts.is_let_in:
                proxy.let_in()
            facts = replace(facts, proxy_failure=proxy.failure)
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
        self.fetcher.show_wait(seconds)

    def _show_silence(self) -> None:
        """Report since when the page does not answer: a time and no age, so that it is published once."""
        if self._publisher.verdict is not None:
            since = "" if self.store.probed is None else f" since {format_time(self.store.probed)}"
            after = format_duration(timedelta(seconds=self.settings.health_check_timeout))
            self.publish(
                self._publisher.verdict, note=f" The page has not answered{since}; after {after} it counts as dead."
            )

    async def _code_from_library(self, browser: Page, facts: Facts) -> str | None:
        asks_to_link = facts.registered is False and facts.socket == Socket.UNPAIRED
        return await self._answers.order(browser, "code.js") if asks_to_link else None

    def _take(self, facts: Facts) -> None:
        now, policy, before = self.seams.monotonic(), self.settings.policy, self._history
        known = replace(with_numbers(before, self.numbers), fetching=self.fetcher.fetching)
        self._history = remember(known, facts, policy=policy, now=now)
        self.fetcher.fetching = self._history.fetching
        self._history = checked(self._history, facts, expected=self.numbers.expected, now=now)
        self.store.expected = self.numbers.expected
        self.state_file.update(before, self._history, facts)
        if facts.account is not None:
            self.store.show_account(facts.account)
        restricted = self._history.restriction
        ends = self._history.restriction_ends
        self.store.restriction = None if restricted is None else Restriction(restricted, ends)
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
        self._history = asked_for_code(self._history, now=self.seams.monotonic())
        self.metrics.rounds.inc()
        way = await self._answers.order(browser, "refresh.js")
        logger.info("A new round of QR codes was asked for", extra={"round": self._history.round, "way": way})

    async def _acknowledge(self, browser: Page) -> None:
        self._history = acknowledged(self._history)
        if await self._answers.order(browser, "acknowledge.js") == "acknowledged":
            logger.info("The page's notice of what is new was acknowledged")

    def _why_again(self, facts: Facts) -> FetchFailure | None:
        """Return why the page has to be fetched again. Not in a hold: what opens the page then is a person's request."""
        return None if self.state_file.saved.hold is not None else self.fetcher.why_again(facts)
