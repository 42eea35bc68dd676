"""Log lines: JSON, constant message, fields, nothing secret."""

from __future__ import annotations

import json
import logging

from session_runner.logs import ScrubbedJson


def line(message: str, **fields: object) -> dict[str, object]:
    """Format one record as the handler does."""
    record = logging.LogRecord("session_runner.x", logging.WARNING, "x.py", 1, message, None, None)
    record.__dict__.update(fields)
    formatted: dict[str, object] = json.loads(ScrubbedJson("%(message)s").format(record))
    return formatted


def test_a_line_is_one_json_object_with_its_fields() -> None:
    """Time, level and logger come first, then the message and what goes with it."""
    entry = line("The state changed", state="Connected", round=2)

    assert list(entry)[:4] == ["time", "level", "logger", "message"]
    assert (entry["level"], entry["message"]) == ("warning", "The state changed")
    assert (entry["state"], entry["round"]) == ("Connected", 2)


def test_fields_and_messages_are_scrubbed() -> None:
    """A number that reaches a log call does not reach the log."""
    assert line("x", error="15552223333@c.us is gone")["error"] == "<id> is gone"
    assert line("call 15552223333")["message"] == "call <number>"


def test_tracebacks_are_scrubbed() -> None:
    """An exception's text is a string like any other."""
    error = ValueError("bad 15552223333")
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", None, (ValueError, error, None))

    assert "15552223333" not in ScrubbedJson("%(message)s").format(record)
