"""Everything of a cluster away: processes, namespaces, link, cgroups, files; and nothing else.

The order matters. The processes go first, found by the cgroup they can not leave; with the last one the kernel takes
both namespaces, and with them mounts, interfaces and firewall rules. What is left are the host's end of the link, the
empty cgroups and two folders. The note of the instance goes last, so that an interrupted `down` can be repeated.
"""

import contextlib
import functools
import shutil
from pathlib import Path

from session_devtools.cgroups import CgroupTree
from session_devtools.errors import ToolError
from session_devtools.progress import Progress

from local_cluster import volumes
from local_cluster.full import machine, namespaces, records
from local_cluster.full.instance import Instance
from local_cluster.full.retrying import retry_os_errors
from local_cluster.full.up import supervisor_of

__all__ = ["down"]


def down(name: str, *, progress: Progress) -> bool:
    """Remove the cluster of that name; False when there is none.

    :raises ToolError: something of it can not be removed.
    """
    if records.find(name) is None:
        return False
    machine.check()
    with records.locked(f"cluster {name}", progress=progress):
        instance = records.find(name)
        if instance is None:
            return False
        with progress.step("ending every process"):
            left = supervisor_of(instance).end_everything()
            if left:
                raise ToolError(f"process {left[0].pid} can not be ended: the kernel holds it; a reboot will help")
        with progress.step("removing link, cgroups and files"):
            namespaces.disconnect(instance)
            retry_os_errors(CgroupTree(instance.label).remove)
            volumes.cleanup(instance.volumes)
            _remove_folders(instance)
    with contextlib.suppress(OSError):  # another instance is still there
        instance.state_root.rmdir()
    return True


def _remove_folders(instance: Instance) -> None:
    """Both folders; the note of the instance is the last to go, and the machine's settings go back with the last one."""
    for path in (instance.run, *sorted(instance.state.iterdir())):
        if path.name != records.FILE:
            retry_os_errors(functools.partial(_remove, path))
    with records.locked(records.MACHINE):
        if records.names(instance.state_root) == [instance.name]:
            machine.restore_settings(instance.state_root / machine.NOTE)
        shutil.rmtree(instance.state)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
