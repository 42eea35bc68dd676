"""The loop that looks at the page, over a page that plays a script: order, deaths, deadlines, what gets published."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import ExitCode, LinkMethod, Presence, RunnerState, StateReason
from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.account.presence import PresenceKeeper
from session_runner.exits import RunEnded
from session_runner.metrics import Metrics
from session_runner.monitoring.monitor import LOADING_INTERVAL, RESTING_INTERVAL, PageMonitor, pause_after
from session_runner.monitoring.state_file import StateFile
from session_runner.page.errors import NavigationError, PageError, PageGoneError, ProbeTimeoutError
from session_runner.settings import read_settings
from session_runner.states.classify import Verdict
from session_runner.states.facts import Facts
from session_runner.states.hold import HeldState, Start
from session_runner.store import StateStore
from unit.runner.pages import ARRIVED, CODE, MODERN, UNLINKED, Raw, looks

Step = Raw | PageError
IDLE = UNLINKED | {"socket": "UNPAIRED_IDLE"}
BOOTING: Raw = {"booted": False, "document": ARRIVED}
""" The page has arrived and does not come up. """


class ScriptedPage:
    """Answers the probes with one step after another and dies when there are none left."""

    def __init__(self, *steps: Step, navigations: tuple[NavigationError | None, ...] = ()) -> None:
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.steps = list(steps)
        self.navigations = list(navigations)
        self.asked: list[str] = []
        self.arguments: list[Any] = []
        self.deadlines: list[float] = []
        self.fetched = 0
        self.without_cache: list[bool] = []
        self.after_probe: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None
        """ What happens while a pairing code is asked for. """

    async def navigate(self, url: str, *, deadline: float, without_cache: bool) -> None:
        """Fail as long as failures are scripted."""
        self.without_cache.append(without_cache)
        assert url == "https://web.whatsapp.com/"
        self.deadlines.append(deadline)
        self.fetched += 1
        failure = self.navigations.pop(0) if self.navigations else None
        if failure is not None:
            raise failure

    async def probe(self, *, deadline: float) -> Facts:
        """Play the next step."""
        self.deadlines.append(deadline)
        if not self.steps:
            self.died.set_result("browser")
            raise PageGoneError("the script is over")
        step = self.steps.pop(0)
        self.after_probe()
        if isinstance(step, PageError):
            raise step
        return looks(MODERN, **step)

    async def ask(self, name: str, argument: Any = None, *, deadline: float) -> str | None:
        """Note the order; the library always has a code."""
        self.asked.append(name)
        if name == "pair.js":
            self.meanwhile()
        self.arguments.append(argument)
        self.deadlines.append(deadline)
        return CODE if name == "code.js" else "asked" if name == "pair.js" else "wa-js"


class MonitorHarness:
    """A monitor whose clock jumps a second with every reading."""

    def __init__(self, folder: Path, start: Start | None = None, /, **variables: str) -> None:
        self.seconds = 0.0
        self.step = 1.0
        self.kills: int | None = 0
        required = {"PROFILE_DIR": "/p", "TOKEN_DIR": "/t", "SESSION_UID": "s", "POD_UID": "p"}
        self.store = StateStore(clock=lambda: datetime.now(UTC))
        self.metrics = Metrics()
        self.settled = 0
        self.states: list[tuple[str, str]] = []
        self.links: list[tuple[str, object]] = []
        self.numbers = PhoneNumbers(file=None, method=LinkMethod.QR)
        start = start or Start(session_uid="s")
        state_file = StateFile(folder / "runner.json", clock=lambda: datetime.now(UTC), start=start)
        self.monitor = PageMonitor(
            settings=read_settings(required | {"HEALTH_CHECK_TIMEOUT": "3s"} | variables),
            store=self.store,
            metrics=self.metrics,
            state_file=state_file,
            numbers=self.numbers,
            presence=PresenceKeeper(
                wanted=Presence.UNAVAILABLE,
                state_file=state_file,
                clock=lambda: datetime.now(UTC),
                random=lambda: 0.0,
            ),
            kills=lambda: self.kills,
            monotonic=self.monotonic,
            clock=lambda: datetime.now(UTC),
            started=0.0,
            random=lambda: 0.0,
            first_classified=self.count_settling,
        )

    def monotonic(self) -> float:
        """Time passes by being looked at."""
        self.seconds += self.step
        return self.seconds

    def count_settling(self) -> None:
        """Start-up is over."""
        self.settled += 1

    async def exit(self, page: ScriptedPage) -> RunEnded:
        """Watch until the end, waking the monitor at once after each probe, and note what was published."""

        def count_probe() -> None:
            self.monitor.wake("test", None)

        page.after_probe = count_probe
        publish = self.store.publish

        def recording(**fields: object) -> bool:
            self.states.append((str(fields["state"]), str(fields["reason"])))
            self.links.append((str(fields["state"]), fields["linked"]))
            return publish(**fields)  # type: ignore[arg-type]

        self.store.publish = recording  # type: ignore[method-assign]
        with pytest.raises(RunEnded) as caught:
            await self.monitor.watch(page)
        return caught.value


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


async def test_idle_codes_are_renewed(tmp_path: Path) -> None:
    """The page is asked, the round counts, and the state stays QRPending meanwhile."""
    harness = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="2")
    page = ScriptedPage(UNLINKED | {"code": CODE}, IDLE, UNLINKED | {"code": "2@new"}, IDLE)
    await harness.exit(page)

    assert page.asked == ["refresh.js"]
    assert [state for state, _ in harness.states] == ["QRPending", "QRPending", "QRPending", "LinkExpired"]
    assert harness.store.snapshot.round == 2
    assert harness.metrics.registry.get_sample_value("whatsapp_runner_qr_rounds_total") == 1


async def test_codes_after_the_last_round_are_shown_to_nobody(tmp_path: Path) -> None:
    """The page begins anew by itself, with a fresh code: it stays LinkExpired, in this pod and in the next, until a person asks."""
    harness, idle = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="1"), UNLINKED | {"socket": "UNPAIRED_IDLE", "code": None}
    await harness.exit(ScriptedPage(UNLINKED | {"code": CODE}, idle, {"booted": False}, UNLINKED | {"code": "another"}))
    again = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="1")

    assert ["QRPending", *["LinkExpired"] * 3] == [state for state, _ in harness.states]
    assert harness.store.code is None
    assert RunnerState.LINK_EXPIRED is getattr(again.monitor.state_file.begin(), "state", None)


async def test_a_phone_that_is_linked_after_the_last_round_counts(tmp_path: Path) -> None:
    """It was scanned at the last moment: the hold is over."""
    harness, idle = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="1"), UNLINKED | {"socket": "UNPAIRED_IDLE", "code": None}
    await harness.exit(ScriptedPage(UNLINKED | {"code": CODE}, idle, {"synced": False}, {}))

    assert ["QRPending", "LinkExpired", "Syncing", "Connected"] == [state for state, _ in harness.states]
    assert harness.monitor.state_file.saved.hold is None


async def test_a_code_that_is_not_on_the_screen_is_asked_of_the_library(tmp_path: Path) -> None:
    """A page that draws its code in an unknown way still gives one, through wa-js."""
    harness = MonitorHarness(tmp_path)
    page = ScriptedPage(UNLINKED, UNLINKED, UNLINKED)
    await harness.exit(page)

    assert "code.js" in page.asked
    assert harness.states[-1] == ("QRPending", "WaitingForScan")


async def test_a_code_of_the_library_is_served_for_its_whole_life(tmp_path: Path) -> None:
    """Each look asks for it again; none in between says that there is no code."""
    harness, codes = MonitorHarness(tmp_path), list[object]()
    harness.step = 0.2
    show = harness.store.show_code

    def noted(text: str | None, *, lifetime: float) -> None:
        codes.append(text)
        show(text, lifetime=lifetime)

    harness.store.show_code = noted  # type: ignore[method-assign]
    await harness.exit(ScriptedPage(*[UNLINKED] * 9))

    assert {CODE} == set(codes[codes.index(CODE) :])


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
        async with asyncio.timeout(3):
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


async def test_a_page_that_never_boots_ends_as_not_loaded(tmp_path: Path) -> None:
    """Loading, LoadError after half of the start-up time, the exit after all of it."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    ended = await harness.exit(ScriptedPage(*[BOOTING] * 20))

    assert ("LoadError", "NotBooted") in harness.states
    assert (ended.exit.code, ended.state) == (ExitCode.LOAD_FAILED, RunnerState.LOAD_ERROR)


async def test_a_page_that_shows_a_code_and_never_gets_wa_js_ends_as_not_loaded(tmp_path: Path) -> None:
    """The code is taken back with the page's modules, which were in reach without wa-js for a while."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    bare: Raw = {"injected": False, "registered": None}
    ended = await harness.exit(ScriptedPage(UNLINKED | {"code": "2@a,b,c,d"}, *[bare] * 20))

    assert ["QRPending", "Loading", "LoadError"] == list(dict.fromkeys(state for state, _ in harness.states))
    assert "wa-js" in str(ended)
    assert (ended.exit.code, harness.store.code) == (ExitCode.LOAD_FAILED, None)


@pytest.mark.parametrize("socket", [None, "UNLAUNCHED", "PAIRING", "CONNECTED"])
async def test_a_page_that_boots_and_never_shows_a_code_ends_as_not_loaded(tmp_path: Path, socket: str | None) -> None:
    """The start-up time is for the way to a QR code, not for the document alone: Loading is no place to stay."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    ended = await harness.exit(ScriptedPage(*[UNLINKED | {"socket": socket}] * 20))

    assert {"Loading"} == {state for state, _ in harness.states}
    assert "did not get further" in str(ended)
    assert (ended.exit.code, ended.reason) == (ExitCode.LOAD_FAILED, StateReason.OPENING_CONNECTION)


@pytest.mark.slow
@pytest.mark.parametrize(("startup", "boot"), [("60s", 0), ("60s", 4), ("20s", 0)])
async def test_a_page_that_cannot_reach_whatsapp_keeps_trying(tmp_path: Path, startup: str, boot: int) -> None:
    """Another pod would reach it no better, so being offline never ends the run: after a slow boot, or a short time."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT=startup, CONNECTION_CHECK_TIMEOUT="30s")
    harness.step = 2
    steps = [{"booted": False}] * boot + [UNLINKED | {"socket": "OPENING"}] * 40
    ended = await harness.exit(ScriptedPage(*steps))

    assert harness.states[-1] == ("Offline", "NoConnection")
    assert ended.exit.code is ExitCode.BROWSER_EXITED


@pytest.mark.slow
async def test_a_page_that_tries_by_turns_keeps_trying(tmp_path: Path) -> None:
    """Each attempt to open the connection is a step forward, also one that is given up."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    turns = [UNLINKED | {"socket": "OPENING"}, UNLINKED | {"socket": "UNLAUNCHED"}] * 20
    ended = await harness.exit(ScriptedPage(*turns))

    assert ended.exit.code is ExitCode.BROWSER_EXITED


async def test_a_page_that_refuses_the_browser_does_not_end_the_run(tmp_path: Path) -> None:
    """A restart with the same image would not help, so the runner stays and says so."""
    harness = MonitorHarness(tmp_path)
    harness.step = 9
    ended = await harness.exit(ScriptedPage(*[{"booted": False, "refused": True}] * 20))

    assert harness.states[-1] == ("UnsupportedBrowser", "BrowserRefused")
    assert ended.exit.code is ExitCode.BROWSER_EXITED


async def test_a_page_that_reloads_has_the_whole_time_again(tmp_path: Path) -> None:
    """A page that was up and reloads itself is given the start-up time from that moment on."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 6
    ended = await harness.exit(ScriptedPage({}, *[{"booted": False}] * 2, {}, *[{"booted": False}] * 2, {}))

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


async def test_an_event_while_the_page_is_asked_for_a_code_is_not_lost(tmp_path: Path) -> None:
    """What the page tells meanwhile is remembered beside the answer."""
    harness = MonitorHarness(tmp_path)
    assert harness.numbers.ask_for("+4915112345678")
    page = ScriptedPage(UNLINKED | {"code": CODE}, {"stream": "DISCONNECTED"}, UNLINKED, UNLINKED)
    page.meanwhile = lambda: harness.monitor.wake("logout_reason", "account_locked")
    await harness.exit(page)

    assert "pair.js" in page.asked
    assert harness.states[-1] == ("LoggedOut", "WaitingForPerson")


def test_a_resting_session_is_looked_at_less_often() -> None:
    """Loading is looked at closely, a connected session every five seconds."""
    assert pause_after(RunnerState.LOADING, health_check=45) == LOADING_INTERVAL
    assert pause_after(RunnerState.CONNECTED, health_check=45) == RESTING_INTERVAL
    assert pause_after(RunnerState.QR_PENDING, health_check=45, is_turning=True) == LOADING_INTERVAL


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
