"""Every log call of the source says one constant text and names fields that are known; the schema tells good lines from bad."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from log_lines import SCHEMA_FILE, UNWRITABLE, LogCall, calls, calls_in, faults, schema
from support import log_schema

ROOT = Path(__file__).parents[3]
LINE = {
    "time": "2026-11-22T17:42:00.123Z",
    "level": "INFO",
    "logger": "session_runner.monitoring.monitor",
    "message": "The state changed",
}


def only(source: str) -> LogCall:
    """The one log call of a module."""
    (found,) = calls_in(source, module="m")
    return found


def test_no_log_call_of_the_source_is_wrong() -> None:
    """Messages are constant, fields are known, both are written out where they are logged."""
    assert [] == faults(calls())


def test_the_calls_of_both_programs_are_found() -> None:
    """A reader that finds nothing would find no fault either."""
    found = calls()

    assert {"whatsapp_operator", "session_runner", "session_protocol"} == {
        call.module.partition(".")[0] for call in found
    }
    assert len(found) > 80


@pytest.mark.parametrize(
    "call",
    [
        'logger.info(f"Session {name} started")',
        'logger.info("Session %s started", name)',
        'logger.info("Session {} started".format(name))',
        'logger.info("Session " + name)',
        "logger.warning(str(error))",
        'self._logger.info("Started: " + name)',
        'logging.getLogger("x").error(f"{name}")',
        "logger.info(MESSAGES[phase])",
        'logger.log(level, "The state changed")',
        "tell = logger.info",
        'logger.info("Started", extra={name: 1})',
        'logger.info("Started", extra={"colour": "red"})',
        'logger.info("Started", extra={"message": "red"})',
        'logger.info("Started", extra=fields(name))',
        'logger.info("Started", extra={**fields})',
        'logger.info("started")',
        'logger.info("Started.")',
        'logs.line("CRITICAL", "m", f"Ends {name}")',
        'logs.line("CRITICAL", "m", "Ends", colour="red")',
        'extra = {"count": 1}\nextra = {"pod": name}\nlogger.info("Started", extra=extra)',
    ],
)
def test_what_varies_is_not_put_into_a_message(call: str) -> None:
    """However it is done."""
    assert "" != only(call).fault


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('logger.info("Started")', LogCall("m", 1, "INFO", "Started")),
        ('logger.debug("Started", extra={"round": n})', LogCall("m", 1, "DEBUG", "Started", ("round",))),
        (
            'logger.info("Started", extra={**key.log_fields, "quota": quota})',
            LogCall("m", 1, "INFO", "Started", ("session", "namespace", "quota")),
        ),
        ('logger.exception("Failed")', LogCall("m", 1, "ERROR", "Failed", ("exc_info",))),
        ('logs.line("CRITICAL", "m", "Ends", why=why)', LogCall("m", 1, "CRITICAL", "Ends", ("why",))),
        ('extra = {"count": 1}\nlogger.info("Started", extra=extra)', LogCall("m", 2, "INFO", "Started", ("count",))),
    ],
)
def test_a_good_call_is_read(call: str, expected: LogCall) -> None:
    """Its level, its message and its fields: a row of the page."""
    assert expected == only(call)


def test_the_schema_is_one_itself() -> None:
    """Of the draft that it names, and as the file has it."""
    jsonschema_rs.meta.validate(schema())

    assert schema() == json.loads((ROOT / SCHEMA_FILE).read_text())


@pytest.mark.parametrize(
    "more",
    [
        {
            "session": "sales",
            "namespace": "shop",
            "state": "Connected",
            "reason": "AsExpected",
            "duration_seconds": 0.4,
        },
        {"logger": "kopf.objects", "message": "Handler 'f' failed", "object": "Pod/shop/a", "extra": {"a": 1}},
        {"logger": "py.warnings", "level": "WARNING", "message": "x.py:1: DeprecationWarning: old"},
        {"message": UNWRITABLE, "where": "x.py:1", "template": "%d", "error": "TypeError"},
        {"logger": "session_runner_like", "message": "Anything"},
    ],
)
def test_good_lines_are_taken(more: dict[str, Any]) -> None:
    """Our own, libraries', and those of a record that could not be written."""
    assert [] == log_schema.faults([json.dumps(LINE | more)])


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "",
        "[]",
        json.dumps({name: value for name, value in LINE.items() if name != "time"}),
        json.dumps(LINE | {"time": "2026-11-22 17:42:00"}),
        json.dumps(LINE | {"level": "info"}),
        json.dumps(LINE | {"colour": "red"}),
        json.dumps(LINE | {"session": ""}),
        json.dumps(LINE | {"state": None}),
        json.dumps(LINE | {"duration_seconds": "0.4s"}),
        json.dumps(LINE | {"message": "The state changed to Connected"}),
        json.dumps(LINE | {"extra": {"a": 1}}),
        json.dumps(LINE | {"logger": "whatsapp_operator", "message": "Session sales admitted"}),
    ],
)
def test_bad_lines_are_found(line: str) -> None:
    """Each for a reason of its own."""
    assert 1 == len(log_schema.faults([line]))
