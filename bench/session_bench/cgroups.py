"""Control groups: memory and processor time of a pod, and a group of our own for the sessions of one process.

Both sides of a comparison are measured by the same counter of the kernel. Our own group lies in the cluster's, so
that taking the cluster down finds whatever a crashed benchmark leaves.
"""

from dataclasses import dataclass
from pathlib import Path

from session_devtools.cgroups import CGROUPS, CgroupTree, find_trees

from session_bench.errors import BenchError
from session_bench.kernel import parse_processor_seconds, parse_working_set


@dataclass(frozen=True, kw_only=True)
class Cgroup:
    """One control group, as the tree that counts memory has it, and the one that counts processor time."""

    folder: Path
    accounting: Path
    """ The same folder in the second version, where one tree counts everything. """

    def working_set(self) -> int:
        """Return its working set in bytes."""
        usage = next(
            (path for name in ("memory.current", "memory.usage_in_bytes") if (path := self.folder / name).exists()),
            None,
        )
        if usage is None:
            raise BenchError(f"{self.folder} counts no memory")
        return parse_working_set(usage=usage.read_text(), stat=(self.folder / "memory.stat").read_text())

    def processor_seconds(self) -> float:
        """Return the processor time that it has had, that of processes that have ended included."""
        usage = self.accounting / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        return parse_processor_seconds((self.accounting / "cpu.stat").read_text())

    def pids(self) -> list[int]:
        """Return every process in it and below."""
        files = [self.folder / "cgroup.procs", *self.folder.rglob("cgroup.procs")]
        return sorted({int(line) for file in files for line in file.read_text().split()})


def pod_cgroup(label: str, uid: str, *, root: Path = CGROUPS) -> Cgroup:
    """Return a pod's group, of the cluster whose groups have that name. :raises BenchError: it has none."""
    tree = _tree(root, "memory")
    for found in (tree / label).rglob(f"pod{uid}"):
        return Cgroup(folder=found, accounting=_tree(root, "cpuacct") / found.relative_to(tree))
    raise BenchError(f"the pod {uid} has no control group: has it ended?")


@dataclass(frozen=True, kw_only=True)
class OwnCgroup(Cgroup):
    """A group for processes that we start, memory and time counted, and found by the cluster's `down`."""

    tracking: Path
    used_before: float
    """ Processor seconds of what ran in it earlier, in another round. """

    def processor_seconds(self) -> float:
        """Return the processor time of what has run in it since this group was asked for."""
        return super().processor_seconds() - self.used_before

    def command_prefix(self) -> list[str]:
        """The words before a command that start it in here."""
        script = 'for file in "$1" "$2" "$3"; do echo $$ > "$file"; done; shift 3; exec "$@"'
        files = (folder / "cgroup.procs" for folder in (self.folder, self.accounting, self.tracking))
        return ["sh", "-euc", script, "sh", *map(str, files)]


def own_cgroup(label: str, name: str, *, root: Path = CGROUPS) -> OwnCgroup:
    """Make a group inside the cluster's."""
    folder, accounting = (_tree(root, kind) / label / "components" / name for kind in ("memory", "cpuacct"))
    for made in (folder, accounting):
        made.mkdir(parents=True, exist_ok=True)
    return OwnCgroup(
        folder=folder,
        accounting=accounting,
        tracking=CgroupTree(label, root=root).component(name),
        used_before=Cgroup(folder=folder, accounting=accounting).processor_seconds(),
    )


def _tree(root: Path, controller: str) -> Path:
    """The tree of a controller (`cpu,cpuacct` may be one), or the one tree of the second version."""
    trees = {name: tree for tree in find_trees(root) for name in tree.name.split(",")}
    return trees.get(controller) or next(iter(trees.values()))
