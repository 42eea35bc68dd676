"""Logging: one JSON object per line on standard error, our own lines and the libraries' alike.

Our messages are constant and what varies is in fields, so that one can search for a message and count it. kopf formats
values into its messages and says a lot; it is heard from warnings on. Values that are secrets are never given to a
logger; `tests/unit/app/test_logs.py` has the tests that a token, a key or a QR code would fail.
"""

import logging
import sys
from typing import Any

from pythonjsonlogger.json import JsonFormatter

_KOPF_EXTRAS = {"settings", "k8s_skip", "k8s_ref"}
""" What kopf hangs onto its records: its settings object, a switch, and a reference that is taken apart below. """


class _Formatter(JsonFormatter):
    """Adds the object that kopf speaks of, in our own words."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill the line's fields from a record."""
        super().add_fields(log_data, record, message_dict)
        reference = getattr(record, "k8s_ref", None)
        if isinstance(reference, dict):
            log_data["object"] = "/".join(
                str(reference[part]) for part in ("kind", "namespace", "name") if reference.get(part)
            )


def configure(level: str) -> None:
    """Send everything to standard error as JSON, from this level on; libraries from warnings on."""
    formatter = _Formatter(
        "{asctime}{levelname}{name}{message}",
        style="{",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        reserved_attrs=sorted(_reserved() | _KOPF_EXTRAS),
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("whatsapp_operator").setLevel(level.upper())
    logging.captureWarnings(capture=True)


def _reserved() -> set[str]:
    return set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
