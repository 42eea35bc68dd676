"""Where the time of a start goes, part by part: from `kubectl apply` to the QR code, or from a lost pod to Connected.

Three clocks' worth of marks, all of one machine: what the API server shows of the pod, when the kernel started the runner's
process, and the runner's own log, which has milliseconds. A part is the time between two marks, so the parts add up to
what the benchmark measures from outside.
"""

import itertools
import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from session_protocol.vocabulary import RunnerState
from session_runner.host.processes import processes

from session_bench.cgroups import Cgroup
from session_bench.errors import BenchError


class Step(StrEnum):
    """What has happened at a mark, named by the part that ends there."""

    SCHEDULED = "scheduling and volume"
    """ The scheduler waits for the volume of a pod before it names the node, and a lost pod ends before the next is made. """
    STARTED = "sandbox and container"
    """ The image is on the node. """
    SERVES = "Python's imports"
    OPEN = "driver and browser"
    SHOWN = "page"
    ANSWERED = "first answer"


_MESSAGES = {"The API serves": Step.SERVES, "The browser is open": Step.OPEN}


def log_marks(text: str, *, shown: RunnerState = RunnerState.QR_PENDING) -> dict[Step, float]:
    """Read the marks in a runner's log, as seconds since the epoch; the page is there in the state `shown`. Pure."""
    found: dict[Step, float] = {}
    for line in text.splitlines():
        entry = json.loads(line)
        step = _MESSAGES.get(entry["message"])
        if step is None and entry.get("state") == shown:
            step = Step.SHOWN
        if step is not None:
            found.setdefault(step, datetime.fromisoformat(entry["time"]).timestamp())
    return found


def parts(begun: float, marks: Mapping[Step, float]) -> dict[Step, float]:
    """Return how long each part took; pure. :raises BenchError: a mark is absent, so the parts would mean something else."""
    if absent := [step for step in Step if step not in marks]:
        raise BenchError(f"the start was not seen at: {', '.join(absent)}")
    times = [begun, *(marks[step] for step in Step)]
    return {step: late - early for step, (early, late) in zip(Step, itertools.pairwise(times), strict=True)}


def process_start(group: Cgroup) -> float:
    """Return when the runner's process began, as the kernel says, to a clock tick. :raises BenchError: there is none."""
    pids = frozenset(group.pids())
    found = [process for process in processes() if process.pid in pids and process.name.startswith("python")]
    if not found:
        raise BenchError("the pod has no process of the runner")
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + min(process.started for process in found) / os.sysconf("SC_CLK_TCK")
