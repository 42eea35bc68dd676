"""Finding control groups and reading their memory and their processor time, on trees as the two versions lay them out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_bench.cgroups import Cgroup, own_cgroup, pod_cgroup
from session_bench.errors import BenchError

LABEL = "wso-bench"
UID = "0fe84e73-e5dd-4300-bb93-d7330790ede4"


@pytest.fixture(name="first")
def make_first(tmp_path: Path) -> Path:
    """A tree per controller, as in version 1."""
    for controller in ("cpu,cpuacct", "memory", "pids"):
        (tmp_path / controller / "wso-bench/kubepods/burstable" / f"pod{UID}" / "container").mkdir(parents=True)
    return tmp_path


def test_pod_is_found_by_its_uid(first: Path) -> None:
    """Whatever its class of service, and in the tree that counts memory."""
    expected = first / "memory/wso-bench/kubepods/burstable" / f"pod{UID}"

    group = pod_cgroup(LABEL, UID, root=first)

    assert expected == group.folder
    assert first / "cpu,cpuacct/wso-bench/kubepods/burstable" / f"pod{UID}" == group.accounting


def test_pod_of_the_second_version_is_found_too(tmp_path: Path) -> None:
    """There is one tree then, which counts everything."""
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    folder = tmp_path / "wso-bench/kubepods" / f"pod{UID}"
    folder.mkdir(parents=True)

    assert folder == pod_cgroup(LABEL, UID, root=tmp_path).folder


def test_pod_that_has_ended_is_an_error(first: Path) -> None:
    """Its memory would else count as nothing."""
    with pytest.raises(BenchError, match="has it ended"):
        pod_cgroup(LABEL, "another", root=first)


@pytest.mark.parametrize(
    ("file", "stat"),
    [("memory.usage_in_bytes", "total_inactive_file 100\n"), ("memory.current", "inactive_file 100\n")],
    ids=["v1", "v2"],
)
def test_working_set_is_read_from_either_version(tmp_path: Path, file: str, stat: str) -> None:
    """The files have other names and the same meaning."""
    (tmp_path / file).write_text("1000\n")
    (tmp_path / "memory.stat").write_text(stat)

    assert 900 == Cgroup(folder=tmp_path, accounting=tmp_path).working_set()


@pytest.mark.parametrize(
    ("file", "text"),
    [("cpuacct.usage", "1500000000\n"), ("cpu.stat", "usage_usec 1500000\nuser_usec 1000000\n")],
    ids=["v1", "v2"],
)
def test_processor_time_is_read_from_either_version(tmp_path: Path, file: str, text: str) -> None:
    """In seconds; the first version counts nanoseconds, the second microseconds."""
    (tmp_path / file).write_text(text)

    assert 1.5 == Cgroup(folder=tmp_path, accounting=tmp_path).processor_seconds()


def test_group_that_counts_no_memory_is_named(tmp_path: Path) -> None:
    """Its folder tells which it is."""
    with pytest.raises(BenchError, match=tmp_path.name):
        Cgroup(folder=tmp_path, accounting=tmp_path).working_set()


def test_processes_of_all_containers_are_found(tmp_path: Path) -> None:
    """A pod's own group holds none itself."""
    (tmp_path / "container").mkdir()
    (tmp_path / "cgroup.procs").write_text("")
    (tmp_path / "container" / "cgroup.procs").write_text("7\n5\n")

    assert [5, 7] == Cgroup(folder=tmp_path, accounting=tmp_path).pids()


def counter(root: Path) -> Path:
    """The counter of our own group, which the kernel makes with the group."""
    file = root / "cpu,cpuacct/wso-bench/components/one-process/cpuacct.usage"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("2000000000\n")
    return file


def test_own_group_counts_what_runs_in_it_from_now_on(first: Path) -> None:
    """It is another round's, too, as long as the cluster is there."""
    file = counter(first)
    group = own_cgroup(LABEL, "one-process", root=first)
    file.write_text("3500000000\n")

    assert 1.5 == group.processor_seconds()


def test_own_group_lies_in_the_clusters(first: Path) -> None:
    """So taking the cluster down finds what a crashed run leaves."""
    counter(first)
    group = own_cgroup(LABEL, "one-process", root=first)

    assert first / "memory/wso-bench/components/one-process" == group.folder
    assert first / "cpu,cpuacct/wso-bench/components/one-process" == group.accounting
    assert first / "pids/wso-bench/components/one-process" == group.tracking


def test_command_enters_its_group_before_it_runs(first: Path) -> None:
    """Every page it ever takes is counted; its arguments reach it unchanged."""
    counter(first)
    group = own_cgroup(LABEL, "one-process", root=first)
    command = [*group.command_prefix(), sys.executable, "-c", "import os, sys; print(os.getpid(), sys.argv[1])", "a  b"]
    pid, argument = subprocess.check_output(command, text=True).rstrip("\n").split(" ", 1)

    assert "a  b" == argument
    folders = (group.folder, group.accounting, group.tracking)
    assert [pid] * 3 == [(folder / "cgroup.procs").read_text().strip() for folder in folders]
    assert str(os.getpid()) != pid
