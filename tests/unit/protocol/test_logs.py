"""Log lines of both programs: JSON, one per record, bounded, nothing secret in them."""

import json
import logging
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from session_protocol import logs
from session_protocol.log_line import HEAD
from support import log_schema
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.runtime.kube.client import Request
from whatsapp_operator.runtime.process.keys import Keys

OURS = "whatsapp_operator"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the loggers as they were."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)
    logging.captureWarnings(capture=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was logged."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_has_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Time, level, logger and a constant message come first, then what varies."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.test").info("Session let in", extra={"session": "shop/a", "round": 2})

    (line,) = lines(capsys)
    assert ["time", "level", "logger", "message", "session", "round"] == list(line)
    assert ("INFO", "whatsapp_operator.test", "Session let in") == (line["level"], line["logger"], line["message"])
    assert ("shop/a", 2) == (line["session"], line["round"])


def test_times_are_utc_with_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    """The one spelling of both programs."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("x")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines(capsys)[0]["time"])


def test_both_programs_write_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads one reads the other."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("x", extra={"a": 1})
    logs.configure("INFO", ours="session_runner")
    logging.getLogger("session_runner.x").info("x", extra={"a": 1})

    one, other = lines(capsys)
    assert list(one) == list(other)
    assert one["level"] == other["level"]


def test_fields_messages_and_names_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """A number that reaches a log call does not reach the log, however deep it lies."""
    logs.configure("info", ours=OURS)
    log = logging.getLogger("whatsapp_operator.x")
    log.info("call 15552223333", extra={"why": ["15552223333@c.us", {"15552223333": ("x", {"15552223333"})}]})
    log.info("call %s", ValueError("15552223333"))

    assert "15552223333" not in json.dumps(lines(capsys))


def test_a_traceback_stays_on_its_line_and_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """A log collector takes a line for an entry; an exception's text is a string like any other."""
    logs.configure("info", ours=OURS)
    try:
        int("number 15552223333")
    except ValueError:
        logging.getLogger("whatsapp_operator.x").exception("Failed")

    (line,) = lines(capsys)
    assert "invalid literal" in line["exc_info"]
    assert "15552223333" not in line["exc_info"]


def test_a_line_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever made the text, the lists and the names in it."""
    logs.configure("info", ours=OURS)
    fields = {f"field{number}": ["word " * 10_000] * 1000 for number in range(3)} | {"n" * 5000: "x"}
    logging.getLogger("whatsapp_operator.x").info("word " * 100_000, extra=fields)

    assert len(capsys.readouterr().err) < 128 * 1024


def test_a_nested_field_is_bounded_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Not only each of its parts."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("x", extra={"all": [[["word " * 1000] * 32] * 32] * 32})

    assert len(capsys.readouterr().err) < 2 * logs.MOST_CHARACTERS


class Mute:
    """Tells nothing of itself."""

    def __str__(self) -> str:
        raise RuntimeError("15552223333")

    __repr__ = __str__


class MuteItems(dict[str, str]):
    """Has no items to tell."""

    def items(self) -> Any:
        """Fail."""
        raise RuntimeError("15552223333")


def deep() -> list[Any]:
    """Return a list that is too deep for its own text."""
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Mute(), "<Mute without a text>"),
        ({Mute(): 1}, {"<Mute without a text>": 1}),
        (MuteItems(a="b"), "<MuteItems without items>"),
        (deep(), [[["<list without a text>"]]]),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**5000, "<int without a text>"),
        (2**63, "[number]"),
        ({"password": "sesame", "user": "anna"}, {"password": "[secret]", "user": "anna"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_value_is_a_field(value: object, written: object, capsys: pytest.CaptureFixture[str]) -> None:
    """One that tells nothing of itself, has no end, or is no JSON costs neither the line nor the caller."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("x", extra={"it": value})

    (line,) = lines(capsys)
    assert written == line["it"]


@pytest.mark.parametrize("arguments", [("token=sesame",), (Mute(),), (deep(),), ("a", "b")])
def test_a_message_that_cannot_be_written_is_named(arguments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """As a line like any other: logging itself would print the arguments, and raise for a deep one."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("No number: %d", *arguments)

    (line,) = lines(capsys)
    assert ("A record could not be written", "No number: %d") == (line["message"], line["template"])
    assert line["where"].startswith("test_logs.py:")
    assert not any(secret in json.dumps(line) for secret in ("sesame", "15552223333"))


def test_levels_and_loggers_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """A library may name a logger after what it works on."""
    logs.configure("info", ours=OURS)
    logging.getLogger("kopf.objects.15552223333").warning("x")

    (line,) = lines(capsys)
    assert "kopf.objects.[number]" == line["logger"]


def test_a_field_takes_no_others_place(capsys: pytest.CaptureFixture[str]) -> None:
    """What every line begins with is told by the program alone."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("x", extra={"time": "y", "level": "y", "logger": "y", "ti\x00me": 1})

    (line,) = lines(capsys)
    assert ("INFO", "whatsapp_operator.x") == (line["level"], line["logger"])
    assert line["time"].endswith("Z")


def test_an_object_is_written_as_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """No record fails because somebody logs what JSON does not know."""
    logs.configure("info", ours=OURS)
    logging.getLogger("whatsapp_operator.x").info("x", extra={"it": object(), "yes": True})

    (line,) = lines(capsys)
    assert line["it"].startswith("<object object at 0x")
    assert line["yes"] is True


def test_what_is_not_known_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A field has one type: it is never null, and a text is never empty. Zero and false are known."""
    logs.configure("info", ours=OURS)
    extra = {"state": None, "why": "", "text": "\ud800", "count": 0, "clean": False}
    logging.getLogger("whatsapp_operator.x").info("x", extra=extra)

    (line,) = lines(capsys)
    assert {"count": 0, "clean": False} == {name: value for name, value in line.items() if name not in HEAD}


def test_what_a_library_attaches_takes_no_field_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """It may call anything `session`, and give it any type."""
    logs.configure("info", ours=OURS)
    logging.getLogger("aiohttp.client").warning("Unclosed", extra={"session": ["15552223333"], "depth": None})
    logging.getLogger("aiohttp.client").warning("Unclosed")

    one, other = lines(capsys)
    assert {"session": ["[number]"]} == one["extra"]
    assert "session" not in one
    assert list(HEAD) == list(other)


def test_fields_of_every_line_are_redacted_like_all(capsys: pytest.CaptureFixture[str]) -> None:
    """A session may be called by its number; they are on lines of libraries and on those that fail, too."""
    logs.configure("info", ours=OURS, constant={"session": "s15552223333", "namespace": "shop"})
    logging.getLogger("whatsapp_operator.x").info("x")
    logging.getLogger("aiohttp.client").warning("x")
    logging.getLogger("whatsapp_operator.x").info("No number: %d", "a")

    assert [("s[number]", "shop")] * 3 == [(line["session"], line["namespace"]) for line in lines(capsys)]


@pytest.mark.parametrize(("number", "expected"), [(5, "DEBUG"), (25, "INFO"), (35, "WARNING"), (99, "CRITICAL")])
def test_a_librarys_own_level_is_the_one_below(number: int, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The field has five values, whatever levels there are."""
    logs.configure("info", ours=OURS)
    record = logging.LogRecord("kopf", number, "x.py", 1, "x", None, None)
    record.levelname = "NOTICE"
    logging.getLogger().handle(record)

    assert [expected] == [line["level"] for line in lines(capsys)]


def test_a_line_without_logging_has_the_same_shape() -> None:
    """For the thread that ends a process whose lock of logging hangs."""
    line = json.loads(logs.line("CRITICAL", "whatsapp_operator.x", "Ends", why="call 15552223333", status=1))

    assert [*HEAD, "why", "status"] == list(line)
    assert ("CRITICAL", "call [number]", 1) == (line["level"], line["why"], line["status"])


UNCAUGHT = """
import sys, threading
from session_protocol import logs
from session_protocol.log_line import HEAD
from support import log_schema
logs.configure("info", ours="whatsapp_operator")
logs.log_uncaught("whatsapp_operator")

class Odd:
    def __del__(self):
        raise ValueError("destructor 15552223333")

def fail(where):
    raise ValueError(where + " 15552223333")

Odd()
thread = threading.Thread(target=fail, args=["thread"])
thread.start()
thread.join()
fail("program")
"""


def test_exceptions_that_nobody_catches_are_lines_too() -> None:
    """Of the program, of a thread and of a destructor: no plain traceback between the JSON, and nothing secret in it."""
    ended = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=False, timeout=50)

    assert 1 == ended.returncode
    assert [] == log_schema.faults(ended.stderr.splitlines())
    found = [json.loads(line)["exc_info"].rpartition("ValueError: ")[2] for line in ended.stderr.splitlines()]
    assert ["destructor [number]", "thread [number]", "program [number]"] == found


def test_each_hook_of_python_writes_its_own_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thread that ends without an error is none, and a destructor may tell its kind alone."""
    for module, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    logs.configure("info", ours=OURS)
    logs.log_uncaught(OURS)
    sys.excepthook(KeyError, KeyError("program"), None)
    threading.excepthook(threading.ExceptHookArgs((KeyError, KeyError("thread"), None, None)))
    threading.excepthook(threading.ExceptHookArgs((SystemExit, None, None, None)))
    sys.unraisablehook(SimpleNamespace(exc_type=KeyError, exc_value=None, exc_traceback=None))

    assert [
        ("CRITICAL", "An exception was not caught", "KeyError: 'program'"),
        ("ERROR", "A thread ended by an exception", "KeyError: 'thread'"),
        ("ERROR", "An exception was ignored, as it could not be raised", "KeyError"),
    ] == [(line["level"], line["message"], line["exc_info"].strip()) for line in lines(capsys)]


def test_the_level_is_ours_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Debug shows our decisions, not every packet of the libraries."""
    logs.configure("debug", ours=OURS)
    logging.getLogger("whatsapp_operator.x").debug("Decided")
    logging.getLogger("aiohttp.client").debug("packet")
    logging.getLogger("kopf.objects").info("handler succeeded")

    assert ["Decided"] == [line["message"] for line in lines(capsys)]


def test_kopfs_own_lines_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """With the object it speaks of, and without its settings."""
    logs.configure("info", ours=OURS)
    reference = {"kind": "Pod", "namespace": "shop", "name": "a", "uid": "u"}
    logging.getLogger("kopf.reactor").warning("Oops", extra={"k8s_ref": reference, "settings": object(), "k8s_skip": 1})

    (line,) = lines(capsys)
    assert "Pod/shop/a" == line["object"]
    assert {"settings", "k8s_skip", "k8s_ref"}.isdisjoint(line)


def test_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's warning is no stray line between the JSON."""
    logs.configure("info", ours=OURS)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old habit", DeprecationWarning, stacklevel=1)

    assert any("old habit" in line["message"] for line in lines(capsys))


def test_keys_do_not_reach_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Also when somebody logs the object that holds them."""
    logs.configure("info", ours=OURS)
    keys = Keys(KeyID("k1"), {KeyID("k1"): b"top-secret-bytes-top-secret-bytes"})
    logging.getLogger("whatsapp_operator.x").info("Keys", extra={"keys": keys})

    assert "top-secret" not in capsys.readouterr().err


def test_requests_are_not_logged_with_their_bodies(capsys: pytest.CaptureFixture[str]) -> None:
    """A Secret's creation is a request; an error about it names the path alone."""
    logs.configure("debug", ours=OURS)
    request = Request(method="POST", path="/api/v1/secrets", body={"data": {"admin": "dG9rZW4="}}, timeout=1)
    logging.getLogger("whatsapp_operator.x").info("Failed", extra={"path": request.path})

    assert "dG9rZW4" not in capsys.readouterr().err
