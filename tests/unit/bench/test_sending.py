"""The table of messages, and what is read of webhooks' bodies, as far as nothing is measured."""

import asyncio

import pytest
from session_bench.errors import BenchError
from session_bench.rendering import render
from session_bench.sending import observer, table
from session_bench.sending.sides import bare


@pytest.mark.parametrize(
    ("share", "value"), [(50, 50.0), (99, 99.0), (100, 100.0), (0, 1.0)], ids=["p50", "p99", "greatest", "least"]
)
def test_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    """Nothing is invented between two of them."""
    assert value == table.percentile([float(number) for number in range(100, 0, -1)], share)


def test_nothing_measured_has_no_percentile() -> None:
    """A row without a value would be a zero that nobody measured."""
    with pytest.raises(ValueError, match="nothing"):
        table.percentile([], 50)


def test_overhead_is_taken_pair_by_pair() -> None:
    """What slows a pair slows both its halves, so that the aim is held against the difference."""
    found = {
        table.DIRECT_ARRIVED: [10.0, 50.0, 12.0],
        table.arrived(table.RUNNER): [14.0, 53.0, 18.0],
        table.arrived(table.NODE): [7.0, 53.0, 9.0],
    }
    made = table.send_table(found, title="Messages")

    assert (4.0, 3.0, 6.0) == made.row(table.OVERHEAD).values
    assert f"{table.OVERHEAD}, p50: 4.0 ms, aimed at 5 at most" == made.remarks[0]
    assert render(made).endswith("ratio 2.00")


def test_missed_aim_is_shown() -> None:
    """In the table itself, so that nobody has to know the aims."""
    made = table.send_table({table.webhook(table.RUNNER): [30.0]}, title="Messages")

    assert "webhook, p50: 30.0 ms, aimed at 20 at most (missed)" == made.remarks[0]
    assert made.headline is None


def test_ids_are_found_in_any_body() -> None:
    """The Cloud API's is deep, the other one flat."""
    cloud = {"entry": [{"id": "1", "changes": [{"value": {"messages": [{"id": "A", "text": {"body": "id"}}]}}]}]}

    assert ["1", "A"] == list(observer.identifiers(cloud))
    assert ["B"] == list(observer.identifiers({"id": "B", "body": "x"}))
    assert "C" == bare("true_15550100777@c.us_C")


async def test_only_the_first_time_counts() -> None:
    """A message that comes twice is a fault for tests to find, and no later one here."""
    times = observer.Times()
    waiting = asyncio.create_task(times.of("A"))
    await asyncio.sleep(0)
    times.note("A")
    (first,) = await waiting
    times.note("A")

    assert [first] == await times.of("A")


async def test_what_does_not_pass_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that waits for ever tells nobody why."""
    monkeypatch.setattr(observer, "LONGEST", 0.01)

    with pytest.raises(BenchError, match="1 of 1"):
        await observer.Times().of("A")
