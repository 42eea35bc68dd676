"""The person's side: where text goes, what time it is, how to wait. Tests give their own.

The QR code, a table or JSON go to `out`, everything said about them to `notes`, so that `out` can be piped.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, TextIO

__all__ = ["Console", "ago"]


@dataclass(frozen=True, kw_only=True)
class Console:
    """What the commands may know of the world around them."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    raw: BinaryIO = field(default_factory=lambda: sys.stdout.buffer)
    """ The same as `out`, for pictures. """
    notes: TextIO = field(default_factory=lambda: sys.stderr)
    terminal: bool = field(default_factory=lambda: sys.stdout.isatty())  # noqa: PLW0108 -- the stdout of that time
    """ Whether `out` is a screen that understands colours. """
    columns: int = field(default_factory=lambda: shutil.get_terminal_size().columns)
    lines: int = field(default_factory=lambda: shutil.get_terminal_size().lines)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep

    def say(self, text: str) -> None:
        """Tell the person something, at once."""
        print(text, file=self.notes, flush=True)

    def show(self, text: str) -> None:
        """Give out what was asked for, at once."""
        print(text, file=self.out, flush=True)


def ago(time: datetime | None, *, now: datetime) -> str:
    """How long ago that was, as kubectl writes ages: `42s`, `17m`, `5h`, `12d`; `-` for no time."""
    if time is None:
        return "-"
    seconds = max(int((now - time).total_seconds()), 0)
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 3 * 3600:
        return f"{seconds // 60}m"
    return f"{seconds // 3600}h" if seconds < 48 * 3600 else f"{seconds // 86400}d"
