"""What the cluster asks of a machine, what it says when that is missing, and what it puts back."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from local_cluster import cli, packages
from local_cluster.commands import run, succeeds
from local_cluster.errors import ClusterError, CommandError, MachineError
from local_cluster.full import machine
from local_cluster.full.cluster import FullCluster
from local_cluster.full.patience import repeat


@pytest.mark.parametrize(
    ("system", "user", "expected"), [("Darwin", 0, "Linux alone"), ("Linux", 1000, "needs root"), ("Linux", 0, None)]
)
def test_a_machine_that_will_not_do_is_told_what_to_do(system: str, user: int, expected: str | None) -> None:
    """Each message names a way on: another machine, sudo, one's own cluster."""
    if expected is None:
        machine.check(system=system, user=user)
        return
    with pytest.raises(MachineError, match=expected) as caught:
        machine.check(system=system, user=user)
    assert "CLUSTER=current" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("CapEff:\t000001ffffffffff\n", True), ("CapEff:\t000001fffeffffff\n", False), ("Name:\tx\n", False)],
)
def test_a_missing_capability_is_seen(status: str, *, expected: bool) -> None:
    """Bit 24 of the effective set."""
    assert expected == machine.may_lower_oom_score(status)


def _settings(folder: Path, value: str) -> None:
    for name in machine.SETTINGS[:-1]:  # the last is unknown to this kernel
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{value}\n")


def test_settings_are_noted_once_and_put_back(tmp_path: Path) -> None:
    """The second cluster must not take the first one's values for the machine's."""
    note, settings = tmp_path / "state" / "note.json", tmp_path / "sys"
    _settings(settings, "1")
    machine.remember_settings(note, proc_sys=settings)
    _settings(settings, "2")
    machine.remember_settings(note, proc_sys=settings)
    machine.restore_settings(note, proc_sys=settings)
    machine.restore_settings(note, proc_sys=settings)

    assert {(settings / name).read_text().strip() for name in machine.SETTINGS[:-1]} == {"1"}
    assert not note.exists()


def test_a_setting_that_stayed_is_not_written(tmp_path: Path) -> None:
    """A read-only one would fail for nothing."""
    note, settings = tmp_path / "note.json", tmp_path / "sys"
    _settings(settings, "1")
    note.write_text(json.dumps({machine.SETTINGS[0]: "1"}))
    before = (settings / machine.SETTINGS[0]).stat().st_mtime_ns
    machine.restore_settings(note, proc_sys=settings)

    assert before == (settings / machine.SETTINGS[0]).stat().st_mtime_ns


@pytest.mark.parametrize("before", [None, "#!/bin/sh\nexit 0\n"])
def test_a_policy_is_put_back(tmp_path: Path, before: str | None) -> None:
    """Packages' daemons are forbidden for the time of the installation alone, also when it fails."""
    policy = tmp_path / "policy-rc.d"
    if before is not None:
        policy.write_text(before)
        policy.chmod(0o700)
    statuses: list[int] = []

    def fails() -> None:
        with packages.no_daemons(policy):
            statuses.append(subprocess.run([policy], check=False).returncode)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert statuses == [101]
    assert before == (policy.read_text() if policy.exists() else None)
    assert before is None or policy.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("before", [None, "#!/bin/sh\nexit 0\n"])
def test_a_policy_that_a_killed_installation_left_is_put_right_by_the_next(tmp_path: Path, before: str | None) -> None:
    """Ours is never taken for the machine's own, and the machine's own is not lost."""
    policy = tmp_path / "policy-rc.d"
    if before is not None:
        policy.write_text(before)
    killed = packages.no_daemons(policy)
    killed.__enter__()
    with packages.no_daemons(policy):
        meanwhile = policy.read_text()

    assert "exit 101" in meanwhile
    assert before == (policy.read_text() if policy.exists() else None)
    assert [path.name for path in tmp_path.iterdir()] == ([policy.name] if before is not None else [])
    with contextlib.suppress(FileNotFoundError):  # what the killed one would have done had it lived
        killed.__exit__(None, None, None)


def test_what_is_not_called_installed_is_missing() -> None:
    """Unknown names, removed packages with their configuration left, half-installed ones."""
    listed = "runc installed\nbuildah config-files\niptables half-configured\n\n"

    assert packages.parse_missing(["runc", "buildah", "iptables", "nonsense"], listed) == [
        "buildah",
        "iptables",
        "nonsense",
    ]


def test_without_apt_the_counterparts_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Debian: the message says which machine it works on, and what is needed elsewhere."""
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(MachineError, match=r"Debian 12.*containerd runc"):
        packages.ensure(["containerd", "runc"])


def test_without_root_the_command_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be copied as it stands."""
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(packages, "missing", lambda _: ["runc"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(MachineError, match="sudo apt-get install runc"):
        packages.ensure(["containerd", "runc"])


def test_only_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists first, then the packages, with no daemon started; nothing at all when all are there."""
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(packages, "run", lambda *command, **_: ran.append(command))
    monkeypatch.setattr(packages, "no_daemons", contextlib.nullcontext)
    monkeypatch.setattr(packages, "missing", lambda names: [name for name in names if name == "runc"])

    assert packages.ensure(["containerd"]) == []
    assert ran == []
    assert packages.ensure(["containerd", "runc"]) == ["runc"]
    assert [command[:2] for command in ran] == [("apt-get", "update"), ("apt-get", "install")]
    assert ran[1][-1] == "runc"
    assert "containerd" not in ran[1]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", ["apt-get", "dpkg", "apt-get"]),
        ("E: No space left on device", ["apt-get"]),
    ],
)
def test_an_installation_that_was_cut_off_is_completed_first(
    said: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Ctrl-C in the middle of apt heals by the same command again; any other fault is apt's to tell."""
    ran: list[str] = []

    def fails_once(*command: str, **_: object) -> str:
        if command[1] != "update":
            ran.append(command[0])
        if command[1] == "install" and len(ran) == 1:
            raise CommandError(command, 100, said)
        return ""

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(packages, "run", fails_once)
    monkeypatch.setattr(packages, "no_daemons", contextlib.nullcontext)
    monkeypatch.setattr(packages, "missing", lambda names: names)

    with contextlib.nullcontext() if len(expected) > 1 else pytest.raises(CommandError, match="No space left"):
        packages.ensure(["runc"])

    assert expected == ran


def test_a_failed_program_is_reported_with_its_words() -> None:
    """What it said, whether to one stream or the other."""
    with pytest.raises(CommandError, match=r"status 3: no luck") as caught:
        run("sh", "-c", "echo no luck >&2; exit 3")

    assert caught.value.returncode == 3
    with pytest.raises(CommandError, match="no such program"):
        run("no-such-program-at-all")
    with pytest.raises(CommandError, match="did not end within 0 s"):
        run("sleep", "60", timeout=0.01)
    assert (succeeds("true"), succeeds("false")) == (True, False)


def test_patience_ends() -> None:
    """What works at the second attempt works; what never does is told with its reason."""
    attempts: list[int] = []

    def second_time() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError("busy")

    def never() -> None:
        raise OSError("busy")

    repeat(second_time)
    with pytest.raises(ClusterError, match=r"still uses .*busy"):
        repeat(never, patience=0)
    assert len(attempts) == 2


def test_an_expected_failure_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, nothing on standard output, status 1."""
    statuses = [cli.main(["kubeconfig", "--name", "no-such"]), cli.main(["up", "--name", "Not A Name"])]
    out, err = capsys.readouterr()

    assert statuses == [1, 1]
    assert out == ""
    assert "there is no cluster no-such" in err
    assert "can not name a cluster" in err
    assert "Traceback" not in err


def test_removing_what_is_not_there_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    """A second `down` says so and succeeds."""
    assert cli.main(["down", "--name", "no-such"]) == 0
    assert "there is no cluster no-such" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A Ctrl-C is no crash."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FullCluster, "up", interrupted)

    assert cli.main(["up"]) == 130
    assert "the same command again" in capsys.readouterr().err
