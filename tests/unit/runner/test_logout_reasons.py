"""Why the session was logged out: heard or read once, kept on the profile until the next link."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from session_protocol.logouts import LONGEST, LogoutReason, explanation, logout_reason
from session_runner.monitoring.state_file import StateFile
from session_runner.profile.saved_state import Logout, SavedState, read_saved_state, write_saved_state
from session_runner.states.facts import Facts
from session_runner.states.history import History
from session_runner.states.hold import Start

T0 = datetime(2026, 11, 22, 18, tzinfo=UTC)
T1 = datetime(2026, 11, 22, 19, tzinfo=UTC)
CONNECTED = Facts(booted=True, injected=True, registered=True, socket="CONNECTED", stream="CONNECTED", synced=True)
UNPAIRED = Facts(booted=True, injected=True, registered=False, socket="UNPAIRED")
LINKED = History(linked=True)
LOST = History(linked=True, logged_out_since=5.0)
QUOTA = Logout(time=T0, reason="StorageQuotaExceeded")


def opened(folder: Path, saved: SavedState | None = None, *, at: datetime = T0) -> StateFile:
    """Return the state file of a session that was linked."""
    write_saved_state(folder / "runner.json", saved or SavedState(linked_time=T0))
    return StateFile(folder / "runner.json", clock=lambda: at, start=Start(session_uid="s1"))


def kept(folder: Path) -> Logout | None:
    """Return what the next pod reads."""
    return read_saved_state(folder / "runner.json").logout


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("storage_quota_exceeded", "StorageQuotaExceeded"),
        ("client_version_outdated", "ClientVersionOutdated"),
        ("user_initiated", "UserInitiated"),
        ("account_locked", "AccountLocked"),
        ("a_reason_of_2027", "AReasonOf2027"),
        (None, "LoggedOut"),
        ("", "LoggedOut"),
        ("Connected to +49", "LoggedOut"),
        ("49170123456789", "LoggedOut"),
        ("by_49170123456789", "LoggedOut"),
        ("x" * (LONGEST + 1), "LoggedOut"),
        ("x__y", "LoggedOut"),
        ("é", "LoggedOut"),
    ],
)
def test_the_pages_reason_becomes_ours(given: str | None, reason: str) -> None:
    """One that is not known is passed on, one that is no plain word is none."""
    assert reason == logout_reason(given)


@pytest.mark.parametrize("reason", LogoutReason)
def test_every_reason_is_explained(reason: LogoutReason) -> None:
    """With the page's own spelling where it is the page's."""
    text = explanation(reason)
    ours = {
        LogoutReason.LOGGED_OUT,
        LogoutReason.LOGOUT_REQUESTED,
        LogoutReason.UNEXPECTED_ACCOUNT,
        LogoutReason.BANNED,
    }

    assert text.split()[0] in ("because", "by", "after", "as", "and")
    assert (reason in ours) is ("(" not in text)


def test_a_new_reason_has_the_pages_spelling() -> None:
    """So that somebody can search for it."""
    assert "(web_fail_something)" == explanation(logout_reason("web_fail_something"))


def test_what_the_page_says_is_stored_at_once(tmp_path: Path) -> None:
    """It says so once; the pod may be lost before the next look."""
    opened(tmp_path).keep_logout_reason("StorageQuotaExceeded")

    assert QUOTA == kept(tmp_path)


def test_a_page_that_never_was_linked_loses_no_link(tmp_path: Path) -> None:
    """What it says of a logout is nobody's."""
    opened(tmp_path, SavedState()).keep_logout_reason("StorageQuotaExceeded")

    assert kept(tmp_path) is None


def test_a_logout_that_is_only_seen_has_its_time(tmp_path: Path) -> None:
    """The page shows no reason: unlinked on the phone."""
    file = opened(tmp_path, at=T1)
    file.update(LINKED, LOST, UNPAIRED)
    file.update(LOST, LOST, UNPAIRED)

    assert Logout(time=T1, reason="LoggedOut") == kept(tmp_path)


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (History(linked=True, logged_out_since=5.0, logout_asked=1.0), "LogoutRequested"),
        (History(linked=True, logged_out_since=500.0, logout_asked=1.0), "LoggedOut"),
        (History(linked=True, logged_out_since=5.0, logout_explanation=("syncd_failure", 4.0)), "SyncdFailure"),
        (History(linked=True, logged_out_since=5.0, logout_hold="Banned"), "Banned"),
        (History(linked=True, logged_out_since=5.0, logout_hold="AccountLocked", logout_asked=1.0), "AccountLocked"),
    ],
)
def test_what_is_known_of_a_logout_is_its_reason(tmp_path: Path, after: History, reason: str) -> None:
    """Asked for by our API a moment ago, after a ban, a locked account."""
    opened(tmp_path).update(LINKED, after, UNPAIRED)

    assert Logout(time=T0, reason=reason) == kept(tmp_path)


def test_a_reason_that_comes_later_fills_the_gap(tmp_path: Path) -> None:
    """The time stays; a known reason is not replaced by what only follows from it."""
    file = opened(tmp_path)
    file.update(LINKED, LOST, UNPAIRED)
    file.keep_logout_reason("StorageQuotaExceeded")
    file.keep_logout_reason("ClientVersionOutdated")
    file.update(LOST, LOST, UNPAIRED)

    assert QUOTA == kept(tmp_path)


def test_it_stays_while_another_phone_is_waited_for(tmp_path: Path) -> None:
    """Over the code that follows, and over pods."""
    file = opened(tmp_path, SavedState(linked_time=T0, logout=QUOTA), at=T1)
    file.update(LOST, History(linked=False, round=1), UNPAIRED)
    later = StateFile(tmp_path / "runner.json", clock=lambda: T1, start=Start(session_uid="s1", restart="now"))
    later.begin()
    later.update(History(), History(round=1), UNPAIRED)

    assert read_saved_state(tmp_path / "runner.json").linked_time is None
    assert QUOTA == kept(tmp_path)


def test_the_next_link_ends_it(tmp_path: Path) -> None:
    """Whatever was before."""
    opened(tmp_path, SavedState(logout=QUOTA)).update(History(), LINKED, CONNECTED)

    assert kept(tmp_path) is None


def test_a_logout_that_did_not_come_true_is_forgotten(tmp_path: Path) -> None:
    """The page said so and goes on; while it only has not left yet, it is kept."""
    file = opened(tmp_path)
    file.keep_logout_reason("StorageQuotaExceeded")
    file.update(LINKED, LINKED, CONNECTED)
    stored = kept(tmp_path)
    file.update(History(linked=True, interrupted=True), LINKED, CONNECTED)

    assert QUOTA == stored
    assert kept(tmp_path) is None


@pytest.mark.parametrize("stored", ['"x"', "{}", '{"time": "noon"}', '{"reason": "LoggedOut"}', "[1]"])
def test_a_damaged_record_is_none(tmp_path: Path, stored: str) -> None:
    """The rest of the file counts."""
    (tmp_path / "runner.json").write_text(f'{{"linkedTime": "2026-11-22T18:00:00Z", "logout": {stored}}}')

    assert SavedState(linked_time=T0) == read_saved_state(tmp_path / "runner.json")


def test_a_record_with_another_kind_of_reason_keeps_its_time(tmp_path: Path) -> None:
    """What is no word does not reach the operator."""
    (tmp_path / "runner.json").write_text('{"logout": {"time": "2026-11-22T18:00:00Z", "reason": "+49 170"}}')

    assert Logout(time=T0, reason="LoggedOut") == kept(tmp_path)
