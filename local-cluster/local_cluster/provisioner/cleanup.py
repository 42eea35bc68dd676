"""Take a state folder's volumes out of the machine: no mount, no loop device. The cluster's `down` calls it.

The provisioner must have ended before. The files stay, for `down` deletes the whole state folder afterwards and a
`down` that keeps it shall find them again.
"""

import json
import subprocess
from pathlib import Path

from session_devtools.mounts import mounts_under

from local_cluster.provisioner.disk import COMMAND_SECONDS, DiskError
from local_cluster.provisioner.layout import Layout


def cleanup(state_dir: Path) -> list[Path]:
    """Unmount all that is mounted under the folder and free its loop devices; returns what was unmounted.

    Safe to call twice, and on a folder that does not exist. Raises DiskError if something could not be freed.
    """
    layout = Layout(root=state_dir.resolve())
    points = mounts_under(layout.mounts)
    for point in points:
        if _run("umount", str(point)).returncode != 0:
            # A process that should have ended still stands in it: out of sight now, out of the kernel when it goes.
            _run("umount", "--lazy", str(point))
        if point.is_dir() and point.parent == layout.mounts:
            point.rmdir()
    for device in loop_devices(layout):
        _run("losetup", "--detach", device)
    left = mounts_under(layout.mounts)
    if left:
        raise DiskError(
            f"could not unmount {', '.join(map(str, left))}: end the processes that use them, then try again"
        )
    return points


def loop_devices(layout: Layout) -> list[str]:
    """The loop devices whose file lies, or lay, in the state folder."""
    listed = _run("losetup", "--list", "--json", "--output", "NAME,BACK-FILE").stdout
    devices = json.loads(listed)["loopdevices"] if listed.strip() else []
    # A deleted file is shown with " (deleted)" behind its path.
    return [device["name"] for device in devices if layout.root in Path(device["back-file"] or "/").parents]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
