"""What the tests expect of a session: each expectation holds for what it says and for nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from session_devtools.errors import WaitTimeout
from support.sessions import (
    AsyncSessionWaits,
    Expectation,
    SessionWaits,
    Status,
    has_condition,
    has_durable_login,
    has_no_failures,
    in_new_pod,
    in_pod,
    in_state,
    without_admission,
    without_pod,
)

CONFLICT = {"type": "Conflict", "status": "True", "reason": "Replaced"}
LINKED = {"state": "Connected", "podUID": "b", "replicas": 1, "admission": {}, "conditions": [CONFLICT]}


def login(*, durable_in: float) -> Status:
    """A status whose login is durable that many seconds from now."""
    return {"link": {"durableTime": (datetime.now(UTC) + timedelta(seconds=durable_in)).isoformat()}}


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        (in_state("Connected", "Syncing"), LINKED, {"state": "QRPending"}),
        (in_pod("b", "Connected"), LINKED, LINKED | {"podUID": "a"}),
        (in_new_pod("a"), LINKED, LINKED | {"podUID": "a"}),
        (in_new_pod("a"), LINKED, {"state": "Connected"}),
        (in_new_pod("a"), LINKED, LINKED | {"state": "Starting"}),
        (has_condition("Conflict"), LINKED, {"conditions": [CONFLICT | {"status": "False"}]}),
        (has_condition("Conflict", reason="Replaced"), LINKED, {"conditions": [CONFLICT | {"reason": "OtherTab"}]}),
        (has_condition("Conflict", status="False"), {"conditions": [CONFLICT | {"status": "False"}]}, LINKED),
        (
            has_condition("Stalled", status="False"),
            {"conditions": [CONFLICT | {"type": "Stalled", "status": "False"}]},
            {},
        ),
        (without_pod(), {"replicas": 0}, LINKED),
        (without_admission(), {"state": "Queued"}, LINKED),
        (has_durable_login(), login(durable_in=-1), login(durable_in=3600)),
        (has_durable_login(), login(durable_in=-1), {"link": {}}),
        (has_no_failures(), {"recovery": {"restarts": 3}}, {"recovery": {"consecutiveFailures": 1}}),
    ],
    ids=lambda value: value.text if isinstance(value, Expectation) else "",
)
def test_an_expectation_holds_for_what_it_says(expected: Expectation, good: Status, bad: Status) -> None:
    """And neither for its opposite, nor for a session that no operator has seen; those that ask for an absence aside."""
    assert expected.holds(good)
    assert not expected.holds(bad)


def test_a_session_without_a_status_is_in_no_state() -> None:
    """It was applied a moment ago."""
    assert not any(
        one.holds({}) for one in (in_state("Connected"), in_new_pod("a"), has_condition("Ready"), without_pod())
    )


class Sessions(SessionWaits):
    """Sessions whose status changes with each look."""

    timeout = 0.2
    interval = 0.01

    def __init__(self, *states: str) -> None:
        self._states = list(states)

    def status(self, name: str) -> Status:
        """The next one; the last one for ever."""
        del name
        return {"state": self._states.pop(0) if len(self._states) > 1 else self._states[0], "conditions": [CONFLICT]}


class AsyncSessions(AsyncSessionWaits):
    """The same among coroutines."""

    timeout = 0.2

    def __init__(self, *states: str) -> None:
        self._sessions = Sessions(*states)

    async def status(self, name: str) -> Status:
        """The next one."""
        return self._sessions.status(name)

    def log(self) -> str:
        """What a failure shows."""
        return "the operator's last line"


async def test_a_wait_ends_with_the_status_that_was_expected() -> None:
    """Whatever came before; a condition is given back by itself."""
    states = ("Starting", "QRPending", "Connected")

    assert "Connected" == Sessions(*states).wait_for_state("sales", "Connected")["state"]
    assert "Connected" == (await AsyncSessions(*states).wait_for_state("sales", "Connected"))["state"]
    assert CONFLICT == Sessions("x").wait_for_condition("sales", "Conflict", reason="Replaced")
    assert CONFLICT == await AsyncSessions("x").wait_for_condition("sales", "Conflict")


async def test_a_wait_that_is_too_long_says_what_it_was_for_and_what_was_seen() -> None:
    """With the log of who should have done it, where there is one."""
    with pytest.raises(WaitTimeout, match=r"^sales is Connected or Syncing: not within 0 s; last seen: .*Starting"):
        Sessions("Starting").wait_for_state("sales", "Connected", "Syncing")
    with pytest.raises(AssertionError, match=r"(?s)^sales has Stalled with .*last seen: .*the operator's last line$"):
        await AsyncSessions("Starting").wait_for_condition("sales", "Stalled")
