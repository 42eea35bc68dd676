"""What can go wrong in a benchmark: one family, each with a message that says what to do."""

from __future__ import annotations


class BenchError(Exception):
    """The base of all; its text is shown to the person as it is."""


class NotInTime(BenchError):
    """Something that was waited for did not happen."""
