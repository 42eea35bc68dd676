"""Fetches the page, then looks at it again and again.

`session` runs this between opening and closing the browser. Every look goes the same way: probe, remember, record,
classify, publish; then perhaps ask for a new round of QR codes. It ends only by raising `RunEnded`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from session_protocol.states import Phase, is_linked, traits_of
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason

from session_runner.exits import RunEnded, died, out_of_memory, unresponsive
from session_runner.host.memory import KillCounter, killed_since
from session_runner.metrics import Metrics
from session_runner.page.errors import NavigationError, PageGoneError, ProbeTimeoutError
from session_runner.settings import Settings
from session_runner.state_file import StateFile
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Facts, Socket
from session_runner.states.history import History, asked_for_code, remember, wants_code
from session_runner.states.hold import HeldState
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

DEFAULT_CODE_LIFETIME = 20.0
""" Seconds; what the service gives all codes but the first, where the page does not tell. """
CODELESS_PATIENCE = 1.5
""" A page that asks to be linked draws its code within a second; later, wa-js is asked for it. """
LOADING_INTERVAL, MOVING_INTERVAL, RESTING_INTERVAL = 0.3, 2.0, 5.0
""" Seconds between two looks; events shorten them. """
EVENT_PAUSE = 0.05
""" Events come in bunches; one look serves them all. """
BROKEN_PAUSE = 1.0
""" Seconds before a page whose scripts did not come is fetched again: networks come back in moments. """

_UNDER_WAY = frozenset({Socket.OPENING, Socket.UNPAIRED, Socket.UNPAIRED_IDLE})


class Page(Protocol):
    """What the monitor needs of a browser's page; `page.browser.BrowserPage` is the real one."""

    died: asyncio.Future[str]

    async def navigate(self, url: str, *, deadline: float) -> None:
        """Fetch the document.

        :raises NavigationError: the document was not fetched.
        :raises PageGoneError: the page is dead.
        """

    async def probe(self, *, deadline: float) -> Facts:
        """Look once.

        :raises ProbeTimeoutError: it took too long.
        :raises PageGoneError: the page is dead.
        """
        ...

    async def ask(self, name: str, *, deadline: float) -> str | None:
        """Run a script that answers with a word."""
        ...


def pause_after(state: RunnerState, *, health_check: float) -> float:
    """Seconds until the next look, short enough that a page that dies meanwhile is noticed in time."""
    traits = traits_of(state)
    interval = RESTING_INTERVAL
    if traits.phase is Phase.STARTING:
        interval = LOADING_INTERVAL
    elif traits.brief:
        interval = MOVING_INTERVAL
    return min(interval, health_check / 5)


def probe_deadline(health_check: float) -> float:
    """Seconds for one answer. With the pause and an order before it this stays within the health check."""
    return health_check * 0.6


def order_deadline(protocol: float, *, health_check: float) -> float:
    """Seconds for one order; a page that hangs in it must still be found dead in time by the next probe."""
    return min(protocol, health_check / 5)


@dataclass(kw_only=True)
class PageMonitor:
    """The loop and its memory."""

    settings: Settings
    store: StateStore
    metrics: Metrics
    state_file: StateFile
    kills: KillCounter
    monotonic: Callable[[], float]
    clock: Callable[[], datetime]
    started: float
    """ On the monotonic clock: when the process began. """
    first_classified: Callable[[], None] = lambda: None
    """ Called once, when start-up is over. """
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _history: History = field(init=False)
    _kills_before: int | None = field(init=False)
    _starting: bool = True
    _stuck_since: float | None = field(init=False)
    """ Since when the page only loads and does nothing that may still lead to a code or a session. """
    _broken: bool = False
    """ A script failed since the last navigation. """

    def __post_init__(self) -> None:
        self._history = self.state_file.history(now=self.started)
        self._kills_before = self.kills()
        self._stuck_since = self.started

    def wake(self, name: str, detail: str | None) -> None:
        """The page reported an event: look soon. Two of them tell what no later look would show."""
        if name == "logout_asked":
            self._history = replace(self._history, logout_asked=self.monotonic())
        if name == "logout_reason":
            logger.info("The page was logged out", extra={"logout_reason": detail})
            if detail == "account_locked":
                self._history = replace(self._history, logout_hold="AccountLocked")
        self._woken.set()

    def killed(self) -> bool:
        """Whether the kernel has killed one of our processes for want of memory since we began."""
        return killed_since(self._kills_before, self.kills())

    def script_failed(self, error: str) -> None:
        """A script of the page could not be fetched: a page that has not booted yet needs another attempt."""
        logger.info("A script of the page could not be fetched", extra={"error": error})
        self._broken = True
        self._woken.set()

    async def repeat(self, hold: HeldState) -> None:
        """Say what an earlier runner of this profile said last, with the page closed, until the pod is ended."""
        logger.warning(
            "An earlier runner's word waits for a person, the page stays closed",
            extra={"state": hold.state, "reason": hold.reason},
        )
        self.publish(Verdict(hold.state, hold.reason, hold.message))
        await asyncio.Event().wait()

    async def fetch(self, browser: Page) -> None:
        """Fetch the document, again and again while the start-up time lasts. This is the only navigation there is.

        It is called again only for a page that never booted: such a page holds no session that a reload could take.
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
            if self._startup_left() <= 0:
                raise RunEnded(ExitCode.LOAD_FAILED, verdict.message, state=verdict.state, reason=verdict.reason)
            await asyncio.sleep(min(delay, self._startup_left()))
            delay = min(delay * 2, 15)

    async def watch(self, browser: Page) -> None:
        """Look at the page until something dies."""
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
        """Say it; logged and counted only when it is new."""
        self.state_file.reported(state=verdict.state, reason=verdict.reason, message=verdict.message)
        saved = self.state_file.saved
        linked = is_linked(verdict.state, answer=self._remembered_link())
        times = linked is not False
        changed = self.store.publish(
            state=verdict.state,
            reason=verdict.reason,
            message=verdict.message,
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

    def _remembered_link(self) -> bool | None:
        """Whether a phone is linked, by what profile and page told before; None: neither has told."""
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
        # A page that has booted and comes no further counts, too. One that opens its connection or waits for its code
        # is not stuck: without a way to WhatsApp another pod would come no further.
        stuck = loading and facts.socket not in _UNDER_WAY
        self._stuck_since = (now if self._stuck_since is None else self._stuck_since) if stuck else None
        if self._history.lasted(self._stuck_since, now=now) >= policy.startup:
            message = verdict.message
            if verdict.state is RunnerState.LOADING:
                message = f"The page came no further than this within the startup timeout: {message}"
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
        """Find out who died: the browser's own event may come a moment after the failed order."""
        await asyncio.wait({browser.died}, timeout=1.0)
        if self.killed():
            return out_of_memory()
        return died(browser.died.result() if browser.died.done() else "browser")
