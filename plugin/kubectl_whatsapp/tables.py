"""Tables: by rich on a terminal, with its width and colours; plain columns in a pipe, as kubectl prints them.

Cells are foreign text: none is read as markup, and each becomes one printable line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.text import one_line

__all__ = ["Table"]

GAP = 3
ENOUGH = 40
""" Columns that a message needs to be read in; with less it stands below the table. """


@dataclass
class Table:
    """Columns with a header; later rows keep the widths of the first ones."""

    header: Sequence[str]
    keys: int = 0
    """ How many cells name a row; where there are any, the last cell is a message, of any length. """
    styles: Mapping[str, str] = field(default_factory=dict)
    """ On a screen, how a cell of this word is shown. """
    widths: list[int] = field(default_factory=list)
    """ Widths of the columns, once there are rows; 0 for an empty column. """

    def print(self, rows: Sequence[Sequence[str]], *, console: Console) -> None:
        """Print rows, the first time with the header; empty columns are omitted."""
        lines = [[one_line(cell) for cell in row] for row in rows]
        filled = [any(line[column] for line in lines) for column in range(len(self.header))]
        heading = not self.widths
        if heading:
            self.widths = [
                max(map(len, cells)) * fill for *cells, fill in zip(self.header, *lines, filled, strict=True)
            ]
            lines.insert(0, list(self.header))
        kept = [column for column, width in enumerate(self.widths) if width or filled[column]]
        messages: list[str] = []
        space = console.columns - sum(self.widths[column] + GAP for column in kept[:-1])
        if console.terminal and self.keys and filled[-1] and space < min(ENOUGH, self.widths[-1]):
            messages = [f"{'/'.join(line[: self.keys])}: {line[-1]}" for line in lines[heading:] if line[-1]]
            kept.pop()
        lines = [[line[column] for column in kept] for line in lines]
        widths = [self.widths[column] for column in kept]
        if console.terminal:
            self._show_rich(lines, widths, messages, heading=heading, console=console)
        else:
            console.print("\n".join(_plain(line, widths) for line in lines))

    def _show_rich(
        self, lines: list[list[str]], widths: list[int], messages: list[str], *, heading: bool, console: Console
    ) -> None:
        # Late, because it takes as long as all the rest, and nothing of it is needed down a pipe.
        from rich.console import Console as Screen
        from rich.table import Column
        from rich.table import Table as Grid
        from rich.text import Text

        fits = sum(width + GAP for width in widths[:-1]) + min(widths[-1], ENOUGH) <= console.columns
        columns = [Column(min_width=width * fits, overflow="fold") for width in widths[:-1]]
        padding = (0, GAP if fits else 1, 0, 0)
        grid = Grid(*columns, Column(overflow="fold"), show_header=False, box=None, padding=padding, pad_edge=False)
        for number, line in enumerate(lines):
            bold = heading and number == 0
            grid.add_row(*(Text(cell, "bold" if bold else self.styles.get(cell, "")) for cell in line))
        screen = Screen(file=console.out, width=console.columns, force_terminal=True, no_color=not console.colours)
        screen.print(grid)
        for text in messages:
            screen.print(Text(f"\n{text}"))


def _plain(line: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(cell.ljust(width + GAP) for cell, width in zip(line, widths, strict=True)).rstrip()
