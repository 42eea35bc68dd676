"""What the cluster asks of a machine, what it says when that is missing, and what it puts back."""

import json
from pathlib import Path

import pytest
from local_cluster import cli
from local_cluster.full import machine
from local_cluster.full.cluster import FullCluster
from local_cluster.full.retrying import retry_os_errors
from session_devtools.errors import MachineError, ToolError


@pytest.mark.parametrize(
    ("system", "user", "expected"), [("Darwin", 0, "Linux alone"), ("Linux", 1000, "needs root"), ("Linux", 0, None)]
)
def test_a_machine_that_will_not_do_gets_advice(system: str, user: int, expected: str | None) -> None:
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


def test_retrying_ends() -> None:
    """What works at the second attempt works; what never does is told with its reason."""
    attempts: list[int] = []

    def second_time() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError("busy")

    def never() -> None:
        raise OSError("busy")

    retry_os_errors(second_time)
    with pytest.raises(ToolError, match=r"still uses .*busy"):
        retry_os_errors(never, timeout=0)
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


def test_loading_into_no_cluster_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The images are not built first: that would be minutes for nothing."""
    assert 1 == cli.main(["load-images", "--name", "no-such", "operator"])
    output = capsys.readouterr().err
    assert "there is no cluster no-such" in output
    assert "`make cluster-up` makes one" in output


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
