"""Logging of both programs: one JSON object per line on standard error, everything in it redacted.

    {"time": "2026-11-22T17:42:00.123Z", "level": "INFO", "logger": "…", "message": "The state changed", "state": "…"}

The message is constant and the fields tell the rest, so that lines can be counted and searched. Libraries are heard
from warnings on, in the same shape; kopf formats values into its messages and hangs the object it speaks of onto its
records, which becomes the field `object`. Every string is redacted and bounded, and so is the number of fields and of
what is in them: a line has at most some tens of thousands of characters, whoever made it.

Called by each program's `main`, once with a level of its own and again when the settings are read. Also what each says
on a line is documented in `docs/operations/logs.md`. python-json-logger shapes the lines of the standard library's
logging, which kopf and aiohttp speak too; structlog would be a second way to log beside it.
"""

import itertools
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from session_protocol.redaction import redact
from session_protocol.times import format_time

LONGEST_TRACEBACK: Final = 8192
""" Characters; the end is kept, where the error stands. """
MOST_FIELDS: Final = 32
MOST_ITEMS: Final = 32
""" Of a list or a mapping in a field. """
_DEPTH: Final = 3
_KOPF_EXTRAS: Final = frozenset({"settings", "k8s_skip", "k8s_ref"})
""" What kopf hangs onto its records: its settings object, a switch, and a reference that is taken apart below. """
_HEAD: Final = ("time", "level", "logger", "message")
_RESERVED: Final = sorted({*logging.makeLogRecord({}).__dict__, "message", "asctime", *_KOPF_EXTRAS})


def configure(level: str, *, ours: str) -> None:
    """Send everything to standard error as JSON: the package `ours` from this level on, libraries from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactedJson("%(message)s", reserved_attrs=_RESERVED))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(ours).setLevel(level.upper())
    logging.captureWarnings(capture=True)


class RedactedJson(JsonFormatter):
    """Time, level, logger and message, then the fields; the traceback last."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill the line from a record."""
        super().add_fields(log_data, record, message_dict)
        written = {name: value for name, value in log_data.items() if name not in _HEAD}
        message = log_data.get("message", "")
        log_data.clear()
        log_data["time"] = format_time(datetime.fromtimestamp(record.created, UTC), parts="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = _safe(message)
        if reference := _reference(record):
            log_data["object"] = _safe(reference)
        tracebacks = {name: written.pop(name) for name in ("exc_info", "stack_info") if name in written}
        log_data |= {redact(str(name)): _safe(value) for name, value in itertools.islice(written.items(), MOST_FIELDS)}
        log_data |= {name: redact(str(text), longest=LONGEST_TRACEBACK) for name, text in tracebacks.items() if text}


def _reference(record: logging.LogRecord) -> str:
    reference = getattr(record, "k8s_ref", None)
    if not isinstance(reference, dict):
        return ""
    return "/".join(str(reference[part]) for part in ("kind", "namespace", "name") if reference.get(part))


def _safe(value: object, depth: int = _DEPTH) -> object:
    """Return what may be written of a value; of what is no plain JSON its text."""
    if value is None or isinstance(value, bool | int | float):
        # A whole number is ours: texts are where numbers of people come in. A subclass must not write itself.
        return value if type(value) in (type(None), bool, int, float) else _safe(str(value), depth)
    if isinstance(value, dict) and depth:
        items = itertools.islice(value.items(), MOST_ITEMS)
        return {redact(str(name)): _safe(item, depth - 1) for name, item in items}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_safe(item, depth - 1) for item in itertools.islice(value, MOST_ITEMS)]
    return redact(str(value))
