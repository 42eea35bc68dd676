"""Reports the demo's steps: what is expected, what was seen, how long it took.

`Report.expect` polls a probe until it is as the step promises or the deadline passes; a miss is reported and
kept, and the scenario goes on as far as it can, so that one run shows every fault. `Report.finish` gives the exit status.

Plain lines, for the same reason as in `session_devtools.progress`: what is reported is kept and read again.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from session_devtools.errors import ToolError, WaitTimeout
from session_devtools.waiting import wait_until

DIAGNOSTIC_WIDTH = 200
""" Characters of a line that is shown below a miss. """


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a probe saw: whether it is what the step promises, and how to say it."""

    ok: bool
    text: str


Probe = Callable[[], Observation]


@dataclass(kw_only=True)
class Report:
    """One run of the demo. Times are seconds; `clock` and `sleep` are given by tests."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    diagnostics: Callable[[], str] = lambda: ""
    """ What is shown below a miss, for whoever looks for its cause. """
    failures: list[str] = field(default_factory=list)
    steps: int = 0
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the report's own clock."""
        self._started = self.clock()

    def section(self, title: str) -> None:
        """Begin a group of steps."""
        self.info(f"\n== {title}")

    def info(self, text: str) -> None:
        """Write a line that is no step."""
        print(text, file=self.out, flush=True)

    @contextmanager
    def step(self, text: str, *, status: Callable[[], str] | None = None) -> Iterator[None]:
        """Report a piece of work and its time; a fault in it goes on to the caller."""
        del status  # a step of the demo is short enough
        started = self.clock()
        self.info(f"   … {text}")
        yield
        self.info(f"   ✓ {text} ({self.clock() - started:.1f} s)")

    def expect(self, expectation: str, probe: Probe, *, within: float, interval: float = 0.25) -> bool:
        """Poll until the probe is ok; report and keep a miss after `within` seconds.

        A last look that failed (the cluster does not answer) reports what was seen before it, too.
        """
        started = self.clock()
        observation = Observation(ok=False, text="nothing")

        def look() -> Observation:
            nonlocal observation
            observation = probe()
            return observation

        try:
            wait_until(
                expectation,
                look,
                lambda observation: observation.ok,
                within=within,
                every=interval,
                retry_on=ToolError,  # what cannot be looked at yet (no pod, no port) is nothing good so far
                clock=self.clock,
                sleep=self.sleep,
            )
        except WaitTimeout as late:
            if isinstance(late.seen, ToolError):
                observation = Observation(ok=False, text=f"{late.seen} (before that: {observation.text})")
        self._write_result(expectation, observation, took=self.clock() - started, limit=within)
        return observation.ok

    def abort(self, why: str) -> None:
        """Report that the rest of the scenario cannot run; a miss like others, so that it is summed up with them."""
        self.steps += 1
        self.info(f" ✗ the demo ends here: {why}")
        self.failures.append(f"the demo ended early: {why}")

    def finish(self) -> int:
        """Sum up; 0 when every step showed what it promised."""
        took = self.clock() - self._started
        if self.failures:
            self.info(f"\n{len(self.failures)} of {self.steps} steps did not show what they promise ({took:.0f} s):")
            for failure in self.failures:
                self.info(f"  ✗ {failure}")
            return 1
        self.info(f"\nAll {self.steps} steps showed what they promise ({took:.0f} s).")
        return 0

    def _write_result(self, expectation: str, observation: Observation, *, took: float, limit: float) -> None:
        self.steps += 1
        mark = "✓" if observation.ok else "✗"
        self.info(f" {mark} {expectation}")
        self.info(f"     seen: {observation.text} ({took:.1f} s of at most {limit:.0f} s)")
        if not observation.ok:
            self.failures.append(f"{expectation}; seen: {observation.text}")
            for line in self.diagnostics().splitlines():
                self.info(f"       {line[:DIAGNOSTIC_WIDTH]}")
