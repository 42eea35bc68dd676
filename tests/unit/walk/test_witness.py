"""What the witness makes of a runner's answers, and of a machine that is busy."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.runner_process import RunnerProcess
from walk.expected import CONNECTION_CHECK, Expectation
from walk.model import take
from walk.scene import BEGIN
from walk.steps import Step
from walk.witness import Answered, Moment, Unexpected, Witness, is_of_a_busy_machine

BEGAN = Moment(clock=100.0, waited=50.0)
_, STARTED = take(BEGIN, Step("start"))


def later(seconds: float, *, busy: float = 0.0) -> Moment:
    """So much later, of which a processor was waited for so long."""
    return Moment(clock=BEGAN.clock + seconds, waited=BEGAN.waited + busy)


@pytest.mark.parametrize(
    ("moment", "is_late"),
    [
        (later(1.1), True),
        (later(0.9), False),
        (later(3.0, busy=2.5), False),
        (later(3.0, busy=1.5), True),
        (later(8.9, busy=9.0), False),
        (later(9.1, busy=9.0), True),
    ],
    ids=str,
)
def test_what_a_machine_had_no_processor_for_does_not_count(moment: Moment, is_late: bool) -> None:  # noqa: FBT001
    """A second is one in which it had; four of them and five more are the end in any case."""
    assert is_late is moment.later_than(1.0, BEGAN)


@pytest.mark.parametrize(
    ("state", "moment", "is_excused"),
    [
        ("Offline/NoConnection", later(3.0, busy=2.0), True),
        ("Offline/NoConnection", later(3.0, busy=1.0), False),
        ("Offline/NoConnection", later(CONNECTION_CHECK - 0.1, busy=2.0), False),
        ("Connected/AsExpected", later(3.0, busy=2.0), False),
    ],
)
def test_a_page_without_a_processor_may_be_given_up(state: str, moment: Moment, is_excused: bool) -> None:  # noqa: FBT001
    """Its connection then takes longer than a connection may, and the runner is right to say so."""
    assert is_excused is is_of_a_busy_machine(Answered(moment, state, linked=True), BEGAN)


async def judge(states: Sequence[str], expected: Expectation) -> None:
    """Let a witness judge a runner that says these states at once, and then nothing more."""
    answers = iter(enumerate(states))

    async def state(**_: str) -> dict[str, Any]:
        for revision, one in answers:
            name, reason = one.split("/")
            return {"revision": revision, "state": name, "reason": reason, "linked": False}
        await asyncio.Event().wait()
        raise AssertionError

    since = Moment.now()
    witness = Witness(cast("RunnerProcess", SimpleNamespace(state=state, process=SimpleNamespace(returncode=None))))

    async def nothing() -> str:
        return ""

    try:
        await witness.judge(expected, since=since, missing=nothing)
    finally:
        await witness.end()


async def test_what_is_expected_is_waited_for() -> None:
    """Over all that may be said on the way."""
    await judge(["Starting/BrowserStarting", "Loading/PageLoading", "QRPending/WaitingForScan"], STARTED)


async def test_a_walk_that_fails_lists_what_was_reported() -> None:
    """All of it, with its times: that it came to be right in the end is no excuse."""
    reported = r"it said Connected/AsExpected.*\n.*said: Loading/PageLoading after .* s, Connected/AsExpected after"

    with pytest.raises(Unexpected, match=reported):
        await judge(["Loading/PageLoading", "Connected/AsExpected", "QRPending/WaitingForScan"], STARTED)
