"""How figures are shown: tables for people, whose last line is the benchmark's ratio, and JSON for programs. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from session_bench.figures import Comparison, Row, Summary, Table, summarise

FIGURES = ("", "median", "min–max", "n")
COMPARISONS = ("compared within this run", "ratio", "min–max", "difference")


def render(table: Table) -> str:
    """Return the table as text; it ends with `ratio R` when the benchmark has a ratio of its own."""
    lines = [table.title, "", *_grid([FIGURES, *(_figures(row) for row in table.rows)])]
    if table.comparisons:
        lines += ["", *_grid([COMPARISONS, *(_comparison(table, comparison) for comparison in table.comparisons)])]
    if table.remarks:
        lines += ["", *(f"* {remark}" for remark in table.remarks)]
    if table.headline is not None:
        lines += ["", f"ratio {table.compare(table.headline).ratio.median:.2f}"]
    return "\n".join(lines)


def to_json(tables: Iterable[Table], machine: Mapping[str, Any]) -> str:
    """Return everything measured in one run, with what is known of the machine."""
    document = {"machine": dict(machine), "benchmarks": [table.to_dict() for table in tables]}
    return json.dumps(document, indent=2) + "\n"


def number(value: float) -> str:
    """A figure with about three digits: 0.042, 1.23, 18.8, 177."""
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{digits}f}"


def _figures(row: Row) -> tuple[str, ...]:
    found = summarise(row.values)
    return row.name, f"{number(found.median)} {row.unit}".rstrip(), _range(found), str(found.samples)


def _comparison(table: Table, comparison: Comparison) -> tuple[str, ...]:
    found = table.compare(comparison)
    sign = "+" if found.difference > 0 else ""
    difference = f"{sign}{number(found.difference)} {table.row(comparison.row).unit}".rstrip()
    return f"{comparison.row} : {comparison.to}", f"{found.ratio.median:.2f}", _range(found.ratio), difference


def _range(found: Summary) -> str:
    return "" if found.samples == 1 else f"{number(found.low)}–{number(found.high)}"


def _grid(cells: Sequence[tuple[str, ...]]) -> list[str]:
    """Align columns: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        ).rstrip()
        for first, *rest in cells
    ]
