"""Logs: one JSON object per line, from everybody, without secrets."""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from whatsapp_operator.app import logs
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.runtime.client import Request
from whatsapp_operator.runtime.keys import Keys


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the root logger as it was."""
    root, ours = logging.getLogger(), logging.getLogger("whatsapp_operator")
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
    """Time, level, logger, a constant message, and what varies beside it."""
    logs.configure("info")
    logging.getLogger("whatsapp_operator.runtime.test").info("Session let in", extra={"session": "shop/a"})

    (line,) = lines(capsys)
    assert {"time", "level", "logger", "message", "session"} == set(line)
    assert ("INFO", "Session let in", "shop/a") == (line["level"], line["message"], line["session"])


def test_a_traceback_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log collector takes a line for an entry."""
    logs.configure("info")
    try:
        int("nothing")
    except ValueError:
        logging.getLogger("whatsapp_operator.x").exception("Failed")

    (line,) = lines(capsys)
    assert "invalid literal" in line["exc_info"]


def test_the_level_is_ours_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Debug shows our decisions, not every packet of the libraries."""
    logs.configure("debug")
    logging.getLogger("whatsapp_operator.x").debug("Decided")
    logging.getLogger("aiohttp.client").debug("packet")
    logging.getLogger("kopf.objects").info("handler succeeded")

    assert ["Decided"] == [line["message"] for line in lines(capsys)]


def test_kopfs_own_lines_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """With the object it speaks of, and without its settings."""
    logs.configure("info")
    reference = {"kind": "Pod", "namespace": "shop", "name": "a", "uid": "u"}
    logging.getLogger("kopf.reactor").warning("Oops", extra={"k8s_ref": reference, "settings": object(), "k8s_skip": 1})

    (line,) = lines(capsys)
    assert "Pod/shop/a" == line["object"]
    assert {"settings", "k8s_skip", "k8s_ref"}.isdisjoint(line)


def test_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's warning is no stray line between the JSON."""
    logs.configure("info")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old habit", DeprecationWarning, stacklevel=1)

    assert any("old habit" in line["message"] for line in lines(capsys))


def test_keys_do_not_reach_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Also when somebody logs the object that holds them."""
    logs.configure("info")
    keys = Keys(KeyID("k1"), {KeyID("k1"): b"top-secret-bytes-top-secret-bytes"})
    logging.getLogger("whatsapp_operator.x").info("Keys", extra={"keys": keys})

    assert "top-secret" not in capsys.readouterr().err


def test_requests_are_not_logged_with_their_bodies(capsys: pytest.CaptureFixture[str]) -> None:
    """A Secret's creation is a request; an error about it names the path alone."""
    logs.configure("debug")
    request = Request(method="POST", path="/api/v1/secrets", body={"data": {"admin": "dG9rZW4="}}, timeout=1)
    logging.getLogger("whatsapp_operator.x").info("Failed", extra={"path": request.path})

    assert "dG9rZW4" not in capsys.readouterr().err
