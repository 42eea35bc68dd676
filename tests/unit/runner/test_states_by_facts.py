"""A state is a function of what can be read from the page now.

Each row is a page that stays as it is. Who looks at it must not matter: a runner that saw it come, one whose page has
reloaded itself into it, one that was started on it, and one that was looking away when it came and went.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from session_protocol.states import traits_of
from session_protocol.vocabulary import OnLogout
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Facts
from session_runner.states.history import History, left, remember, reported
from session_runner.states.policy import Policy
from unit.runner.pages import ARRIVED, CODE, LEGACY, MODERN, UNLINKED, Raw, looks

POLICY = Policy(startup=60, connection_check=10, on_logout=OnLogout.WAIT)
LOADING: Raw = {"booted": False, "injected": False, "registered": None}
CODED: Raw = UNLINKED | {"code": CODE}
DOWN: Raw = {"stream": "DISCONNECTED"}
BAN: Raw = {"code": 402, "expire": 1_800_000_000}
REFUSED: Raw = LOADING | {"refused": True}
NOT_FETCHED: Raw = LOADING | {"document": ARRIVED | {"status": 503}}
END: Raw = {"restrictedUntil": 1_800_000_000}

LINKED_ROWS: list[tuple[Raw, State, Reason]] = [
    ({"ban": BAN} | DOWN, State.TEMPORARILY_BANNED, Reason.BANNED),
    ({"ban": BAN, "comms": False} | DOWN, State.TEMPORARILY_BANNED, Reason.BANNED),
    ({"unavailable": True, "socket": "OPENING"} | DOWN, State.SERVICE_UNAVAILABLE, Reason.SERVICE_DOWN),
    ({"foreignMutex": True} | DOWN, State.CONFLICT, Reason.OTHER_TAB),
    ({"foreignMutex": True, "lostMutex": True, "socket": "OPENING"} | DOWN, State.CONFLICT, Reason.OTHER_TAB),
    ({"dialog": "OtherWindow"} | DOWN, State.CONFLICT, Reason.OTHER_TAB),
    ({"dialog": "Other", "foreignMutex": True} | DOWN, State.CONFLICT, Reason.OTHER_TAB),
    ({"dialog": "Other", "foreignMutex": True, "socket": "OPENING"} | DOWN, State.CONFLICT, Reason.OTHER_TAB),
    ({"termsBlocked": True}, State.RESTRICTED, Reason.TERMS_NOT_ACCEPTED),
    ({"termsBlocked": True, "socket": "TOS_BLOCK"} | DOWN, State.RESTRICTED, Reason.TERMS_NOT_ACCEPTED),
    ({"comms": False} | DOWN, State.CONFLICT, Reason.REPLACED),
    ({"socket": "SCREEN_LOCKED"}, State.SCREEN_LOCKED, Reason.LOCKED_BY_USER),
    ({"deprecated": True, "socket": "OPENING"} | DOWN, State.UPDATE_NEEDED, Reason.VERSION_REFUSED),
    ({"needsUpdate": True, "comms": False} | DOWN, State.UPDATE_NEEDED, Reason.VERSION_REFUSED),
    ({"storageFailed": True}, State.DEGRADED, Reason.STORAGE_FAILED),
    ({"passkey": {}}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
    ({"dialog": "PasskeyCheck"}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
    ({"dialog": "WhatsNew"}, State.ACTION_REQUIRED, Reason.DIALOG_OPEN),
    ({"dialog": "Other"}, State.ACTION_REQUIRED, Reason.DIALOG_OPEN),
    ({"dialog": "Other", "stream": "SYNCING", "synced": False}, State.ACTION_REQUIRED, Reason.DIALOG_OPEN),
    ({"passkey": {}, "stream": "RESUMING"}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
    ({"timeLocked": True} | END, State.RESTRICTED, Reason.TIME_LOCK),
    ({"capped": True} | END, State.RESTRICTED, Reason.MESSAGES_CAPPED),
    ({"online": False, "socket": "OPENING"} | DOWN, State.OFFLINE, Reason.NETWORK_UNREACHABLE),
    ({"online": False}, State.OFFLINE, Reason.NETWORK_UNREACHABLE),
    ({"socket": "OPENING"} | DOWN, State.OFFLINE, Reason.NO_CONNECTION),
    ({"socket": "PAIRING", "comms": False} | DOWN, State.DEGRADED, Reason.UNKNOWN_SCREEN),
    ({"comms": False, "otherScreen": True} | DOWN, State.DEGRADED, Reason.UNKNOWN_SCREEN),
    ({"comms": False, "synced": False, "wasLetIn": False} | DOWN, State.DEGRADED, Reason.UNKNOWN_SCREEN),
    ({"comms": False, "synced": False} | DOWN, State.CONFLICT, Reason.REPLACED),
    ({"stream": "RESUMING"}, State.RECONNECTING, Reason.RESUMING),
    ({"stream": "SYNCING", "synced": False}, State.SYNCING, Reason.FIRST_SYNC),
    ({"socket": "A_WORD_OF_LATER"}, State.DEGRADED, Reason.UNKNOWN_PAGE_STATE),
    (REFUSED, State.UNSUPPORTED_BROWSER, Reason.BROWSER_REFUSED),
    (NOT_FETCHED, State.LOAD_ERROR, Reason.HTTP_ERROR),
    (UNLINKED, State.LOGGED_OUT, Reason.WAITING_FOR_PERSON),
    (CODED, State.LOGGED_OUT, Reason.WAITING_FOR_PERSON),
    ({}, State.CONNECTED, Reason.AS_EXPECTED),
]
UNLINKED_ROWS: list[tuple[Raw, State, Reason]] = [
    (UNLINKED | {"ban": BAN}, State.TEMPORARILY_BANNED, Reason.BANNED),
    (UNLINKED | {"unavailable": True}, State.SERVICE_UNAVAILABLE, Reason.SERVICE_DOWN),
    (CODED | {"foreignMutex": True}, State.CONFLICT, Reason.OTHER_TAB),
    (UNLINKED | {"foreignMutex": True, "dialog": "Other", "socket": "OPENING"}, State.CONFLICT, Reason.OTHER_TAB),
    (UNLINKED | {"deprecated": True, "socket": "OPENING"}, State.UPDATE_NEEDED, Reason.VERSION_REFUSED),
    (UNLINKED | {"passkey": {}}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
    (CODED | {"online": False}, State.OFFLINE, Reason.NETWORK_UNREACHABLE),
    (UNLINKED | {"passkey": {}, "online": False}, State.OFFLINE, Reason.NETWORK_UNREACHABLE),
    (UNLINKED | {"passkey": {}, "socket": "PAIRING"}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
    (UNLINKED | {"socket": "OPENING"}, State.OFFLINE, Reason.NO_CONNECTION),
    (UNLINKED, State.DEGRADED, Reason.NO_CODE_FOUND),
    (REFUSED, State.UNSUPPORTED_BROWSER, Reason.BROWSER_REFUSED),
    (NOT_FETCHED, State.LOAD_ERROR, Reason.HTTP_ERROR),
    (CODED, State.QR_PENDING, Reason.WAITING_FOR_SCAN),
]
ELSEWHERE = {
    State.STARTING: "before there is a page",
    State.LOADING: "on the way to another",
    State.PROXY_ERROR: "by the relay: test_classify",
    State.PAIRING_CODE_PENDING: "by a code that was asked for: test_pairing",
    State.LINK_EXPIRED: "by the rounds of this pod, then by the hold on the volume: test_history",
    State.UNRESPONSIVE: "by silence: test_monitor_silence",
    State.CRASHED: "without a page: test_monitor",
    State.STOPPING: "after the page: test_monitor",
}
""" What is no fact of a page. """


@dataclass
class Session:
    """A page and the runner that looks at it each second."""

    linked: bool
    shape: Raw
    now: float = 0.0
    origin: float = 1.0

    def __post_init__(self) -> None:
        self.history = History(linked=self.linked)
        self.states: list[State] = []

    def look(self, page: Raw) -> Verdict:
        """Look once."""
        self.now += 1
        facts = self._facts(page)
        self.history = remember(self.history, facts, policy=POLICY, now=self.now)
        verdict = classify(facts, self.history, policy=POLICY, now=self.now)
        self.history = reported(self.history, verdict.state, now=self.now)
        self.states.append(verdict.state)
        return verdict

    def settle(self, page: Raw) -> Verdict:
        """Look until all that needs its time has had it."""
        for _ in range(15):
            verdict = self.look(page)
        return verdict

    def reload(self) -> None:
        """Load another document."""
        self.history = left(self.history, now=self.now)
        self.look(LOADING)
        self.origin += 1

    def _facts(self, page: Raw) -> Facts:
        own = {"origin": self.origin} | ({"code": f"{CODE},{self.origin}"} if "code" in page else {})
        return looks(self.shape, **(page | own))


def rows(test: Any) -> Any:
    """Run a test for every row, on both generations of the page."""
    table = [(page, state, reason, True) for page, state, reason in LINKED_ROWS]
    table += [(page, state, reason, False) for page, state, reason in UNLINKED_ROWS]
    # The legacy page has neither tab mutex nor comms in reach, so what only they tell is not known there.
    both = [
        (shape, *row)
        for row in table
        for shape in (LEGACY, MODERN)
        if shape is MODERN or not {"foreignMutex", "comms"} & row[0].keys()
    ]
    marked = pytest.mark.parametrize(("shape", "page", "state", "reason", "linked"), both)
    return marked(test)


def healthy(*, linked: bool) -> Raw:
    """The page as it should be."""
    return {} if linked else CODED


@rows
def test_entered_by_an_event(shape: Raw, page: Raw, state: State, reason: Reason, *, linked: bool) -> None:
    """A page that was as it should be comes to show it."""
    session = Session(linked, shape)
    session.settle(healthy(linked=linked))

    assert (state, reason) == session.settle(page)[:2]


@rows
def test_entered_by_a_reload(shape: Raw, page: Raw, state: State, reason: Reason, *, linked: bool) -> None:
    """Another document shows it, to which no event was told; a page that showed it before shows it again."""
    session = Session(linked, shape)
    session.settle(healthy(linked=linked))
    session.reload()
    fresh = session.settle(page)
    session.reload()
    again = session.settle(page)

    assert (state, reason) == fresh[:2] == again[:2]
    assert fresh.message == again.message
    if state is not State.CONNECTED:
        assert State.CONNECTED not in session.states[16:]


@rows
def test_seen_first_by_a_new_pod(shape: Raw, page: Raw, state: State, reason: Reason, *, linked: bool) -> None:
    """A runner without any history but that a phone was linked sees the same."""
    session = Session(linked, shape)

    assert (state, reason) == session.settle(page)[:2]


@rows
def test_left_while_nobody_looked(shape: Raw, page: Raw, state: State, reason: Reason, *, linked: bool) -> None:
    """It is over at the first look at a page that does not show it any more, in the same document or in another."""
    session = Session(linked, shape)
    assert (state, reason) == session.settle(page)[:2]
    over = session.look(healthy(linked=linked))
    session.settle(page)
    session.reload()
    later = session.look(healthy(linked=linked))

    expected = State.CONNECTED if linked else State.QR_PENDING
    assert expected is over.state
    assert expected is later.state


@rows
def test_no_page_but_a_working_one_can_send(
    shape: Raw, page: Raw, state: State, reason: Reason, *, linked: bool
) -> None:
    """Connected means that a send would go out now: of all rows that is the last one."""
    session = Session(linked, shape)
    session.settle(healthy(linked=linked))
    verdict = session.look(page)

    assert (verdict.state is State.CONNECTED) is (page == {} and state is State.CONNECTED)
    assert reason in Reason
    assert traits_of(verdict.state).linked in (None, linked and page.get("registered") is not False)


def test_every_state_of_a_page_has_its_row() -> None:
    """So that one that is new is tried in all four ways, on both generations; what only a text tells is a row without it, too."""
    table = {state for _, state, _ in LINKED_ROWS + UNLINKED_ROWS}

    assert set(State) == table | ELSEWHERE.keys()
    assert table.isdisjoint(ELSEWHERE)


@pytest.mark.parametrize("dialog", ["OtherWindow", "Other"])
def test_another_tabs_window_that_is_closed_at_once_was_there(dialog: str) -> None:
    """The page has lost its session for good; only what it receives again, or its next document, says otherwise."""
    session, mutex = Session(True, MODERN), {"foreignMutex": dialog == "Other"}
    session.settle({})
    assert State.CONFLICT is session.look({"dialog": dialog} | mutex | DOWN).state
    assert State.CONFLICT is session.look(mutex | DOWN).state
    session.look({})
    assert State.RECONNECTING is session.look(DOWN).state
    session.look({"dialog": dialog} | mutex | DOWN)
    session.reload()

    assert State.RECONNECTING is session.look(DOWN).state
