"""A page that does not answer: since when, and what the next pod learns of it."""

import asyncio
from pathlib import Path

from session_runner.monitoring.monitor import PageMonitor
from session_runner.states.facts import Facts
from unit.runner.fetching_harness import Run, TimedPage
from unit.runner.pages import Raw


def test_a_page_whose_reload_is_not_answered_is_no_dead_page(tmp_path: Path) -> None:
    """The browser answers nothing while the next document is on its way; it is Loading, then LoadError, then asked again."""
    run = Run(tmp_path, STARTUP_TIMEOUT="60s", HEALTH_CHECK_TIMEOUT="45s")

    def reloads(monitor: PageMonitor, page: TimedPage) -> None:
        answer, free = page.probe, asyncio.Event()
        free.set()

        async def held_back(*, deadline: float) -> Facts:
            await free.wait()
            return await answer(deadline=deadline)

        def begin() -> None:
            free.clear()
            monitor.navigating(is_pending=True)

        async def navigate(url: str, *, deadline: float, without_cache: bool) -> None:
            await TimedPage.navigate(page, url, deadline=deadline, without_cache=without_cache)
            free.set()
            monitor.navigating(is_pending=False)

        page.probe, page.navigate = held_back, navigate  # type: ignore[method-assign]
        asyncio.get_running_loop().call_later(100, begin)

    run.meanwhile = reloads
    page = run.live(lambda: TimedPage(lambda _: {}), seconds=300)

    assert run.ended is None
    assert ["Loading", "Connected", "Loading", "LoadError", "Connected"] == run.sequence
    assert "FetchTimedOut" == run.states[3][2]
    assert 160 <= page.tries[1] <= 170


def test_a_silent_page_says_since_when(tmp_path: Path) -> None:
    """A time in the message, once, beside the state that was seen last; and it goes with the next answer."""
    run = Run(tmp_path, HEALTH_CHECK_TIMEOUT="2m")

    def busy(_monitor: PageMonitor, page: TimedPage) -> None:
        answer = page.probe

        async def probe(*, deadline: float) -> Facts:
            if 50 < page.age < 100:
                await asyncio.sleep(100)
            return await answer(deadline=deadline)

        page.probe = probe  # type: ignore[method-assign]

    run.meanwhile = busy
    run.live(lambda: TimedPage(lambda _: {}), seconds=300)

    assert run.ended is None
    assert ["Loading", "Connected"] == run.sequence
    assert [
        "Linked and connected.",
        "Linked and connected. The page has not answered since 2027-01-15T08:00:45Z; after 2m it counts as dead.",
        "Linked and connected.",
    ] == run.messages[1:]


def test_a_silence_in_a_conflict_is_not_stored_with_it(tmp_path: Path) -> None:
    """The next pod repeats the conflict's own sequence."""
    run = Run(tmp_path, HEALTH_CHECK_TIMEOUT="45s")
    conflict: Raw = {"socket": "CONFLICT"}

    def silent(_monitor: PageMonitor, page: TimedPage) -> None:
        answer = page.probe

        async def probe(*, deadline: float) -> Facts:
            if page.age > 30:
                await asyncio.sleep(30)
            return await answer(deadline=deadline)

        page.probe = probe  # type: ignore[method-assign]

    run.meanwhile = silent
    run.live(lambda: TimedPage(lambda _: conflict), seconds=50)

    assert "has not answered" in run.messages[-1]
    assert "has not answered" not in (tmp_path / "runner.json").read_text()
