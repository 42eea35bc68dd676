"""A pod's processes as this machine sees them: found by their pod's control group, never by a name alone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cluster.full.cluster import FullCluster
from session_demo.stage import NotYet


def process_of(cluster: FullCluster, pod_uid: str, module: str) -> int:
    """Return the id of the process in a pod that runs `python -m MODULE`. :raises NotYet: there is none yet."""
    for pid in cluster.pids():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            groups = Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:  # it ended
            continue
        if f"/pod{pod_uid}/" in groups and words[1:3] == [b"-m", module.encode()]:
            return pid
    raise NotYet(f"no process of {module} runs in the pod {pod_uid}")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process and let it go on: to the rest of the world it hangs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
