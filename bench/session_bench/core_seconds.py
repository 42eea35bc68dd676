"""What sessions cost of the processors until they show their QR codes, by part.

A core-second is one processor, busy for one second: with many sessions at once it is what all of them wait for. A pod's own
come from its control group, which counts processes that have ended, too; the processes that still live tell which part of
the session had them. What the node does for a pod (kubelet, container runtime, provisioner of volumes) comes from the
processes of these daemons, less what they had before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import psutil
from session_devtools.cgroups import CgroupTree

from session_bench.cgroups import Cgroup
from session_bench.kernel import Part, part_of

DAEMONS = ("kubelet", "containerd", "provisioner")
""" The components of the local cluster that work for a pod on its node. """


class CorePart(StrEnum):
    """Who had them."""

    NODE = "kubelet, runtime and volume"
    PYTHON = "Python"
    DRIVER = "driver"
    BROWSER = "browser"
    PAGE = "page"
    """ Its own process, Chromium's renderer. """
    ENDED = "processes that ended"
    """ The container's own start, the browser that is asked for its version, the tool that adds an authority. """


class Used(NamedTuple):
    """A process, and the processor time that it has had, in seconds."""

    command_line: Sequence[str]
    seconds: float


Spent = Mapping[CorePart, float]
_PARTS = {Part.PYTHON: CorePart.PYTHON, Part.DRIVER: CorePart.DRIVER, Part.CHROMIUM: CorePart.BROWSER}


def by_part(total: float, alive: Iterable[Used]) -> Spent:
    """Split what a control group has had in all; pure. What the living do not account for, the dead have had."""
    found: dict[CorePart, float] = defaultdict(float)
    for process in alive:
        part = _PARTS.get(part_of(process.command_line), CorePart.ENDED)
        if part is CorePart.BROWSER and _is_page(process.command_line):
            part = CorePart.PAGE
        found[part] += process.seconds
    found[CorePart.ENDED] += max(0.0, total - sum(found.values()))
    return dict(found)


def together(spent: Iterable[Spent]) -> Spent:
    """Sum what several had, part by part; pure."""
    found: dict[CorePart, float] = defaultdict(float)
    for one in spent:
        for part, seconds in one.items():
            found[part] += seconds
    return dict(found)


def of_group(group: Cgroup) -> Spent:
    """Read what the processes of a group have had so far."""
    alive = [used for pid in group.pids() if (used := _used(pid)) is not None]
    return by_part(group.processor_seconds(), alive)


def of_daemons(tree: CgroupTree) -> float:
    """Read what the node's daemons have had so far, with the children that they have waited for."""
    pids = [pid for name in DAEMONS for pid in tree.pids(tree.component(name))]
    return sum(_with_children(pid) for pid in pids)


def _is_page(command_line: Sequence[str]) -> bool:
    # A process that the browser has forked writes its title with blanks, the others with zero bytes.
    return any("--type=renderer" in argument for argument in command_line)


def _used(pid: int) -> Used | None:
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return Used(process.cmdline(), times.user + times.system)
    except psutil.NoSuchProcess:  # a helper that ends meanwhile
        return None


def _with_children(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
