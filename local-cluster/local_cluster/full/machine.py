"""What an instance changes about the whole machine, and how it is put back; and what it must know about it.

The kubelet sets a few kernel settings that no namespace keeps apart. The first instance writes down what they were,
the last one puts them back.
"""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from session_devtools.errors import MachineError

__all__ = ["NOTE", "PACKAGES", "check", "may_lower_oom_score", "remember_settings", "restore_settings"]

PACKAGES = (
    "conntrack",
    "containernetworking-plugins",
    "e2fsprogs",
    "gcc",
    "iproute2",
    "iptables",
    "libc6-dev",
    "libseccomp-dev",
    "mount",
    "nftables",
    "util-linux",
)
"""What a running cluster needs, and what runc is built with."""
SETTINGS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
"""What the kubelet sets at its start (its container manager's list of kernel tunables)."""
NOTE = "settings-before.json"
"""The file, beside the instances' folders, that says what they were."""
PROC_SYS = Path("/proc/sys")
CAP_SYS_RESOURCE = 24


def check(*, system: str | None = None, user: int | None = None) -> None:
    """Raise MachineError, with what to do, where a cluster can not run."""
    if (system or platform.system()) != "Linux":
        raise MachineError(
            "The local cluster runs on Linux alone. Use a Debian 12 virtual machine, or your own cluster: "
            "`make demo CLUSTER=current`."
        )
    if (os.geteuid() if user is None else user) != 0:
        raise MachineError(
            "The local cluster needs root, for namespaces, mounts and cgroups: run the same command with sudo or as "
            "root. Without root there is light mode (tests), or your own cluster: `make demo CLUSTER=current`."
        )


def may_lower_oom_score(status: str | None = None) -> bool:
    """Whether we may give a process a lower oom_score_adj than our own (CAP_SYS_RESOURCE)."""
    text = Path("/proc/self/status").read_text() if status is None else status
    effective = next((line.split()[1] for line in text.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> CAP_SYS_RESOURCE & 1)


def remember_settings(file: Path, *, proc_sys: Path = PROC_SYS) -> None:
    """Write down the settings as they are now, unless an earlier instance has."""
    if file.exists():
        return
    before = {name: (proc_sys / name).read_text().strip() for name in SETTINGS if (proc_sys / name).exists()}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(json.dumps(before))
    partial.rename(file)


def restore_settings(file: Path, *, proc_sys: Path = PROC_SYS) -> None:
    """Put the settings back to what was written down, and remove the note."""
    try:
        before: Mapping[str, str] = json.loads(file.read_text())
    except FileNotFoundError:
        return
    for name, value in before.items():
        if (proc_sys / name).read_text().strip() != value:
            (proc_sys / name).write_text(value)
    file.unlink()
