"""A word that waits for a person outlives its pod: the next runner of the profile repeats it and leaves the page shut."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from session_runner.endings import Ending
from session_runner.metrics import Metrics
from session_runner.profile.marker import Marker, read_marker, write_marker
from session_runner.record import Record
from session_runner.session import Session
from session_runner.settings import read_settings
from session_runner.states.past import Past
from session_runner.states.stop import Start, Stop, stop_after
from session_runner.store import StateStore
from unit.runner.pages import MODERN, UNLINKED, looks

BEFORE = Start(session_uid="s", restart="r1", relink="l1", resumed="t1")
CONFLICT = Stop(state=RunnerState.CONFLICT, reason=StateReason.REPLACED, message="Connected elsewhere.")
BAN = Stop(state=RunnerState.TEMPORARILY_BANNED, reason=StateReason.BANNED, message="Banned for 60 s.")
LOGOUT = Stop(state=RunnerState.LOGGED_OUT, reason=StateReason.WAITING_FOR_PERSON, message="Logged out.")
stops = pytest.mark.parametrize("stop", [CONFLICT, BAN, LOGOUT], ids=lambda stop: stop.state)


# --- what ends a stop


@pytest.mark.parametrize(
    "start",
    [
        replace(BEFORE, restart="r2"),
        replace(BEFORE, relink="l2"),
        replace(BEFORE, resumed="t2"),
        Start(session_uid="another"),
    ],
)
def test_a_new_value_is_a_person_asking(start: Start) -> None:
    """A restart, a relink, a suspension that is over, another session with this profile."""
    assert start.is_asked_for(BEFORE)


@pytest.mark.parametrize(
    "start", [BEFORE, replace(BEFORE, restart=None), replace(BEFORE, relink=None), replace(BEFORE, resumed=None)]
)
def test_the_old_values_and_none_ask_for_nothing(start: Start) -> None:
    """The next pod of the same request, and one after the annotation was taken away."""
    assert not start.is_asked_for(BEFORE)


def test_a_value_that_was_taken_away_is_remembered() -> None:
    """Put back it is no new one; under another session nothing of before counts."""
    without = Start(session_uid="s")

    assert BEFORE == without.after(BEFORE)
    assert not BEFORE.is_asked_for(without.after(BEFORE))
    assert Start(session_uid="another") == Start(session_uid="another").after(BEFORE)


def test_a_profile_without_a_start_keeps_its_stop() -> None:
    """A damaged file: the safe side; the request after this one counts."""
    assert not BEFORE.is_asked_for(None)
    assert replace(BEFORE, restart="r2").is_asked_for(BEFORE.after(None))


@stops
def test_the_words_that_wait_begin_a_stop(stop: Stop) -> None:
    """Whatever was before; the newest word counts."""
    said = {"state": stop.state, "reason": stop.reason, "message": stop.message}

    assert stop == stop_after(None, **said)  # type: ignore[arg-type]
    assert stop == stop_after(replace(CONFLICT, message="old"), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        (RunnerState.CONNECTED, True),
        (RunnerState.QR_PENDING, True),
        (RunnerState.SYNCING, True),
        (RunnerState.STOPPING, False),
        (RunnerState.LOADING, False),
        (RunnerState.OFFLINE, False),
        (RunnerState.CRASHED, False),
    ],
)
def test_the_runners_own_word_ends_a_stop(state: RunnerState, *, ends: bool) -> None:
    """The same words as for the operator."""
    after = stop_after(CONFLICT, state=state, reason=StateReason.AS_EXPECTED, message="")

    assert ends is (after is None)


# --- how it is kept


def record(folder: Path, start: Start = BEFORE) -> Record:
    """Return the record of the profile in that folder."""
    return Record(folder / "runner.json", clock=lambda: datetime.now(UTC), start=start)


def say(kept: Record, stop: Stop) -> None:
    """Let the session say it."""
    kept.said(state=stop.state, reason=stop.reason, message=stop.message)


@stops
def test_a_stop_outlives_the_pod_until_it_is_asked_for(tmp_path: Path, stop: Stop) -> None:
    """Every runner that follows finds it; the one of a new request does not, nor any after that one."""
    first = record(tmp_path)
    assert first.begin() is None
    say(first, stop)

    assert stop == record(tmp_path).begin()
    assert stop == record(tmp_path, Start(session_uid="s")).begin()
    assert record(tmp_path, replace(BEFORE, restart="r2")).begin() is None
    assert record(tmp_path, replace(BEFORE, restart="r2")).begin() is None


def test_what_the_session_looks_like_does_not_touch_the_stop(tmp_path: Path) -> None:
    """Looks at the page keep their own part of the file."""
    kept = record(tmp_path)
    kept.begin()
    say(kept, LOGOUT)
    kept.update(Past(linked=True), Past(linked=True, hold="Banned"), looks(MODERN, **UNLINKED))

    assert LOGOUT == record(tmp_path).begin()


def test_a_stop_that_is_over_is_forgotten(tmp_path: Path) -> None:
    """The other window was closed."""
    kept = record(tmp_path)
    kept.begin()
    say(kept, CONFLICT)
    kept.said(state=RunnerState.CONNECTED, reason=StateReason.AS_EXPECTED, message="Linked and connected.")

    assert record(tmp_path).begin() is None


def test_nothing_new_is_no_write(tmp_path: Path) -> None:
    """The same start and the same words leave the file alone."""
    record(tmp_path).begin()
    written = (tmp_path / "runner.json").stat().st_mtime_ns
    kept = record(tmp_path)
    kept.begin()
    kept.said(state=RunnerState.LOADING, reason=StateReason.PAGE_LOADING, message="The page is loading.")

    assert written == (tmp_path / "runner.json").stat().st_mtime_ns


# --- what the process does


async def repeats(folder: Path, stop: Stop, **variables: str) -> tuple[StateStore, Ending]:
    """Run a session with a browser that does not exist on a profile with a stop, until it has spoken, and end it."""
    profile = folder / "profile"
    profile.mkdir()
    write_marker(
        profile / "runner.json", Marker(linked_time=datetime(2026, 11, 22, tzinfo=UTC), stop=stop, start=BEFORE)
    )
    required = {
        "PROFILE_DIR": str(profile),
        "CACHE_DIR": str(folder / "cache"),
        "TOKEN_DIR": str(folder),
        "SESSION_UID": "s",
        "POD_UID": "pod-2",
        "BROWSER_EXECUTABLE": str(folder / "no-such-browser"),
        "LAUNCH_TIMEOUT": "5s",
    }
    store = StateStore(clock=lambda: datetime.now(UTC))
    session = Session(
        settings=read_settings(required | variables),
        store=store,
        metrics=Metrics(),
        kills=lambda: 0,
        clock=lambda: datetime.now(UTC),
        monotonic=lambda: 0.0,
        started=0.0,
    )
    asked = asyncio.Event()
    run = asyncio.create_task(session.run(asked))
    await store.newer_than(1, wait=10)
    spoken = store.snapshot
    asked.set()
    ending = await asyncio.wait_for(run, 20)
    store.snapshot = spoken
    return store, ending


@stops
async def test_the_page_stays_shut_and_the_word_is_repeated(tmp_path: Path, stop: Stop) -> None:
    """No browser is started, so none can be missing; SIGTERM ends it cleanly, and the stop lies where it lay."""
    store, ending = await repeats(tmp_path, stop)

    assert ExitCode.STOPPED is ending.code
    assert (stop.state, stop.reason, stop.message) == (
        store.snapshot.state,
        store.snapshot.reason,
        store.snapshot.message,
    )
    assert (stop.state is not RunnerState.LOGGED_OUT) is (store.snapshot.linked_time is not None)
    assert stop == read_marker(tmp_path / "profile/runner.json").stop


async def test_a_request_opens_the_page(tmp_path: Path) -> None:
    """The browser is wanted now, and its absence is a failure."""
    _, ending = await repeats(tmp_path, CONFLICT, RESTART_REQUEST="r2")

    assert ExitCode.LAUNCH_FAILED is ending.code
    assert None is read_marker(tmp_path / "profile/runner.json").stop
