"""From single measurements to what is reported: medians with their range, and ratios between rows of one run.

Pure. A time or a size taken alone says little on a machine that does other work too, so every row that can be
compared is compared with one measured in the same run. Rows measured in pairs, one right after the other, are compared
pair by pair: what slows a pair slows both its halves.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Summary(NamedTuple):
    """The middle of several measurements, and how far they lie apart."""

    median: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of a table."""

    name: str
    unit: str
    """ `s`, `ms`, `MB` (of 2^20 bytes) or empty for a count. """
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two rows held against each other, by their names."""

    row: str
    to: str


class ComparisonResult(NamedTuple):
    """What came of it."""

    ratio: Summary
    difference: float
    """ Of the medians, in the rows' unit. """


@dataclass(frozen=True, kw_only=True)
class Table:
    """What one benchmark measured."""

    name: str
    title: str
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...] = ()
    headline: Comparison | None = None
    """ The benchmark's own: its ratio is the last line. """
    remarks: tuple[str, ...] = ()

    def row(self, name: str) -> Row:
        """Return a row by its name. :raises KeyError: there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def compare(self, comparison: Comparison) -> ComparisonResult:
        """Return how one row stands to another. :raises KeyError: there is no such row."""
        row, other = self.row(comparison.row), self.row(comparison.to)
        difference = statistics.median(row.values) - statistics.median(other.values)
        return ComparisonResult(ratio(row.values, other.values), difference)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for programs, single measurements included."""
        rows = [
            {"name": row.name, "unit": row.unit, "values": list(row.values), **summarise(row.values)._asdict()}
            for row in self.rows
        ]
        comparisons = []
        for each in self.comparisons:
            found = self.compare(each)
            document = {"row": each.row, "to": each.to, "difference": found.difference}
            comparisons.append({**document, "ratio": found.ratio._asdict()})
        summary = {"name": self.name, "title": self.title, "rows": rows, "comparisons": comparisons}
        headline = {} if self.headline is None else {"ratio": self.compare(self.headline).ratio.median}
        return {**summary, **headline, "notes": list(self.remarks)}


def summarise(values: Iterable[float]) -> Summary:
    """Return median, least, greatest and number. :raises ValueError: without a value."""
    found = list(values)
    if not found:
        raise ValueError("nothing was measured")
    return Summary(statistics.median(found), min(found), max(found), len(found))


def ratio(values: Sequence[float], others: Sequence[float]) -> Summary:
    """Return how many times `others` the values are: pair by pair when there are as many of both, else by medians."""
    if len(values) == len(others):
        return summarise(value / other for value, other in zip(values, others, strict=True))
    return summarise([statistics.median(values) / statistics.median(others)])
