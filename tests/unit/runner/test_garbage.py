"""When the page's garbage is collected, and when it is left."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.page.errors import CallFailedError, PageGoneError
from session_runner.page.garbage import EVERY, SETTLED, keep_small
from session_runner.store import StateStore

CONNECTED, AWAY = RunnerState.CONNECTED, RunnerState.RECONNECTING


class Page:
    """A page that notes when it was cleaned."""

    def __init__(self, *errors: Exception) -> None:
        self.now = 0.0
        self.cleaned: list[float] = []
        self._errors = list(errors)

    async def collect_garbage(self) -> None:
        """Note the time; the errors come first."""
        self.cleaned.append(self.now)
        if self._errors:
            raise self._errors.pop(0)


class OverError(Exception):
    """The test's time is over."""


def publish(store: StateStore, state: RunnerState) -> None:
    """Have the session in this state."""
    reason = StateReason.AS_EXPECTED
    store.publish(state=state, reason=reason, message="", linked_time=None, durable_time=None, round=0)


async def played(page: Page, states: Sequence[RunnerState], *, looks: int = 4) -> list[float]:
    """Play the states, one at each look; the last one stays. Gives when the page was cleaned."""
    store = StateStore(clock=lambda: datetime(2026, 11, 30, tzinfo=UTC))
    left = list(states)

    async def sleep(seconds: float) -> None:
        nonlocal looks
        if looks == 0:
            raise OverError
        looks -= 1
        page.now += seconds
        publish(store, left.pop(0) if len(left) > 1 else left[0])

    with pytest.raises(OverError):
        await keep_small(page, store, sleep=sleep)
    return page.cleaned


async def test_the_start_is_cleaned_up_after_and_then_now_and_then() -> None:
    """Once it has been connected for a while."""
    assert [2 * SETTLED, 2 * SETTLED + EVERY] == await played(Page(), [CONNECTED], looks=5)


async def test_a_page_that_is_not_at_rest_is_left_alone() -> None:
    """Its start is what its memory is for."""
    assert [] == await played(Page(), [CONNECTED, AWAY, CONNECTED, AWAY])


async def test_a_page_that_does_not_answer_is_tried_again() -> None:
    """At its next time; nothing else depends on it."""
    assert 2 == len(await played(Page(CallFailedError("busy")), [CONNECTED], looks=5))


async def test_it_ends_with_the_page() -> None:
    """The next page has its own."""
    page, store = Page(PageGoneError("crashed")), StateStore(clock=lambda: datetime(2026, 11, 30, tzinfo=UTC))

    async def sleep(_seconds: float) -> None:
        publish(store, CONNECTED)

    await keep_small(page, store, sleep=sleep)

    assert 1 == len(page.cleaned)
