"""What outlives the pod: the saved state and the file that is kept in step."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.monitoring.state_file import StateFile
from session_runner.profile.saved_state import (
    DamagedStateError,
    SavedState,
    format_time,
    read_saved_state,
    write_saved_state,
)
from session_runner.states.facts import Facts
from session_runner.states.history import History
from session_runner.states.hold import HeldState, Start
from unit.runner.pages import MODERN, UNLINKED, looks

T0 = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
FULL = SavedState(
    linked_time=T0,
    durable_time=T0 + timedelta(seconds=60),
    is_unchecked=True,
    logout_hold="Banned",
    relink_request="2026-01-01T00:00:00Z",
    sync_began=T0 + timedelta(seconds=5),
    restriction=StateReason.TIME_LOCK,
    restriction_ends=T0 + timedelta(days=3),
    hold=HeldState(state=RunnerState.CONFLICT, reason=StateReason.REPLACED, message="Connected elsewhere."),
    start=Start(session_uid="session-1", restart="2026-01-01T00:00:00Z"),
    browser_version="156.0.8078.79",
    available_time=T0 - timedelta(days=3),
)
KEYS = st.sampled_from(
    [
        "browserVersion",
        "availableTime",
        "linkedTime",
        "durableTime",
        "hold",
        "relinkRequest",
        "syncBeganTime",
        "unchecked",
        "restriction",
        "restrictionEndTime",
        "stop",
        "start",
        "state",
        "reason",
        "message",
        "sessionUID",
    ]
)
UP = looks(MODERN)
DOWN = looks(MODERN, **UNLINKED)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def test_the_marker_survives_a_round_trip(tmp_path: Path) -> None:
    """What is written is read back, and nothing else lies beside it."""
    write_saved_state(tmp_path / "runner.json", FULL)

    assert read_saved_state(tmp_path / "runner.json") == FULL
    assert [path.name for path in tmp_path.iterdir()] == ["runner.json"]


def test_a_power_cut_after_writing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the content is on disk, then, under its own name, the folder's entry."""
    synced: list[tuple[str, bool]] = []
    really = os.fsync

    def sync(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, (tmp_path / "runner.json").exists()))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    write_saved_state(tmp_path / "runner.json", FULL)

    assert [("runner.new", False), (tmp_path.name, True)] == synced


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"linkedTime": 5, "hold": [], "browserVersion": 156, "availableTime": "soon"}',
        '{"linkedTime": "yesterday"}',
        '{"linkedTime": "2026-01-01"}',
        '{"linkedTime": "0001-01-01T00:00:00+23:00"}',
        '{"stop": "Conflict", "start": 5}',
        '{"stop": {"state": "AWordOfALaterVersion", "reason": "Replaced", "message": ""}}',
        '{"stop": {"state": "Connected", "reason": "AsExpected", "message": ""}}',
        '{"stop": {"state": "LoggedOut", "reason": "Relinking", "message": ""}}',
    ],
)
def test_a_field_that_cannot_be_understood_is_none(tmp_path: Path, content: str) -> None:
    """Of another version's file what can be read is kept; a time without zone is no moment."""
    path = tmp_path / "runner.json"
    path.write_text(content)

    assert read_saved_state(path) == SavedState()
    assert read_saved_state(tmp_path / "absent") == SavedState()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\0" * 300,
        b"\xff\xfe{}",
        pytest.param(b"[" * 50_000, id="deep"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """It may have recorded a conflict, so the page must not be opened as if there were none; a person is told what to do."""
    path = tmp_path / "runner.json"
    path.write_bytes(content)
    with pytest.raises(DamagedStateError, match=r"runner\.json is damaged.*delete it"):
        StateFile(path, clock=Clock(), start=Start(session_uid="s"))

    assert content == path.read_bytes()


@pytest.mark.parametrize("state", ["Conflict", "TemporarilyBanned", "LoggedOut"])
@pytest.mark.parametrize("rest", [{}, {"reason": "AReasonOfALaterVersion", "message": "Connected elsewhere."}])
def test_a_stop_whose_reason_is_not_known_is_kept(tmp_path: Path, state: str, rest: dict[str, str]) -> None:
    """An older image after a newer one: what a person is asked is the same."""
    path = tmp_path / "runner.json"
    path.write_text(json.dumps({"stop": {"state": state} | rest}))

    expected = HeldState(
        state=RunnerState(state), reason=StateReason.WAITING_FOR_PERSON, message=rest.get("message", "")
    )
    assert expected == read_saved_state(path).hold


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS | st.text(max_size=8), parts, max_size=9),
    )
)
def test_whatever_lies_there_can_be_read_and_written_back(content: object) -> None:
    """Other versions and damaged volumes leave anything; the start never fails by it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runner.json"
        path.write_text(json.dumps(content))
        if not isinstance(content, dict):
            with pytest.raises(DamagedStateError):
                read_saved_state(path)
            return
        read = read_saved_state(path)
        write_saved_state(path, read)

        assert read == read_saved_state(path)


def test_a_new_login_is_durable_a_minute_later() -> None:
    """The browser writes localStorage late: measured up to 55 s."""
    linked = SavedState().linked(now=T0.replace(microsecond=7))

    assert (linked.linked_time, linked.durable_time) == (T0, T0 + timedelta(seconds=60))


def test_settling_brings_durability_forward_only() -> None:
    """A clean close makes a login durable now; one that was durable before stays so from then."""
    early, late = FULL.settled(now=T0 + timedelta(seconds=5)), FULL.settled(now=T0 + timedelta(hours=1))

    assert early.durable_time == T0 + timedelta(seconds=5)
    assert late == FULL
    assert SavedState().settled(now=T0) == SavedState()


def test_times_are_in_utc_seconds() -> None:
    """RFC 3339 with Z, whatever the zone of the moment."""
    assert format_time(datetime.fromisoformat("2026-11-22T19:00:00.9+01:00")) == "2026-11-22T18:00:00Z"
    assert format_time(None) is None


def state_file(tmp_path: Path, clock: Clock, request: str | None = None) -> StateFile:
    """The state file of that folder."""
    return StateFile(tmp_path / "runner.json", clock=clock, start=Start(session_uid="session-1", relink=request))


def test_linking_is_written_once(tmp_path: Path) -> None:
    """The first registered look stores the times; looks after it leave the file alone."""
    kept, clock = state_file(tmp_path, Clock()), Clock()
    kept.update(History(), History(linked=True), UP)
    written = (tmp_path / "runner.json").stat().st_mtime_ns
    clock.move(5)
    kept.update(History(linked=True), History(linked=True), UP)

    assert kept.saved.linked_time == T0
    assert (tmp_path / "runner.json").stat().st_mtime_ns == written


def test_a_login_found_on_the_volume_is_durable(tmp_path: Path) -> None:
    """A new process whose page is registered has read the login from disk, so it is there."""
    clock = Clock()
    write_saved_state(tmp_path / "runner.json", replace(FULL, logout_hold=None))
    clock.move(10)
    kept = state_file(tmp_path, clock)
    kept.update(kept.history(now=0), History(linked=True), UP)

    assert kept.history(now=0).linked
    assert kept.saved.durable_time == T0 + timedelta(seconds=10)


def test_a_login_that_was_lost_is_not_made_durable(tmp_path: Path) -> None:
    """The saved state says linked, the page says no: neither a look nor a clean close makes that login durable."""
    clock = Clock()
    write_saved_state(tmp_path / "runner.json", replace(FULL, logout_hold=None))
    kept = state_file(tmp_path, clock)
    kept.update(History(linked=True), History(linked=True), DOWN)
    kept.closed_cleanly()

    assert kept.saved.durable_time == T0 + timedelta(seconds=60)


def test_a_clean_close_makes_a_fresh_login_durable(tmp_path: Path) -> None:
    """Linked, and closed cleanly five seconds later: durable from then on."""
    clock = Clock()
    kept = state_file(tmp_path, clock)
    kept.update(History(), History(linked=True), UP)
    clock.move(5)
    kept.closed_cleanly()

    assert read_saved_state(tmp_path / "runner.json").durable_time == T0 + timedelta(seconds=5)


def test_the_browser_that_opens_the_profile_is_recorded(tmp_path: Path) -> None:
    """So that the next pod knows whether its own is older; nothing else of the file changes."""
    write_saved_state(tmp_path / "runner.json", FULL)
    kept = state_file(tmp_path, Clock())
    kept.opened_by("157.0.1.1")

    assert replace(FULL, browser_version="157.0.1.1") == read_saved_state(tmp_path / "runner.json")


def test_linking_anew_forgets_the_old_login(tmp_path: Path) -> None:
    """When the link is given up, the times go; the next pod starts unlinked."""
    write_saved_state(tmp_path / "runner.json", replace(FULL, logout_hold=None))
    kept = state_file(tmp_path, Clock())
    kept.update(History(linked=True), History(), DOWN)
    saved = read_saved_state(tmp_path / "runner.json")

    assert (None, None) == (saved.linked_time, saved.available_time)


def test_the_end_of_a_restriction_and_the_begin_of_a_sync_outlive_the_pod(tmp_path: Path) -> None:
    """The next runner knows both, the sync by how long it has lasted; linking anew forgets them."""
    clock, path = Clock(), tmp_path / "runner.json"
    file = StateFile(path, clock=clock, start=Start(session_uid="s"))
    linked = History(linked=True)
    ends = (T0 + timedelta(hours=2)).timestamp()
    locked = replace(linked, restriction=StateReason.TIME_LOCK, restriction_ends=ends, sync_began=T0.timestamp())
    file.update(linked, locked, UP)
    clock.now = T0 + timedelta(hours=1)
    later = StateFile(path, clock=clock, start=Start(session_uid="s"))
    found = later.history(now=10.0)

    assert (StateReason.TIME_LOCK, ends, T0.timestamp()) == (
        found.restriction,
        found.restriction_ends,
        found.sync_began,
    )
    assert 3600 == found.lasted(found.unsynced_since, now=10.0)
    later.update(locked, History(), DOWN)
    assert (None, None, None) == (later.saved.restriction, later.saved.restriction_ends, later.saved.sync_began)


def test_a_hold_outlives_the_pod(tmp_path: Path) -> None:
    """A ban is remembered by the next process."""
    kept = state_file(tmp_path, Clock())
    kept.update(History(linked=True), History(linked=True, logout_hold="Banned"), Facts())

    assert state_file(tmp_path, Clock()).history(now=0).logout_hold == "Banned"


@pytest.mark.parametrize(
    ("stored", "asked", "granted"),
    [(None, None, False), (None, "t1", True), ("t1", "t1", False), ("t1", "t2", True), ("t1", None, False)],
)
def test_a_request_is_granted_once_per_profile(
    tmp_path: Path, stored: str | None, asked: str | None, *, granted: bool
) -> None:
    """Only a request that this profile has not honoured yet lets a logged-out session link."""
    write_saved_state(tmp_path / "runner.json", replace(FULL, relink_request=stored))

    assert granted is state_file(tmp_path, Clock(), asked).history(now=0).granted


def test_a_spent_request_is_stored(tmp_path: Path) -> None:
    """When the memory spends the request, the next pod must not honour it again."""
    kept = state_file(tmp_path, Clock(), "t1")
    kept.update(History(granted=True), History(), DOWN)

    assert not state_file(tmp_path, Clock(), "t1").history(now=0).granted


def test_a_volume_that_cannot_be_written_does_not_end_the_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The session works on and the log tells of it."""
    kept = state_file(tmp_path / "absent", Clock())
    kept.update(History(), History(linked=True), UP)

    assert "The state file could not be written" in caplog.text
    assert kept.saved.linked_time == T0


def test_a_write_that_failed_is_made_up_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The volume was full when the word was said: a later look, with nothing new, finds room. The failure is told once."""
    folder = tmp_path / "full"
    kept = state_file(folder, Clock())
    reported = {"state": RunnerState.CONFLICT, "reason": StateReason.REPLACED, "message": "Connected elsewhere."}
    kept.reported(**reported)  # type: ignore[arg-type]
    kept.reported(**reported)  # type: ignore[arg-type]
    assert 1 == len(caplog.records)
    folder.mkdir()
    kept.reported(**reported)  # type: ignore[arg-type]
    written = (folder / "runner.json").stat().st_mtime_ns
    kept.reported(**reported)  # type: ignore[arg-type]

    assert FULL.hold == read_saved_state(folder / "runner.json").hold
    assert written == (folder / "runner.json").stat().st_mtime_ns


def test_earlier_requests_come_back(tmp_path: Path) -> None:
    """And whatever else somebody put there does not."""
    path, start = tmp_path / "runner.json", Start(session_uid="s", restart="r2", earlier=("restart r1", "relink l1"))
    write_saved_state(path, SavedState(start=start))
    kept = read_saved_state(path).start
    path.write_text(json.dumps({"start": {"sessionUID": "s", "earlier": [1, None, "restart r1", {}]}}))
    some = read_saved_state(path).start
    path.write_text(json.dumps({"start": {"sessionUID": "s", "earlier": "restart r1"}}))

    assert start == kept
    assert Start(session_uid="s", earlier=("restart r1",)) == some
    assert Start(session_uid="s") == read_saved_state(path).start


def test_the_file_is_readable_by_people(tmp_path: Path) -> None:
    """Times in RFC 3339, camelCase like everything the outside sees."""
    write_saved_state(tmp_path / "runner.json", FULL)

    assert json.loads((tmp_path / "runner.json").read_text()) == {
        "linkedTime": "2026-11-22T18:00:00Z",
        "durableTime": "2026-11-22T18:01:00Z",
        "hold": "Banned",
        "relinkRequest": "2026-01-01T00:00:00Z",
        "unchecked": True,
        "syncBeganTime": "2026-11-22T18:00:05Z",
        "restriction": "TimeLock",
        "restrictionEndTime": "2026-11-25T18:00:00Z",
        "stop": {"state": "Conflict", "reason": "Replaced", "message": "Connected elsewhere."},
        "start": {"sessionUID": "session-1", "restart": "2026-01-01T00:00:00Z", "relink": None, "resumed": None},
        "browserVersion": "156.0.8078.79",
        "availableTime": "2026-11-19T18:00:00Z",
    }
