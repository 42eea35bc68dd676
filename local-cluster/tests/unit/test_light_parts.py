"""Light mode's parts that need no server: its programs, and what becomes of those that end."""

from pathlib import Path

import pytest
from local_cluster.light.cluster import LightCluster
from local_cluster.light.programs import find_programs, programs_in
from session_devtools.errors import MachineError


def _assets(folder: Path, *names: str) -> Path:
    for name in names:
        program = folder / name
        program.touch()
        program.chmod(0o755)
    return folder


def test_foreign_assets_are_honoured(tmp_path: Path) -> None:
    """The folder that other tooling filled is used, and its lack of a controller manager is known."""
    folder = _assets(tmp_path, "etcd", "kube-apiserver", "kubectl")
    programs = find_programs(environment={"KUBEBUILDER_ASSETS": str(folder)})

    assert programs.api_server == folder / "kube-apiserver"
    assert programs.controller_manager is None
    assert programs.kubeadm is None


def test_what_else_is_among_the_assets_is_used(tmp_path: Path) -> None:
    """Our own build has a controller manager and kubeadm."""
    folder = _assets(tmp_path, "etcd", "kube-apiserver", "kubectl", "kube-controller-manager", "kubeadm")
    programs = programs_in(folder)

    assert programs.controller_manager == folder / "kube-controller-manager"
    assert programs.kubeadm == folder / "kubeadm"


def test_assets_that_lack_a_program_are_refused(tmp_path: Path) -> None:
    """The message names what is missing and the variable that points there."""
    folder = _assets(tmp_path, "etcd")

    with pytest.raises(MachineError, match=r"no kube-apiserver and no kubectl.*KUBEBUILDER_ASSETS"):
        programs_in(folder)


def test_controllers_are_refused_where_there_is_no_manager(tmp_path: Path) -> None:
    """At once, and not after a minute of waiting for an account that nobody makes."""
    programs = programs_in(_assets(tmp_path, "etcd", "kube-apiserver", "kubectl"))

    with pytest.raises(MachineError, match="no kube-controller-manager"):
        LightCluster.start(programs=programs, controllers=True, parent_folder=tmp_path)
