"""Which programs light mode starts: those of KUBEBUILDER_ASSETS when it is set, else our own build."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from session_devtools.errors import MachineError
from session_devtools.progress import Progress

from local_cluster import build

__all__ = ["Programs", "find_programs", "programs_in"]

ASSETS = "KUBEBUILDER_ASSETS"


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs of a control plane."""

    etcd: Path
    api_server: Path
    kubectl: Path
    controller_manager: Path | None
    """None: the folder of KUBEBUILDER_ASSETS, which other projects' tooling fills, never holds one."""
    kubeadm: Path | None = None
    """None: the same; ours is built then, alone."""


def find_programs(*, progress: Progress | None = None, environment: Mapping[str, str] | None = None) -> Programs:
    """The programs to use; built first where neither KUBEBUILDER_ASSETS nor the cache has them.

    :raises MachineError: for a KUBEBUILDER_ASSETS that lacks a program.
    :raises BuildError: the build fails.
    """
    given = os.environ if environment is None else environment
    if assets := given.get(ASSETS):
        return programs_in(Path(assets))
    return programs_in(build.kubernetes(progress=progress))


def programs_in(folder: Path) -> Programs:
    """The programs in one folder, under their usual names."""
    missing = [name for name in ("etcd", "kube-apiserver", "kubectl") if not os.access(folder / name, os.X_OK)]
    if missing:
        raise MachineError(
            f"{folder} holds no {' and no '.join(missing)}. "
            f"Point {ASSETS} to a folder with etcd, kube-apiserver and kubectl, or unset it to use the project's own."
        )

    def optional(name: str) -> Path | None:
        return folder / name if os.access(folder / name, os.X_OK) else None

    return Programs(
        etcd=folder / "etcd",
        api_server=folder / "kube-apiserver",
        kubectl=folder / "kubectl",
        controller_manager=optional("kube-controller-manager"),
        kubeadm=optional("kubeadm"),
    )
