"""Loads the page's document, and again for as long as it cannot be fetched.

`states.fetching` decides whether a try is due, here it is made. The monitor starts the fetching, hands over what the
browser tells of it, and folds `fetching` into the history of the page with each look.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from msgspec.structs import replace
from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.metrics.metrics import Metrics
from session_runner.monitoring.deaths import Deaths, Mortal
from session_runner.page.errors import NavigationError, OutdatedTrustError, PageGoneError
from session_runner.proxy.watching import WatchedProxy, wait_for_try
from session_runner.settings import Settings
from session_runner.states.behind_proxy import behind_proxy
from session_runner.states.facts import Facts
from session_runner.states.fetch_failures import FetchFailure, no_answer
from session_runner.states.fetching import (
    Fetching,
    gave_up,
    new_document,
    noticed,
    patience,
    pause_before,
    why_again,
)
from session_runner.states.verdicts import Verdict

logger = logging.getLogger(__name__)

SLOW_SECONDS = 15.0
""" A host that has not answered for so long is reported, while it is still waited for. """
PAGE_IS_LOADING = Verdict(RunnerState.LOADING, StateReason.PAGE_LOADING, "The page is loading.")


class Page(Mortal, Protocol):
    """Where it is loaded; `page.browser.BrowserPage` is the real one."""

    async def navigate(self, url: str, *, deadline: float, without_cache: bool) -> None:
        """Load the document, also past what is stored of earlier answers.

        :raises NavigationError: the document was not loaded.
        :raises PageGoneError: the page is dead.
        """


@dataclass(kw_only=True)
class Fetcher:
    """The fetching of one session's document, over all its tries."""

    settings: Settings
    metrics: Metrics
    deaths: Deaths
    publish: Callable[[Verdict], None]
    woken: Callable[[], object]
    """ Called when the page may have to be fetched again. """
    monotonic: Callable[[], float]
    random: Callable[[], float]
    """ From 0 to 1. """
    trust_is_outdated: Callable[[], bool]
    """ Whether a browser that is opened now would trust other authorities. """
    proxy: WatchedProxy | None
    fetching: Fetching = field(default_factory=Fetching)

    @property
    def _host(self) -> str:
        return self.settings.policy.host

    def failed(self, failure: FetchFailure, *, of_document: bool) -> None:
        """Handle what the browser could not fetch: a page that does not come up without it is fetched again."""
        after = noticed(self.fetching, failure, of_document=of_document)
        if after == self.fetching:  # a page that is up may try the same ten times a second
            return
        self.fetching = after
        extra = {"reason": failure.reason, "why": failure.message}
        logger.info("Something of the page could not be fetched", extra=extra)
        self.woken()

    def began(self, *, is_error: bool = False) -> None:
        """Handle a new document in the tab, the page's own reloads included."""
        self.fetching = new_document(self.fetching, now=self.monotonic(), is_error=is_error)

    async def fetch(self, browser: Page) -> None:
        """Load the document, and try again for as long as it cannot be fetched.

        :raises RunEnded: page or browser died.
        :raises OutdatedTrustError: a browser that is opened now may trust the page's certificate.
        """
        while (failure := await self._navigate(browser)) is not None:
            await self.give_up(browser, failure)

    async def _navigate(self, browser: Page) -> FetchFailure | None:
        """Try once; return why it failed."""
        last, deadline = self.fetching.shown, patience(self.settings.startup_timeout)
        self.began()
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self.show_slowness)
        try:
            await browser.navigate(
                self.settings.url, deadline=deadline, without_cache=last is not None and last.is_answer
            )
        except NavigationError as error:
            return error.failure
        except PageGoneError:
            raise await self.deaths.of(browser) from None
        finally:
            slow.cancel()
        # What it was is over, however long the page takes now.
        if self.proxy is not None and self.proxy.failure is None:
            self.fetching = replace(self.fetching, shown=None)
        return None

    async def give_up(self, browser: Page, failure: FetchFailure) -> None:
        """Report a failure and wait until the next try is due."""
        if self.proxy is not None and self.proxy.failure is not None:  # of which the browser has but one word
            failure = FetchFailure(self.proxy.failure.reason, self.proxy.failure.message)
        self.fetching = gave_up(self.fetching, failure)
        self.metrics.fetch_failures.labels(failure.reason).inc()
        self._show(failure)
        if failure.reason is StateReason.CERTIFICATE_NOT_TRUSTED and self.trust_is_outdated():
            raise OutdatedTrustError
        seconds = pause_before(self.fetching.tries, random=self.random())
        await wait_for_try(seconds, proxy=self.proxy, died=browser.died, monotonic=self.monotonic)
        if browser.died.done():
            raise await self.deaths.of(browser)
        self.deaths.check()

    def show_slowness(self) -> None:
        """Report that the host has not answered for a while."""
        if self.fetching.shown is None:
            self._show(no_answer(self._host, seconds=SLOW_SECONDS))

    def show_wait(self, seconds: float) -> None:
        """Report that the page's next document has been on its way for so long.

        :raises NavigationError: that is too long.
        """
        if self.fetching.shown is None:
            self.show_slowness() if seconds >= SLOW_SECONDS else self.publish(PAGE_IS_LOADING)
        longest = patience(self.settings.startup_timeout)
        if seconds >= longest:
            raise NavigationError(no_answer(self._host, seconds=longest))

    def why_again(self, facts: Facts) -> FetchFailure | None:
        """Return why the page has to be fetched again."""
        return why_again(
            self.fetching, facts, host=self._host, startup=self.settings.startup_timeout, now=self.monotonic()
        )

    def _show(self, failure: FetchFailure) -> None:
        of_proxy = None if self.proxy is None else self.proxy.failure
        self.publish(behind_proxy(Verdict(RunnerState.LOAD_ERROR, *failure), of_proxy))
