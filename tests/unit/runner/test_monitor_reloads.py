"""A page that is left: what it showed is over at once, whatever comes next and however long that takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.exits import RunEnded
from session_runner.states.classify import Verdict
from unit.runner.monitor_harness import MonitorHarness, ScriptedPage
from unit.runner.pages import CODE, UNLINKED, Raw

CODED: Raw = UNLINKED | {"code": CODE, "codeLifetimeMs": 60_000}


async def watched(harness: MonitorHarness, *steps: Raw, after: dict[int, Callable[[], None]]) -> None:
    """Watch a page through its steps; after the probe of that number, and before its answer arrives, do something."""
    page, probes = ScriptedPage(*steps), 0

    def probed() -> None:
        nonlocal probes
        after.get(probes, lambda: None)()
        probes += 1
        harness.monitor.wake("test", None)

    page.after_probe = probed
    with pytest.raises(RunEnded):
        await harness.monitor.watch(page)


def begins(harness: MonitorHarness) -> Callable[[], None]:
    """The page asks for its next document."""
    return lambda: harness.monitor.navigating(is_pending=True)


async def test_a_navigation_lowers_the_state_at_once(tmp_path: Path) -> None:
    """Connected is taken back when the page asks for its next document, not when that arrives."""
    harness, seen = MonitorHarness(tmp_path), list[tuple[RunnerState, RunnerState]]()

    def leave() -> None:
        before = harness.store.snapshot.state
        harness.monitor.navigating(is_pending=True)
        seen.append((before, harness.store.snapshot.state))

    await watched(harness, {}, {}, after={1: leave})

    assert [(RunnerState.CONNECTED, RunnerState.LOADING)] == seen


async def test_what_was_answered_before_the_page_was_left_counts_for_nothing(tmp_path: Path) -> None:
    """The answer arrives after the navigation began: it is of the document that goes."""
    harness = MonitorHarness(tmp_path)
    await watched(harness, {}, {}, {}, after={1: begins(harness)})

    assert RunnerState.LOADING is harness.store.snapshot.state


async def test_a_navigation_that_leads_nowhere_gives_the_state_back(tmp_path: Path) -> None:
    """A download, say: the document stays, and the next probe finds it as it was."""
    harness = MonitorHarness(tmp_path)
    await watched(
        harness, {}, {}, {}, after={1: begins(harness), 2: lambda: harness.monitor.navigating(is_pending=False)}
    )
    await watched(harness, {}, after={})

    assert RunnerState.CONNECTED is harness.store.snapshot.state


async def test_a_code_goes_with_its_document(tmp_path: Path) -> None:
    """Not even a page that freezes right afterwards, or that shows the same text again, brings it back."""
    harness, codes = MonitorHarness(tmp_path), list[object]()
    await watched(harness, CODED, CODED, after={1: lambda: codes.append(harness.store.code)})
    harness.monitor.document_began(is_error=False)
    codes.append(harness.store.code)
    await watched(harness, CODED, CODED, after={1: lambda: codes.append(harness.store.code)})

    assert [True, False, False] == [code is not None for code in codes]


async def test_a_dead_code_that_stays_on_the_screen_is_not_served(tmp_path: Path) -> None:
    """Each look takes seconds of the clock here, so the life of 60 s is over soon; another round is asked for."""
    harness = MonitorHarness(tmp_path)
    harness.step = 5
    page = ScriptedPage(*[CODED] * 12)
    await harness.exit(page)

    assert harness.store.code is None
    assert "refresh.js" in page.asked


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(RunnerState.CONFLICT, StateReason.REPLACED, "Elsewhere."),
        Verdict(RunnerState.STOPPING, StateReason.STOP_REQUESTED, "The runner was asked to stop."),
    ],
)
async def test_what_waits_for_a_person_or_ends_is_not_taken_back(tmp_path: Path, verdict: Verdict) -> None:
    """A conflict is over when a document shows that; a runner that ends says nothing else any more."""
    harness = MonitorHarness(tmp_path)
    harness.monitor.publish(verdict)
    harness.monitor.navigating(is_pending=True)

    assert verdict.state is harness.store.snapshot.state
