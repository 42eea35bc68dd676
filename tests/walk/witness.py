"""What the runner has said, and since when; and whether that was expected.

Times are the machine's, less those in which processes may have waited for a processor (`Moment`): what is promised is what
the runner does, not how busy the machine is that tries it.
"""

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import aiohttp
from support.runner_process import RunnerProcess

from walk.expected import CONNECTION_CHECK, Expectation

__all__ = ["Answered", "Moment", "Unexpected", "Witness", "is_of_a_busy_machine"]

_PRESSURE, _TIMES = Path("/proc/pressure/cpu"), Path("/proc/stat")
_OVERDUE = frozenset({"Offline/NoConnection", "Degraded/NoCodeFound", "Degraded/StreamStuck"})
""" What is said of a connection, or of its code, that has not come within connectionCheck. """


class Unexpected(Exception):
    """The session did not say what it has to."""


class Answered(NamedTuple):
    """One answer of the runner."""

    moment: "Moment"
    state: str
    """ With its reason. """
    linked: bool | None

    def among(self, states: frozenset[str]) -> bool:
        """Whether it is one of these, with or without a reason."""
        return self.state in states or self.state.partition("/")[0] in states


def _waited() -> float:
    """Seconds since the machine's start in which ours may have waited for a processor; 0 where that is not counted.

    The kernel counts whoever waits, of any priority, and gives the mean of all processors; the one that was busy may be
    the one that ours waited for. A virtual machine also waits for its host.
    """
    if not _PRESSURE.exists():
        return 0.0
    processors = os.cpu_count() or 1
    for_each_other = processors * int(_PRESSURE.read_text().splitlines()[0].rpartition("=")[2]) / 1e6
    for_the_host = int(_TIMES.read_text().splitlines()[0].split()[8]) / os.sysconf("SC_CLK_TCK")
    return for_each_other + for_the_host


class Moment(NamedTuple):
    """A time on a machine that may be busy."""

    clock: float
    waited: float

    @classmethod
    def now(cls) -> "Moment":
        """Give this moment."""
        return cls(time.monotonic(), _waited())

    def later_than(self, seconds: float, after: "Moment", *, grace: float = 5.0) -> bool:
        """Whether it is so much later, not counting what the machine had no processor for; four times as much in any case."""
        passed = self.clock - after.clock
        return passed - (self.waited - after.waited) > seconds or passed > 4 * seconds + grace

    def was_busy(self, after: "Moment") -> bool:
        """Whether the machine had no processor for ours in most of the time between."""
        return self.waited - after.waited > (self.clock - after.clock) / 2


def is_of_a_busy_machine(one: Answered, since: Moment) -> bool:
    """Whether it is true of a page that had no processor to connect for so long that the runner gave it up."""
    overdue = one.moment.clock - since.clock >= CONNECTION_CHECK
    return one.state in _OVERDUE and overdue and one.moment.was_busy(since)


class Witness:
    """Follows one runner's state by long-polls."""

    def __init__(self, runner: RunnerProcess) -> None:
        self.recorded: list[Answered] = []
        self._runner = runner
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        after = "0"
        try:
            while True:
                document = await self._runner.state(after=after, wait="20")
                after = str(document["revision"])
                state = f"{document['state']}/{document['reason']}"
                if not self.recorded or self.recorded[-1][1:] != (state, document["linked"]):
                    self.recorded.append(Answered(Moment.now(), state, document["linked"]))
                self._news.set()
        except (aiohttp.ClientError, ConnectionError):
            return  # the runner has ended; whoever judges sees it by its process

    async def end(self) -> None:
        """Stop following."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def judge(self, expected: Expectation, *, since: Moment, missing: Callable[[], Awaitable[str]]) -> None:
        """Wait until what is final has come, and has stayed; `missing` says what else is not as it has to be.

        :raises Unexpected: something else was said, or nothing in time; with all that was said since the step.
        """
        try:
            await self._judge(expected, since=since, missing=missing)
        except Unexpected as fault:
            raise Unexpected(f"{fault}\n    {self._reported(since)}") from fault

    def _reported(self, since: Moment) -> str:
        """All that was said since the step, when, and how much of the time the machine was busy."""
        earlier = [one.state for one in self.recorded if one.moment.clock < since.clock][-1:]
        later = [f"{one.state} after {one.moment.clock - since.clock:.1f} s" for one in self._since(since)]
        now = Moment.now()
        busy = f"{now.waited - since.waited:.1f} of {now.clock - since.clock:.1f} s the machine was busy"
        return f"said: {', '.join([*earlier, *later]) or 'nothing'}; {busy}"

    async def _judge(self, expected: Expectation, *, since: Moment, missing: Callable[[], Awaitable[str]]) -> None:
        arrived: Moment | None = None
        while True:
            self._news.clear()
            self._check_order(expected, since)
            now = Moment.now()
            lacking = self._lacking(expected, since) or await missing()
            if not lacking:
                arrived = arrived or now
                if now.later_than(expected.stays, arrived, grace=0.0):
                    return
            else:
                arrived = None
                if now.later_than(expected.within, since):
                    raise Unexpected(f"after {now.clock - since.clock:.1f} s it says {self._value()}, {lacking}")
            if self._runner.process.returncode is not None:
                raise Unexpected(f"the runner ended with {self._runner.process.returncode}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self._news.wait()

    def _since(self, since: Moment) -> list[Answered]:
        return [one for one in self.recorded if one.moment.clock >= since.clock]

    def _value(self) -> str:
        return self.recorded[-1].state if self.recorded else "nothing"

    def _lacking(self, expected: Expectation, since: Moment) -> str:
        if not self.recorded or not self.recorded[-1].among(expected.final):
            return f"and not {' or '.join(sorted(expected.final))}"
        if expected.through and not any(one.state == expected.through for one in self._since(since)):
            return f"and has not said {expected.through}"
        return ""

    def _check_order(self, expected: Expectation, since: Moment) -> None:
        """Every word since the step is final, allowed on the way, or the one before for a moment more."""
        allowed = expected.final | expected.passing
        earlier = [one for one in self.recorded if one.moment.clock < since.clock][-1:]
        seen = [*earlier, *self._since(since)]
        for one, following in itertools.zip_longest(seen, seen[1:]):
            if one.among(allowed) or is_of_a_busy_machine(one, since):
                continue
            end = following.moment if following else Moment.now()
            late = end.later_than(expected.late, since)
            if late or not one.among(expected.before):
                seconds = f" until {end.clock - since.clock:.1f} s after the step" if late else ""
                raise Unexpected(f"it said {one.state}{seconds}; right were {', '.join(sorted(allowed))}")
