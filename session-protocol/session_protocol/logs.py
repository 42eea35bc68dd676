"""Logging of both programs: one JSON object per line on standard error, everything in it redacted.

    {"time": "2026-11-22T17:42:00.123Z", "level": "INFO", "logger": "…", "message": "The state changed", "state": "…"}

The message is constant and the rest is in fields, so that lines can be counted and searched; `log_line` names the
fields. Libraries log from warnings on, in the same shape; kopf formats values into its messages and attaches the object
that they are about to its records, which becomes the field `object`. What else a library attaches is in one field
`extra`, so that it takes no field of ours. Every string is redacted and bounded, and so is the number of fields and of
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
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
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
_TRACEBACKS: Final = ("stacks", "exc_info", "stack_info")
_EMPTY: Final = (None, "")
""" What is not known is left out: a field has one type. """
_RESERVED: Final = sorted({*logging.makeLogRecord({}).__dict__, "message", "asctime", *_KOPF_EXTRAS})


def configure(level: str, *, ours: str, constant: Mapping[str, str] | None = None) -> None:
    """Send everything to standard error as JSON: the package `ours` from this level on, libraries from warnings on.

    :param constant: fields of every line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactedJson(ours=ours, constant=constant or {}))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(ours).setLevel(level.upper())
    logging.captureWarnings(capture=True)


def log_uncaught(ours: str) -> None:
    """Let exceptions that nobody catches be log lines like all others: of the program, of a thread, of a destructor."""
    logger = logging.getLogger(ours)

    def of_program(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        logger.critical("An exception was not caught", exc_info=(kind, error, traceback))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            logger.error("A thread ended by an exception", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def of_destructor(args: Any) -> None:  # sys.UnraisableHookArgs is known to type checkers alone
        error = (args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
        logger.error("An exception was ignored, as it could not be raised", exc_info=error)

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_program, of_thread, of_destructor


def line(level: str, logger: str, message: str, **fields: str | float) -> str:
    """Return a line for who may not use logging, because its lock may be what somebody hangs on."""
    head = _head(datetime.now(UTC), level, logger, message)
    return json.dumps(
        head | {name: redact(value) if isinstance(value, str) else value for name, value in fields.items()}
    )


class RedactedJson(JsonFormatter):
    """Time, level, logger and message, then the fields; the traceback last."""

    def __init__(self, *, ours: str, constant: Mapping[str, str]) -> None:
        super().__init__("%(message)s", reserved_attrs=_RESERVED)
        self._ours = ours
        self._constant = {name: redact(value) for name, value in constant.items()}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, or one that names a record that cannot be formatted."""
        try:
            return super().format(record)
        except Exception as error:  # noqa: BLE001 -- whatever somebody's object raises
            head = _head(datetime.now(UTC), _level(record), _text(record.name), "A record could not be written")
            where = f"{record.filename}:{record.lineno}"
            said = {"where": where, "said": redact(_text(record.msg)), "error": type(error).__name__}
            return json.dumps(head | self._constant | said)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill the line from a record."""
        super().add_fields(log_data, record, message_dict)
        written = {name: value for name, value in log_data.items() if name not in _HEAD}
        message = log_data.get("message", "")
        log_data.clear()
        time = datetime.fromtimestamp(record.created, UTC)
        log_data |= _head(time, _level(record), _text(record.name), _text(message)) | self._constant
        if reference := _reference(record):
            log_data["object"] = redact(reference)
        tracebacks = {name: written.pop(name) for name in _TRACEBACKS if name in written}
        found = _Fields().mapping(written, MOST_FIELDS, _DEPTH)
        fields = {name: value for name, value in found if name not in _HEAD and value not in _EMPTY}
        if record.name.partition(".")[0] == self._ours:
            log_data |= fields
        elif fields:
            log_data["extra"] = fields
        log_data |= {name: redact(_text(text), longest=LONGEST_TRACEBACK) for name, text in tracebacks.items() if text}


def _head(time: datetime, level: str, logger: str, message: str) -> dict[str, Any]:
    texts = {"level": level, "logger": redact(logger), "message": redact(message)}
    return {"time": format_time(time, parts="milliseconds"), **texts}


def _level(record: logging.LogRecord) -> str:
    """Return the name of a record's level; a level that a library made for itself is the standard one below it."""
    standard = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
    return logging.getLevelName(standard)


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
