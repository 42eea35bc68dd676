"""What is seen meanwhile: each session's status and pods and the Lease every second, and what operator and runners take."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
from campaigns.looking import looking
from e2e.operator_pod import LEASE
from session_devtools.errors import ToolError
from session_devtools.http_client import Client
from support.sessions import condition

SAMPLED_EVERY: Final = 5.0
PROGRAMS: Final = {"whatsapp_operator": "operator", "session_runner": "runner"}
""" By the module that a process runs. """
SHOWN: Final = ("Ready", "Stalled", "Recovering")
""" Conditions that are read. """


class Seen(NamedTuple):
    """One look at one session."""

    state: str
    linked: str
    """ Since when its phone is linked; empty: it is not, or status does not tell. """
    admitted: bool
    stalled: bool
    messages: str
    """ Reason and message of what is not well. """


class Look(NamedTuple):
    """One look at all of them."""

    time: float
    sessions: Mapping[str, Seen]
    pods: Mapping[str, int]
    """ Pods by the session that they are labelled with. """
    renewed: str = ""
    """ When the operator that acts renewed its Lease last. """


class Sample(NamedTuple):
    """What one process took at one moment."""

    time: float
    program: str
    pid: int
    memory: int
    descriptors: int
    tasks: int
    cpu: float
    """ Seconds since it began. """


@dataclass(kw_only=True)
class Record:
    """Everything that was seen."""

    looks: list[Look] = field(default_factory=list)
    missed: int = 0
    """ Looks that the API server did not answer. """
    samples: list[Sample] = field(default_factory=list)

    def between(self, begin: float, end: float) -> Iterator[Look]:
        """Return the looks of a time."""
        return (look for look in self.looks if begin <= look.time <= end)


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Looks at a namespace's sessions, and at the processes of a cluster."""

    api: Callable[[], Client]
    """ Makes a client: the connection of an old one ends with its API server. """
    pids: Callable[[], Sequence[int]]
    namespace: str

    @contextmanager
    def watching(self) -> Iterator[Record]:
        """Look until the block ends."""
        record = Record()
        with (
            looking(lambda: self._look(record)),
            looking(lambda: record.samples.extend(sample(self.pids())), every=SAMPLED_EVERY),
        ):
            yield record

    def _look(self, record: Record) -> None:
        try:
            sessions = self._list(f"/apis/wasession.dev/v1alpha1/namespaces/{self.namespace}/whatsappsessions")
            pods = self._list(f"/api/v1/namespaces/{self.namespace}/pods")
            lease = self.api().request(LEASE, timeout=10).json_object()
        except ToolError:
            record.missed += 1
            return
        owners = Counter(pod["metadata"].get("labels", {}).get("wasession.dev/session", "") for pod in pods)
        seen = {one["metadata"]["name"]: seen_of(one.get("status") or {}) for one in sessions}
        renewed = lease["spec"].get("renewTime", "")
        record.looks.append(Look(time.monotonic(), seen, {name: owners[name] for name in seen}, renewed))

    def _list(self, path: str) -> list[dict[str, Any]]:
        return list(self.api().request(path, timeout=10).json_object()["items"])


def seen_of(status: Mapping[str, Any]) -> Seen:
    """Return what a status says."""
    shown = {kind: condition(dict(status), kind) for kind in SHOWN}
    bad = [found for kind, found in shown.items() if found and (found["status"] == "True") is not (kind == "Ready")]
    return Seen(
        state=status.get("state", ""),
        linked=(status.get("link") or {}).get("linkedTime", ""),
        admitted="admission" in status,
        stalled=shown["Stalled"].get("status") == "True",
        messages=" ".join(f"{found['reason']} {found['message']}" for found in bad),
    )


def sample(pids: Sequence[int]) -> Iterator[Sample]:
    """Yield what the processes of operator and runners take now."""
    for pid in pids:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            program = PROGRAMS.get(command[2].decode(), "") if command[1:2] == [b"-m"] and len(command) > 2 else ""
            if program:
                process = psutil.Process(pid)
                memory, cpu = process.memory_info().rss, process.cpu_times()
                tasks, descriptors = process.num_threads(), process.num_fds()
                yield Sample(time.monotonic(), program, pid, memory, descriptors, tasks, cpu.user + cpu.system)
        except (OSError, psutil.Error):  # it ended
            continue
