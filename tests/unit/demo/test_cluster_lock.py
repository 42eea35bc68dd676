"""One command of the demo at a time on a cluster."""

import subprocess
import sys
from pathlib import Path

import pytest
from session_demo import __main__ as command_line
from session_demo.cluster_lock import cluster_lock
from session_demo.errors import DemoError
from unit.demo.test_command_line import no_cluster_of_ours

HOLD = """
import sys
from session_demo.cluster_lock import cluster_lock
with cluster_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_refused() -> None:
    """With what to do, and the advice of the one who asks."""
    with (
        cluster_lock("the cluster demo"),
        pytest.raises(DemoError, match=r"at work on the cluster demo: wait for its end, .* there, or else$"),
        cluster_lock("the cluster demo", advice=", or else"),
    ):
        pytest.fail("two hold it")


def test_another_process_is_refused_until_the_first_is_dead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However the holder ends: nothing is left that somebody would have to remove."""
    monkeypatch.undo()  # the other process has the real names
    cluster = str(tmp_path)
    command = [sys.executable, "-c", HOLD, cluster]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        with pytest.raises(DemoError), cluster_lock(cluster):
            pytest.fail("two hold it")
        holder.kill()
        holder.wait()

    with cluster_lock(cluster):
        pass


def test_it_is_free_after_a_fault() -> None:
    """The next command goes on."""
    with pytest.raises(ValueError, match="broken"), cluster_lock("the cluster demo"):
        raise ValueError("broken")

    with cluster_lock("the cluster demo"):
        pass


def test_other_clusters_are_free() -> None:
    """However long the texts that name them."""
    with (
        cluster_lock("https://203.0.113.7:6443/" + "k" * 200 + "1"),
        cluster_lock("https://203.0.113.7:6443/" + "k" * 200 + "2"),
    ):
        pass


@pytest.mark.parametrize("command", ["play", "down"])
def test_nothing_is_done_on_a_cluster_where_a_demo_plays(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither is it removed, nor are its sessions."""
    no_cluster_of_ours(monkeypatch, AssertionError("it was touched"))

    with cluster_lock("the cluster demo"):
        status = command_line.main([command])

    assert 1 == status
    assert "demo: another demo, or its removal, is at work on the cluster demo" in capsys.readouterr().err
