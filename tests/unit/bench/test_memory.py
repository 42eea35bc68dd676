"""From what the rounds took to the table of memory."""

import pytest
from session_bench.figures import Comparison
from session_bench.memory import MemoryUse, Plan, memory_table, record, record_single, single
from session_bench.one_process.host import KINDS

NODE, PYTHON = (kind.title for kind in KINDS)


def use(available: float) -> MemoryUse:
    """One round's figures of one side."""
    return MemoryUse(available=available, working_set=100.0, parts={"Python": 30.0, "Chromium": 60.0})


def found() -> dict[str, list[float]]:
    """Two rounds of all three sides."""
    figures: dict[str, list[float]] = {}
    for pods, node, python in ((150.0, 200.0, 100.0), (180.0, 200.0, 120.0)):
        for who, available in (("pods", pods), (NODE, node), (PYTHON, python)):
            record(figures, who, use(available))
        record_single(figures, "pods", use(pods + 10))
        record_single(figures, NODE, use(node + 40))
    return figures


def test_anonymous_memory_is_the_sum_of_the_parts() -> None:
    """Python, driver and browser together."""
    assert [90.0, 90.0] == found()["pods: anonymous memory"]


def test_pods_are_compared_with_the_servers_that_one_meets() -> None:
    """The benchmark's own ratio: available memory, against one Node process."""
    table = memory_table(Plan(rounds=2), found())

    assert Comparison(row="pods: available memory taken", to=f"{NODE}: available memory taken") == table.headline
    assert pytest.approx(0.825) == table.compare(table.headline).ratio.median


def test_price_of_isolation_is_a_difference() -> None:
    """Against the same browser in one process, in MB per session."""
    table = memory_table(Plan(rounds=2), found())
    asked = Comparison(row="pods: available memory taken", to=f"{PYTHON}: available memory taken")

    assert asked in table.comparisons
    assert pytest.approx(55.0) == table.compare(asked).difference


def test_one_session_is_shown_beside_many() -> None:
    """With one session the process around it weighs more, on either side; it is never the headline."""
    table = memory_table(Plan(rounds=2), found())
    asked = Comparison(row=single("pods"), to=single(NODE))

    assert asked in table.comparisons
    assert asked != table.headline
    assert pytest.approx((160 / 240 + 190 / 240) / 2) == table.compare(asked).ratio.median


def test_every_comparison_has_its_rows() -> None:
    """A misspelt name would end a run of a quarter of an hour."""
    table = memory_table(Plan(rounds=2), found())

    assert [2] * 7 == [table.compare(asked).ratio.samples for asked in table.comparisons]


def test_title_names_the_method() -> None:
    """How many, and when they were read."""
    assert "8 sessions, 60 s after" in memory_table(Plan(), found()).title
