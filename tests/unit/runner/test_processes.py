"""Finding, ending and reaping processes, on real ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_runner.host.processes import Process, descendants, end, parse_stat, processes, reap

TAIL = " ".join(str(number) for number in range(5, 53))


def process(pid: int, parent: int, *, state: str = "S") -> Process:
    """A process as /proc tells it."""
    return Process(pid=pid, parent=parent, state=state, started=pid * 10, name=f"p{pid}")


@pytest.mark.parametrize("name", ["node", "a b", "x) S 1 (y", "()", "tab\tin it"])
def test_any_name_can_be_read(name: str) -> None:
    """A process may call itself anything, also what looks like the fields behind the name."""
    got = parse_stat(f"12 ({name}) Z 7 {TAIL}\n")

    assert (12, 7, "Z", name) == (got.pid, got.parent, got.state, got.name)


def test_a_real_stat_gives_this_process() -> None:
    """The start time is the field of that name, so that a used-again pid is told apart."""
    me = parse_stat(Path("/proc/self/stat").read_text())
    fields = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()

    assert (os.getpid(), os.getppid()) == (me.pid, me.parent)
    assert int(fields[19]) == me.started


def test_descendants_are_found_at_any_depth() -> None:
    """Children and grandchildren, nobody else's, parents first."""
    everyone = [process(4, 3), process(3, 2), process(2, 1), process(9, 8), process(5, 2)]

    assert [2, 3, 5, 4] == [found.pid for found in descendants(1, everyone)]


def test_a_victim_is_ended_by_its_id() -> None:
    """A living child dies; it is told as ended only once."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    victims = [found for found in processes() if found.pid == child.pid]

    assert [child.pid] == [found.pid for found in end(victims)]
    assert child.wait(10) == -9
    assert end(victims) == []


def test_a_pid_that_was_used_again_is_left_alone() -> None:
    """The same pid with another start time is another process."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    found = next(one for one in processes() if one.pid == child.pid)

    assert end([found._replace(started=found.started + 1)]) == []
    assert child.poll() is None

    child.kill()
    child.wait(10)


def test_dead_orphans_are_collected_but_not_other_peoples_children() -> None:
    """A zombie child is reaped unless somebody else waits for it."""
    ours = subprocess.Popen([sys.executable, "-c", ""])
    theirs = subprocess.Popen([sys.executable, "-c", ""])
    for child in (ours, theirs):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet collected
    mine = [one for one in processes() if one.pid in (ours.pid, theirs.pid)]

    assert [ours.pid] == reap(mine, me=os.getpid(), not_ours=frozenset({theirs.pid}))
    assert theirs.wait(10) == 0
    ours.returncode = 0  # collected above, behind the module's back
