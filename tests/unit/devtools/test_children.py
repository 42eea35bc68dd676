"""Children that end with the one who started them, and the ports they are given."""

import random
import socket
import subprocess
import sys
from pathlib import Path

from session_devtools.daemons import Daemons
from session_devtools.ports import RANGE, free_ports
from session_devtools.processes import ProcessId, identify, is_alive
from session_devtools.waiting import wait_until

SHELL = Path("/bin/sh")


def test_ports_are_different_and_below_those_of_outgoing_connections() -> None:
    """No connection that somebody opens meanwhile can sit on one."""
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert all(port in RANGE for port in ports)
    assert first_outgoing >= RANGE.stop


def test_a_port_in_use_is_not_given() -> None:
    """The same draw again skips a port that somebody holds now."""
    with socket.socket() as holder:
        (port,) = free_ports(1, draw=random.Random(7))
        holder.bind(("127.0.0.1", port))

        assert free_ports(1, draw=random.Random(7)) != [port]


def test_children_are_ended_by_id(tmp_path: Path) -> None:
    """After `stop` none runs, and a second `stop` does nothing."""
    daemons = Daemons(tmp_path)
    daemons.start("one", SHELL, ["-c", "exec sleep 60"])
    daemons.start("two", SHELL, ["-c", "exec sleep 60"])
    pids = daemons.pids()
    daemons.stop()
    daemons.stop()

    assert sorted(pids) == ["one", "two"]
    assert [identify(pid) for pid in pids.values()] == [None, None]


def test_children_do_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Also when pytest is ended by SIGKILL and no code of ours runs any more."""
    script = (
        "import pathlib, signal, sys\n"
        "from session_devtools.daemons import Daemons\n"
        "from session_devtools.processes import identify\n"
        "daemons = Daemons(pathlib.Path(sys.argv[1]))\n"
        "daemons.start('one', pathlib.Path('/bin/sh'), ['-c', 'echo started; exec sleep 60'])\n"
        "while not (pathlib.Path(sys.argv[1]) / 'one.log').read_text(): pass\n"
        "print(identify(daemons.pids()['one']).to_json(), flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = ProcessId.from_json(parent.stdout.readline())
        assert child is not None
        ran = is_alive(child)
        parent.kill()
    wait_until("the child has ended", lambda: not is_alive(child), within=20)

    assert ran
