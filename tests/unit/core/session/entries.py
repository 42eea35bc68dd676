"""Counts how often one decision goes into each module of the core: `python tests/unit/core/session/entries.py`.

A module that is entered twice has computed something twice, or its caller asks for its knowledge piece by piece.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import whatsapp_operator.core
from unit.core.fake_cluster import FakeCluster, new, running
from whatsapp_operator.core.session.decide import decide

CORE = Path(whatsapp_operator.core.__file__).parent


def entries(cluster: FakeCluster) -> Counter[str]:
    """Return how often a decision about the cluster's session calls into each module from another one."""
    counted: Counter[str] = Counter()

    def profile(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and not frame.f_code.co_name.startswith("<") and frame.f_back is not None:
            path, caller = Path(frame.f_code.co_filename), frame.f_back.f_code.co_filename
            if path.is_relative_to(CORE) and str(path) != caller and path != CORE / "model.py":
                counted[str(path.relative_to(CORE))] += 1

    observation = cluster.observe()
    sys.setprofile(profile)
    try:
        decide(observation, cluster.defaults)
    finally:
        sys.setprofile(None)
    return counted


def admitted() -> FakeCluster:
    """Return a session whose reservation is in status, before its pod is created."""
    cluster = new()
    cluster.resync_until_reserved()
    return cluster


def failed() -> FakeCluster:
    """Return a session whose runner has just ended with an error."""
    cluster = running()
    cluster.end(code=33)
    return cluster


def conflict() -> FakeCluster:
    """Return a session whose runner says that another window has it."""
    cluster = running()
    cluster.say("Conflict", reason="Replaced")
    return cluster


def asked() -> FakeCluster:
    """Return a session that a person wants a new pod for."""
    cluster = running()
    cluster.annotate(restart_at="2026-11-22T18:00:00Z")
    return cluster


def growing() -> FakeCluster:
    """Return a session whose PVC is to grow and may not."""
    cluster = running()
    cluster.apply(spec={"profile": {"size": "3Gi"}})
    return cluster


WALKS: dict[str, Callable[[], FakeCluster]] = {
    "new": new,
    "admitted": admitted,
    "connected": running,
    "failed": failed,
    "conflict": conflict,
    "asked": asked,
    "growing": growing,
}

if __name__ == "__main__":
    table = {name: entries(walk()) for name, walk in WALKS.items()}
    sys.stdout.write(f"{'':32}{''.join(f'{name:>11}' for name in WALKS)}\n")
    for module in sorted(set().union(*table.values())):
        sys.stdout.write(f"{module:32}{''.join(f'{table[name][module]:>11}' for name in WALKS)}\n")
    sys.stdout.write(f"{'returns':32}{''.join(f'{sum(n - 1 for n in table[name].values()):>11}' for name in WALKS)}\n")
