"""Logging of both programs: one JSON object per line on standard error, everything in it redacted.

    {"time": "2026-11-22T17:42:00.123Z", "level": "INFO", "logger": "…", "message": "The state changed", "state": "…"}

The message is constant and the rest is in fields, so that lines can be counted and searched. Libraries log from
warnings on, in the same shape; kopf formats values into its messages and attaches the object that they are about to its
records, which becomes the field `object`. Every string is redacted and bounded, and so is the number of fields and of
what is in them: a line has at most some tens of thousands of characters, whoever wrote it. A record that cannot be
formatted, because an object's `str` fails or a message does not fit its arguments, is replaced by a line that names it:
the standard library would print the arguments as they are.

Each program's `main` calls it, once with a default level and again when the settings are read. The lines are documented
in `docs/operations/logs.md`. python-json-logger shapes the lines of the standard library's
logging, which kopf and aiohttp use too; structlog would be a second way to log beside it.
"""

import itertools
import json
import logging
import math
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from session_protocol.redaction import LONGEST, redact
from session_protocol.redaction.spans import Placeholder
from session_protocol.times import format_time

LONGEST_TRACEBACK: Final = 8192
""" Characters; the end is kept, because the error is there. """
MOST_FIELDS: Final = 32
MOST_ITEMS: Final = 32
""" Of a list or a mapping in a field. """
MOST_CHARACTERS: Final = 32768
""" Of all fields of a line but the traceback. """
_PER_VALUE: Final = 8
""" Characters that each value takes beside its text: quotes, comma, blank. """
_SECRET: Final = str(Placeholder.SECRET)
_LARGEST: Final = 2**63
_DEPTH: Final = 3
_KOPF_EXTRAS: Final = frozenset({"settings", "k8s_skip", "k8s_ref"})
""" What kopf attaches to its records: its settings object, a switch, and a reference that is taken apart below. """
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

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, or one that names a record that cannot be formatted."""
        try:
            return super().format(record)
        except Exception as error:  # noqa: BLE001 -- whatever somebody's object raises
            head = _head(datetime.now(UTC), record, "A record could not be written")
            where = f"{record.filename}:{record.lineno}"
            return json.dumps(head | {"where": where, "said": redact(_text(record.msg)), "error": type(error).__name__})

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill the line from a record."""
        super().add_fields(log_data, record, message_dict)
        written = {name: value for name, value in log_data.items() if name not in _HEAD}
        message = log_data.get("message", "")
        log_data.clear()
        log_data |= _head(datetime.fromtimestamp(record.created, UTC), record, redact(_text(message)))
        if reference := _reference(record):
            log_data["object"] = redact(reference)
        tracebacks = {name: written.pop(name) for name in ("exc_info", "stack_info") if name in written}
        fields = _Fields()
        log_data |= {name: value for name, value in fields.mapping(written, MOST_FIELDS, _DEPTH) if name not in _HEAD}
        log_data |= {name: redact(_text(text), longest=LONGEST_TRACEBACK) for name, text in tracebacks.items() if text}


def _head(time: datetime, record: logging.LogRecord, message: str) -> dict[str, Any]:
    level, name = redact(_text(record.levelname)), redact(_text(record.name))
    return {"time": format_time(time, parts="milliseconds"), "level": level, "logger": name, "message": message}


def _reference(record: logging.LogRecord) -> str:
    reference = getattr(record, "k8s_ref", None)
    if not isinstance(reference, dict):
        return ""
    return "/".join(_text(reference[part]) for part in ("kind", "namespace", "name") if reference.get(part))


def _text(value: object) -> str:
    """Return a value's text; a placeholder if `str` fails."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 -- it may raise anything, for its depth a RecursionError
        return f"<{type(value).__name__} without a text>"


def _names_a_secret(name: str, item: object) -> bool:
    """Whether an object that is logged has it under a name such as password; a field of ours may name a Secret."""
    return isinstance(item, str) and redact(f"{name}=x").endswith(_SECRET)


class _Fields:
    """What may be written of the values of one line, as long as there is room; of what is no plain JSON its text."""

    def __init__(self) -> None:
        self._room = MOST_CHARACTERS

    def mapping(self, value: Mapping[Any, object], most: int, depth: int) -> Iterator[tuple[str, object]]:
        """Return the first items."""
        for name, item in itertools.islice(value.items(), most):
            if self._room <= 0:
                return
            yield self._redacted(name), self._safe(item, depth)

    def _safe(self, value: object, depth: int) -> object:
        self._room -= _PER_VALUE
        if value is None or type(value) is bool:
            return value
        # A whole number is ours: texts are where numbers of people come in. A subclass must not write itself.
        if (type(value) is int and abs(value) < _LARGEST) or (type(value) is float and math.isfinite(value)):
            return value
        try:
            if isinstance(value, dict) and depth:
                items = self.mapping(value, MOST_ITEMS, depth - 1)
                return {name: _SECRET if _names_a_secret(name, item) else item for name, item in items}
            if isinstance(value, list | tuple | set | frozenset) and depth:
                first = itertools.islice(value, MOST_ITEMS)
                return [self._safe(item, depth - 1) for item in itertools.takewhile(lambda _: self._room > 0, first)]
        except Exception:  # noqa: BLE001 -- a subclass may raise anything
            return f"<{type(value).__name__} without items>"
        return self._redacted(value)

    def _redacted(self, value: object) -> str:
        text = redact(_text(value), longest=max(1, min(LONGEST, self._room)))
        self._room -= len(text)
        return text
