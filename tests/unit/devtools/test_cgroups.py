"""An instance's cgroup, on trees of plain folders: v1, the hybrid layout, v2."""

from pathlib import Path

import pytest
from session_devtools.cgroups import CgroupTree, find_trees
from session_devtools.errors import MachineError


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    """Controllers in trees of their own, a second name, and the v2 tree without controllers."""
    for name in ("cpu", "cpuset", "memory", "pids", "systemd", "unified"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").write_text("1\n")
    (tmp_path / "cpu,cpuacct").symlink_to("cpu")
    (tmp_path / "unified" / "cgroup.controllers").write_text("")
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    """One tree."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("\n")
    return tmp_path


def _like_the_kernel(folder: Path, *names: str) -> None:
    """A new cgroup has its files at once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")


def test_every_controller_is_a_tree(v1: Path) -> None:
    """Second names are left out, and so is the hybrid layout's empty v2."""
    assert [tree.name for tree in find_trees(v1)] == ["cpu", "cpuset", "memory", "pids", "systemd"]


def test_v2_is_one_tree(v2: Path) -> None:
    """The root itself."""
    assert find_trees(v2) == [v2]


def test_processes_are_tracked_by_the_pids_controller(v1: Path) -> None:
    """And not by memory, whose cgroup may be somebody else's business."""
    assert CgroupTree("wso-x", root=v1).tracking == v1 / "pids"


def test_a_new_cpuset_may_use_what_its_parent_may(v1: Path) -> None:
    """It takes no process before it is told so."""
    _like_the_kernel(v1 / "cpuset" / "wso-x", "cpuset.cpus", "cpuset.mems")
    tree = CgroupTree("wso-x", root=v1)
    tree.create()
    tree.create()

    assert (v1 / "cpuset" / "wso-x" / "cpuset.cpus").read_text() == "0-1\n"
    assert all((v1 / name / "wso-x").is_dir() for name in ("cpu", "memory", "pids", "systemd"))
    assert not (v1 / "unified" / "wso-x").exists()


def test_v2_hands_its_controllers_down(v2: Path) -> None:
    """To the instance, and from there to the pods."""
    _like_the_kernel(v2 / "wso-x", "cgroup.subtree_control")
    CgroupTree("wso-x", root=v2).create()

    wanted = "+cpuset +cpu +memory +pids"
    assert (v2 / "cgroup.subtree_control").read_text() == wanted
    assert (v2 / "wso-x" / "cgroup.subtree_control").read_text() == wanted


def test_a_machine_that_lets_nobody_make_cgroups_is_reported(v1: Path) -> None:
    """Inside a container it is usual; the message names a way on."""
    (v1 / "cpu" / "wso-x").touch()  # a file where the folder should be

    with pytest.raises(MachineError, match="virtual machine"):
        CgroupTree("wso-x", root=v1).create()


def test_every_process_below_is_found_once(v1: Path) -> None:
    """Those of daemons and those of pods, whoever started them; and of one daemon alone."""
    tree = CgroupTree("wso-x", root=v1)
    daemon = tree.component("etcd")
    (daemon / "cgroup.procs").write_text("7\n8\n")
    pod = v1 / "pids" / "wso-x" / "kubepods" / "pod1"
    _like_the_kernel(pod)
    (pod / "cgroup.procs").write_text("9\n7\n")

    assert tree.pids() == [7, 8, 9]
    assert tree.pids(daemon) == [7, 8]
    assert CgroupTree("wso-y", root=v1).pids() == []


def test_removal_takes_the_instance_and_nothing_else(v1: Path) -> None:
    """Innermost first, in every tree, also where only the container runtime made it."""
    for name in ("cpu", "memory", "pids", "unified"):
        (v1 / name / "wso-x" / "kubepods" / "a" / "b").mkdir(parents=True)
        (v1 / name / "wso-xy").mkdir()
    tree = CgroupTree("wso-x", root=v1)
    tree.remove()
    tree.remove()

    assert list(v1.rglob("wso-x")) == []
    assert len(list(v1.rglob("wso-xy"))) == 4


def test_a_cgroup_in_use_is_not_removed_silently(v1: Path) -> None:
    """The caller tries again, or tells."""
    (v1 / "cpu" / "wso-x").mkdir()
    (v1 / "cpu" / "wso-x" / "cgroup.procs").write_text("7\n")

    with pytest.raises(OSError, match="not empty"):
        CgroupTree("wso-x", root=v1).remove()
