"""What the kernel tells about memory and processor time; parsed here where psutil does not tell it.

Sizes are bytes. psutil knows no `Pss_Anon`, no peak and no control group. The figure that adds up is the *anonymous* part of a process's proportional set
(`Pss_Anon`): pages that belong to no file, each counted once however many processes share it. The *working set* of a
control group is what the kubelet compares with a pod's limit: all it uses less the file pages that nobody uses.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import psutil

PROC = Path("/proc")
_KB = 1024


class Part(StrEnum):
    """Whose process it is, in a session."""

    PYTHON = "Python"
    DRIVER = "driver"
    """ Playwright's, a Node process. """
    CHROMIUM = "Chromium"
    OTHER = "other"


def part_of(command_line: Sequence[str]) -> Part:
    """Tell by its command line which part of a session a process is."""
    program = Path(command_line[0]).name if command_line else ""
    if program.startswith("python"):
        return Part.PYTHON
    if program.startswith("node"):
        return Part.DRIVER
    if program.startswith(("chromium", "chrome", "headless")):
        return Part.CHROMIUM
    return Part.OTHER


def parse_fields(text: str) -> dict[str, int]:
    """Read lines of `Name:  123 kB`, as in meminfo, status and smaps_rollup; lines without a size are left out."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        fields_ = rest.split()
        if colon and len(fields_) == 2 and fields_[1] == "kB":
            found[name] = int(fields_[0]) * _KB
    return found


def parse_working_set(*, usage: str, stat: str) -> int:
    """Read a group's working set from its usage and its memory.stat, of control groups v1 or v2."""
    fields = dict(line.split() for line in stat.splitlines())
    inactive = fields.get("total_inactive_file", fields.get("inactive_file"))
    if inactive is None:
        raise ValueError("memory.stat tells no inactive_file; is this a memory control group?")
    return max(0, int(usage) - int(inactive))


def parse_processor_seconds(stat: str) -> float:
    """Read a group's processor time from its cpu.stat, of control groups v2."""
    fields = dict(line.split() for line in stat.splitlines())
    return int(fields["usage_usec"]) / 1e6


def available() -> int:
    """Return MemAvailable: what new programs could take without anything being swapped out."""
    return int(psutil.virtual_memory().available)


def resident(pid: int) -> tuple[int, int]:
    """Return a process's resident memory now, and its peak."""
    fields = parse_fields((PROC / str(pid) / "status").read_text())
    return fields["VmRSS"], fields["VmHWM"]


def cpu_seconds(pid: int) -> float:
    """Return how much processor time a process has had."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def anonymous_by_part(pids: Iterable[int]) -> Counter[Part]:
    """Return the anonymous memory of these processes by part; a process that has ended meanwhile has none."""
    found: Counter[Part] = Counter()
    for pid in pids:
        try:
            command_line = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
            fields = parse_fields((PROC / str(pid) / "smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[part_of(command_line)] += fields.get("Pss_Anon", 0)
    return found
