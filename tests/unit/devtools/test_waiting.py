"""Waiting for something to be so."""

import asyncio

import pytest
from fake_time import FakeTime
from session_devtools.errors import WaitTimeout
from session_devtools.waiting import async_wait_until, wait_until


def test_what_is_so_is_returned_at_once() -> None:
    """Nobody sleeps, also where nobody would wait."""
    time = FakeTime()

    assert "there" == wait_until("it", lambda: "there", bool, within=0, clock=time.read, sleep=time.sleep)
    assert 100.0 == time.now


def test_it_looks_again_until_it_is_so() -> None:
    """Each look after one interval."""
    time, answers = FakeTime(), iter([None, None, "there"])

    assert "there" == wait_until("it", lambda: next(answers), bool, every=0.5, clock=time.read, sleep=time.sleep)
    assert 101.0 == time.now


def test_the_caller_says_what_is_good() -> None:
    """Where nothing at all is what is waited for, say."""
    answers = iter(["there", None])

    assert wait_until("it goes", lambda: next(answers), lambda seen: seen is None, every=0) is None


@pytest.mark.parametrize(("within", "looks"), [(0, 1), (3, 4)])
def test_what_never_comes_is_reported_with_what_was_seen_last(within: float, looks: int) -> None:
    """The message says what was waited for and how long; the last look is at the deadline, not before."""
    time = FakeTime()
    seen: list[str] = []

    def look() -> str:
        seen.append(f"look {len(seen) + 1}")
        return seen[-1]

    with pytest.raises(WaitTimeout, match=f"the rise: not within {within} s; last seen: 'look {looks}'") as caught:
        wait_until("the rise", look, lambda _: False, within=within, every=1, clock=time.read, sleep=time.sleep)
    assert f"look {looks}" == caught.value.seen


def test_a_fault_that_is_expected_is_not_good_yet() -> None:
    """And the last one is the reason when it stays."""
    faults = iter([OSError("busy"), OSError("still busy")])

    def look() -> None:
        raise next(faults)

    time = FakeTime()
    with pytest.raises(WaitTimeout, match="last seen: still busy") as caught:
        wait_until("it", look, bool, within=1, every=1, retry_on=OSError, clock=time.read, sleep=time.sleep)
    assert isinstance(caught.value.__cause__, OSError)


def test_any_other_fault_ends_the_wait_at_once() -> None:
    """A mistake in a look is not something to wait for."""
    looks: list[None] = []

    def look() -> None:
        looks.append(None)
        raise KeyError("status")

    with pytest.raises(KeyError):
        wait_until("it", look, retry_on=OSError)
    assert 1 == len(looks)


def test_what_is_reported_is_bounded() -> None:
    """A list of a thousand objects helps nobody."""
    with pytest.raises(WaitTimeout) as caught:
        wait_until("it", lambda: "x" * 100_000, lambda _: False, within=0)
    assert len(str(caught.value)) < 2000


async def test_looks_can_be_awaited() -> None:
    """The same promise among coroutines."""
    answers = iter([OSError("not up"), "", "there"])

    async def look() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return str(answer)

    assert "there" == await async_wait_until("it", look, every=0, retry_on=OSError)
    late = async_wait_until("it", lambda: asyncio.sleep(0, ""), within=0)
    with pytest.raises(WaitTimeout, match="not within 0 s; last seen: ''"):
        await late
