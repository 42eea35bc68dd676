"""Where the time of a start goes: marks from the log of a runner, and the parts between them."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from session_bench.cgroups import Cgroup
from session_bench.errors import BenchError
from session_bench.trace import Step, log_marks, parts, process_start
from session_protocol.vocabulary import RunnerState

MARKS = {
    Step.SCHEDULED: 100.5,
    Step.STARTED: 101.0,
    Step.SERVES: 101.5,
    Step.OPEN: 102.25,
    Step.SHOWN: 103.25,
    Step.ANSWERED: 103.5,
}


def line(seconds: int, message: str, **fields: str) -> str:
    """A line as the runner writes it."""
    return json.dumps({"time": f"2026-11-29T00:00:{seconds:02}.250Z", "message": message, **fields})


def test_the_log_has_three_marks() -> None:
    """The first time counts: a second round of codes is no part of the start."""
    log = "\n".join(
        [
            line(1, "The API serves"),
            line(2, "The profile is ours"),
            line(3, "The browser is open"),
            line(4, "The state changed", state="Loading"),
            line(5, "The state changed", state="QRPending"),
            line(9, "The state changed", state="QRPending"),
        ]
    )
    found = log_marks(log)

    assert [Step.SERVES, Step.OPEN, Step.SHOWN] == list(found)
    assert [2.0, 2.0] == [found[Step.OPEN] - found[Step.SERVES], found[Step.SHOWN] - found[Step.OPEN]]


def test_a_page_that_comes_back_is_there_when_it_is_connected() -> None:
    """A session that has its login shows no code."""
    log = "\n".join([line(4, "The state changed", state="Syncing"), line(5, "The state changed", state="Connected")])

    assert {} == log_marks(log)
    assert [Step.SHOWN] == list(log_marks(log, shown=RunnerState.CONNECTED))


def test_parts_add_up_to_the_whole() -> None:
    """Each is the time between its mark and the one before."""
    found = parts(100.0, MARKS)

    assert [0.5, 0.5, 0.5, 0.75, 1.0, 0.25] == list(found.values())
    assert 3.5 == sum(found.values())


def test_a_start_that_was_not_seen_in_full_gives_no_parts() -> None:
    """Else the time of one part would be counted for another."""
    with pytest.raises(BenchError, match="not seen at: page"):
        parts(100.0, {step: when for step, when in MARKS.items() if step is not Step.SHOWN})


def test_the_start_of_the_runners_process_is_found(tmp_path: Path) -> None:
    """By the kernel's word, to a clock tick; a pod without one is an error."""
    group = Cgroup(folder=tmp_path, accounting=tmp_path)
    before = time.time()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        (tmp_path / "cgroup.procs").write_text(f"{child.pid}\n")
        began = process_start(group)
        child.communicate(b"\n")

    assert before - 0.02 < began < time.time() + 0.02

    (tmp_path / "cgroup.procs").write_text("")
    with pytest.raises(BenchError, match="no process"):
        process_start(group)
