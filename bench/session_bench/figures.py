"""From single measurements to what is told: medians with their range, and ratios between rows of one run.

Pure. A time or a size taken alone says little on a machine that does other work too, so every row that can be
compared is compared with one measured in the same run. Rows measured in pairs, one right after the other, are compared
pair by pair: what slows a pair slows both its halves.
"""

from __future__ import annotations

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
    """ `s`, `MB` (of 2^20 bytes) or empty for a count. """
    values: tuple[float, ...]
    against: str = ""
    """ The name of the row that this one is divided by; empty: none. """


@dataclass(frozen=True, kw_only=True)
class Table:
    """What one benchmark measured."""

    name: str
    title: str
    rows: tuple[Row, ...]
    headline: str = ""
    """ The name of the row whose ratio is the benchmark's own: its last line. """
    notes: tuple[str, ...] = ()

    def row(self, name: str) -> Row:
        """Return a row by its name; raises KeyError."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def ratio(self, row: Row) -> Summary | None:
        """Return a row's ratio to the one it is held against, or None without such a one."""
        return ratio(row.values, self.row(row.against).values) if row.against else None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for programs, single measurements included."""
        rows = []
        for row in self.rows:
            told: dict[str, Any] = {"name": row.name, "unit": row.unit, "values": list(row.values)}
            told |= summarise(row.values)._asdict()
            if (compared := self.ratio(row)) is not None:
                told["ratio"] = {"against": row.against, **compared._asdict()}
            rows.append(told)
        said: dict[str, Any] = {"name": self.name, "title": self.title, "rows": rows, "notes": list(self.notes)}
        if self.headline and (headline := self.ratio(self.row(self.headline))) is not None:
            said["ratio"] = headline.median
        return said


def summarise(values: Iterable[float]) -> Summary:
    """Return median, least, greatest and number; raises ValueError without a value."""
    found = list(values)
    if not found:
        raise ValueError("nothing was measured")
    return Summary(statistics.median(found), min(found), max(found), len(found))


def ratio(values: Sequence[float], others: Sequence[float]) -> Summary:
    """Return how many times `others` the values are: pair by pair when there are as many of both, else by medians."""
    if len(values) == len(others):
        return summarise(value / other for value, other in zip(values, others, strict=True))
    return summarise([statistics.median(values) / statistics.median(others)])
