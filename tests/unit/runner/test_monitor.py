"""The loop that looks at the page, over a page that plays a script: order, deaths, deadlines, what gets published."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from session_runner.exits import RunEnded
from session_runner.monitoring.monitor import LOADING_INTERVAL, MOVING_INTERVAL, RESTING_INTERVAL, pause_after
from session_runner.monitoring.state_file import StateFile
from session_runner.page.errors import PageError, PageGoneError, ProbeTimeoutError
from session_runner.states.classify import Verdict
from session_runner.states.facts import Facts
from session_runner.states.hold import HeldState, Start
from unit.runner.monitor_harness import MonitorHarness, ScriptedPage, Step
from unit.runner.pages import CODE, UNLINKED


async def test_what_the_page_shows_is_published_in_order(tmp_path: Path) -> None:
    """Each look becomes a word; the code is shown only while the session waits for a scan."""
    harness = MonitorHarness(tmp_path)
    page = ScriptedPage({"booted": False}, UNLINKED | {"code": CODE}, {"synced": False}, {})
    ended = await harness.exit(page)

    assert [state for state, _ in harness.states] == ["Loading", "QRPending", "Syncing", "Connected"]
    assert ended.exit.code is ExitCode.BROWSER_EXITED
    assert harness.store.code is None
    assert harness.store.snapshot.linked_time is not None


async def test_every_state_has_whether_a_phone_is_linked(tmp_path: Path) -> None:
    """Where a state is said of both, by what the page told last; before it told, nobody knows."""
    harness = MonitorHarness(tmp_path)
    later = {"socket": "A_WORD_OF_LATER"}
    await harness.exit(
        ScriptedPage(
            {"booted": False}, UNLINKED | later, UNLINKED | {"code": CODE}, {}, later, {"online": False} | later
        )
    )

    assert [
        ("Loading", None),
        ("Degraded", False),
        ("QRPending", False),
        ("Connected", True),
        ("Degraded", True),
        ("Offline", True),
    ] == harness.links


@pytest.mark.parametrize("policy", ["Relink", "Wait"])
async def test_a_logged_out_session_is_not_linked_again_by_what_comes_next(tmp_path: Path, policy: str) -> None:
    """The profile keeps the time of the login that is over; neither a reload nor the stop tells it as one that lasts."""
    harness = MonitorHarness(tmp_path, ON_LOGOUT=policy)
    await harness.exit(ScriptedPage({}, UNLINKED))
    reason = StateReason.STOP_REQUESTED
    harness.monitor.publish(Verdict(RunnerState.STOPPING, reason, "The runner was asked to stop."))

    assert [("Connected", True), ("LoggedOut", False), ("Stopping", False)] == harness.links
    assert harness.store.snapshot.linked_time is None


@pytest.mark.parametrize("code", ["\x1b]52;c;aGk=\x07", "+491711234567", "491711234567", 491711234567, "\x1b[2J\u202e"])
async def test_a_pages_own_texts_are_published_redacted(tmp_path: Path, code: object) -> None:
    """Whoever reads the state reads them: a ban's code may be anything; the state file holds no other text."""
    harness = MonitorHarness(tmp_path)
    facts = Facts.parse({"booted": True, "ban": {"code": code}})
    assert facts.ban is not None

    harness.monitor.publish(
        Verdict(RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, f"Banned (code {facts.ban.code}).")
    )

    message = harness.store.snapshot.message
    assert message.isprintable()
    assert "1234567" not in message
    assert "52;c" not in message
    hold = harness.monitor.state_file.saved.hold
    assert hold is None or message == hold.message


async def test_the_page_stays_unlinked_while_it_is_kept_closed(tmp_path: Path) -> None:
    """The next pod, too, repeats a logout that waits for a person, and stops as unlinked as it was."""
    await MonitorHarness(tmp_path, ON_LOGOUT="Wait").exit(ScriptedPage({}, UNLINKED))
    harness = MonitorHarness(tmp_path, ON_LOGOUT="Wait")
    assert harness.monitor.state_file.begin() is not None
    harness.monitor.publish(Verdict(RunnerState.STOPPING, StateReason.STOP_REQUESTED, "The runner was asked to stop."))

    assert (False, None) == (harness.store.snapshot.linked, harness.store.snapshot.linked_time)


async def test_a_relink_after_a_logout_begins_unlinked(tmp_path: Path) -> None:
    """The pod that a person asked for knows of the logout before its page shows it, and of a link when that shows."""
    await MonitorHarness(tmp_path, ON_LOGOUT="Wait").exit(ScriptedPage({}, UNLINKED))
    StateFile(tmp_path / "runner.json", clock=lambda: datetime.now(UTC), start=Start(session_uid="s")).begin()
    start = Start(session_uid="s", relink="2026-11-22T18:00:00Z")
    harness = MonitorHarness(tmp_path, start, ON_LOGOUT="Wait")
    assert harness.monitor.state_file.begin() is None
    reload = {"booted": False, "registered": None}
    await harness.exit(ScriptedPage(reload, {}, reload))

    assert [("Loading", False), ("Connected", True), ("Loading", True)] == harness.links


async def test_start_up_is_over_once(tmp_path: Path) -> None:
    """The first word that is not about loading ends start-up; later reloads are not a second start."""
    harness = MonitorHarness(tmp_path)
    await harness.exit(ScriptedPage({"booted": False}, {}, {"booted": False}, {}))

    assert harness.settled == 1


@pytest.mark.parametrize(
    ("step", "code", "state"),
    [
        (ProbeTimeoutError("late"), ExitCode.PAGE_UNRESPONSIVE, RunnerState.UNRESPONSIVE),
        (PageGoneError("gone"), ExitCode.BROWSER_EXITED, RunnerState.CRASHED),
    ],
)
async def test_a_page_that_fails_ends_the_run(
    tmp_path: Path, step: PageError, code: ExitCode, state: RunnerState
) -> None:
    """No answer and no page are two endings."""
    ended = await MonitorHarness(tmp_path).exit(ScriptedPage({}, step))

    assert (code, state) == (ended.exit.code, ended.state)


@pytest.mark.parametrize(("dialog", "expected"), [("WhatsNew", 3), ("Other", 0), ("PasskeyCheck", 0)])
async def test_only_the_known_notice_is_acknowledged(tmp_path: Path, dialog: str, expected: int) -> None:
    """After its time, and again if it stays, but not for ever; any other window is left alone."""
    harness = MonitorHarness(tmp_path)
    page = ScriptedPage(*[{"dialog": dialog}] * 60)
    await harness.exit(page)

    assert ["acknowledge.js"] * expected == page.asked


async def test_a_crash_between_two_looks_is_noticed_at_once(tmp_path: Path) -> None:
    """The page's death wakes the monitor out of its pause."""
    harness = MonitorHarness(tmp_path, HEALTH_CHECK_TIMEOUT="24h")
    page = ScriptedPage({}, {})
    loop = asyncio.get_running_loop()
    loop.call_later(0.05, page.died.set_result, "page")
    with pytest.raises(RunEnded) as caught:
        async with asyncio.timeout(10):
            await harness.monitor.watch(page)

    assert caught.value.exit.code is ExitCode.PAGE_CRASHED


@pytest.mark.parametrize("steps", [({}, {}), (PageGoneError("gone"),), (ProbeTimeoutError("late"),)])
async def test_a_kill_for_want_of_memory_explains_every_death(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    """Whatever else was seen, a grown kill count is the reason; also when the page itself lives on."""
    harness = MonitorHarness(tmp_path)
    harness.kills = 3
    page = ScriptedPage(*steps)
    ended = await harness.exit(page)

    assert (ended.exit.code, ended.reason) == (ExitCode.OUT_OF_MEMORY, StateReason.OUT_OF_MEMORY)


async def test_old_kills_explain_nothing(tmp_path: Path) -> None:
    """What was killed before this process began is not its death."""
    harness = MonitorHarness(tmp_path)
    harness.kills = harness.monitor.deaths.before = 3
    ended = await harness.exit(ScriptedPage({}))

    assert ended.exit.code is ExitCode.BROWSER_EXITED


@pytest.mark.parametrize(("asked", "reason"), [(False, "UserInitiated"), (True, "LogoutRequested")])
async def test_why_it_was_logged_out_stands_until_the_next_link(tmp_path: Path, *, asked: bool, reason: str) -> None:
    """With the code that follows, and not any more once a phone is linked; the menu's word is our API's, if that was asked."""
    harness = MonitorHarness(tmp_path)
    await harness.exit(ScriptedPage({}))
    if asked:
        harness.monitor.wake("logout_asked", None)
    harness.monitor.wake("logout_reason", "user_initiated")
    linked = harness.store.snapshot.logout
    await harness.exit(ScriptedPage(*[UNLINKED | {"code": CODE}] * 4))
    unlinked = harness.store.snapshot
    await harness.exit(ScriptedPage({}))

    assert (None, None) == (linked, harness.store.snapshot.logout)
    assert RunnerState.QR_PENDING is unlinked.state
    assert unlinked.logout is not None
    assert reason == unlinked.logout.reason


async def test_a_locked_account_is_remembered_from_its_event(tmp_path: Path) -> None:
    """The reason of a logout is told by one event and by no later look."""
    harness = MonitorHarness(tmp_path)
    harness.monitor.wake("logout_reason", "account_locked")
    await harness.exit(ScriptedPage({}, UNLINKED, UNLINKED))

    assert harness.states[-1] == ("LoggedOut", "WaitingForPerson")


def test_a_resting_session_is_looked_at_less_often() -> None:
    """Loading is looked at closely, a connected session every five seconds."""
    assert pause_after(RunnerState.LOADING, health_check=45) == LOADING_INTERVAL
    assert pause_after(RunnerState.CONNECTED, health_check=45) == RESTING_INTERVAL
    assert pause_after(RunnerState.QR_PENDING, health_check=45, is_turning=True) == LOADING_INTERVAL


@pytest.mark.parametrize(("on_logout", "pause"), [("Relink", LOADING_INTERVAL), ("Wait", MOVING_INTERVAL)])
async def test_a_logout_that_a_code_follows_is_looked_at_closely(tmp_path: Path, on_logout: str, pause: float) -> None:
    """The code is there, and is shown as soon as the logout was."""
    harness = MonitorHarness(tmp_path, HEALTH_CHECK_TIMEOUT="45s", ON_LOGOUT=on_logout)
    harness.step = 0.1
    await harness.exit(ScriptedPage({}, UNLINKED))

    assert harness.states[-1][0] == "LoggedOut"
    assert harness.monitor._pause() == pause


async def test_what_is_noted_stands_beside_every_state(tmp_path: Path) -> None:
    """At once, also while no probe comes back; and it goes again. A hold is kept without it."""
    harness = MonitorHarness(tmp_path)
    store, monitor = harness.store, harness.monitor
    conflict = Verdict(RunnerState.CONFLICT, StateReason.REPLACED, "Elsewhere.")
    monitor.publish(Verdict(RunnerState.CONNECTED, StateReason.AS_EXPECTED, "Linked."))
    monitor.add_remark("The volume is nearly full.")
    shown = store.snapshot.message
    revision = store.snapshot.revision
    monitor.add_remark("The volume is nearly full.")
    again = store.snapshot.revision
    monitor.publish(conflict)
    in_conflict = store.snapshot.message
    monitor.add_remark("")

    assert "Linked. The volume is nearly full." == shown
    assert revision == again
    assert "Elsewhere. The volume is nearly full." == in_conflict
    assert "Elsewhere." == store.snapshot.message
    held = HeldState(state=conflict.state, reason=conflict.reason, message="Elsewhere.")
    assert held == monitor.state_file.saved.hold
