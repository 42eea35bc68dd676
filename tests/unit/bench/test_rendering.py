"""What people and programs read."""

import json

import pytest
from session_bench.figures import Comparison, Row, Table
from session_bench.rendering import number, render, to_json

ROWS = (
    Row(name="bare pods", unit="s", values=(2.0, 4.0)),
    Row(name="sessions", unit="s", values=(3.0, 8.0)),
    Row(name="status writes", unit="", values=(2.0,)),
)
BESIDE = Comparison(row="sessions", to="bare pods")


def make_table(*, headline: Comparison | None = None, remarks: tuple[str, ...] = ()) -> Table:
    """A table with a pair and a count."""
    return Table(
        name="operator", title="Many at once", rows=ROWS, comparisons=(BESIDE,), headline=headline, remarks=remarks
    )


def test_table_is_aligned_and_complete() -> None:
    """Names to the left, figures to the right, a range where there is one; then what was compared."""
    expected = """\
Many at once

               median  min–max  n
bare pods         3 s      2–4  2
sessions       5.50 s      3–8  2
status writes       2           1

compared within this run  ratio  min–max  difference
sessions : bare pods       1.75   1.50–2     +2.50 s"""

    assert expected == render(make_table())


def test_without_comparisons_there_is_no_second_table() -> None:
    """An empty heading tells nothing."""
    assert "compared" not in render(Table(name="one", title="One", rows=ROWS))


def test_less_is_shown_with_its_sign() -> None:
    """A difference below zero is a gain."""
    table = Table(name="one", title="One", rows=ROWS, comparisons=(Comparison(row="bare pods", to="sessions"),))

    assert render(table).splitlines()[-1].endswith("-2.50 s")


def test_last_line_is_the_ratio() -> None:
    """Scripts read it with `tail -n 1`."""
    assert "ratio 1.75" == render(make_table(headline=BESIDE, remarks=("a note",))).splitlines()[-1]


def test_without_a_headline_there_is_no_such_line() -> None:
    """No figure is made up."""
    assert not render(make_table()).splitlines()[-1].startswith("ratio ")


def test_remarks_stand_below_the_figures() -> None:
    """What has to be known to read them."""
    assert "* a note" in render(make_table(remarks=("a note",))).splitlines()


def test_json_holds_machine_and_benchmarks() -> None:
    """One document per run."""
    output = json.loads(to_json([make_table(headline=BESIDE)], {"cores": 2}))

    assert {"cores": 2} == output["machine"]
    assert ["operator"] == [one["name"] for one in output["benchmarks"]]
    assert 1.75 == output["benchmarks"][0]["ratio"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0421, "0.042"), (0.5, "0.500"), (1.234, "1.23"), (18.84, "18.8"), (177.4, "177"), (3.0, "3"), (-2.5, "-2.50")],
)
def test_figures_have_about_three_digits(value: float, expected: str) -> None:
    """More would claim a precision that nobody measured."""
    assert expected == number(value)
