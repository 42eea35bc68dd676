"""Light mode's parts that need no server: its programs, and what becomes of those that end."""

from pathlib import Path

import pytest
from local_cluster.light.cluster import LightCluster
from local_cluster.light.programs import find_programs, programs_in
from session_devtools.errors import MachineError, StartError


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


def test_a_controller_manager_among_the_assets_is_used(tmp_path: Path) -> None:
    """Our own build has one."""
    folder = _assets(tmp_path, "etcd", "kube-apiserver", "kubectl", "kube-controller-manager")

    assert programs_in(folder).controller_manager == folder / "kube-controller-manager"


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


def test_a_program_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    """The person sees the program's own words, and no folder is left."""
    folder = _assets(tmp_path, "kubectl")
    for name in ("etcd", "kube-apiserver"):
        (folder / name).write_text("#!/bin/sh\necho cannot work like this >&2\nexit 3\n")
        (folder / name).chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()

    with pytest.raises(StartError, match=r"(?s)ended with status 3.*cannot work like this"):
        LightCluster.start(programs=programs_in(folder), parent_folder=data)
    assert list(data.iterdir()) == []


def test_taken_ports_lead_to_another_try(tmp_path: Path) -> None:
    """Two test processes that drew one port both get a cluster: the loser starts anew, three times at most."""
    folder = _assets(tmp_path, "kubectl", "kube-apiserver")
    (folder / "kube-apiserver").write_text("#!/bin/sh\nexec sleep 60\n")
    (folder / "etcd").write_text(f"#!/bin/sh\necho x >> {tmp_path}/tries\necho bind: address already in use\nexit 1\n")
    (folder / "etcd").chmod(0o755)

    with pytest.raises(StartError, match="address already in use"):
        LightCluster.start(programs=programs_in(folder), parent_folder=tmp_path)
    assert (tmp_path / "tries").read_text() == "x\n" * 3
