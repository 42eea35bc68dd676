"""What a runner answers, as it is written and as it is read back."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.answers import Account, Code, Error, Problem, State, read_account, read_state

GOOD: dict[str, Any] = {"sessionUID": "s1", "podUID": "p1", "revision": 3, "state": "Connected"}
T0 = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def read(**fields: Any) -> State:
    """Read an answer with these fields beside or instead."""
    return read_state(json.dumps(GOOD | fields).encode())


def test_what_is_written_is_read_back() -> None:
    """Every field, and the keys are those of the contract."""
    state = State(
        session_uid="s1",
        pod_uid="p1",
        revision=7,
        state="QRPending",
        reason="WaitingForScan",
        message="A code is shown.",
        since=T0,
        linked=True,
        linked_time=T0,
        durable_time=T0,
        round=2,
        browser_sandbox=True,
        user_namespace=False,
        probe_age_seconds=0.5,
    )
    text = msgspec.json.encode(state)

    assert state == read_state(text)
    assert [
        "sessionUID",
        "podUID",
        "revision",
        "state",
        "reason",
        "message",
        "since",
        "linked",
        "linkedTime",
        "durableTime",
        "logoutTime",
        "logoutReason",
        "round",
        "browserSandbox",
        "userNamespace",
        "browserVersion",
        "accountRevision",
        "accountExpected",
        "settingsDigest",
        "probeAgeSeconds",
    ] == list(json.loads(text))


def test_the_other_answers_have_their_published_keys() -> None:
    """The code's and the problem's."""
    code = Code(text="2@a", issued_time=T0, expiry_time=T0, round=1)
    problem = Problem(type="about:blank", title="Gone", status=410, detail="d", error=Error(code="Gone", message="d"))

    assert {"text": "2@a", "issuedTime": "2026-11-22T18:00:00Z", "expiryTime": "2026-11-22T18:00:00Z", "round": 1} == (
        json.loads(msgspec.json.encode(code))
    )
    assert ["type", "title", "status", "detail", "error"] == list(json.loads(msgspec.json.encode(problem)))


def test_what_an_older_runner_leaves_out_has_a_default() -> None:
    """Four fields make an answer."""
    state = read()

    assert ("", "", None, None, None, 0, None) == (
        state.reason,
        state.message,
        state.since,
        state.linked_time,
        state.durable_time,
        state.round,
        state.probe_age_seconds,
    )


def test_what_a_newer_runner_adds_is_ignored() -> None:
    """Its states, too, are taken as they are."""
    assert "Levitating" == read(state="Levitating", mood={"good": [1, None]}).state


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "Connected\n"},
        {"state": "connected"},
        {"state": "C\u00f6nnected"},
        {"state": ""},
        {"state": "X" * 64},
        {"state": None},
        {"reason": "x" * 129},
        {"message": "x" * 4097},
        {"message": "\ud800"},
        {"sessionUID": "x" * 129},
        {"podUID": 5},
        {"revision": -1},
        {"revision": 2**53},
        {"revision": 2**200},
        {"revision": True},
        {"revision": "3"},
        {"revision": 1.5},
        {"round": 2**31},
        {"round": -1},
        {"since": "2026-01-01T00:00:00"},
        {"since": "2026-01-01"},
        {"since": 1_700_000_000},
        {"since": "1969-12-31T23:59:59Z"},
        {"since": "9000-01-01T00:00:00Z"},
        {"linkedTime": "9999-12-31T23:59:59-23:00"},
        {"durableTime": "0001-01-01T00:00:00+23:00"},
        {"probeAgeSeconds": -1},
        {"browserVersion": ""},
        {"browserVersion": "156"},
        {"browserVersion": "156.0.7204.49\n"},
        {"browserVersion": "156.0.7204.49-1"},
        {"browserVersion": "1" * 7 + ".0.0.0"},
        {"browserVersion": "1.2.3.4.5"},
        {"browserVersion": 156.0},
    ],
)
def test_a_field_out_of_its_bounds_is_no_answer(fields: dict[str, Any]) -> None:
    """Too long, too large, of another type, or a moment that nobody can reckon with."""
    with pytest.raises(ValueError, match=r"."):
        read(**fields)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"Connected"',
        b"\xff",
        b"\xef\xbb\xbf{}",
        json.dumps(GOOD).encode() + b" x",
        json.dumps(GOOD).encode()[:-1],
        json.dumps(GOOD).encode("utf-16"),
        json.dumps(GOOD).encode()[:-1] + b', "mood": NaN}',
        json.dumps(GOOD).encode()[:-1] + b', "mood": ' + b"[" * 60_000,
        json.dumps(GOOD).encode()[:-1] + b', "mood": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
    ids=range(13),
)
def test_what_is_no_object_is_no_answer(text: bytes) -> None:
    """Whatever a stranger's program sends, it is a ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        read_state(text)


@given(
    text=st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(repr).map(str.encode)
)
def test_anything_is_a_state_or_a_value_error(text: bytes) -> None:
    """No other error leaves."""
    try:
        read_state(text)
    except ValueError:
        return
    raise AssertionError("this was taken for a state")


def test_an_account_is_read_back_and_shows_no_number_in_a_log() -> None:
    """Whoever prints it, by mistake, prints the count alone."""
    account = Account(phone_number="+15550100000", account_revision=2)
    text = msgspec.json.encode(account)

    assert {"phoneNumber": "+15550100000", "accountRevision": 2} == json.loads(text)
    assert account == read_account(text)
    assert "555" not in f"{account} {account!r}"


@pytest.mark.parametrize(
    "fields",
    [
        {"phoneNumber": "15550100000"},
        {"phoneNumber": "+1555010000012345"},
        {"phoneNumber": "+15550100000\n"},
        {"phoneNumber": "+05550100000"},
        {"phoneNumber": 15550100000},
        {"phoneNumber": None},
        {"accountRevision": 0},
        {"accountRevision": True},
        {"accountRevision": 2**31},
    ],
)
def test_what_is_no_account_is_refused_without_its_text(fields: dict[str, Any]) -> None:
    """The error could reach a log, and what was nearly a number is somebody's."""
    with pytest.raises(ValueError, match=r"^is not an account$") as refused:
        read_account(json.dumps({"phoneNumber": "+15550100000", "accountRevision": 1} | fields).encode())

    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
