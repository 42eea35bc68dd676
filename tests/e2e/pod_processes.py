"""A pod's processes as this machine sees them: found by their pod's control group, never by a name alone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cluster.full.cluster import FullCluster
from session_devtools.errors import NotReady


def process_of(cluster: FullCluster, pod_uid: str, module: str) -> int:
    """Return the id of the process in a pod that runs `python -m MODULE`. :raises NotReady: there is none yet."""
    for pid in cluster.pids():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            groups = Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:  # it ended
            continue
        if f"/pod{pod_uid}/" in groups and arguments[1:3] == [b"-m", module.encode()]:
            return pid
    raise NotReady(f"no process of {module} runs in the pod {pod_uid}")


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """Stop a process and let it go on: to the rest of the world it hangs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
