"""JSON lines on standard output, scrubbed.

Set up once by `__main__`. The message is constant and the fields tell the rest, so that lines can be counted and
searched; every string that leaves goes through `scrub`, tracebacks included.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from session_runner.scrub import scrub


class ScrubbedJson(JsonFormatter):
    """One JSON object per line: time, level, logger, message, then the fields."""

    def add_fields(self, log_record: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Name the fields and scrub every string among them."""
        super().add_fields(log_record, record, message_dict)
        written = dict(log_record)
        log_record.clear()
        log_record["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_record["level"] = record.levelname.lower()
        log_record["logger"] = record.name
        log_record.update({key: scrub(value) if isinstance(value, str) else value for key, value in written.items()})


def set_up_logging(level: str) -> None:
    """Send everything to standard output as JSON; libraries only from warnings upwards."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(ScrubbedJson("%(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("session_runner").setLevel(level)
