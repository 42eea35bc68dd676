"""Splitting what a session costs of the processors; pure, and once on the process that runs here."""

import os
from pathlib import Path

import pytest
from session_bench.cgroups import Cgroup
from session_bench.core_seconds import CorePart, Used, by_part, of_group, together

SHELL = "/usr/lib/chromium/chromium-headless-shell"


def test_the_living_have_what_they_had_and_the_dead_the_rest() -> None:
    """A container's own start and the browser that was asked for its version have ended by then."""
    alive = [
        Used(["/pause"], 0.25),
        Used(["/opt/venv/bin/python", "-m", "session_runner"], 0.5),
        Used(["/opt/venv/driver/node", "cli.js", "run-driver"], 0.25),
        Used([SHELL, "--headless"], 1.0),
        Used([f"{SHELL} --type=renderer --lang=en"], 2.0),
        Used([SHELL, "--type=zygote"], 0.125),
    ]

    assert {
        CorePart.PYTHON: 0.5,
        CorePart.DRIVER: 0.25,
        CorePart.BROWSER: 1.125,
        CorePart.PAGE: 2.0,
        CorePart.ENDED: 0.375,
    } == by_part(4.25, alive)


def test_nobody_had_less_than_nothing() -> None:
    """The group is read after its processes, in other units: the sum may come out a little lower."""
    assert {CorePart.PYTHON: 1.0, CorePart.ENDED: 0.0} == by_part(0.99, [Used(["python3"], 1.0)])


def test_parts_of_several_sessions_are_summed() -> None:
    """One that had no page yet counts, too."""
    sessions = [{CorePart.PYTHON: 1.0, CorePart.PAGE: 2.0}, {CorePart.PYTHON: 0.5}]

    assert {CorePart.PYTHON: 1.5, CorePart.PAGE: 2.0} == together(sessions)


def test_a_group_is_read_with_its_processes(tmp_path: Path) -> None:
    """One that has ended meanwhile is none of the living."""
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n{2**22 + 1}\n")
    (tmp_path / "cpuacct.usage").write_text(str(10**12))

    spent = of_group(Cgroup(folder=tmp_path, accounting=tmp_path))

    assert 0 < spent[CorePart.PYTHON] < spent[CorePart.ENDED]
    assert pytest.approx(1000.0) == sum(spent.values())
