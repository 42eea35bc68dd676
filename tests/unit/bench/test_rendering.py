"""What people and programs read."""

import json

import pytest
from session_bench.figures import Row, Table
from session_bench.rendering import number, render, to_json

ROWS = (
    Row(name="bare pods", unit="s", values=(2.0, 4.0)),
    Row(name="sessions", unit="s", values=(3.0, 8.0), against="bare pods"),
    Row(name="status writes", unit="", values=(2.0,)),
)


def make_table(*, headline: str = "", notes: tuple[str, ...] = ()) -> Table:
    """A table with a pair and a count."""
    return Table(name="operator", title="Many at once", rows=ROWS, headline=headline, notes=notes)


def test_table_is_aligned_and_complete() -> None:
    """Names to the left, figures to the right, units beside them, a range where there is one."""
    expected = [
        "Many at once",
        "",
        "               median    min–max  n             ratio  to",
        "bare pods         3 s        2–4  2",
        "sessions       5.50 s        3–8  2  1.75 (1.50–2)  bare pods",
        "status writes       2             1",
    ]
    got = render(make_table()).splitlines()

    assert expected[0] == got[0]
    assert [line.split() for line in expected] == [line.split() for line in got]
    assert len({line.index(" s ") for line in got[3:5]}) == 1


def test_last_line_is_the_ratio() -> None:
    """Scripts read it with `tail -n 1`."""
    assert "ratio 1.75" == render(make_table(headline="sessions", notes=("a note",))).splitlines()[-1]


def test_without_a_headline_there_is_no_such_line() -> None:
    """No figure is made up."""
    assert "ratio " not in render(make_table()).splitlines()[-1]


def test_notes_stand_below_the_figures() -> None:
    """What has to be known to read them."""
    assert "* a note" in render(make_table(notes=("a note",))).splitlines()


def test_json_holds_machine_and_benchmarks() -> None:
    """One document per run."""
    told = json.loads(to_json([make_table(headline="sessions")], {"cores": 2}))

    assert {"cores": 2} == told["machine"]
    assert ["operator"] == [one["name"] for one in told["benchmarks"]]
    assert 1.75 == told["benchmarks"][0]["ratio"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0421, "0.042"), (0.5, "0.500"), (1.234, "1.23"), (18.84, "18.8"), (177.4, "177"), (3.0, "3"), (-2.5, "-2.50")],
)
def test_figures_have_about_three_digits(value: float, expected: str) -> None:
    """More would claim a precision that nobody measured."""
    assert expected == number(value)
