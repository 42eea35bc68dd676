"""What tests expect of a session, in one vocabulary for all levels.

An `Expectation` is a question to a session's status, with its words for a failure: `in_state("Connected")`,
`has_condition("Stalled", reason="Conflict")`. How a level reads the status is its own business; whoever implements
`status` has every `wait_for` below: a namespace behind kubectl (end to end, benchmarks) or behind the API (operator).
"""

import abc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from support.waiting import TIMEOUT, async_until, until

Status = dict[str, Any]
Condition = dict[str, Any]


class Expectation(NamedTuple):
    """A question to a status, and how a person would say it."""

    text: str
    holds: Callable[[Status], object]


def condition(status: Status, kind: str) -> Condition:
    """Return one condition of a status, or an empty one."""
    return next((found for found in status.get("conditions") or () if found["type"] == kind), {})


def is_true(status: Status, kind: str) -> bool:
    """Whether a condition is there and True."""
    return condition(status, kind).get("status") == "True"


def in_state(*states: str) -> Expectation:
    """Expect one of these states."""
    return Expectation(f"is {' or '.join(states)}", lambda status: status.get("state") in states)


def in_pod(uid: str, state: str) -> Expectation:
    """Expect that this very pod is the one reported, in that state."""
    return Expectation(
        f"is {state} in pod {uid}", lambda status: (status.get("podUID"), status.get("state")) == (uid, state)
    )


def in_new_pod(before: str, *, state: str = "Connected") -> Expectation:
    """Expect the state in another pod than that one."""

    def holds(status: Status) -> bool:
        return status.get("state") == state and status.get("podUID") not in (None, before)

    return Expectation(f"is {state} again in a new pod", holds)


def has_condition(kind: str, **fields: str) -> Expectation:
    """Expect a condition with these fields; none given: that it is True."""
    wanted = fields or {"status": "True"}

    def holds(status: Status) -> bool:
        found = condition(status, kind)
        return bool(found) and all(found.get(field) == value for field, value in wanted.items())

    return Expectation(f"has {kind} with {wanted}", holds)


def without_pod() -> Expectation:
    """Expect that the operator knows of no pod."""
    return Expectation("has no pod", lambda status: status.get("replicas") == 0)


def without_admission() -> Expectation:
    """Expect that it holds no place in its quota."""
    return Expectation("has given its place back", lambda status: "admission" not in status)


def has_durable_login() -> Expectation:
    """Expect a login that is safely on disk by now, so that it outlives a browser that is killed."""

    def holds(status: Status) -> bool:
        time = (status.get("link") or {}).get("durableTime")
        return time is not None and datetime.fromisoformat(time) <= datetime.now(UTC)

    return Expectation("has a durable login", holds)


def has_no_failures() -> Expectation:
    """Expect that no failure is counted against it."""
    return Expectation(
        "has no failures counted", lambda status: not (status.get("recovery") or {}).get("consecutiveFailures")
    )


class SessionWaits(abc.ABC):
    """The waits of a place with sessions that are read one after the other."""

    timeout: float = TIMEOUT
    interval: float = 0.3

    @abc.abstractmethod
    def status(self, name: str) -> Status:
        """Return a session's status; empty, or a ToolError, while there is none."""

    def wait_for(self, name: str, expected: Expectation, *, within: float | None = None) -> Status:
        """Wait until a session is as expected; returns its status.

        :raises WaitTimeout: it has not come to that in time.
        """
        limit = self.timeout if within is None else within
        return until(
            f"{name} {expected.text}", lambda: self.status(name), expected.holds, within=limit, every=self.interval
        )

    def wait_for_state(self, name: str, *states: str, within: float | None = None) -> Status:
        """Wait until a session is in one of these states; returns its status."""
        return self.wait_for(name, in_state(*states), within=within)

    def wait_for_condition(self, name: str, kind: str, *, within: float | None = None, **fields: str) -> Condition:
        """Wait until a condition of a session has these fields (none given: is True); returns the condition."""
        return condition(self.wait_for(name, has_condition(kind, **fields), within=within), kind)


class AsyncSessionWaits(abc.ABC):
    """The same among coroutines."""

    timeout: float = TIMEOUT

    @abc.abstractmethod
    def status(self, name: str) -> Awaitable[Status]:
        """Return a session's status; empty while there is none."""

    def log(self) -> str:
        """What a failure shows beside what was seen last."""
        return ""

    async def wait_for(self, name: str, expected: Expectation, *, within: float | None = None) -> Status:
        """Wait until a session is as expected; returns its status.

        :raises AssertionError: it has not come to that in time.
        """
        limit = self.timeout if within is None else within
        return await async_until(
            f"{name} {expected.text}", lambda: self.status(name), expected.holds, within=limit, log=self.log
        )

    async def wait_for_state(self, name: str, *states: str, within: float | None = None) -> Status:
        """Wait until a session is in one of these states; returns its status."""
        return await self.wait_for(name, in_state(*states), within=within)

    async def wait_for_condition(
        self, name: str, kind: str, *, within: float | None = None, **fields: str
    ) -> Condition:
        """Wait until a condition of a session has these fields (none given: is True); returns the condition."""
        return condition(await self.wait_for(name, has_condition(kind, **fields), within=within), kind)
