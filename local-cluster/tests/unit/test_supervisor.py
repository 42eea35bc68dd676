"""Daemons: started once, recognized, started anew when they should differ. With real processes, and no root."""

import datetime as dt
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_cluster.full.supervisor import Daemon, Supervisor
from session_devtools.cgroups import CgroupTree
from session_devtools.errors import StartError
from session_devtools.processes import ProcessId, end, identify, is_alive

SLEEP = Daemon(name="sleeper", command=["/bin/sleep", "60"])


@pytest.fixture
def cgroups(tmp_path: Path) -> CgroupTree:
    """A tree of plain folders, whose `cgroup.procs` a process writes its id to like to a real one."""
    (tmp_path / "cgroups" / "pids").mkdir(parents=True)
    return CgroupTree("wso-x", root=tmp_path / "cgroups")


@pytest.fixture
def supervisor(tmp_path: Path, cgroups: CgroupTree) -> Iterator[Supervisor]:
    """A supervisor whose daemons are ended after the test."""
    made = Supervisor(records=tmp_path / "records", logs=tmp_path / "logs", cgroups=cgroups)
    yield made
    made.end_everything()


def _running(supervisor: Supervisor) -> ProcessId:
    process = supervisor.running("sleeper")
    assert process is not None
    return process


def _settle(process: ProcessId, program: str) -> None:
    """Wait until the shell that goes into the cgroup has become the program."""
    while Path(f"/proc/{process.pid}/exe").resolve() != Path(program).resolve():
        assert is_alive(process)


def test_a_daemon_is_started_once(supervisor: Supervisor) -> None:
    """The second call finds it and leaves it alone."""
    first = supervisor.ensure(SLEEP, inside=None)
    process = _running(supervisor)
    second = supervisor.ensure(SLEEP, inside=None)

    assert (first, second) == (True, False)
    assert process == _running(supervisor)


def test_another_command_finds_it_too(tmp_path: Path, supervisor: Supervisor, cgroups: CgroupTree) -> None:
    """What is known of it lies in a file."""
    supervisor.ensure(SLEEP, inside=None)
    other = Supervisor(records=tmp_path / "records", logs=tmp_path / "logs", cgroups=cgroups)

    assert _running(supervisor) == other.running("sleeper")
    assert not other.ensure(SLEEP, inside=None)


def test_the_wall_clocks_time_of_a_start_is_noted_and_stays(
    tmp_path: Path, supervisor: Supervisor, cgroups: CgroupTree
) -> None:
    """Every later command reads the same one, whatever the clock was set to meanwhile."""
    before = dt.datetime.now(dt.UTC)
    supervisor.ensure(SLEEP, inside=None)
    after = dt.datetime.now(dt.UTC)
    supervisor.ensure(SLEEP, inside=None)
    other = Supervisor(records=tmp_path / "records", logs=tmp_path / "logs", cgroups=cgroups)
    noted = other.started_at("sleeper")

    assert noted is not None
    assert before <= noted <= after
    assert other.started_at("nobody") is None


def test_a_daemon_that_ended_is_started_anew(supervisor: Supervisor) -> None:
    """And is not taken for running meanwhile."""
    supervisor.ensure(SLEEP, inside=None)
    first = _running(supervisor)
    end([first], grace_period=0)

    assert supervisor.running("sleeper") is None
    assert supervisor.ensure(SLEEP, inside=None)
    assert first != _running(supervisor)


def test_a_changed_command_replaces_the_process(supervisor: Supervisor) -> None:
    """The old one is ended first."""
    supervisor.ensure(SLEEP, inside=None)
    first = _running(supervisor)

    assert supervisor.ensure(Daemon(name="sleeper", command=["/bin/sleep", "61"]), inside=None)
    assert not is_alive(first)
    assert first != _running(supervisor)


def test_a_changed_file_replaces_the_process(tmp_path: Path, supervisor: Supervisor) -> None:
    """A renewed certificate, say: it is read at the start alone."""
    config = tmp_path / "config"
    config.write_text("one")
    daemon = Daemon(name="sleeper", command=["/bin/sleep", "60"], reads=[config])
    supervisor.ensure(daemon, inside=None)
    unchanged = supervisor.ensure(daemon, inside=None)
    config.write_text("two")

    assert not unchanged
    assert supervisor.ensure(daemon, inside=None)


def test_a_daemon_is_started_anew_after_the_one_it_follows(supervisor: Supervisor) -> None:
    """Once: it is left alone until that one is another process again."""
    follower = Daemon(name="follower", command=["/bin/sleep", "61"], follows=["sleeper"])
    supervisor.ensure(SLEEP, inside=None)
    started = [supervisor.ensure(follower, inside=None), supervisor.ensure(follower, inside=None)]
    end([_running(supervisor)], grace_period=0)
    supervisor.ensure(SLEEP, inside=None)
    started += [supervisor.ensure(follower, inside=None), supervisor.ensure(follower, inside=None)]

    assert started == [True, False, True, False]


def test_one_daemon_is_ended_and_forgotten(tmp_path: Path, supervisor: Supervisor, cgroups: CgroupTree) -> None:
    """With a stray that an interrupted start has left, and nobody else; a second time there is nothing to do."""
    supervisor.ensure(SLEEP, inside=None)
    supervisor.ensure(Daemon(name="other", command=["/bin/sleep", "61"]), inside=None)
    process = _running(supervisor)
    _settle(process, "/bin/sleep")
    with subprocess.Popen(["/bin/sleep", "60"]) as stray:
        (cgroups.component("sleeper") / "cgroup.procs").write_text(f"{stray.pid}\n")
        identity = identify(stray.pid)
        assert identity is not None
        supervisor.end("sleeper")
    supervisor.end("sleeper")

    assert [is_alive(process), is_alive(identity)] == [False, False]
    assert supervisor.running("other") is not None
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["other.json"]


def test_a_stray_of_an_interrupted_start_is_ended(supervisor: Supervisor, cgroups: CgroupTree) -> None:
    """A process that was started and never noted would hold its ports for ever."""
    with subprocess.Popen(["/bin/sleep", "60"]) as stray:
        (cgroups.component("sleeper") / "cgroup.procs").write_text(f"{stray.pid}\n")
        identity = identify(stray.pid)
        assert identity is not None
        supervisor.ensure(SLEEP, inside=None)

    assert not is_alive(identity)
    assert supervisor.running("sleeper") is not None


def test_another_program_in_the_same_cgroup_stays(supervisor: Supervisor, cgroups: CgroupTree) -> None:
    """Containerd's shims, which hold the pods, outlive a new containerd."""
    with subprocess.Popen(["/usr/bin/tail", "-f", "/dev/null"]) as shim:
        (cgroups.component("sleeper") / "cgroup.procs").write_text(f"{shim.pid}\n")
        supervisor.ensure(SLEEP, inside=None)
        stays = shim.poll() is None
        shim.kill()

    assert stays


def test_a_half_written_note_counts_as_none(tmp_path: Path, supervisor: Supervisor) -> None:
    """A power cut in the middle of it costs a restart and no more."""
    supervisor.ensure(SLEEP, inside=None)
    (tmp_path / "records" / "sleeper.json").write_text('{"process": {"pid"')

    assert supervisor.running("sleeper") is None
    assert supervisor.ensure(SLEEP, inside=None)


def test_a_daemon_that_does_not_run_is_reported_with_its_log(supervisor: Supervisor) -> None:
    """The person sees the program's own words, whether it ends at once or a moment later."""

    def start_and_check() -> None:
        supervisor.ensure(Daemon(name="sleeper", command=["/bin/sh", "-c", "echo no luck >&2; exit 3"]), inside=None)
        while supervisor.running("sleeper") is not None:
            pass
        supervisor.check("sleeper")

    with pytest.raises(StartError, match=r"(?s)sleeper (has )?ended.*no luck"):
        start_and_check()


def test_everything_in_the_cgroup_is_ended(supervisor: Supervisor, cgroups: CgroupTree) -> None:
    """Daemons and whoever else is in it; a second call finds nothing."""
    supervisor.ensure(SLEEP, inside=None)
    daemon = _running(supervisor)
    _settle(daemon, "/bin/sleep")
    with subprocess.Popen(["/bin/sleep", "60"]) as pod:
        (cgroups.component("pod") / "cgroup.procs").write_text(f"{pod.pid}\n")
        pod_process = identify(pod.pid)
        assert pod_process is not None
        left = supervisor.end_everything()

    assert left == []
    assert [is_alive(process) for process in (daemon, pod_process)] == [False, False]
    assert supervisor.end_everything() == []


def test_a_daemon_has_a_small_environment(
    tmp_path: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the person's shell gets into a cluster."""
    monkeypatch.setenv("PERSONAL", "secret")
    command = ["/bin/sh", "-c", "env; exec sleep 60"]
    supervisor.ensure(Daemon(name="sleeper", command=command), inside=None)
    _settle(_running(supervisor), "/bin/sleep")
    log = (tmp_path / "logs" / "sleeper.log").read_text()

    assert "PATH=/usr/local/sbin" in log
    assert "PERSONAL" not in log
