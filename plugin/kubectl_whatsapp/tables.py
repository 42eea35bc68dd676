"""Rows as columns: rich's on a screen, with its width and colours; plain ones down a pipe, as kubectl prints them.

Only `status.py` makes tables. Cells are text of others: none is read as markup, and each is one printable line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.text import one_line

__all__ = ["Table"]

GAP = 3


@dataclass
class Table:
    """Columns under their header; rows that come later are laid out as the first ones were."""

    header: Sequence[str]
    styles: Mapping[str, str] = field(default_factory=dict)
    """ On a screen, how a cell of this word is shown. """
    widths: list[int] = field(default_factory=list)
    """ Of the columns, once there are rows; 0 for one that had nothing to show. """

    def show(self, rows: Sequence[Sequence[str]], *, console: Console) -> None:
        """Print rows, the first time with their header; a column without anything to show is left out."""
        lines = [[one_line(cell) for cell in row] for row in rows]
        filled = [any(line[place] for line in lines) for place in range(len(self.header))]
        heading = not self.widths
        if heading:
            lines.insert(0, list(self.header))
            self.widths = [max(len(line[place]) for line in lines) * fill for place, fill in enumerate(filled)]
        kept = [place for place, width in enumerate(self.widths) if width or filled[place]]
        lines = [[line[place] for place in kept] for line in lines]
        widths = [self.widths[place] for place in kept]
        if console.terminal:
            self._show_rich(lines, widths, heading=heading, console=console)
        else:
            console.show("\n".join(_plain(line, widths) for line in lines))

    def _show_rich(self, lines: list[list[str]], widths: list[int], *, heading: bool, console: Console) -> None:
        # Late, because it takes as long as all the rest, and nothing of it is needed down a pipe.
        from rich.console import Console as Screen
        from rich.table import Column
        from rich.table import Table as Grid
        from rich.text import Text

        columns = [Column(min_width=width, overflow="fold") for width in widths[:-1]]
        grid = Grid(*columns, Column(overflow="fold"), show_header=False, box=None, padding=(0, GAP, 0, 0))
        for number, line in enumerate(lines):
            bold = heading and number == 0
            grid.add_row(*(Text(cell, "bold" if bold else self.styles.get(cell, "")) for cell in line))
        screen = Screen(file=console.out, width=console.columns, force_terminal=True, no_color=not console.colours)
        screen.print(grid)


def _plain(line: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(cell.ljust(width + GAP) for cell, width in zip(line, widths, strict=True)).rstrip()
