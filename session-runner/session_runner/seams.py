"""What the parts of a runner get from outside, and tests replace: time, randomness, the kernel's counters, the network's bounds."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from session_protocol.steady_clock import SteadyClock

from session_runner.host.memory import KillCounter, kill_counter
from session_runner.webhooks.connections import Guard
from session_runner.webhooks.guard import refusal


def _steady_clock() -> Callable[[], datetime]:
    return SteadyClock(monotonic=time.monotonic).now


@dataclass(frozen=True, kw_only=True)
class Seams:
    """The seams of one runner; each is the real one unless another is given."""

    clock: Callable[[], datetime] = field(default_factory=_steady_clock)
    """ A code's life, and since when a state is, must not depend on who sets the node's clock. """
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    """ A number from 0 to 1. """
    random_bytes: Callable[[int], bytes] = os.urandom
    kills: KillCounter = field(default_factory=kill_counter)
    """ How many of our processes the kernel has killed, out of memory. """
    guard: Guard = refusal
    """ Why an address is not connected to, by a webhook or for a file; None: it may be. """
