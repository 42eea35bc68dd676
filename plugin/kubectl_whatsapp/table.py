"""Rows of text as columns, the way kubectl prints them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]

GAP = 3


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out under their header; a column that no row fills is left out, the last one is not padded."""
    kept = [place for place in range(len(header)) if any(row[place] for row in rows)]
    lines = [[line[place] for place in kept] for line in (header, *rows)]
    widths = [max(len(line[place]) for line in lines) + GAP for place in range(len(kept))]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
