"""A cgroup in every tree of the machine, by its name: every process of a cluster is in its own, and found there.

A process can leave its parent, its session and its name behind, but not its cgroup. So this is how `down` finds the
shims and the pods' processes, whoever started them. Below it, `components/NAME` holds our own daemons, and
`kubepods`, which the kubelet makes, the pods. Works on cgroup v1, where every controller is a tree of its own, and on
v2, where there is one (v2: written after its documentation, not tried).
"""

import contextlib
from pathlib import Path

from session_devtools.errors import MachineError

__all__ = ["CGROUPS", "CgroupTree", "find_trees"]

CGROUPS = Path("/sys/fs/cgroup")


class CgroupTree:
    """One instance's part of the machine's cgroups."""

    def __init__(self, label: str, *, root: Path = CGROUPS) -> None:
        self.label = label
        self._trees = find_trees(root)
        # runc makes our cgroup in the hybrid layout's v2 tree too, where nothing is ever counted.
        self._all = [*self._trees, *(path for path in [root / "unified"] if path.is_dir())]

    @property
    def tracking(self) -> Path:
        """The tree that tells which processes are ours: `pids` where each controller has its own."""
        by_name = {tree.name: tree for tree in self._trees}
        return by_name.get("pids", self._trees[0])

    def create(self) -> None:
        """Make the instance's cgroup in every tree; the kubelet refuses a root that is absent in one.

        :raises MachineError: we may not.
        """
        try:
            for tree in self._trees:
                _create(tree, self.label)
        except OSError as error:
            raise MachineError(
                f"The cgroups of this machine can not be changed ({error}). Inside a container that is usual: use a "
                "virtual machine, or your own cluster: `make demo CLUSTER=current`."
            ) from error

    def component(self, name: str) -> Path:
        """The folder of one of our daemons; made when absent."""
        folder = self.tracking / self.label / "components" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def pids(self, folder: Path | None = None) -> list[int]:
        """Every process in the instance, or in one folder of it, that exists right now."""
        root = self.tracking / self.label if folder is None else folder
        found: list[int] = []
        for file in [root / "cgroup.procs", *root.rglob("cgroup.procs")]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.extend(int(line) for line in file.read_text().split())
        return sorted(set(found))

    def remove(self) -> None:
        """Remove the instance's cgroups, whose processes have all ended.

        :raises OSError: one is still in use.
        """
        for tree in self._all:
            root = tree / self.label
            folders = sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True)
            for folder in [*folders, root]:  # the innermost first: `reverse` puts a/b before a
                with contextlib.suppress(FileNotFoundError):
                    folder.rmdir()


def find_trees(root: Path = CGROUPS) -> list[Path]:
    """The trees of this machine: one per controller for v1, the root itself for v2."""
    if (root / "cgroup.controllers").exists():
        return [root]
    # Links are second names (cpu -> cpu,cpuacct); the hybrid layout's v2 tree has no controller and is no concern.
    trees = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    return sorted(path for path in trees if not (path / "cgroup.controllers").exists())


def _create(tree: Path, label: str) -> None:
    folder = tree / label
    if (tree / "cgroup.subtree_control").exists():
        offered = (tree / "cgroup.controllers").read_text().split()
        wanted = " ".join(f"+{controller}" for controller in offered)
        (tree / "cgroup.subtree_control").write_text(wanted)
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text(wanted)
        return
    folder.mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems"):
        # A new cpuset is empty, and takes no process until it is told which processors and memory it may use.
        if (tree / name).exists() and not (folder / name).read_text().strip():
            (folder / name).write_text((tree / name).read_text())
