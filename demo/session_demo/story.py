"""How the demo tells its steps: what is expected, what was seen, how long it took.

`Story.expect` polls a probe until it returns what the step promises or the deadline passes; a miss is told and kept,
and the story goes on as far as it can, so that one run shows every fault. `Story.finish` gives the exit status.

Plain lines, for the same reason as in `session_devtools.steps`: what is told is kept and read again.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from session_devtools.errors import NotInTime, ToolError
from session_devtools.waiting import wait_until

CLUE = 200
""" Characters of a line that is shown below a miss. """


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a probe saw: whether it is what the step promises, and how to say it."""

    good: bool
    text: str


Probe = Callable[[], Seen]


@dataclass(kw_only=True)
class Story:
    """One run of the demo. Times are seconds; `clock` and `sleep` are given by tests."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    clues: Callable[[], str] = lambda: ""
    """ What is shown below a miss, for whoever looks for its cause. """
    misses: list[str] = field(default_factory=list)
    steps: int = 0
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the story's own clock."""
        self._begun = self.clock()

    def chapter(self, title: str) -> None:
        """Begin a group of steps."""
        self.say(f"\n== {title}")

    def say(self, text: str) -> None:
        """Tell something that is not a step."""
        print(text, file=self.out, flush=True)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Tell a piece of work and its time; a fault in it ends the story with its reason."""
        begun = self.clock()
        self.say(f"   … {what}")
        yield
        self.say(f"   ✓ {what} ({self.clock() - begun:.1f} s)")

    def expect(self, promise: str, probe: Probe, *, within: float, interval: float = 0.25) -> bool:
        """Poll until the probe is good; tell and remember a miss after `within` seconds.

        A last look that failed (the cluster does not answer) tells what was seen before it, too.
        """
        begun = self.clock()
        seen = Seen(good=False, text="nothing")

        def look() -> Seen:
            nonlocal seen
            seen = probe()
            return seen

        try:
            wait_until(
                promise,
                look,
                lambda seen: seen.good,
                within=within,
                every=interval,
                not_yet=ToolError,  # what cannot be looked at yet (no pod, no port) is nothing good so far
                clock=self.clock,
                sleep=self.sleep,
            )
        except NotInTime as late:
            if isinstance(late.seen, ToolError):
                seen = Seen(good=False, text=f"{late.seen} (before that: {seen.text})")
        self._tell(promise, seen, took=self.clock() - begun, limit=within)
        return seen.good

    def broke_off(self, why: str) -> None:
        """Tell that the rest of the story cannot be played; a miss like others, so that it is summed up with them."""
        self.steps += 1
        self.say(f" ✗ the play ends here: {why}")
        self.misses.append(f"the play ended early: {why}")

    def finish(self) -> int:
        """Sum up; 0 when every step showed what it promised."""
        took = self.clock() - self._begun
        if self.misses:
            self.say(f"\n{len(self.misses)} of {self.steps} steps did not show what they promise ({took:.0f} s):")
            for miss in self.misses:
                self.say(f"  ✗ {miss}")
            return 1
        self.say(f"\nAll {self.steps} steps showed what they promise ({took:.0f} s).")
        return 0

    def _tell(self, promise: str, seen: Seen, *, took: float, limit: float) -> None:
        self.steps += 1
        mark = "✓" if seen.good else "✗"
        self.say(f" {mark} {promise}")
        self.say(f"     seen: {seen.text} ({took:.1f} s of at most {limit:.0f} s)")
        if not seen.good:
            self.misses.append(f"{promise}; seen: {seen.text}")
            for line in self.clues().splitlines():
                self.say(f"       {line[:CLUE]}")
