"""Where the time of a start goes: marks from the log of a runner, and the parts between them."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from session_bench.cgroups import Cgroup
from session_bench.errors import BenchError
from session_bench.trace import Step, log_marks, of_return, of_start, parts, process_start
from session_devtools.audit_log import Entry
from session_protocol.vocabulary import RunnerState

MARKS = {
    Step.APPLIED: 100.125,
    Step.DECIDED: 100.25,
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

    assert [0.125, 0.125, 0.25, 0.5, 0.5, 0.75, 1.0, 0.25] == list(found.values())
    assert 3.5 == sum(found.values())


def request(second: int, verb: str, resource: str, name: str = "sales", code: int = 200) -> Entry:
    """A request of the audit log."""
    return Entry(
        verb=verb, resource=resource, user="", name=name, code=code, received=f"2026-11-29T00:00:{second:02}.000000Z"
    )


def test_the_audit_log_shows_when_the_operator_had_decided() -> None:
    """From the session that is applied to the pod that is asked for; another's, or one that was refused, is none."""
    found = of_start(
        [
            request(1, "patch", "whatsappsessions", code=404),
            request(2, "create", "whatsappsessions"),
            request(3, "create", "pods", name="other"),
            request(4, "create", "pods", code=409),
            request(5, "create", "pods"),
            request(6, "create", "pods"),
        ],
        "sales",
    )

    assert [Step.APPLIED, Step.DECIDED] == list(found)
    assert 3.0 == found[Step.DECIDED] - found[Step.APPLIED]


def test_a_lost_pod_is_gone_by_the_last_deletion_before_the_next_one() -> None:
    """A person deletes it first, then the kubelet, when it has ended."""
    found = of_return(
        [
            request(1, "delete", "pods"),
            request(3, "delete", "pods"),
            request(4, "create", "pods"),
            request(9, "delete", "pods"),
        ],
        "sales",
    )

    assert 1.0 == found[Step.DECIDED] - found[Step.GONE]
    assert Step.GONE in parts(0, {**MARKS, **found})
    assert Step.APPLIED not in parts(0, {**MARKS, **found})


def test_a_request_that_was_never_made_is_an_error() -> None:
    """Its part would mean something else."""
    with pytest.raises(BenchError, match="no create pods sales"):
        of_start([request(1, "create", "whatsappsessions")], "sales")


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
