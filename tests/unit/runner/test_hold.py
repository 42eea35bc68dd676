"""A word that waits for a person outlives its pod: the next runner of the profile repeats it and leaves the page shut."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from session_runner.monitoring.state_file import StateFile
from session_runner.profile.saved_state import SavedState, read_saved_state, write_saved_state
from session_runner.session import Session
from session_runner.states.history import History
from session_runner.states.hold import MOST_REMEMBERED, HeldState, Start, hold_after
from session_runner.store import StateStore
from support.runner_parts import make_parts, make_session
from unit.runner.pages import MODERN, UNLINKED, looks

BEFORE = Start(session_uid="s", restart="r1", relink="l1", resumed="t1")
CONFLICT = HeldState(state=RunnerState.CONFLICT, reason=StateReason.REPLACED, message="Connected elsewhere.")
BAN = HeldState(state=RunnerState.TEMPORARILY_BANNED, reason=StateReason.BANNED, message="Banned for 60 s.")
LOGOUT = HeldState(state=RunnerState.LOGGED_OUT, reason=StateReason.WAITING_FOR_PERSON, message="Logged out.")
EXPIRED = HeldState(state=RunnerState.LINK_EXPIRED, reason=StateReason.ROUNDS_USED_UP, message="No phone in 5 rounds.")
holds = pytest.mark.parametrize("hold", [CONFLICT, BAN, LOGOUT, EXPIRED], ids=lambda hold: hold.state)


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


@pytest.mark.parametrize(
    "older", [replace(BEFORE, restart="r0"), replace(BEFORE, relink="l0"), replace(BEFORE, resumed="t0")]
)
def test_what_comes_from_a_backup_asks_for_nothing(older: Start) -> None:
    """Values that the profile was started with once, or a suspension before the last one it knows of."""
    now = BEFORE.after(replace(BEFORE, restart="r0", relink="l0"))

    assert not older.is_asked_for(now)
    assert replace(now, restart="r3").after(older.after(now)).is_asked_for(now)


def test_a_restart_and_a_relink_of_one_value_are_two() -> None:
    """Somebody asked for both at the same second, or for one after the other by the same words."""
    restarted = Start(session_uid="s", restart="now")

    assert Start(session_uid="s", restart="now", relink="now").is_asked_for(restarted)


def test_a_resumption_moves_forward_only() -> None:
    """A status that was lost tells the creation, which is before everything."""
    after = replace(BEFORE, resumed="t0").after(BEFORE)

    assert BEFORE == after
    assert replace(BEFORE, resumed="t2").is_asked_for(after)


def test_what_is_remembered_is_bounded() -> None:
    """The newest of a thousand requests."""
    start = BEFORE
    for number in range(1000):
        start = replace(start, restart=f"request {number}", earlier=()).after(start)

    assert MOST_REMEMBERED == len(start.earlier)
    assert not replace(start, restart="request 990").is_asked_for(start)


def test_a_profile_without_a_start_keeps_its_stop() -> None:
    """A damaged file: the safe side; the request after this one counts."""
    assert not BEFORE.is_asked_for(None)
    assert replace(BEFORE, restart="r2").is_asked_for(BEFORE.after(None))


@holds
def test_the_states_that_wait_begin_a_hold(hold: HeldState) -> None:
    """Whatever was before; the newest word counts."""
    reported = {"state": hold.state, "reason": hold.reason, "message": hold.message}

    assert hold == hold_after(None, **reported)  # type: ignore[arg-type]
    assert hold == hold_after(replace(CONFLICT, message="old"), **reported)  # type: ignore[arg-type]


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
def test_the_runners_own_report_ends_a_hold(state: RunnerState, *, ends: bool) -> None:
    """The same words as for the operator."""
    after = hold_after(CONFLICT, state=state, reason=StateReason.AS_EXPECTED, message="")

    assert ends is (after is None)


@pytest.mark.parametrize("state", [RunnerState.RECONNECTING, RunnerState.OFFLINE, RunnerState.SERVICE_UNAVAILABLE])
def test_a_page_that_shows_what_comes_after_a_ban_ends_it(state: RunnerState) -> None:
    """The page shows a ban before all of these, and a conflict after them: that one may still be there."""
    reported = {"state": state, "reason": StateReason.CONNECTION_LOST, "message": ""}

    assert hold_after(BAN, **reported) is None  # type: ignore[arg-type]
    assert CONFLICT == hold_after(CONFLICT, **reported)  # type: ignore[arg-type]


# --- how it is kept


def state_file(folder: Path, start: Start = BEFORE) -> StateFile:
    """Return the state file of the profile in that folder."""
    return StateFile(folder / "runner.json", clock=lambda: datetime.now(UTC), start=start)


def say(kept: StateFile, hold: HeldState) -> None:
    """Let the session say it."""
    kept.reported(state=hold.state, reason=hold.reason, message=hold.message)


@holds
def test_a_stop_outlives_the_pod_until_it_is_asked_for(tmp_path: Path, hold: HeldState) -> None:
    """Every runner that follows finds it; the one of a new request does not, nor any after that one."""
    first = state_file(tmp_path)
    assert first.begin() is None
    say(first, hold)

    assert hold == state_file(tmp_path).begin()
    assert hold == state_file(tmp_path, Start(session_uid="s")).begin()
    assert state_file(tmp_path, replace(BEFORE, restart="r2")).begin() is None
    assert state_file(tmp_path, replace(BEFORE, restart="r2")).begin() is None


def test_what_the_session_looks_like_does_not_touch_the_stop(tmp_path: Path) -> None:
    """Looks at the page keep their own part of the file."""
    kept = state_file(tmp_path)
    kept.begin()
    say(kept, LOGOUT)
    kept.update(History(linked=True), History(linked=True, logout_hold="Banned"), looks(MODERN, **UNLINKED))

    assert LOGOUT == state_file(tmp_path).begin()


def test_a_stop_that_is_over_is_forgotten(tmp_path: Path) -> None:
    """The other window was closed."""
    kept = state_file(tmp_path)
    kept.begin()
    say(kept, CONFLICT)
    kept.reported(state=RunnerState.CONNECTED, reason=StateReason.AS_EXPECTED, message="Linked and connected.")

    assert state_file(tmp_path).begin() is None


def test_nothing_new_is_no_write(tmp_path: Path) -> None:
    """The same start and the same words leave the file alone."""
    state_file(tmp_path).begin()
    written = (tmp_path / "runner.json").stat().st_mtime_ns
    kept = state_file(tmp_path)
    kept.begin()
    kept.reported(state=RunnerState.LOADING, reason=StateReason.PAGE_LOADING, message="The page is loading.")

    assert written == (tmp_path / "runner.json").stat().st_mtime_ns


# --- what the process does


def session_on(folder: Path, hold: HeldState, **variables: str) -> tuple[Session, StateStore]:
    """Return a session with a browser that does not exist on a profile with a stop, and what it publishes."""
    profile = folder / "profile"
    profile.mkdir()
    write_saved_state(
        profile / "runner.json", SavedState(linked_time=datetime(2026, 11, 22, tzinfo=UTC), hold=hold, start=BEFORE)
    )
    required = {
        "PROFILE_DIR": str(profile),
        "CACHE_DIR": str(folder / "cache"),
        "BROWSER_EXECUTABLE": str(folder / "no-such-browser"),
        "LAUNCH_TIMEOUT": "5s",
    }
    parts = make_parts(settings=required | variables, pod_uid="pod-2", monotonic=lambda: 0.0, random=lambda: 0.0)
    return make_session(parts), parts.base.store


@holds
async def test_the_page_stays_shut_and_the_report_is_repeated(tmp_path: Path, hold: HeldState) -> None:
    """No browser is started, so none can be missing; SIGTERM ends it cleanly, and the stop lies where it lay."""
    session, store = session_on(tmp_path, hold)
    asked = asyncio.Event()
    run = asyncio.create_task(session.run(asked))
    shown = await store.newer_than(1, wait=60)
    asked.set()

    assert ExitCode.STOPPED is (await asyncio.wait_for(run, 60)).code
    assert (hold.state, hold.reason, hold.message) == (shown.state, shown.reason, shown.message)
    unlinked = hold.state in (RunnerState.LOGGED_OUT, RunnerState.LINK_EXPIRED)
    assert unlinked is not (shown.linked_time is not None)
    assert hold == read_saved_state(tmp_path / "profile/runner.json").hold


async def test_a_request_opens_the_page(tmp_path: Path) -> None:
    """The browser is wanted now, and its absence is a failure, which ends the session by itself."""
    session, _ = session_on(tmp_path, CONFLICT, RESTART_REQUEST="r2")

    assert ExitCode.LAUNCH_FAILED is (await asyncio.wait_for(session.run(asyncio.Event()), 120)).code
    assert None is read_saved_state(tmp_path / "profile/runner.json").hold
