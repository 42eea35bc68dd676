"""The provisioner as the rest of the cluster meets it: its names, its class and rights, and what it leaves mounted.

The program itself is `go/kube/provisioner`. The cluster's `up` starts it on the node and applies `manifests()`, its
`down` calls `cleanup()`. `docs/design/volumes.md` tells how a volume lives.
"""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from session_devtools.errors import ToolError
from session_devtools.mounts import mounts_under

__all__ = ["CLASS", "PROVISIONER", "USER", "cleanup", "loop_devices", "manifests"]

PROVISIONER: Final = "local.wasession.dev/loop"
CLASS: Final = "local-loop"
USER: Final = "system:wasession:provisioner"
""" The common name of the provisioner's client certificate; `manifests()` gives it its rights. """

COMMAND_SECONDS: Final = 60.0
""" Longest time for an unmount; it takes milliseconds unless the disk hangs. """


def manifests() -> list[dict[str, Any]]:
    """The default StorageClass, and the account's few rights; applying them twice changes nothing."""
    return [_storage_class(), _role(), _binding()]


def cleanup(state_dir: Path) -> list[Path]:
    """Unmount all that is mounted under the folder and free its loop devices; returns what was unmounted.

    The provisioner must have ended before. The files stay, for a `down` that keeps the folder shall find them again.
    Safe to call twice, and on a folder that does not exist.

    :raises ToolError: something could not be freed.
    """
    root = state_dir.resolve()
    mounts = root / "mounts"
    points = mounts_under(mounts)
    for point in points:
        if _run("umount", str(point)).returncode != 0:
            # A process that should have ended still stands in it: out of sight now, out of the kernel when it goes.
            _run("umount", "--lazy", str(point))
        if point.is_dir() and point.parent == mounts:
            point.rmdir()
    for device in loop_devices(root):
        _run("losetup", "--detach", device)
    left = mounts_under(mounts)
    if left:
        raise ToolError(
            f"could not unmount {', '.join(map(str, left))}: end the processes that use them, then try again"
        )
    return points


def loop_devices(root: Path) -> list[str]:
    """The loop devices whose file lies, or lay, in the state folder."""
    listed = _run("losetup", "--list", "--json", "--output", "NAME,BACK-FILE").stdout
    devices = json.loads(listed)["loopdevices"] if listed.strip() else []
    # A deleted file is shown with " (deleted)" behind its path.
    return [device["name"] for device in devices if root in Path(device["back-file"] or "/").parents]


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        # Only with a pod at hand is the node known; a claim that no pod uses costs no disk.
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _role() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["persistentvolumes"],
                "verbs": ["list", "watch", "get", "create", "patch", "delete"],
            },
            {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["list", "watch"]},
            {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["list", "watch"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        ],
    }


def _binding() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": USER},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": USER},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
    }


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
