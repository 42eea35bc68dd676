"""What is installed, what is said when that can not be, and what is put back afterwards."""

import contextlib
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from session_devtools import packages
from session_devtools.errors import CommandError, MachineError


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


def test_installations_wait_for_each_other(tmp_path: Path) -> None:
    """Two test workers on a new machine want packages at the same time."""
    inside = threading.Event()

    def install() -> None:
        with packages.one_at_a_time(tmp_path):
            inside.set()

    other = threading.Thread(target=install)
    with packages.one_at_a_time(tmp_path):
        other.start()
        assert not inside.wait(0.2)
    other.join(20)

    assert inside.is_set()


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
    ("output", "expected"),
    [
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", ["apt-get", "dpkg", "apt-get"]),
        ("E: No space left on device", ["apt-get"]),
    ],
)
def test_an_installation_that_was_cut_off_is_completed_first(
    output: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Ctrl-C in the middle of apt heals by the same command again; any other fault is apt's to tell."""
    ran: list[str] = []

    def fails_once(*command: str, **_: object) -> str:
        if command[1] != "update":
            ran.append(command[0])
        if command[1] == "install" and len(ran) == 1:
            raise CommandError(command, 100, output)
        return ""

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(packages, "run", fails_once)
    monkeypatch.setattr(packages, "no_daemons", contextlib.nullcontext)
    monkeypatch.setattr(packages, "missing", lambda names: names)

    with contextlib.nullcontext() if len(expected) > 1 else pytest.raises(MachineError, match="the disk is full: free"):
        packages.ensure(["runc"])

    assert expected == ran
