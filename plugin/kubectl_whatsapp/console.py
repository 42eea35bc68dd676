"""The person's side: where text goes, what time it is, how to wait. Tests give their own.

The QR code, a table or JSON go to `out`, everything said about them to `err`, so that `out` can be piped. All text
is made printable on its way out (`text.py`); only a drawing of our own making is passed on as it is.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, TextIO

from kubectl_whatsapp.text import printable

__all__ = ["Console"]


@dataclass(frozen=True, kw_only=True)
class Console:
    """What the commands may know of the world around them."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    raw: BinaryIO = field(default_factory=lambda: sys.stdout.buffer)
    """ The same as `out`, for pictures. """
    err: TextIO = field(default_factory=lambda: sys.stderr)
    terminal: bool = field(default_factory=lambda: sys.stdout.isatty())  # noqa: PLW0108 -- the stdout of that time
    """ Whether `out` is a screen, which has a width. """
    colours: bool = field(default_factory=lambda: not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
    """ Whether a screen may be given colours, and be wiped. """
    columns: int = field(default_factory=lambda: shutil.get_terminal_size().columns)
    lines: int = field(default_factory=lambda: shutil.get_terminal_size().lines)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    @property
    def coloured(self) -> bool:
        """Whether `out` takes escape sequences."""
        return self.terminal and self.colours

    def info(self, text: str) -> None:
        """Tell the person something, at once."""
        print(printable(text), file=self.err, flush=True)

    def print(self, text: str) -> None:
        """Give out what was asked for, at once."""
        self.draw(printable(text))

    def draw(self, drawing: str) -> None:
        """Give out something of our own making, colours and all."""
        print(drawing, file=self.out, flush=True)
