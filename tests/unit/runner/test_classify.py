"""The states, one table row each, in both generations of the page."""

from typing import Any

import pytest
from msgspec.structs import replace
from session_protocol.vocabulary import LinkMethod, OnLogout
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Ban
from session_runner.states.history import History
from session_runner.states.pairing import Pairing, Source
from session_runner.states.policy import Policy
from session_runner.states.proxy_failures import ProxyFailure
from unit.runner.pages import CODE, LEGACY, MODERN, UNLINKED, Raw, looks

NOW = 1000.0
LINKED = History(linked=True, healthy_comms=True)
CODED = History(round=1, code_origin=1.0)
CUT_OFF = replace(CODED, lost_since=NOW - 1)
POLICY = Policy(startup=60, connection_check=30)
SILENT: Raw = {"stream": "DISCONNECTED"}

both = pytest.mark.parametrize("shape", [LEGACY, MODERN], ids=["legacy", "modern"])


def verdict(shape: Raw, history: History, policy: Policy = POLICY, **changes: Any) -> Verdict:
    """Classify a page of that shape with some keys changed, at NOW."""
    return classify(looks(shape, **changes), history, policy=policy, now=NOW)


@both
@pytest.mark.parametrize(
    ("history", "changes", "state", "reason"),
    [
        (History(), {"booted": False}, State.LOADING, Reason.PAGE_LOADING),
        (History(), {"injected": False, "registered": None}, State.LOADING, Reason.PAGE_LOADING),
        (History(unclassified_since=NOW - 30), {"booted": False}, State.LOAD_ERROR, Reason.NOT_BOOTED),
        (History(unclassified_since=NOW - 29), {"booted": False}, State.LOADING, Reason.PAGE_LOADING),
        (History(), {"booted": False, "refused": True}, State.UNSUPPORTED_BROWSER, Reason.BROWSER_REFUSED),
        (History(round=1), UNLINKED | {"code": CODE}, State.QR_PENDING, Reason.WAITING_FOR_SCAN),
        (History(round=1), UNLINKED | {"socket": "OPENING"}, State.LOADING, Reason.OPENING_CONNECTION),
        (CODED, UNLINKED | {"socket": "OPENING"}, State.QR_PENDING, Reason.WAITING_FOR_SCAN),
        (CUT_OFF, UNLINKED | {"socket": "OPENING"}, State.OFFLINE, Reason.NO_CONNECTION),
        (CUT_OFF, UNLINKED | {"socket": "OPENING", "origin": 2.0}, State.LOADING, Reason.OPENING_CONNECTION),
        (
            replace(CUT_OFF, refreshing_since=NOW - 1),
            UNLINKED | {"socket": "OPENING"},
            State.QR_PENDING,
            Reason.WAITING_FOR_SCAN,
        ),
        (History(), UNLINKED | {"socket": "OPENING"}, State.LOADING, Reason.OPENING_CONNECTION),
        (History(), UNLINKED | {"socket": "UNLAUNCHED"}, State.LOADING, Reason.OPENING_CONNECTION),
        (History(round=1), UNLINKED | {"passkey": {}}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
        (History(codeless_since=0), UNLINKED | {"passkey": {}}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
        (History(round=1), UNLINKED | {"online": False, "code": CODE}, State.OFFLINE, Reason.NETWORK_UNREACHABLE),
        (History(), UNLINKED | {"unavailable": True}, State.SERVICE_UNAVAILABLE, Reason.SERVICE_DOWN),
        (History(round=1, foreign_mutex_since=NOW - 2), UNLINKED, State.CONFLICT, Reason.OTHER_TAB),
        (History(lost_since=NOW - 30), UNLINKED | {"socket": "OPENING"}, State.OFFLINE, Reason.NO_CONNECTION),
        (History(codeless_since=NOW - 30), UNLINKED, State.DEGRADED, Reason.NO_CODE_FOUND),
        (History(), UNLINKED | {"socket": "PROXYBLOCK"}, State.DEGRADED, Reason.UNKNOWN_PAGE_STATE),
        (LINKED, {}, State.CONNECTED, Reason.AS_EXPECTED),
        (LINKED, {"synced": False}, State.SYNCING, Reason.FIRST_SYNC),
        (LINKED, {"synced": False, "stream": "SYNCING"}, State.SYNCING, Reason.FIRST_SYNC),
        (LINKED, {"synced": False, "socket": "UNPAIRED"} | SILENT, State.SYNCING, Reason.FIRST_SYNC),
        (
            replace(LINKED, lost_since=NOW - 60),
            {"synced": False, "socket": "UNPAIRED"} | SILENT,
            State.DEGRADED,
            Reason.UNKNOWN_PAGE_STATE,
        ),
        (LINKED, {"synced": False, "socket": "OPENING"} | SILENT, State.SYNCING, Reason.FIRST_SYNC),
        (LINKED, {"socket": "PAIRING", "synced": False} | SILENT, State.SYNCING, Reason.FIRST_SYNC),
        (LINKED, {"socket": "PAIRING"} | SILENT, State.RECONNECTING, Reason.CONNECTION_LOST),
        (replace(LINKED, lost_since=NOW - 30), {"socket": "PAIRING"} | SILENT, State.OFFLINE, Reason.NO_CONNECTION),
        (LINKED, {"socket": "OPENING"} | SILENT, State.RECONNECTING, Reason.CONNECTION_LOST),
        (replace(LINKED, silent_since=NOW - 29), SILENT, State.RECONNECTING, Reason.CONNECTION_LOST),
        (LINKED, {"stream": "RESUMING"}, State.RECONNECTING, Reason.RESUMING),
        (LINKED, {"stream": "SYNCING"}, State.RECONNECTING, Reason.RESUMING),
        (LINKED, {"stream": "A_WORD_OF_LATER"}, State.RECONNECTING, Reason.CONNECTION_LOST),
        (LINKED, {"socket": "OPENING", "online": False} | SILENT, State.OFFLINE, Reason.NETWORK_UNREACHABLE),
        (replace(LINKED, lost_since=NOW - 30), {"socket": "OPENING"} | SILENT, State.OFFLINE, Reason.NO_CONNECTION),
        (LINKED, {"socket": "SCREEN_LOCKED"}, State.SCREEN_LOCKED, Reason.LOCKED_BY_USER),
        (LINKED, {"deprecated": True} | SILENT, State.UPDATE_NEEDED, Reason.VERSION_REFUSED),
        (LINKED, {"socket": "TOS_BLOCK"}, State.DEGRADED, Reason.UNKNOWN_PAGE_STATE),
        (LINKED, {"dialog": "PasskeyCheck"}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
        (LINKED, {"passkey": {}}, State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY),
        (LINKED, {"dialog": "WhatsNew"}, State.ACTION_REQUIRED, Reason.DIALOG_OPEN),
        (LINKED, {"dialog": "Other"}, State.ACTION_REQUIRED, Reason.DIALOG_OPEN),
        (LINKED, {"storageFailed": True}, State.DEGRADED, Reason.STORAGE_FAILED),
        (LINKED, {"storageFailed": True} | SILENT, State.DEGRADED, Reason.STORAGE_FAILED),
        (LINKED, {"storageFailed": True, "online": False, "socket": "OPENING"}, State.DEGRADED, Reason.STORAGE_FAILED),
        (LINKED, {"storageFailed": True, "synced": False}, State.DEGRADED, Reason.STORAGE_FAILED),
        (LINKED, {"storageFailed": True} | UNLINKED, State.DEGRADED, Reason.STORAGE_FAILED),
        (LINKED, {"storageFailed": True, "registered": None}, State.DEGRADED, Reason.STORAGE_FAILED),
        (History(round=1), UNLINKED | {"storageFailed": True, "code": CODE}, State.DEGRADED, Reason.STORAGE_FAILED),
        (LINKED, {"timeLocked": True}, State.RESTRICTED, Reason.TIME_LOCK),
        (LINKED, {"capped": True}, State.RESTRICTED, Reason.MESSAGES_CAPPED),
        (LINKED, {"needsUpdate": True}, State.CONNECTED, Reason.AS_EXPECTED),
        (LINKED, {"dialog": "OtherWindow"} | SILENT, State.CONFLICT, Reason.OTHER_TAB),
        (LINKED, {"socket": "CONFLICT"}, State.CONFLICT, Reason.OTHER_TAB),
    ],
)
def test_each_shape_of_the_page_has_its_state(
    shape: Raw, history: History, changes: Raw, state: State, reason: Reason
) -> None:
    """One row per state: what the page shows and what is remembered give state and reason."""
    got = verdict(shape, history, **changes)

    assert (state, reason) == (got.state, got.reason)


def test_a_tab_that_lost_its_mutex_is_in_conflict() -> None:
    """Connected by name, stream down, and the mutex another's for two seconds: another tab took over."""
    history = replace(LINKED, foreign_mutex_since=NOW - 2)

    assert verdict(MODERN, history, foreignMutex=True, **SILENT)[:2] == (State.CONFLICT, Reason.OTHER_TAB)


def test_a_window_over_a_page_that_lost_its_mutex_is_the_other_tabs() -> None:
    """In any language and without waiting; not while the page streams."""
    window: Raw = {"dialog": "Other", "foreignMutex": True}

    assert verdict(MODERN, LINKED, **window, **SILENT)[:2] == (State.CONFLICT, Reason.OTHER_TAB)
    assert verdict(MODERN, LINKED, **window)[:2] == (State.ACTION_REQUIRED, Reason.DIALOG_OPEN)


@pytest.mark.parametrize(
    ("since", "changes"),
    [
        (NOW - 1.9, SILENT),
        (NOW - 60, {"socket": "OPENING"} | SILENT),
        (NOW - 60, {}),
    ],
    ids=["just now", "still starting", "streaming"],
)
def test_a_foreign_mutex_alone_is_no_conflict(since: float, changes: Raw) -> None:
    """A stale mutex of a crashed browser, or one that is just changing hands, is harmless."""
    history = replace(LINKED, foreign_mutex_since=since)

    assert verdict(MODERN, history, foreignMutex=True, **changes).state is not State.CONFLICT


def test_a_replaced_session_is_in_conflict() -> None:
    """Connected by name, stream down for the connection check, online, connection object gone: replaced elsewhere."""
    history = replace(LINKED, silent_since=NOW - 30)

    assert verdict(MODERN, history, comms=False, **SILENT)[:2] == (State.CONFLICT, Reason.REPLACED)


@pytest.mark.parametrize(
    ("history", "changes", "state"),
    [
        ({"silent_since": NOW - 29}, {"comms": False}, State.RECONNECTING),
        ({}, {"comms": True}, State.DEGRADED),
        ({}, {"comms": None}, State.DEGRADED),
        ({"healthy_comms": False}, {"comms": False}, State.DEGRADED),
        ({}, {"comms": False, "needsUpdate": True}, State.UPDATE_NEEDED),
        ({}, {"comms": False, "online": False}, State.OFFLINE),
        ({}, {"comms": False, "stream": "RESUMING"}, State.RECONNECTING),
    ],
    ids=["not long enough", "comms in order", "comms unknown", "comms never there", "updating", "offline", "resuming"],
)
def test_what_only_resembles_a_replaced_session(history: Raw, changes: Raw, state: State) -> None:
    """Each missing piece of the fingerprint gives another word: a wrong conflict would wait for a person for ever."""
    got = verdict(MODERN, replace(LINKED, **{"silent_since": NOW - 31, **history}), **(SILENT | changes))

    assert state == got.state


@both
def test_a_ban_covers_everything_but_a_browser_that_is_refused(shape: Raw) -> None:
    """A ban is told with its code and its end, also over a conflict and a logout."""
    history = replace(LINKED, ban=Ban(code="402", expires=1_800_000_000), silent_since=NOW - 60, logged_out_since=NOW)
    got = verdict(shape, history, comms=False, ban={}, **SILENT)

    assert (State.TEMPORARILY_BANNED, Reason.BANNED) == (got.state, got.reason)
    assert "(code 402) until 2027-01-15T08:00:00Z" in got.message


@pytest.mark.parametrize(
    ("expires", "says"),
    [
        (1_800_000_000.0, " until 2027-01-15T08:00:00Z."),
        (3600.0, " for 3600 s."),
        (None, "account."),
        (-1.0, "account."),
    ],
)
def test_the_end_of_a_ban_is_a_moment_or_a_duration(expires: float | None, says: str) -> None:
    """The service's number is a moment or a length; what is neither is left out, and so is an absent code."""
    got = verdict(MODERN, replace(LINKED, ban=Ban(expires=expires)), ban={}, **SILENT)

    assert says in got.message
    assert "code" not in got.message


def test_an_outage_is_reported_until_the_stream_is_up() -> None:
    """The service's own word that it is down covers Reconnecting, but not a stream that works."""
    assert verdict(MODERN, LINKED, socket="OPENING", unavailable=True, **SILENT).state is State.SERVICE_UNAVAILABLE
    assert verdict(MODERN, LINKED, unavailable=True).state is State.CONNECTED


@both
@pytest.mark.parametrize(
    ("logout_hold", "granted", "on_logout", "reason"),
    [
        (None, False, OnLogout.RELINK, Reason.RELINKING),
        (None, False, OnLogout.WAIT, Reason.WAITING_FOR_PERSON),
        (None, True, OnLogout.WAIT, Reason.RELINKING),
        ("Banned", False, OnLogout.RELINK, Reason.WAITING_FOR_PERSON),
        ("AccountLocked", False, OnLogout.RELINK, Reason.WAITING_FOR_PERSON),
        ("AccountLocked", True, OnLogout.RELINK, Reason.RELINKING),
    ],
)
def test_who_goes_on_after_a_logout(
    shape: Raw,
    logout_hold: str | None,
    granted: bool,  # noqa: FBT001 -- a column of the table
    on_logout: OnLogout,
    reason: Reason,
) -> None:
    """The owner's choice decides, a ban or a locked account overrules it, and a person's request overrules both."""
    history = History(linked=True, logout_hold=logout_hold, granted=granted, logged_out_since=NOW)
    got = verdict(shape, history, replace(POLICY, on_logout=on_logout), **UNLINKED)

    assert (State.LOGGED_OUT, reason) == (got.state, got.reason)


def test_a_logout_says_why_it_waits() -> None:
    """The message names the ban or the lock, which no setting can overrule."""
    banned = verdict(MODERN, History(linked=True, logout_hold="Banned", logged_out_since=NOW), **UNLINKED)
    locked = verdict(MODERN, History(linked=True, logout_hold="AccountLocked", logged_out_since=NOW), **UNLINKED)

    assert "after a ban" in banned.message
    assert "account is locked" in locked.message


@both
def test_a_page_that_was_linked_and_just_started_is_loading(shape: Raw) -> None:
    """An unregistered look at a page that was linked is not a logout before it has lasted."""
    assert verdict(shape, History(linked=True), **UNLINKED).state is State.LOADING


@both
@pytest.mark.parametrize(
    ("rounds", "refreshing_since", "state"),
    [
        (4, None, State.QR_PENDING),
        (5, None, State.LINK_EXPIRED),
        (5, NOW - 1, State.QR_PENDING),
        (5, NOW - 15, State.LINK_EXPIRED),
    ],
    ids=["rounds left", "used up", "the last one is on its way", "the last one never came"],
)
def test_linking_expires_after_the_last_round(
    shape: Raw, rounds: int, refreshing_since: float | None, state: State
) -> None:
    """Idle codes mean another round while there are rounds, and LinkExpired afterwards."""
    history = History(round=rounds, refreshing_since=refreshing_since)

    assert state == verdict(shape, history, **(UNLINKED | {"socket": "UNPAIRED_IDLE"})).state


@pytest.mark.parametrize(
    ("pairing", "reason", "part"),
    [
        (Pairing(), Reason.PHONE_NUMBER_NEEDED, "Nobody has named"),
        (Pairing(source=Source.MISSING), Reason.PHONE_NUMBER_NEEDED, "does not exist"),
        (Pairing(source=Source.INVALID), Reason.PHONE_NUMBER_NEEDED, "no number"),
        (Pairing(number="+1", refusals=1, limited=True), Reason.PAIRING_CODE_REFUSED, "too many attempts"),
        (Pairing(number="+1", refusals=1), Reason.PAIRING_CODE_REFUSED, "no pairing code now;"),
        (Pairing(number="+1", refusals=1, unsupported=True), Reason.PAIRING_CODE_NOT_SUPPORTED, "has no pairing codes"),
        (Pairing(number="+1"), Reason.WAITING_FOR_SCAN, "Scan the QR code"),
        (Pairing(number="+1", code="ABCD-1EFG", code_dies=NOW), Reason.WAITING_FOR_SCAN, "Scan the QR code"),
    ],
)
def test_without_a_pairing_code_the_qr_code_is_left(pairing: Pairing, reason: Reason, part: str) -> None:
    """With the reason why there is none, where somebody has wished for one."""
    policy = replace(POLICY, method=LinkMethod.PAIRING_CODE)
    got = verdict(MODERN, History(round=1, pairing=pairing), policy, **(UNLINKED | {"code": CODE}))

    assert (State.QR_PENDING, reason) == (got.state, got.reason)
    assert part in got.message


@pytest.mark.parametrize("socket", ["UNPAIRED", "UNPAIRED_IDLE"])
def test_a_live_pairing_code_is_what_is_waited_for(socket: str) -> None:
    """Also after the QR codes of its round, and after those of the last one."""
    pairing = Pairing(number="+1", code="ABCD-1EFG", code_dies=NOW + 1)
    history = History(round=POLICY.max_rounds, pairing=pairing)
    got = verdict(MODERN, history, **(UNLINKED | {"socket": socket}))

    assert (State.PAIRING_CODE_PENDING, Reason.WAITING_FOR_PAIRING_CODE) == (got.state, got.reason)
    assert "ABCD" not in f"{got} {pairing!r}"


def test_the_wrong_account_is_never_connected() -> None:
    """While it is being unlinked, whatever its page shows."""
    got = verdict(MODERN, replace(LINKED, unexpected=True))

    assert (State.ACTION_REQUIRED, Reason.UNEXPECTED_ACCOUNT) == (got.state, got.reason)


def test_why_the_wrong_account_was_logged_out_shows() -> None:
    """And linking goes on as after any logout."""
    got = verdict(MODERN, replace(LINKED, unexpected=True, logged_out_since=NOW), **UNLINKED)

    assert (State.LOGGED_OUT, Reason.RELINKING) == (got.state, got.reason)
    assert "another account" in got.message


@pytest.mark.parametrize(("silent", "state"), [(59.0, State.SYNCING), (60.0, State.DEGRADED)])
def test_a_first_sync_that_never_begins_is_degraded(silent: float, state: State) -> None:
    """A linked page may take its time, but one that hears nothing for a minute is stuck."""
    history = replace(LINKED, silent_since=NOW - silent)

    assert state == verdict(MODERN, history, synced=False, **SILENT).state


def test_an_unknown_state_of_the_page_is_shown_cleaned() -> None:
    """The page's word reaches a status, so only its letters do, and not endlessly many."""
    got = verdict(MODERN, LINKED, socket="NEW <b>STATE</b> " + "X" * 99)

    assert got.state is State.DEGRADED
    assert "NEWbSTATEbXXX" in got.message
    assert len(got.message) < 120


@pytest.mark.parametrize("changes", [{"timeLocked": True}, {"capped": True}])
def test_a_restriction_says_until_when(changes: Raw) -> None:
    """The page's own time for its end, where it has one; a number that is no time is none."""
    known = verdict(MODERN, LINKED, restrictedUntil=1_800_000_000, **changes)
    unknown = verdict(MODERN, LINKED, restrictedUntil=30, **changes)

    assert "until 2027-01-15T08:00:00Z" in known.message
    assert "until" not in unknown.message


def test_a_passkey_has_its_deadline() -> None:
    """The browser's own request says how long the page waits."""
    got = verdict(MODERN, History(), **(UNLINKED | {"passkey": {"until": 1_800_000_000}}))

    assert "until 2027-01-15T08:00:00Z" in got.message


@pytest.mark.parametrize(("comms", "state"), [(False, State.DEGRADED), (True, State.OFFLINE), (None, State.OFFLINE)])
def test_a_page_that_has_given_up_shows_an_unknown_screen(comms: bool | None, state: State) -> None:  # noqa: FBT001
    """A page that retries is offline; one that ended its connection shows something that only a text would tell."""
    history = replace(LINKED, lost_since=NOW - 30)
    got = verdict(MODERN, history, socket="PAIRING", synced=False, comms=comms, **SILENT)

    assert state is got.state


def test_a_page_that_was_banned_before_its_reload_is_given_time() -> None:
    """A new document that is connecting may still meet the ban; one that has given up has met it; one that hears is free."""
    history = replace(LINKED, ban=Ban(code="402"), ban_origin=0.5)
    arriving: Raw = {"socket": "OPENING", "synced": False} | SILENT

    assert State.LOADING is verdict(MODERN, history, **arriving).state
    assert State.TEMPORARILY_BANNED is verdict(MODERN, history, **arriving, comms=False).state
    assert State.LOADING is verdict(MODERN, replace(history, lost_since=NOW - 30), **arriving).state
    assert State.TEMPORARILY_BANNED is verdict(MODERN, replace(history, ban_unclear_since=NOW - 30), **arriving).state


def test_a_page_that_refuses_its_version_and_has_given_up_needs_an_update() -> None:
    """Also before it was ever connected; one that merely lost its network meanwhile does not."""
    history = replace(LINKED, lost_since=NOW - 30)
    changes: Raw = {"socket": "PAIRING", "needsUpdate": True} | SILENT

    assert State.UPDATE_NEEDED is verdict(MODERN, history, **changes, comms=False).state
    assert State.OFFLINE is verdict(MODERN, history, **changes).state


def test_a_page_that_streams_is_no_other_window() -> None:
    """A text is a second witness: what the page's modules refute is no conflict, and still not connected."""
    got = verdict(MODERN, LINKED, dialog="OtherWindow")

    assert State.ACTION_REQUIRED is got.state


NO_WAY = ProxyFailure(Reason.PROXY_UNREACHABLE, "The proxy cannot be reached.")
NOT_THERE = ProxyFailure(Reason.PROXY_REFUSED, "The proxy does not let it through.", "mmg.whatsapp.net")


@both
@pytest.mark.parametrize(
    ("history", "changes"),
    [
        (History(), {"booted": False}),
        (History(unclassified_since=NOW - 30), {"booted": False}),
        (History(), UNLINKED | {"socket": "OPENING"}),
        (History(round=1), UNLINKED | {"socket": "OPENING"}),
        (History(lost_since=NOW - 30), UNLINKED | {"socket": "OPENING"}),
        (LINKED, {"socket": "OPENING", "stream": "DISCONNECTED"}),
        (LINKED, {"socket": "OPENING", "stream": "DISCONNECTED", "synced": False}),
        (replace(LINKED, lost_since=NOW - 30), {"socket": "OPENING", "stream": "DISCONNECTED"}),
    ],
)
def test_a_page_without_a_way_says_what_is_wrong_with_its_proxy(
    shape: Raw, history: History, changes: dict[str, Any]
) -> None:
    """Loading, LoadError, Reconnecting, Offline, and a code or a sync whose connection is lost."""
    facts = replace(looks(shape, **changes), proxy_failure=NO_WAY)

    assert (State.PROXY_ERROR, NO_WAY.reason, NO_WAY.message) == classify(facts, history, policy=POLICY, now=NOW)


@both
@pytest.mark.parametrize("failure", [NO_WAY, NOT_THERE])
@pytest.mark.parametrize(
    ("history", "changes", "state"),
    [
        (LINKED, {}, State.CONNECTED),
        (History(round=1), UNLINKED | {"code": CODE}, State.QR_PENDING),
        (LINKED, {"timeLocked": True}, State.RESTRICTED),
        (LINKED, {"stream": "SYNCING", "synced": False}, State.SYNCING),
        (
            replace(LINKED, ban=Ban()),
            {"socket": "OPENING", "stream": "DISCONNECTED", "ban": {}},
            State.TEMPORARILY_BANNED,
        ),
        (LINKED, {"socket": "CONFLICT"}, State.CONFLICT),
        (replace(LINKED, logged_out_since=NOW), UNLINKED, State.LOGGED_OUT),
    ],
)
def test_a_page_that_has_got_somewhere_or_waits_says_that(
    shape: Raw, failure: ProxyFailure, history: History, changes: dict[str, Any], state: State
) -> None:
    """A proxy that fails beside it changes nothing, and ends nothing that a person has to end."""
    facts = replace(looks(shape, **changes), proxy_failure=failure)

    assert state == classify(facts, history, policy=POLICY, now=NOW).state


def test_a_loading_page_may_do_without_one_host() -> None:
    """Only a proxy that lets it nowhere is why it does not load; one that it cannot do without makes it LoadError."""
    facts = replace(looks(MODERN, booted=False), proxy_failure=NOT_THERE)

    assert State.LOADING == classify(facts, History(), policy=POLICY, now=NOW).state
    assert State.PROXY_ERROR == classify(facts, History(unclassified_since=0), policy=POLICY, now=NOW).state
