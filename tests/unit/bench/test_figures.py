"""Medians, ranges and ratios within a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_bench.figures import Comparison, Row, Summary, Table, ratio, summarise

VALUES = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=9)


BOTH = Comparison(row="session", to="by hand")


def make_table(headline: Comparison | None = None) -> Table:
    """A table of two rows that were measured in three pairs."""
    rows = (
        Row(name="by hand", unit="s", values=(1.0, 2.0, 4.0)),
        Row(name="session", unit="s", values=(1.1, 2.4, 4.0)),
    )
    return Table(name="start", title="Start", rows=rows, comparisons=(BOTH,), headline=headline, remarks=("a note",))


def test_summary_is_median_range_and_number() -> None:
    """An odd number of values has a middle one."""
    assert Summary(2.0, 1.0, 9.0, 3) == summarise([9.0, 1.0, 2.0])


def test_median_of_an_even_number_lies_between_the_middle_two() -> None:
    """Two middle values are averaged."""
    assert summarise([1.0, 2.0, 4.0, 9.0]).median == 3.0


def test_nothing_measured_is_an_error() -> None:
    """A median of nothing would be a made-up figure."""
    with pytest.raises(ValueError, match="nothing was measured"):
        summarise([])


@given(VALUES)
def test_median_lies_in_the_range(values: list[float]) -> None:
    """Whatever was measured, the range holds the median."""
    found = summarise(values)

    assert found.low <= found.median <= found.high
    assert len(values) == found.samples


def test_pairs_are_compared_pair_by_pair() -> None:
    """A slow second pair slows both its halves, so its ratio says as much as the others'."""
    assert Summary(1.5, 1.5, 1.5, 2) == ratio([1.5, 15.0], [1.0, 10.0])


def test_unequal_numbers_are_compared_by_their_medians() -> None:
    """There are no pairs then, and no range of ratios."""
    assert Summary(2.0, 2.0, 2.0, 1) == ratio([4.0], [1.0, 2.0, 3.0])


@given(VALUES)
def test_ratio_to_itself_is_one(values: list[float]) -> None:
    """The same measurements differ by nothing."""
    assert Summary(1.0, 1.0, 1.0, len(values)) == ratio(values, values)


def test_rows_are_compared_by_ratio_and_difference() -> None:
    """Median of the three pairs' ratios with its range, and the difference of the medians."""
    found = make_table().compare(BOTH)

    assert pytest.approx((1.1, 1.0, 1.2, 3)) == tuple(found.ratio)
    assert pytest.approx(0.4) == found.difference


def test_unknown_row_is_an_error() -> None:
    """A name that no row has is a fault of the benchmark, not an empty figure."""
    with pytest.raises(KeyError):
        make_table().row("nobody")


def test_programs_get_every_single_value() -> None:
    """Who reads the JSON can compute other statistics."""
    output = make_table(headline=BOTH).to_dict()

    assert ("start", "Start", ["a note"]) == (output["name"], output["title"], output["notes"])
    assert {"name": "by hand", "unit": "s", "values": [1.0, 2.0, 4.0], "median": 2.0} == {
        key: output["rows"][0][key] for key in ("name", "unit", "values", "median")
    }
    assert ("session", "by hand") == (output["comparisons"][0]["row"], output["comparisons"][0]["to"])
    assert pytest.approx(1.1) == output["comparisons"][0]["ratio"]["median"] == output["ratio"]


def test_table_without_a_headline_shows_no_ratio_of_its_own() -> None:
    """Not every benchmark has one counterpart."""
    assert "ratio" not in make_table().to_dict()
