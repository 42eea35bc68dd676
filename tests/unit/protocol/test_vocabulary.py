"""The words of the runner: what the operator and people build on must not change by accident."""

import re
import subprocess
import sys

import pytest
from session_protocol.states import wait_is_over, waits_for_person
from session_protocol.vocabulary import (
    ExitCode,
    RunnerState,
    StateReason,
    TokenScope,
    exit_reason,
)

NAMES = (
    "Starting, Loading, LoadError, ProxyError, UnsupportedBrowser, QRPending, PairingCodePending, PasskeyRequired, LinkExpired, "
    "Syncing, Connected, Reconnecting, Offline, Conflict, LoggedOut, TemporarilyBanned, ServiceUnavailable, "
    "Restricted, ActionRequired, UpdateNeeded, ScreenLocked, Degraded, Unresponsive, Crashed, Stopping"
)


def test_the_states_are_exactly_the_published_ones() -> None:
    """The published list of the runner's words and the enumeration are the same."""
    assert set(NAMES.split(", ")) == {str(state) for state in RunnerState}


@pytest.mark.parametrize("name", [*RunnerState, *StateReason, *(code.reason for code in ExitCode)])
def test_every_state_and_reason_fits_the_pattern_of_the_resource(name: str) -> None:
    """States and reasons pass the pattern that the resource's schema demands of `status.state`."""
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]{0,62}", name)


def test_exit_codes_are_distinct_and_never_look_like_signals() -> None:
    """No exit code can be mistaken for a shell's 126 and 127 or a signal's 128 + n."""
    assert len(ExitCode) == len({int(code) for code in ExitCode})
    assert all(0 <= code < 64 for code in ExitCode)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "Stopped"),
        (21, "LoadFailed"),
        (33, "OutOfMemory"),
        (137, "Signal9"),
        (143, "Signal15"),
        (99, "ExitCode99"),
        (255, "ExitCode255"),
    ],
)
def test_any_exit_code_has_a_reason(code: int, expected: str) -> None:
    """Known codes give their reason; signals and foreign codes a readable one."""
    assert expected == exit_reason(code)


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        ("Conflict", "Replaced", True),
        ("Conflict", "OtherTab", True),
        ("TemporarilyBanned", "Banned", True),
        ("LoggedOut", "WaitingForPerson", True),
        ("LoggedOut", "Relinking", False),
        ("LoggedOut", "AWordOfALaterVersion", True),
        ("QRPending", "WaitingForScan", False),
        ("Connected", "AsExpected", False),
        ("AWordOfALaterVersion", "Replaced", False),
    ],
)
def test_who_waits_for_a_person(state: str, reason: str, *, expected: bool) -> None:
    """Conflicts, bans and logouts wait for a person, a logout that links again by itself does not."""
    assert expected is waits_for_person(state=state, reason=reason)


def test_no_state_both_begins_and_ends_a_hold() -> None:
    """For every state and reason at most one of the two."""
    both = [
        (state, reason)
        for state in RunnerState
        for reason in StateReason
        if waits_for_person(state=state, reason=reason) and wait_is_over(state=state, reason=reason)
    ]

    assert [] == both


@pytest.mark.parametrize(
    "state", ["Stopping", "Starting", "Loading", "Offline", "Reconnecting", "Degraded", "AWordOfALaterVersion"]
)
def test_what_an_evicted_pod_and_its_successor_say_ends_no_waiting(state: str) -> None:
    """Neither does what a conflict without network looks like, nor a word that is not known."""
    assert not wait_is_over(state=state, reason="AsExpected")


@pytest.mark.parametrize(
    ("state", "reason"), [("Connected", "AsExpected"), ("QRPending", "WaitingForScan"), ("LoggedOut", "Relinking")]
)
def test_a_session_that_is_its_own_master_ends_the_waiting(state: str, reason: str) -> None:
    """Connected, waiting for a scan, or on its way to a new code."""
    assert wait_is_over(state=state, reason=reason)


def test_the_scopes_are_the_files_of_the_token_folder() -> None:
    """Five scopes, named like the keys of the session's Secret."""
    assert ["state", "link", "send", "read", "admin"] == [str(scope) for scope in TokenScope]


def test_importing_the_vocabulary_loads_nothing_heavy() -> None:
    """The operator imports the vocabulary without paying for a browser driver or a web server."""
    code = "import sys, session_protocol.states, session_protocol.environment; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert {"playwright", "aiohttp", "asyncio", "prometheus_client"}.isdisjoint(loaded)
