"""Where the time of a start goes, part by part: from `kubectl apply` to the QR code, or from a lost pod to Connected.

Marks of one machine's clock: what the API server was asked for, by its audit log, and shows of the pod, when the kernel
started the runner's process, and the runner's own log, which has milliseconds. A part is the time between two marks, so the parts add up to
what the benchmark measures from outside.
"""

import itertools
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from session_devtools.audit_log import Entry
from session_protocol.vocabulary import RunnerState
from session_runner.host.processes import processes

from session_bench.cgroups import Cgroup
from session_bench.errors import BenchError


class Step(StrEnum):
    """What has happened at a mark, named by the part that ends there."""

    APPLIED = "kubectl"
    """ The API server is asked to store the session. """
    GONE = "end of the lost pod"
    """ The kubelet deletes it. """
    DECIDED = "operator"
    """ The API server is asked to create the pod. """
    SCHEDULED = "scheduling and volume"
    """ The scheduler waits for the volume of a pod before it names the node; for a new one it looks once a second. """
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


def of_start(entries: Iterable[Entry], name: str) -> dict[Step, float]:
    """Read when a session was applied and when its pod was asked for; pure."""
    return {
        Step.APPLIED: _first(entries, name, "create whatsappsessions", "patch whatsappsessions"),
        Step.DECIDED: _first(entries, name, "create pods"),
    }


def of_return(entries: Sequence[Entry], name: str) -> dict[Step, float]:
    """Read when a lost pod was gone, and when the next one was asked for; pure."""
    decided = _first(entries, name, "create pods")
    before = [entry for entry in entries if entry.time.timestamp() < decided]
    return {Step.GONE: _first(reversed(before), name, "delete pods"), Step.DECIDED: decided}


def parts(begun: float, marks: Mapping[Step, float]) -> dict[Step, float]:
    """Return how long each part took; pure. A start has no lost pod, and a return nothing that is applied.

    :raises BenchError: another mark is absent, so the parts would mean something else.
    """
    unseen = Step.APPLIED if Step.GONE in marks else Step.GONE
    steps = [step for step in Step if step is not unseen]
    if absent := [step for step in steps if step not in marks]:
        raise BenchError(f"the start was not seen at: {', '.join(absent)}")
    times = [begun, *(marks[step] for step in steps)]
    return {step: late - early for step, (early, late) in zip(steps, itertools.pairwise(times), strict=True)}


def _first(entries: Iterable[Entry], name: str, *requests: str) -> float:
    for entry in entries:
        if f"{entry.verb} {entry.resource}" in requests and entry.name == name and entry.code < 300:
            return entry.time.timestamp()
    raise BenchError(f"the audit log has no {requests[0]} {name}")


def process_start(group: Cgroup) -> float:
    """Return when the runner's process began, as the kernel says, to a clock tick. :raises BenchError: there is none."""
    pids = frozenset(group.pids())
    found = [process for process in processes() if process.pid in pids and process.name.startswith("python")]
    if not found:
        raise BenchError("the pod has no process of the runner")
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + min(process.started for process in found) / os.sysconf("SC_CLK_TCK")
