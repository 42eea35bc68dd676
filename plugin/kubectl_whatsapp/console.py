"""The console: output, clock and waiting. Tests use their own.

The QR code, tables and JSON go to `out`, messages about them to `err`, so that `out` can be piped. All text is made
printable when it is written (`text.py`); only a drawing that the plugin made itself is written unchanged.
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
    """The input and output that commands use."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    given: TextIO = field(default_factory=lambda: sys.stdin)
    """ What is piped into a command. """
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
        """Write a message to `err`, and flush it."""
        print(printable(text), file=self.err, flush=True)

    def print(self, text: str) -> None:
        """Write the result to `out`, and flush it."""
        self.draw(printable(text))

    def draw(self, drawing: str) -> None:
        """Write a drawing of our own to `out`, with its escape sequences."""
        print(drawing, file=self.out, flush=True)
