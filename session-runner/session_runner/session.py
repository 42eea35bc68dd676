"""One run of the runner, from the start of the process to its exit code.

`__main__` starts it beside the HTTP API. In order: lock the profile, check its volume and what is on it, check for a hold
from an earlier run (then the browser stays closed), start the browser, and let the monitor watch the page until a signal
comes, something dies or the volume fills up. In the end the browser is closed cleanly if possible, and none of its
processes is left.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright
from session_protocol.vocabulary import BROWSER_FAILURES, ExitCode, RunnerState, StateReason

from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.account.presence import PresenceKeeper
from session_runner.commands import Commands
from session_runner.exits import Exit, RunEnded, out_of_memory, profile_unusable
from session_runner.host.browser_version import browser_version, recorded_version
from session_runner.host.memory_tuning import settle
from session_runner.host.processes import Process, descendants, end, processes, reap
from session_runner.host.sandbox import read_sandbox
from session_runner.live import Live
from session_runner.metrics.metrics import Metrics
from session_runner.monitoring.monitor import PageMonitor
from session_runner.monitoring.state_file import StateFile
from session_runner.monitoring.volume_watch import VolumeWatch
from session_runner.outbox.schema import DamagedOutboxError
from session_runner.page.browser import BrowserPage, Listeners, open_browser
from session_runner.page.driver import EarlyDriver, stop_driver
from session_runner.page.errors import LaunchError, OutdatedTrustError, SandboxRefusedError
from session_runner.page.garbage import keep_small
from session_runner.page.launch import LaunchPlan, user_agent
from session_runner.profile.certificates import CertificateError, trust
from session_runner.profile.inspection import check_browser, inspect
from session_runner.profile.layout import ProfileLayout, prune
from session_runner.profile.lock import ProfileLockedError, ProfileUnusableError, profile_lock
from session_runner.profile.saved_state import DamagedStateError
from session_runner.proxy.relay import Relay, relaying
from session_runner.seams import Seams
from session_runner.settings import Settings
from session_runner.states.classify import Verdict
from session_runner.store import StateStore
from session_runner.workers import Workers

logger = logging.getLogger(__name__)

STOP_SECONDS = 30.0
""" For a clean close after a signal; with the driver's end and the rest that takes less than 45 s. """
FAILURE_SECONDS = 8.0
""" For a close after something died, when most of the browser is gone already. """
REAP_SECONDS = 30.0


@dataclass(kw_only=True)
class Session:
    """One run."""

    settings: Settings
    seams: Seams
    store: StateStore
    metrics: Metrics
    commands: Commands
    numbers: PhoneNumbers
    workers: Workers
    live: Live
    started: float
    """ When the process began, by the monotonic clock. """
    driver: EarlyDriver
    before: Sequence[Process]
    """ Our descendants that existed before the driver, which the session must not end. """
    _playwright: Playwright | None = None
    _browser: BrowserPage | None = None
    _state_file: StateFile | None = None
    _monitor: PageMonitor | None = None
    _relay: Relay | None = None
    _authorities: bytes = b""
    """ What the browser was started with. """

    async def run(self, stop: asyncio.Event) -> Exit:
        """Run until `stop` is set or something dies; return the exit. Faults of browser and profile raise nothing."""
        layout = ProfileLayout(self.settings.profile_dir)
        try:
            with profile_lock(layout):
                async with relaying(
                    self.settings.proxy,
                    login_folder=self.settings.proxy_login_dir,
                    allowed=self.settings.allowed_hosts,
                ) as self._relay:
                    return await self._run_locked(layout, stop)
        except ProfileLockedError as error:
            return Exit(ExitCode.PROFILE_LOCKED, str(error))
        except ProfileUnusableError as error:
            return Exit(ExitCode.PROFILE_UNUSABLE, str(error))

    async def _run_locked(self, layout: ProfileLayout, stop: asyncio.Event) -> Exit:
        work = asyncio.create_task(self._work(layout))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not work.done():
            self._publish(RunnerState.STOPPING, StateReason.STOP_REQUESTED, "The runner was asked to stop.")
            work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            return await self._stop()
        except RunEnded as ended:
            exit_ = self._with_version(ended.exit)
            self._publish(ended.state, ended.reason, exit_.message)
            # Closed for its volume's sake it is healthy, and what it writes now is the login.
            orderly = exit_.code is ExitCode.PROFILE_UNUSABLE
            clean = await self._close(deadline=STOP_SECONDS if orderly else FAILURE_SECONDS)
            if orderly and clean and self._state_file is not None:
                self._state_file.closed_cleanly()
            return exit_
        except BaseException:
            await self._close(deadline=FAILURE_SECONDS)
            raise
        raise AssertionError("the monitor never returns")

    def _with_version(self, exit_: Exit) -> Exit:
        """Name the browser's version in a failure that may be its own: by its word, else by the image's record."""
        version = self.store.browser_version or recorded_version()
        if exit_.code not in BROWSER_FAILURES or version is None:
            return exit_
        return exit_._replace(message=f"{exit_.message} The browser's version is {version}.")

    async def _stop(self) -> Exit:
        clean = await self._close(deadline=STOP_SECONDS)
        if clean and self._state_file is not None:
            self._state_file.closed_cleanly()
        if clean:
            return Exit(ExitCode.STOPPED, "Stopped as asked; the browser closed cleanly.")
        return Exit(ExitCode.STOP_INCOMPLETE, "The browser did not close in time; it may have lost its last writes.")

    async def _work(self, layout: ProfileLayout) -> None:
        volume = VolumeWatch(root=layout.root, measured=self.metrics.volume.show)
        await volume.check_start()
        with _profile_errors():
            inspect(layout)
            _make_folder(self.settings.cache_dir)
            self._state_file = StateFile(layout.state_file, clock=self.seams.clock, start=self.settings.start)
        self._monitor = PageMonitor(
            settings=self.settings,
            store=self.store,
            metrics=self.metrics,
            state_file=self._state_file,
            seams=self.seams,
            started=self.started,
            numbers=self.numbers,
            presence=PresenceKeeper(
                wanted=lambda: self.live.settings.presence,
                state_file=self._state_file,
                clock=self.seams.clock,
                random=self.seams.random,
            ),
            trust_is_outdated=lambda: self._read_authorities() != self._authorities,
            first_classified=settle,
            proxy=self._relay,
        )
        self.live.changed.connect(partial(self._monitor.wake, "settings", None))
        await _first(
            self._run_page(layout, self._monitor),
            volume.watch(self._monitor.add_remark),
            self._run_workers(layout),
        )

    async def _run_workers(self, layout: ProfileLayout) -> None:
        async with contextlib.AsyncExitStack() as stack:
            with _profile_errors():
                outbox = await stack.enter_async_context(self.workers.messaging.opened(layout.messages_file))
            try:
                await stack.enter_async_context(self.workers.media.opened(outbox, layout.media_folder))
                await _first(outbox.watch(), *(work(outbox) for work in self.workers.loops))
            except DamagedOutboxError as error:  # of what is only read later
                # A disk that fails makes good files look damaged: then that is what is wrong.
                await VolumeWatch(root=layout.root, measured=self.metrics.volume.show).check_start()
                raise profile_unusable(str(error)) from error

    async def _run_page(self, layout: ProfileLayout, monitor: PageMonitor) -> None:
        # Before the browser is opened: in a conflict, opening the page takes the session over from whoever has it.
        if self._state_file is not None and (held := self._state_file.begin()) is not None:
            await self.driver.drop()  # it may take days
            await monitor.repeat(held)
        while True:
            browser = await self._open(layout, monitor)
            beside = [asyncio.create_task(one) for one in (self._reap_for_ever(), keep_small(browser, self.store))]
            try:
                await monitor.fetch(browser)
                self.commands.open(browser)
                await monitor.watch(browser)
            except OutdatedTrustError:
                logger.info("The extra certificate authorities have changed; the browser is opened again with them")
            finally:
                self.commands.close()
                for task in beside:
                    task.cancel()
            await self._close(deadline=FAILURE_SECONDS)
            self._browser = self._playwright = None
            monitor.navigating(is_pending=False)

    async def _open(self, layout: ProfileLayout, monitor: PageMonitor) -> BrowserPage:
        try:
            async with asyncio.timeout(self.settings.launch_timeout):
                playwright, version = await self._prepare()
                self._take_over(layout, version)
                plan = LaunchPlan(
                    executable=self.settings.browser_executable,
                    user_data=layout.user_data,
                    cache_dir=self.settings.cache_dir,
                    allowed_hosts=self.settings.allowed_hosts,
                    user_agent=user_agent(version),
                    sandbox=self.settings.browser_sandbox,
                    relay_port=None if self._relay is None else self._relay.port,
                    language=self.settings.browser_language,
                    time_zone=self.settings.browser_time_zone,
                )
                listeners = Listeners(
                    woken=partial(self._woken, monitor),
                    unfetched=monitor.fetch_failed,
                    blocked=self.metrics.blocked.inc,
                    navigating=monitor.navigating,
                    loaded=monitor.document_began,
                )
                self._browser = await open_browser(plan, playwright, listeners)
                self.metrics.browser_starts.inc()
        except (TimeoutError, LaunchError) as error:
            late = f"The browser did not start within {self.settings.launch_timeout:g} s."
            if monitor.deaths.killed():
                raise out_of_memory() from error
            code = ExitCode.SANDBOX_REFUSED if isinstance(error, SandboxRefusedError) else ExitCode.LAUNCH_FAILED
            raise _launch_failed(str(error) if isinstance(error, LaunchError) else late, code=code) from error
        except CertificateError as error:
            raise RunEnded(
                ExitCode.BAD_CONFIGURATION, str(error), state=RunnerState.CRASHED, reason=StateReason.LAUNCH_FAILED
            ) from error
        sandbox = self.store.sandbox = read_sandbox(processes(), me=os.getpid())
        logger.info(
            "The browser is open",
            extra={
                "version": version,
                "duration_seconds": self._age(),
                "sandbox": sandbox.browser,
                "user_namespace": sandbox.user_namespace,
            },
        )
        return self._browser

    def _woken(self, monitor: PageMonitor, name: str, detail: str | None) -> None:
        """Handle an event of the page."""
        if name in self.workers.handlers:
            self.workers.handlers[name]()
        else:
            monitor.wake(name, detail)

    async def _prepare(self) -> tuple[Playwright, str]:
        """Start the driver, install the extra CA and get the browser's version, all at the same time."""
        driver = asyncio.create_task(self._start_driver())
        version = asyncio.create_task(self._ask_version())
        tasks = (driver, version, asyncio.create_task(self._trust()))
        try:
            await asyncio.gather(*tasks)
        finally:  # when one fails, or a signal comes, cancel the others
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return driver.result(), version.result()

    def _take_over(self, layout: ProfileLayout, version: str) -> None:
        """Make the profile this browser's: drop the caches of an earlier one, and record who opens it.

        :raises RunEnded: it is a newer browser's, or cannot be written.
        """
        if self._state_file is None:
            raise AssertionError("the profile was not checked")
        with _profile_errors():
            check_browser(layout, recorded=self._state_file.saved.browser_version, present=version)
            removed = prune(layout)
        self._state_file.opened_by(version)
        logger.info("The profile is ours", extra={"pruned": len(removed)})

    async def _start_driver(self) -> Playwright:
        self._playwright = await self.driver.take()
        return self._playwright

    async def _ask_version(self) -> str:
        version = self.store.browser_version = await browser_version(self.settings.browser_executable)
        self.metrics.show_browser(version)
        return version

    async def _trust(self) -> None:
        if self.settings.extra_ca_file is None:
            return
        self._authorities = self._read_authorities()
        home = os.environ.get("HOME")
        if not home:
            raise CertificateError("HOME is not set; EXTRA_CA_FILE needs a writable one.")
        count = await trust(self.settings.extra_ca_file, home=Path(home), deadline=self.settings.launch_timeout)
        logger.info("Extra certificate authorities are trusted", extra={"count": count})

    def _read_authorities(self) -> bytes:
        """Return what EXTRA_CA_FILE holds; the kubelet changes the file when somebody changes the Secret."""
        try:
            return self.settings.extra_ca_file.read_bytes() if self.settings.extra_ca_file is not None else b""
        except OSError:
            return self._authorities  # in between; a start with an unreadable file has its own error

    async def _close(self, *, deadline: float) -> bool:
        """Close the browser and kill the processes that are left, by pid; return whether it closed by itself."""
        clean = True
        if self._browser is not None:
            clean = await self._browser.close(deadline=deadline)
        elif self._playwright is not None:
            await stop_driver(self._playwright)
        left = end(self._ours())
        if left:
            logger.warning(
                "Processes were left over and were killed", extra={"names": [process.name for process in left]}
            )
        reap(processes(), me=os.getpid(), not_ours=frozenset())
        logger.info("The browser is closed", extra={"clean": clean, "uptime_seconds": self._age()})
        return clean

    async def _reap_for_ever(self) -> None:
        """Reap the orphans that PID 1 inherits, but not the driver: Playwright waits for it."""
        driver = frozenset(process.pid for process in processes() if process.parent == os.getpid())
        while True:
            await asyncio.sleep(REAP_SECONDS)
            with contextlib.suppress(OSError):
                reap(processes(), me=os.getpid(), not_ours=driver)

    def _publish(self, state: RunnerState, reason: StateReason, message: str) -> None:
        if self._monitor is not None:
            self._monitor.publish(Verdict(state, reason, message))
        self.store.show_code(None, lifetime=0)
        self.store.show_pairing_code(None, lifetime=0)

    def _ours(self) -> list[Process]:
        before = {(process.pid, process.started) for process in self.before}
        return [process for process in self._below() if (process.pid, process.started) not in before]

    @staticmethod
    def _below() -> list[Process]:
        return descendants(os.getpid(), processes())

    def _age(self) -> float:
        return round(self.seams.monotonic() - self.started, 3)


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _profile_errors() -> Iterator[None]:
    """Turn what is wrong with the profile into the end of the run."""
    try:
        yield
    except (ProfileUnusableError, DamagedStateError, DamagedOutboxError) as error:
        raise profile_unusable(str(error)) from error
    except OSError as error:
        raise _cannot_be_used(error) from error


def _cannot_be_used(error: OSError) -> RunEnded:
    return profile_unusable(f"{error.filename} cannot be used ({error.strerror}); check PROFILE_DIR and CACHE_DIR.")


async def _first(*work: Coroutine[Any, Any, None]) -> None:
    """Run several things until one of them ends, which none does but by raising; end the others."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _launch_failed(message: str, *, code: ExitCode) -> RunEnded:
    return RunEnded(code, message, state=RunnerState.CRASHED, reason=StateReason.LAUNCH_FAILED)
