"""A pod's processes as this machine sees them: found by their pod's control group, never by a name alone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from local_cluster.full.cluster import FullCluster
from session_devtools.errors import NotReady


def process_of(cluster: FullCluster, pod_uid: str, module: str) -> int:
    """Return the id of a pod's first process, which runs `python -m MODULE`. :raises NotReady: there is none yet."""
    parents = _processes_of(cluster, pod_uid, module)
    for pid, parent in parents.items():
        if parent not in parents:
            return pid
    raise NotReady(f"no process of {module} runs in the pod {pod_uid}")


def fork_of(cluster: FullCluster, pod_uid: str, module: str) -> int:
    """Return the id of the process that the first one forked. :raises NotReady: there is none yet."""
    parents = _processes_of(cluster, pod_uid, module)
    for pid, parent in parents.items():
        if parent in parents:
            return pid
    raise NotReady(f"no process of {module} that is another one's child runs in the pod {pod_uid}")


def _processes_of(cluster: FullCluster, pod_uid: str, module: str) -> dict[int, int]:
    """The processes of a pod with the command line `python -m MODULE`, each with its parent."""
    found = {}
    for pid in cluster.pids():
        folder = Path(f"/proc/{pid}")
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            groups = (folder / "cgroup").read_text()
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        except OSError:  # it ended
            continue
        if f"/pod{pod_uid}/" in groups and arguments[1:3] == [b"-m", module.encode()]:
            found[pid] = int(status["PPid"])
    return found


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """Stop a process and let it go on, unless somebody ends it: to the rest of the world it hangs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
