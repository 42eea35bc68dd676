"""Processes are recognized for certain and ended by id."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_devtools.processes import ProcessId, end, identify, is_alive, parse_stat, tail

WAIT = "import signal; signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"


@pytest.fixture
def waiting() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for a signal."""
    with subprocess.Popen([sys.executable, "-c", WAIT]) as process:
        yield process
        process.kill()


def _identity(process: subprocess.Popen[bytes]) -> ProcessId:
    identity = identify(process.pid)
    assert identity is not None
    return identity


def test_a_running_process_is_recognized(waiting: subprocess.Popen[bytes]) -> None:
    """Two looks give the same identity."""
    identity = _identity(waiting)

    assert identity == identify(waiting.pid)
    assert is_alive(identity)


def test_a_pid_in_other_hands_is_not_our_process(waiting: subprocess.Popen[bytes]) -> None:
    """The same pid with another start time, or of another boot, is a stranger, and never signalled."""
    identity = _identity(waiting)
    strangers = [identity._replace(started=identity.started - 1), identity._replace(boot="another boot")]

    assert [is_alive(stranger) for stranger in strangers] == [False, False]
    assert end(strangers, grace_period=0) == []
    assert is_alive(identity)


def test_a_process_that_ends_when_asked_is_not_killed(waiting: subprocess.Popen[bytes]) -> None:
    """Patience leaves it the time to tidy up: it ends by SIGTERM."""
    assert end([_identity(waiting)], grace_period=20) == []
    assert identify(waiting.pid) is None


def test_a_stubborn_process_is_killed() -> None:
    """One that ignores the request is killed when patience is over."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it ignores the signal from here on
        left = end([_identity(process)], grace_period=0.05)

        assert left == []
        assert identify(process.pid) is None


def test_stopping_what_has_ended_is_fine(waiting: subprocess.Popen[bytes]) -> None:
    """A second `down` finds nothing to do."""
    identity = _identity(waiting)

    assert end([identity], grace_period=0) == []
    assert end([identity], grace_period=0) == []


def test_a_zombie_counts_as_ended() -> None:
    """A process whose parent has not collected it holds nothing any more."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()  # its end of the pipe closes when it exits
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass  # between closing its files and becoming a zombie lie microseconds

        assert identify(process.pid) is None


@given(
    name=st.text(alphabet=st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=15),
    state=st.sampled_from("RSDZT"),
    started=st.integers(min_value=0, max_value=2**63),
)
def test_a_programs_name_does_not_confuse_the_reader(name: str, state: str, started: int) -> None:
    """Brackets and spaces in it shift no field."""
    parsed = parse_stat(f"42 ({name}) {state} {' '.join(['7'] * 18)} {started} 8 9\n")

    assert (state, started) == parsed


@given(pid=st.integers(), started=st.integers(), boot=st.text())
def test_an_identity_survives_a_file(pid: int, started: int, boot: str) -> None:
    """What is written is what is read."""
    identity = ProcessId(pid=pid, started=started, boot=boot)

    assert identity == ProcessId.from_json(identity.to_json())


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"pid": 1}', '{"pid": "x", "started": 1, "boot": ""}'])
def test_a_damaged_file_names_nobody(text: str) -> None:
    """Half a record after a crash is no process."""
    assert ProcessId.from_json(text) is None


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    """An error message holds the last lines, and says so when there is no log."""
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))

    assert tail(log, lines=2) == "line 98\nline 99"
    assert tail(tmp_path / "none") == "(no log)"
