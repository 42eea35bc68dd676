"""What becomes of a page that stays as it is: nothing that should pass by itself stays for ever, and no hold is lost.

Time is simulated, and each look goes through all that the monitor does with it: `remember`, a round of QR codes where one
is due, `classify`, `reported`, `hold_after`.
"""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Dialog, Facts, Socket, Stream
from session_runner.states.history import (
    History,
    acknowledged,
    asked_for_code,
    left,
    live_code,
    logout_explained,
    remember,
    reported,
    wants_acknowledgement,
    wants_code,
)
from session_runner.states.hold import HeldState, hold_after
from session_runner.states.policy import Policy
from unit.runner.pages import CODE, MODERN, UNLINKED, Raw, looks, page_facts, quick

POLICY = Policy(max_rounds=2)
STEP = 5.0
BAN: Raw = {"code": 402, "expire": 1_800_000_000}
DOWN: Raw = {"stream": "DISCONNECTED"}


class Runner:
    """Looks at a page and says what the monitor would."""

    def __init__(self, history: History) -> None:
        self.history, self.now = history, 0.0
        self.hold: HeldState | None = None

    def look(self, facts: Facts, *, after: float = STEP) -> Verdict:
        """Look once, some seconds later."""
        self.now += after
        self.history = remember(self.history, facts, policy=POLICY, now=self.now)
        verdict = classify(facts, self.history, policy=POLICY, now=self.now)
        self.history = reported(self.history, verdict.state, now=self.now)
        self.hold = hold_after(self.hold, state=verdict.state, reason=verdict.reason, message=verdict.message)
        if wants_code(self.history, facts, policy=POLICY, now=self.now):
            self.history = asked_for_code(self.history, now=self.now)
        return verdict

    def reload(self) -> None:
        """Let the page load another document."""
        self.history = left(self.history, now=self.now)


def banned(*, linked: bool = True) -> Runner:
    """A runner whose page showed a ban and has loaded another document since."""
    runner = Runner(History(linked=linked, healthy_comms=True))
    runner.look(looks(MODERN if linked else MODERN | UNLINKED, origin=0.5, ban=BAN, **DOWN))
    assert runner.hold is not None
    assert State.TEMPORARILY_BANNED is runner.hold.state
    runner.reload()
    return runner


# --- a ban


@quick
@given(snapshots=st.lists(st.tuples(page_facts, st.floats(0, 90)), max_size=8), linked=st.booleans())
def test_only_a_page_that_is_let_in_ends_a_ban_after_a_reload(
    snapshots: list[tuple[Facts, float]], *, linked: bool
) -> None:
    """Another document says nothing of it: not by its silence, nor by another matter that it shows."""
    runner = banned(linked=linked)
    for facts, pause in snapshots:
        if facts.is_let_in or facts.origin is None or facts.ban is not None:
            continue
        runner.look(facts, after=pause)

        assert runner.hold is not None


@pytest.mark.parametrize(
    "page",
    [
        {"socket": "OPENING"},
        {"socket": "OPENING", "online": False},
        {"socket": "OPENING", "unavailable": True},
        {"socket": "OPENING", "synced": False},
        {"socket": "SCREEN_LOCKED"},
        {"socket": "CONNECTED", "synced": False},
        UNLINKED,
        UNLINKED | {"socket": "OPENING"},
    ],
    ids=str,
)
def test_a_ban_that_nothing_refutes_is_reported_after_the_connection_check(page: Raw) -> None:
    """Until then it may still show; it is neither Loading for ever nor anything that ends the hold."""
    runner = banned(linked=page.get("registered", True))
    states = [runner.look(looks(MODERN, **(DOWN | page))).state for _ in range(100)]

    assert [State.LOADING] * 6 + [State.TEMPORARILY_BANNED] * 94 == states


def test_what_is_reported_of_a_ban_that_nothing_refutes_is_no_more_than_is_known() -> None:
    """It may be over: the sentence says so, with what the service told of it."""
    runner = banned()
    for _ in range(10):
        verdict = runner.look(looks(MODERN, socket="OPENING", **DOWN))

    assert Reason.BANNED is verdict.reason
    assert "not known" in verdict.message
    assert "code 402) until 2027-01-15T08:00:00Z" in verdict.message


def test_the_document_that_showed_a_ban_ends_it_by_its_silence() -> None:
    """Its screen is gone, so what comes after is said, and ends the hold."""
    runner = Runner(History(linked=True, healthy_comms=True))
    runner.look(looks(MODERN, ban=BAN, **DOWN))

    assert State.RECONNECTING is runner.look(looks(MODERN, socket="OPENING", **DOWN)).state
    assert runner.hold is None


def test_no_round_is_asked_for_while_a_ban_is_shown() -> None:
    """It would be one more attempt, which can make the ban longer."""
    facts = looks(MODERN, **(UNLINKED | {"socket": "UNPAIRED_IDLE", "ban": BAN}))

    assert not wants_code(History(round=1), facts, policy=POLICY, now=1)


@quick
@given(facts=page_facts, refusal=st.sampled_from([{"ban": BAN}, {"unavailable": True}]))
def test_a_page_that_receives_is_refused_nothing(facts: Facts, refusal: Raw) -> None:
    """What was told of a ban or an outage while the stream is up is over, or never was: nothing covers what follows."""
    runner = Runner(History(linked=True))
    for _ in range(3):
        receiving = looks(MODERN, **refusal)

        assert State.CONNECTED is runner.look(receiving).state
    assert (None, None) == (runner.hold, runner.history.ban)
    plain = Runner(History(linked=True, healthy_comms=True))
    plain.look(looks(MODERN))
    for _ in range(20):
        same = (runner.look(facts), plain.look(facts))

        assert same[0].state is same[1].state


def test_a_session_that_is_replaced_after_an_outage_is_in_conflict() -> None:
    """The outage was told while the stream was up; the silence that follows is counted from its begin."""
    runner = Runner(History(linked=True))
    runner.look(looks(MODERN, unavailable=True))
    states = [runner.look(looks(MODERN, comms=False, **DOWN)).state for _ in range(10)]

    assert [State.RECONNECTING] * 6 + [State.CONFLICT] * 4 == states


@pytest.mark.parametrize("kind", ["timeLocked", "capped", "termsBlocked"])
def test_the_end_of_a_restriction_outlives_the_document_it_was_read_in(kind: str) -> None:
    """Where no module has it nobody repeats the event; it goes with the restriction, and gives way to a newer one."""
    runner, locked = Runner(History(linked=True)), {kind: True}
    runner.look(looks(MODERN, restrictedUntil=1_800_000_000, **locked))
    runner.reload()
    runner.look(looks(MODERN, socket="OPENING", **DOWN))
    again = runner.look(looks(MODERN, origin=2.0, **locked))
    newer = runner.look(looks(MODERN, origin=2.0, restrictedUntil=1_900_000_000, **locked))
    runner.look(looks(MODERN, origin=2.0))
    another = runner.look(looks(MODERN, origin=2.0, **locked))

    assert "until 2027-01-15T08:00:00Z" in again.message
    assert "until 2030-03-17T17:46:40Z" in newer.message
    assert "until" not in another.message


def test_an_end_that_has_passed_is_none_of_the_next_lock() -> None:
    """The account may have been locked anew while no pod was there."""
    runner = Runner(History(linked=True, restriction=Reason.TIME_LOCK, restriction_ends=1_700_000_000))

    assert "until" not in runner.look(looks(MODERN, timeLocked=True, clockMs=1_800_000_000_000)).message


def test_the_end_of_a_time_lock_is_none_of_a_cap() -> None:
    """How many chats may be begun has its own end, which the page's modules hold."""
    runner = Runner(History(linked=True))
    runner.look(looks(MODERN, timeLocked=True, restrictedUntil=1_800_000_000))

    assert "until" not in runner.look(looks(MODERN, capped=True)).message


# --- the first sync

SYNC: Raw = {"stream": "SYNCING", "synced": False}
BEGAN = 1_796_000_000
""" 2026-11-30T00:53:20Z. """


def syncs(runner: Runner, *, after: float = STEP, **changes: object) -> Verdict:
    """Look at a page that fetches its data, by a clock that goes with the runner's."""
    return runner.look(looks(MODERN, clockMs=(BEGAN + runner.now + after) * 1000, **(SYNC | changes)), after=after)


def test_a_first_sync_that_does_not_end_says_since_when_and_what_to_do() -> None:
    """After ten times the startup timeout; the sentence stays the same from then on."""
    runner = Runner(History(linked=True))
    verdicts = [syncs(runner) for _ in range(300)]
    changed = [at * STEP for at in range(1, 300) if verdicts[at] != verdicts[at - 1]]

    assert [10 * POLICY.startup] == changed
    assert (State.SYNCING, Reason.SYNC_OVERDUE) == verdicts[-1][:2]
    assert "since 2026-11-30T00:53:25Z" in verdicts[-1].message
    assert "relink" in verdicts[-1].message


def test_a_sync_counts_on_over_documents_and_lost_connections() -> None:
    """What never gets further is no other sync after each of them."""
    runner = Runner(History(linked=True))
    for _ in range(30):
        syncs(runner, after=20)
        runner.look(looks(MODERN, socket="OPENING", synced=False, **DOWN))
        runner.reload()
        runner.look(Facts())

    assert Reason.SYNC_OVERDUE is syncs(runner).reason


def test_only_a_sync_that_began_and_did_not_end_is_overdue() -> None:
    """A page that was offline before it began has fetched nothing meanwhile; one that has synced begins anew."""
    runner = Runner(History(linked=True))
    for _ in range(300):
        runner.look(looks(MODERN, socket="OPENING", online=False, synced=False, **DOWN))
    assert Reason.FIRST_SYNC is syncs(runner).reason
    for _ in range(100):
        syncs(runner)
    runner.look(looks(MODERN))

    assert Reason.FIRST_SYNC is syncs(runner).reason


@pytest.mark.parametrize("by_event", [True, False])
def test_a_page_that_gives_its_sync_up_says_why(by_event: bool) -> None:  # noqa: FBT001
    """It logs itself out; the reason comes by an event, or stands in the address of the document that follows."""
    runner = Runner(History(linked=True))
    syncs(runner)
    if by_event:
        runner.history = logout_explained(runner.history, "syncd_failure", now=runner.now)
    runner.reload()
    verdict = runner.look(looks(MODERN, logoutReason=None if by_event else "syncd_failure", **UNLINKED))

    assert (State.LOGGED_OUT, Reason.RELINKING) == verdict[:2]
    assert "because its data could not be synced" in verdict.message


def test_a_reason_that_is_not_known_is_repeated() -> None:
    """Cut and cleaned: it comes from the page. An old reason is none of this logout."""
    runner = Runner(History(linked=True))
    runner.history = logout_explained(runner.history, "web_fail_<b>" + "x" * 99, now=0)
    at_once = runner.look(looks(MODERN, **UNLINKED))
    later = Runner(replace(runner.history, linked=True, logged_out_since=None))

    assert f"logged out (web_fail_b{'x' * 30});" in at_once.message
    assert "web_fail" not in later.look(looks(MODERN, **UNLINKED), after=100).message


# --- the notice of what is new

NOTICE: Raw = {"dialog": "WhatsNew"}


def test_a_notice_is_shown_for_ten_seconds_before_it_is_acknowledged() -> None:
    """Counted from when this document shows it; one that is gone meanwhile begins anew."""
    runner = Runner(History(linked=True))
    runner.look(looks(MODERN, **NOTICE), after=1)
    runner.look(looks(MODERN, **NOTICE), after=9)
    assert not wants_acknowledgement(runner.history, now=runner.now)
    runner.look(looks(MODERN), after=0.5)
    states = [runner.look(looks(MODERN, **NOTICE), after=after).state for after in (0.5, 9.5)]
    assert not wants_acknowledgement(runner.history, now=runner.now)
    runner.look(looks(MODERN, **NOTICE), after=0.5)

    assert wants_acknowledgement(runner.history, now=runner.now)
    assert {State.ACTION_REQUIRED} == set(states)


def test_a_notice_that_stays_is_left_to_a_person() -> None:
    """It is acknowledged three times, ten seconds apart; what is said of it afterwards is another sentence."""
    runner = Runner(History(linked=True))
    pressed, messages = [], []
    for _ in range(60):
        messages.append(runner.look(looks(MODERN, **NOTICE), after=1).message)
        if wants_acknowledgement(runner.history, now=runner.now):
            runner.history = acknowledged(runner.history)
            pressed.append(runner.now)

    assert [11, 21, 31] == pressed
    assert 2 == len(set(messages))
    assert "a person has to look" in messages[-1]


@quick
@given(facts=page_facts)
def test_nothing_else_is_acknowledged(facts: Facts) -> None:
    """Whatever else a page shows, and while it is not connected."""
    runner = Runner(History(linked=True))
    for _ in range(10):
        runner.look(facts)

    is_notice = facts.dialog is Dialog.WHATS_NEW and facts.registered is True and facts.is_let_in
    assert is_notice is wants_acknowledgement(runner.history, now=runner.now)


# --- a page that stays as it is

UNKNOWN_VALUE = "A_WORD_OF_LATER"
UNDER_WAY = (Socket.OPENING, Socket.UNPAIRED, Socket.UNPAIRED_IDLE)
""" With any other socket the startup timeout ends a page that only loads. """


def every_page() -> list[Facts]:
    """Each socket and each stream, with all that goes with them."""
    sockets = [None, *Socket, UNKNOWN_VALUE]
    quiet = [(socket, None) for socket in sockets if socket != Socket.CONNECTED]
    connections = [*quiet, *((Socket.CONNECTED, stream) for stream in (None, *Stream, UNKNOWN_VALUE))]
    rest = product((True, False, None), (True, False), (True, None, False), (True, False))
    pages = [
        looks(MODERN, socket=socket, stream=stream, registered=registered, synced=synced, online=online, comms=comms)
        for (registered, synced, online, comms), (socket, stream) in product(rest, connections)
    ]
    coded = product(sockets, (None, 20_000))
    return pages + [
        looks(MODERN, **(UNLINKED | {"socket": socket, "code": CODE, "codeLifetimeMs": life})) for socket, life in coded
    ]


def is_on_its_way(verdict: Verdict, facts: Facts, runner: Runner) -> bool:
    """Whether this says that something else comes soon, although nothing that is seen makes it come."""
    match verdict.state:
        case State.LOADING | State.LOAD_ERROR:
            return facts.registered is not None and facts.socket in UNDER_WAY
        case State.QR_PENDING:
            return live_code(runner.history, facts, now=runner.now) is None
        case State.SYNCING | State.RECONNECTING:
            return not facts.is_let_in
        case State.LOGGED_OUT:
            return verdict.reason is Reason.RELINKING
    return False


@pytest.mark.parametrize(
    "history",
    [
        History(),
        History(round=1),
        History(linked=True),
        History(linked=True, healthy_comms=True),
        History(linked=True, granted=True, logout_hold="Banned"),
    ],
    ids=["new", "after a code", "linked", "was connected", "asked to link"],
)
def test_no_page_is_on_its_way_for_ever(history: History) -> None:
    """What is to pass soon has passed after a few minutes, whatever the page calls its connection."""
    stays = []
    for facts in every_page():
        runner = Runner(history)
        for _ in range(20):
            verdict = runner.look(facts, after=15.0)
        if is_on_its_way(verdict, facts, runner):
            stays.append((verdict.state, verdict.reason, facts.socket, facts.stream, facts.registered, facts.synced))

    assert [] == stays


@pytest.mark.parametrize(
    ("page", "seconds", "state"),
    [
        ({"socket": "CONNECTED"}, 60, State.DEGRADED),
        ({"socket": None}, 60, State.DEGRADED),
        ({"socket": "PAIRING"}, 5, State.OFFLINE),
        ({"socket": "UNLAUNCHED"}, 5, State.OFFLINE),
        ({"socket": "OPENING"}, 5, State.OFFLINE),
        ({"socket": "UNPAIRED"}, 30, State.DEGRADED),
    ],
    ids=str,
)
def test_a_page_without_its_code_waits_for_no_scan(page: Raw, seconds: int, state: State) -> None:
    """Also one whose code was scanned, and whose link then hangs."""
    runner = Runner(History())
    runner.look(looks(MODERN, **UNLINKED, code=CODE))
    states = [runner.look(looks(MODERN, **(UNLINKED | page))).state for _ in range(40)]

    assert [State.QR_PENDING] * (seconds // 5) + [state] * (40 - seconds // 5) == states


def test_a_code_whose_life_is_unknown_is_not_waited_for_beyond_the_longest() -> None:
    """60 s, which the service gives the first one; then the page has connectionCheck to show another."""
    runner = Runner(History())
    states = [runner.look(looks(MODERN, **UNLINKED, code=CODE)).state for _ in range(40)]

    assert [State.QR_PENDING] * 18 + [State.DEGRADED] * 22 == states


def test_a_code_that_comes_late_after_an_outage_is_waited_for() -> None:
    """The time without network is no time in which the page could have shown one."""
    runner = Runner(History())
    runner.look(looks(MODERN, **UNLINKED, code=CODE))
    for _ in range(100):
        runner.look(looks(MODERN, **(UNLINKED | {"socket": "OPENING"})))

    assert State.QR_PENDING is runner.look(looks(MODERN, **UNLINKED)).state


@pytest.mark.parametrize("page", [{"socket": "OPENING"}, {"socket": "OPENING", "online": False}], ids=str)
def test_a_logout_without_network_is_reported_for_its_time(page: Raw) -> None:
    """No code follows for as long as the network is away, so that is what is said then."""
    runner = Runner(History(linked=True))
    states = [runner.look(looks(MODERN, **(UNLINKED | page)), after=1.0).state for _ in range(60)]

    assert [State.LOADING] * 5 + [State.LOGGED_OUT] * 2 == states[:7]
    assert State.LOGGED_OUT not in states[7:]
    assert State.OFFLINE is states[-1]


@pytest.mark.parametrize("socket", ["UNLAUNCHED", "PAIRING"])
@pytest.mark.parametrize("synced", [True, False])
def test_a_linked_page_that_does_not_connect_is_offline(socket: str, *, synced: bool) -> None:
    """After the connection check, also when it has not begun to open its connection."""
    runner = Runner(History(linked=True))
    states = [runner.look(looks(MODERN, socket=socket, synced=synced, **DOWN)).state for _ in range(40)]

    assert [State.OFFLINE] * 34 == states[6:]
    assert State.OFFLINE not in states[:6]
