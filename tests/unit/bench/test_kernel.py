"""Parsing what the kernel tells, in the forms it really has."""

import os

import pytest
from session_bench.kernel import (
    Part,
    anonymous_by_part,
    available,
    cpu_seconds,
    parse_fields,
    parse_working_set,
    part_of,
    resident,
)

ROLLUP = """55e1a000-7ffc7000 ---p 00000000 00:00 0                          [rollup]
Rss:               41284 kB
Pss:               20641 kB
Pss_Anon:          15000 kB
Private_Dirty:     15012 kB
"""
V1 = "cache 4096\nrss 900\ninactive_file 10\ntotal_rss 9000\ntotal_inactive_file 3000\n"
V2 = "anon 9000\nfile 4096\ninactive_file 3000\n"


def test_sizes_are_read_in_bytes() -> None:
    """The kernel's kB are 1024 bytes; the line with the address range has no size."""
    expected = {"Rss": 41284 * 1024, "Pss": 20641 * 1024, "Pss_Anon": 15000 * 1024, "Private_Dirty": 15012 * 1024}

    assert expected == parse_fields(ROLLUP)


def test_lines_without_a_size_are_left_out() -> None:
    """/proc/PID/status mixes sizes with names, states and plain numbers."""
    assert {"VmRSS": 1024} == parse_fields("Name:\tpython\nThreads:\t3\nVmRSS:\t       1 kB\nState:\tS (sleeping)\n")


@pytest.mark.parametrize("stat", [V1, V2], ids=["v1", "v2"])
def test_working_set_is_usage_without_idle_file_pages(stat: str) -> None:
    """In v1 the total counts, as the group's children are the containers."""
    assert 9000 == parse_working_set(usage="12000\n", stat=stat)


def test_working_set_is_never_negative() -> None:
    """The two files are read one after the other, so they may contradict each other."""
    assert 0 == parse_working_set(usage="100\n", stat=V2)


def test_other_groups_are_refused() -> None:
    """A processor's group tells no memory; 0 would be a made-up figure."""
    with pytest.raises(ValueError, match="memory control group"):
        parse_working_set(usage="100", stat="nr_periods 0\n")


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        (["python", "-m", "session_runner"], Part.PYTHON),
        (["/opt/venv/bin/python3.11", "-m", "session_runner"], Part.PYTHON),
        (["/opt/venv/lib/python3.11/site-packages/playwright/driver/node", "cli.js", "run-driver"], Part.DRIVER),
        (["/usr/lib/chromium/chromium-headless-shell", "--headless"], Part.CHROMIUM),
        (["/usr/lib/chromium/chromium", "--type=renderer"], Part.CHROMIUM),
        (["/usr/lib/chromium/chrome_crashpad_handler"], Part.CHROMIUM),
        (["/pause"], Part.OTHER),
        ([], Part.OTHER),
    ],
)
def test_part_follows_from_the_program(command_line: list[str], expected: Part) -> None:
    """The program's own name decides, not the folder it lies in."""
    assert expected is part_of(command_line)


def test_own_process_is_measured() -> None:
    """The parsers fit the kernel that runs here."""
    now, peak = resident(os.getpid())

    assert 0 < now <= peak
    assert 0 < cpu_seconds(os.getpid())
    assert 0 < available()
    assert 0 < anonymous_by_part([os.getpid()])[Part.PYTHON]


def test_process_that_is_gone_takes_nothing() -> None:
    """Browsers end helpers at any time; the largest process id is nobody's."""
    assert {} == anonymous_by_part([2**22 + 1])
