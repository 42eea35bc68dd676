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
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from session_protocol.redaction import redact
from session_protocol.states import Phase, is_linked, traits_of
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason

from session_runner.exits import RunEnded, died, out_of_memory, unresponsive
from session_runner.host.memory import KillCounter, killed_since
from session_runner.metrics import Metrics
from session_runner.page.errors import NavigationError, PageGoneError, ProbeTimeoutError
from session_runner.presence import PresenceKeeper
from session_runner.settings import Settings
from session_runner.state_file import StateFile
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Facts, Socket
from session_runner.states.history import History, asked_for_code, remember, wants_code
from session_runner.states.hold import HeldState
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

DEFAULT_CODE_LIFETIME = 20.0
""" Seconds, when the page does not tell; it is the service's value for all codes but the first. """
CODELESS_PATIENCE = 1.5
""" Seconds. A page that waits for a phone shows its code within a second; after this time wa-js is asked for it. """
LOADING_INTERVAL, MOVING_INTERVAL, RESTING_INTERVAL = 0.3, 2.0, 5.0
""" Seconds between two probes; an event of the page makes the next one earlier. """
EVENT_PAUSE = 0.05
""" Seconds. Events come in bunches, and one probe serves them all. """
BROKEN_PAUSE = 1.0
""" Seconds before a page whose scripts failed to load is loaded again; networks often recover that fast. """

_UNDER_WAY = frozenset({Socket.OPENING, Socket.UNPAIRED, Socket.UNPAIRED_IDLE})


class Page(Protocol):
    """What the monitor needs of a browser's page; `page.browser.BrowserPage` is the real one."""

    died: asyncio.Future[str]

    async def navigate(self, url: str, *, deadline: float) -> None:
        """Load the document.

        :raises NavigationError: the document was not loaded.
        :raises PageGoneError: the page is dead.
        """

    async def probe(self, *, deadline: float) -> Facts:
        """Return the facts of one probe.

        :raises ProbeTimeoutError: it took too long.
        :raises PageGoneError: the page is dead.
        """
        ...

    async def ask(self, name: str, *, deadline: float) -> str | None:
        """Run a script and return the text that it answers, or None."""
        ...


@lru_cache(maxsize=64)
def _redacted(message: str) -> str:
    """Return a message as everybody may read it: a ban's code and the browser's errors are in the page's own words."""
    return redact(message)


def pause_after(state: RunnerState, *, health_check: float) -> float:
    """Return the seconds until the next probe, few enough that a page that dies meanwhile is noticed in time."""
    traits = traits_of(state)
    interval = RESTING_INTERVAL
    if traits.phase is Phase.STARTING:
        interval = LOADING_INTERVAL
    elif traits.brief:
        interval = MOVING_INTERVAL
    return min(interval, health_check / 5)


def probe_deadline(health_check: float) -> float:
    """Return the seconds for one probe; with the pause and a script before it, it stays within the health check."""
    return health_check * 0.6


def order_deadline(protocol: float, *, health_check: float) -> float:
    """Return the seconds for one script; if the page hangs in it, the next probe must still time out in time."""
    return min(protocol, health_check / 5)


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
    presence: PresenceKeeper
    first_classified: Callable[[], None] = lambda: None
    """ Called once, when start-up is over. """
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _history: History = field(init=False)
    _kills_before: int | None = field(init=False)
    _starting: bool = True
    _stuck_since: float | None = field(init=False)
    """ Since when the page only loads and does nothing that may lead to a code or a session; None: it is not stuck. """
    _verdict: Verdict | None = None
    """ What was published last. """
    _note: str = ""
    """ What is said beside every state: that the volume is nearly full, say. """
    _broken: bool = False
    """ A script failed since the last navigation. """

    def __post_init__(self) -> None:
        self._history = self.state_file.history(now=self.started)
        self._kills_before = self.kills()
        self._stuck_since = self.started

    def wake(self, name: str, detail: str | None) -> None:
        """Handle an event of the page: probe soon, and record the two events that no later probe would show."""
        if name == "logout_asked":
            self._history = replace(self._history, logout_asked=self.monotonic())
        if name == "logout_reason":
            logger.info("The page was logged out", extra={"logout_reason": detail})
            if detail == "account_locked":
                self._history = replace(self._history, logout_hold="AccountLocked")
        self._woken.set()

    def killed(self) -> bool:
        """Whether the kernel has killed one of our processes, out of memory, since we began."""
        return killed_since(self._kills_before, self.kills())

    def script_failed(self, error: str) -> None:
        """Handle a script of the page that failed to load: a page that has not booted yet is loaded again."""
        logger.info("A script of the page could not be fetched", extra={"error": error})
        self._broken = True
        self._woken.set()

    async def repeat(self, hold: HeldState) -> None:
        """Publish a hold from an earlier run, with the page closed, until the pod is deleted."""
        logger.warning(
            "The session is on hold since an earlier runner, the page stays closed",
            extra={"state": hold.state, "reason": hold.reason},
        )
        self.publish(Verdict(hold.state, hold.reason, hold.message))
        await asyncio.Event().wait()

    async def fetch(self, browser: Page) -> None:
        """Load the document, retrying until the startup timeout. The runner navigates nowhere else.

        It is called again only for a page that never booted, which has no session that a reload could take over.

        :raises RunEnded: the page could not be loaded within the startup timeout, or it died.
        """
        delay = 1.0
        self.publish(Verdict(RunnerState.LOADING, StateReason.PAGE_LOADING, "The page is loading."))
        while True:
            try:
                await browser.navigate(self.settings.url, deadline=self._startup_left())
            except NavigationError as error:
                verdict = Verdict(RunnerState.LOAD_ERROR, error.reason, str(error))
            except PageGoneError:
                raise await self._death(browser) from None
            else:
                return
            self.publish(verdict)
            await asyncio.sleep(min(delay, self._startup_left()))
            if self._startup_left() <= 0:  # one more try, without time, would hide the fault behind its own timeout
                raise RunEnded(ExitCode.LOAD_FAILED, verdict.message, state=verdict.state, reason=verdict.reason)
            delay = min(delay * 2, 15)

    async def watch(self, browser: Page) -> None:
        """Probe the page until something dies.

        :raises RunEnded: page or browser died, hangs, or cannot start.
        """
        browser.died.add_done_callback(lambda _: self._woken.set())
        while True:
            self._woken.clear()
            facts = await self._look(browser)
            self._take(facts)
            if self._broken and self._starting and not facts.booted:
                self._broken = False
                await asyncio.sleep(BROKEN_PAUSE)
                await self.fetch(browser)
                continue
            if self.store.snapshot.state is RunnerState.CONNECTED:
                await self.presence.keep(browser, now=self.monotonic(), deadline=self._order_deadline())
            if wants_code(self._history, facts, policy=self.settings.policy, now=self.monotonic()):
                await self._ask_for_code(browser)
            with contextlib.suppress(TimeoutError):
                pause = pause_after(self.store.snapshot.state, health_check=self.settings.health_check_timeout)
                await asyncio.wait_for(self._woken.wait(), pause)
            if browser.died.done():
                raise await self._death(browser)
            self._check_kills()
            await asyncio.sleep(EVENT_PAUSE)

    def publish(self, verdict: Verdict) -> None:
        """Publish a state: to the state file and to the store; log and count it if it is new."""
        self._verdict = verdict
        message = _redacted(verdict.message)
        self.state_file.reported(state=verdict.state, reason=verdict.reason, message=message)
        saved = self.state_file.saved
        linked = is_linked(verdict.state, answer=self._remembered_link())
        times = linked is not False
        changed = self.store.publish(
            state=verdict.state,
            reason=verdict.reason,
            message=f"{message} {self._note}" if self._note else message,
            linked=linked,
            linked_time=saved.linked_time if times else None,
            durable_time=saved.durable_time if times else None,
            round=self._history.round,
        )
        if changed:
            self.metrics.show_state(verdict.state)
            self.metrics.changes.inc()
            logger.info(
                "The state changed",
                extra={"state": verdict.state, "reason": verdict.reason, "round": self._history.round},
            )

    def add_note(self, note: str) -> None:
        """Say something beside every state from now on; empty: nothing."""
        if note != self._note:
            self._note = note
            logger.log(
                logging.WARNING if note else logging.INFO, "The note beside the state changed", extra={"note": note}
            )
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
        deadline = probe_deadline(self.settings.health_check_timeout)
        began = self.monotonic()
        try:
            facts = await browser.probe(deadline=deadline)
        except ProbeTimeoutError:
            self._check_kills()
            raise unresponsive(deadline) from None
        except PageGoneError:
            raise await self._death(browser) from None
        self.metrics.probe_seconds.observe(self.monotonic() - began)
        self.metrics.probe_time.set_to_current_time()
        self.store.probed = self.clock()
        if self._history.lasted(self._history.codeless_since, now=began) >= CODELESS_PATIENCE and facts.code is None:
            facts = replace(facts, code=await self._code_from_library(browser, facts))
        return facts

    async def _code_from_library(self, browser: Page, facts: Facts) -> str | None:
        if facts.registered is not False or facts.socket != Socket.UNPAIRED:
            return None
        return await browser.ask("code.js", deadline=min(5.0, self._order_deadline()))

    def _take(self, facts: Facts) -> None:
        now, policy, before = self.monotonic(), self.settings.policy, self._history
        self._history = remember(before, facts, policy=policy, now=now)
        self.state_file.update(before, self._history, facts)
        verdict = classify(facts, self._history, policy=policy, now=now)
        self.publish(verdict)
        pending = verdict.state is RunnerState.QR_PENDING
        self.store.show_code(facts.code if pending else None, lifetime=facts.code_lifetime or DEFAULT_CODE_LIFETIME)
        loading = traits_of(verdict.state).phase is Phase.STARTING
        # A page that has booted and does not get any further is stuck, too. One that opens its connection or waits for
        # its code is not: if WhatsApp cannot be reached, another pod would not get any further either.
        stuck = loading and facts.socket not in _UNDER_WAY
        self._stuck_since = (now if self._stuck_since is None else self._stuck_since) if stuck else None
        if self._history.lasted(self._stuck_since, now=now) >= policy.startup:
            message = verdict.message
            if verdict.state is RunnerState.LOADING:
                message = f"The page did not get further within the startup timeout: {message}"
            raise RunEnded(ExitCode.LOAD_FAILED, message, state=verdict.state, reason=verdict.reason)
        if self._starting and not loading:
            self._starting = False
            self.first_classified()

    async def _ask_for_code(self, browser: Page) -> None:
        self._history = asked_for_code(self._history, now=self.monotonic())
        self.metrics.rounds.inc()
        way = await browser.ask("refresh.js", deadline=self._order_deadline())
        logger.info("A new round of QR codes was asked for", extra={"round": self._history.round, "way": way})

    def _order_deadline(self) -> float:
        return order_deadline(self.settings.protocol_timeout, health_check=self.settings.health_check_timeout)

    def _startup_left(self) -> float:
        return self.started + self.settings.startup_timeout - self.monotonic()

    def _check_kills(self) -> None:
        if self.killed():
            raise out_of_memory()

    async def _death(self, browser: Page) -> RunEnded:
        """Return what died: the browser's event may come a moment after the failed call."""
        await asyncio.wait({browser.died}, timeout=1.0)
        if self.killed():
            return out_of_memory()
        return died(browser.died.result() if browser.died.done() else "browser")
