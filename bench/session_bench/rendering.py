"""How figures are shown: a table for people, whose last line is the benchmark's ratio, and JSON for programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from session_bench.figures import Row, Summary, Table, summarise

HEADINGS = ("", "median", "min–max", "n", "ratio", "to")


def render(table: Table) -> str:
    """Return the table as text; it ends with `ratio R` when the benchmark has a ratio of its own."""
    cells = [HEADINGS, *(_cells(table, row) for row in table.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [table.title, "", *(_line(line, widths) for line in cells)]
    lines += ["", *(f"* {note}" for note in table.notes)] if table.notes else []
    if table.headline and (headline := table.ratio(table.row(table.headline))) is not None:
        lines += ["", f"ratio {headline.median:.2f}"]
    return "\n".join(lines)


def to_json(tables: Iterable[Table], machine: Mapping[str, Any]) -> str:
    """Return everything measured in one run, with what is known of the machine."""
    told = {"machine": dict(machine), "benchmarks": [table.to_dict() for table in tables]}
    return json.dumps(told, indent=2) + "\n"


def number(value: float) -> str:
    """A figure with about three digits: 0.042, 1.23, 18.8, 177."""
    size = abs(value)
    places = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{places}f}"


def _cells(table: Table, row: Row) -> tuple[str, ...]:
    found = summarise(row.values)
    compared = table.ratio(row)
    return (
        row.name,
        f"{number(found.median)} {row.unit}".rstrip(),
        _range(found),
        str(found.samples),
        ""
        if compared is None
        else f"{number(compared.median)} ({_range(compared)})"
        if compared.samples > 1
        else number(compared.median),
        row.against,
    )


def _range(found: Summary) -> str:
    return "" if found.samples == 1 else f"{number(found.low)}–{number(found.high)}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    first, *others = [(cell, width) for cell, width in zip(cells, widths, strict=True)]
    *middle, last = others
    shown = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in middle), last[0]]
    return "  ".join(shown).rstrip()
