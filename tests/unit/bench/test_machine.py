"""What is told of the machine that measured."""

import json

import pytest
from session_bench.machine import load, machine, warning


def test_report_says_what_measured() -> None:
    """It goes into the JSON beside the figures."""
    output = json.loads(json.dumps(machine()))

    assert {"cores", "memoryGB", "kernel", "python", "time", "load"} == output.keys()
    assert 0 < output["memoryGB"]
    assert 0 <= load()


@pytest.mark.parametrize("now", [0.0, 1.0])
def test_a_quiet_machine_needs_no_warning(now: float) -> None:
    """Half of the cores are free."""
    assert warning(now=now, cores=2) is None


def test_a_busy_machine_is_named() -> None:
    """Before the run, as the person could stop something first."""
    output = warning(now=6.24, cores=2)

    assert output is not None
    assert "load 6.2 on 2 cores" in output
