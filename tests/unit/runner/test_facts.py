"""Reading what the page answers, whatever it answers."""

import math

import pytest
from hypothesis import given
from session_runner.states.facts import Ban, Dialog, Facts
from unit.runner.pages import CODE, LEGACY, MODERN, Raw, looks, quick, raw_answers


@quick
@given(raw=raw_answers)
def test_any_answer_gives_facts(raw: object) -> None:
    """Whatever the page returns, reading it neither raises nor invents a working session out of nothing."""
    facts = Facts.parse(raw)

    assert isinstance(facts, Facts)
    if not isinstance(raw, dict):
        assert Facts() == facts


@pytest.mark.parametrize("shape", [LEGACY, MODERN], ids=["legacy", "modern"])
def test_a_healthy_page_streams(shape: Raw) -> None:
    """Registered, connected and a connected stream together, and nothing less, prove a working session."""
    assert looks(shape).streaming
    assert not looks(shape, registered=None).streaming
    assert not looks(shape, socket="OPENING").streaming
    assert not looks(shape, stream="DISCONNECTED").streaming


@pytest.mark.parametrize("wrong", [1, "true", [], {}, None])
def test_only_true_is_true(wrong: object) -> None:
    """A value of the wrong type is not known; it never counts as yes."""
    facts = Facts.parse({"booted": wrong, "registered": wrong, "synced": wrong, "comms": wrong})

    assert Facts() == facts


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (60_000, 60.0),
        (20_000.0, 20.0),
        (0, None),
        (-5, None),
        (True, None),
        ("60", None),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_the_lifetime_of_a_code_is_read_in_seconds(milliseconds: object, expected: float | None) -> None:
    """The page counts in milliseconds; what is no positive number is not known."""
    assert expected == Facts.parse({"codeLifetimeMs": milliseconds}).code_lifetime


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({"code": 402, "expire": 1_800_000_000}, Ban(code="402", expires=1.8e9)),
        ({"code": 402, "expire": 1_800_000_000_000}, Ban(code="402", expires=1.8e9)),
        ({"code": 402, "expire": "3600"}, Ban(code="402", expires=3600.0)),
        ({"code": "101"}, Ban(code="101")),
        ({}, Ban()),
        ({"code": True, "expire": "soon"}, Ban()),
        ({"code": 10**5000}, Ban()),
        ({"code": "x" * 10**6}, Ban(code="x" * 20)),
        (None, None),
        ("banned", None),
    ],
)
def test_a_ban_keeps_what_the_page_reported(reported: object, expected: Ban | None) -> None:
    """Code and expiry are kept when they are a word and a number; an object without them is still a ban."""
    assert expected == Facts.parse({"ban": reported}).ban


@pytest.mark.parametrize(
    ("name", "expected"), [("OtherWindow", Dialog.OTHER_WINDOW), ("Other", Dialog.OTHER), ("Else", None), (7, None)]
)
def test_unknown_dialogs_are_no_dialogs(name: object, expected: Dialog | None) -> None:
    """A window is one that is known by its text, or another; anything else that the page answers is none."""
    assert expected == Facts.parse({"dialog": name}).dialog


def test_the_code_is_in_no_repr() -> None:
    """Facts may be logged by accident; the QR code must not go with them."""
    assert CODE not in repr(looks(MODERN, code=CODE))


@pytest.mark.parametrize("key", ["socket", "stream", "version", "code"])
def test_a_text_beyond_all_bounds_is_none(key: str) -> None:
    """A foreign page may send megabytes."""
    assert None is getattr(Facts.parse({key: "x" * 5000}), key)
    assert "x" * 4096 == getattr(Facts.parse({key: "x" * 4096}), key)
