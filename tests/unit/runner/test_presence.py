"""When a session appears as a person who looks at the page."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from session_protocol.vocabulary import Presence
from session_runner.account.presence import HIDE, MOMENT, SHOW, SPREAD, WEEK, PresenceKeeper, is_due
from session_runner.monitoring.state_file import StateFile
from session_runner.profile.saved_state import read_saved_state
from session_runner.states.hold import Start

T0 = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


class PresenceHarness:
    """A page that notes what it is asked, and a keeper over a state file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "runner.json"
        self.now = T0
        self.asked: list[str] = []
        self.obeys = True
        self.wanted = Presence.UNAVAILABLE
        self.keeper = self.another()

    def another(self, *, spread: float = 0) -> PresenceKeeper:
        """Return the keeper of a new pod."""
        state_file = StateFile(self.path, clock=lambda: self.now, start=Start(session_uid="s"))
        self.keeper = PresenceKeeper(
            wanted=lambda: self.wanted, state_file=state_file, clock=lambda: self.now, random=lambda: spread
        )
        return self.keeper

    async def order(self, name: str) -> str | None:
        """Note the order."""
        self.asked.append(name)
        return "done" if self.obeys else None

    async def after(self, passed: timedelta) -> None:
        """Let time pass and look once."""
        self.now += passed
        await self.keeper.keep(self.order, now=(self.now - T0).total_seconds())


async def test_a_session_is_available_for_a_moment_every_week(tmp_path: Path) -> None:
    """Not at its start, and not again before another week."""
    harness = PresenceHarness(tmp_path)
    for passed in (timedelta(0), WEEK - timedelta(seconds=1)):
        await harness.after(passed)
    before = list(harness.asked)
    await harness.after(timedelta(seconds=1))
    await harness.after(timedelta(seconds=MOMENT - 1))
    during = list(harness.asked)
    await harness.after(timedelta(seconds=1))
    await harness.after(timedelta(days=6))

    assert [] == before
    assert [SHOW] == during
    assert [SHOW, HIDE] == harness.asked


async def test_new_pods_begin_no_new_week(tmp_path: Path) -> None:
    """The time is on the volume; a session that is restarted every day has its moment, too."""
    harness = PresenceHarness(tmp_path)
    await harness.after(timedelta(0))
    for _ in range(7):
        harness.another()
        await harness.after(timedelta(days=1))

    assert [SHOW] == harness.asked
    assert harness.now == read_saved_state(harness.path).available_time


async def test_a_moment_that_the_page_refused_is_tried_again(tmp_path: Path) -> None:
    """A page that is navigating answers nothing, and the week is not lost; nor does it stay available."""
    harness = PresenceHarness(tmp_path)
    await harness.after(timedelta(0))
    harness.obeys = False
    await harness.after(WEEK)
    harness.obeys = True
    await harness.after(timedelta(seconds=5))
    harness.obeys = False
    await harness.after(timedelta(seconds=MOMENT))
    harness.obeys = True
    await harness.after(timedelta(seconds=5))

    assert [SHOW, SHOW, HIDE, HIDE] == harness.asked


async def test_a_time_from_the_future_is_not_believed(tmp_path: Path) -> None:
    """A clock was wrong: a week from now, not in years."""
    harness = PresenceHarness(tmp_path)
    harness.now = T0 + timedelta(days=4000)
    await harness.keeper.keep(harness.order, now=0)
    harness.now = T0
    harness.another()
    await harness.after(timedelta(0))

    assert T0 == read_saved_state(harness.path).available_time


async def test_who_wants_to_be_available_is_shown_once_in_each_document(tmp_path: Path) -> None:
    """A page that is navigating answers nothing, and is asked again."""
    harness = PresenceHarness(tmp_path)
    harness.wanted, harness.obeys = Presence.AVAILABLE, False
    await harness.after(timedelta(0))
    harness.obeys = True
    await harness.after(timedelta(seconds=5))
    await harness.after(timedelta(days=30))
    before = list(harness.asked)
    harness.keeper.document_began()
    await harness.after(timedelta(seconds=5))

    assert [SHOW, SHOW] == before
    assert [SHOW] * 3 == harness.asked


async def test_a_document_that_begins_while_the_last_one_answers_is_shown_too(tmp_path: Path) -> None:
    """It begins as nobody who looks, whatever the one before it became."""
    harness = PresenceHarness(tmp_path)
    harness.wanted = Presence.AVAILABLE

    async def order(name: str) -> str | None:
        harness.keeper.document_began()
        return await harness.order(name)

    await harness.keeper.keep(order, now=0)
    await harness.after(timedelta(seconds=5))
    await harness.after(timedelta(seconds=5))

    assert [SHOW, SHOW] == harness.asked


async def test_an_edit_reaches_the_page_that_is_open(tmp_path: Path) -> None:
    """There and back; the next moment is a week after its last one online."""
    harness = PresenceHarness(tmp_path)
    await harness.after(timedelta(0))
    harness.wanted = Presence.AVAILABLE
    await harness.after(timedelta(days=1))
    harness.wanted = Presence.UNAVAILABLE
    await harness.after(timedelta(days=1))
    back = harness.now
    await harness.after(WEEK - timedelta(seconds=1))

    assert [SHOW, HIDE] == harness.asked
    assert back == read_saved_state(harness.path).available_time


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_sessions_that_were_linked_together_spread(spread: float) -> None:
    """The week ends earlier by a part of the spread, which each pod draws anew."""
    due = T0 + WEEK - SPREAD * spread

    assert is_due(T0, now=due, spread=spread)
    assert not is_due(T0, now=due - timedelta(seconds=1), spread=spread)
