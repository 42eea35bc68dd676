"""What the runner remembers between two looks at the page."""

from typing import Any

import pytest
from msgspec.structs import replace
from session_protocol.vocabulary import OnLogout
from session_protocol.vocabulary import RunnerState as State
from session_runner.states.classify import classify
from session_runner.states.history import (
    History,
    asked_for_code,
    left,
    live_code,
    logout_explained,
    remember,
    reported,
    wants_code,
)
from session_runner.states.policy import Policy
from unit.runner.pages import CODE, LEGACY, MODERN, UNLINKED, Raw, looks

RELINK = Policy(on_logout=OnLogout.RELINK, max_rounds=2)
WAIT = Policy(on_logout=OnLogout.WAIT)
IDLE: Raw = UNLINKED | {"socket": "UNPAIRED_IDLE"}
BAN: Raw = {"code": 402, "expire": 1_800_000_000}

both = pytest.mark.parametrize("shape", [LEGACY, MODERN], ids=["legacy", "modern"])


def then(history: History, at: float, shape: Raw = MODERN, policy: Policy = RELINK, **changes: Any) -> History:
    """Look once more and report what that gives, as the monitor does."""
    facts = looks(shape, **changes)
    history = remember(history, facts, policy=policy, now=at)
    return reported(history, classify(facts, history, policy=policy, now=at).state, now=at)


def state(history: History, at: float, policy: Policy = RELINK, **changes: Any) -> State:
    """The word for a modern page with those changes."""
    return classify(looks(MODERN, **changes), history, policy=policy, now=at).state


@both
def test_the_link_is_remembered_from_the_first_registered_look(shape: Raw) -> None:
    """A registered page is linked, also before it has synced."""
    assert then(History(), 1, shape, synced=False, socket="OPENING").linked


@both
def test_a_logout_is_believed_at_once_when_the_page_asks_to_be_linked(shape: Raw) -> None:
    """Was linked, is unregistered and shows codes: logged out, whatever the URL says."""
    history = then(History(linked=True), 7, shape, **UNLINKED)

    assert history.logged_out_since == 7


def test_a_look_during_start_up_is_no_logout() -> None:
    """An unregistered page that is still opening may only be slow; after five seconds it is not."""
    opening = UNLINKED | {"socket": "OPENING"}
    early = then(History(linked=True), 1, **opening)
    late = then(early, 6, **opening)

    assert early.logged_out_since is None
    assert late.logged_out_since == 6


def test_a_page_whose_database_failed_is_not_logged_out() -> None:
    """It cannot read its login and asks to be linked; the link is remembered, however long that lasts."""
    history = then(History(), 1)
    for at in (2, 8, 60):
        history = then(history, at, storageFailed=True, **UNLINKED)

    assert history.linked
    assert State.DEGRADED is state(history, 60, storageFailed=True, **UNLINKED)


def test_a_logout_links_again_after_it_could_be_seen() -> None:
    """With Relink the old link is given up two seconds after the logout, and the rounds begin anew."""
    history = then(History(linked=True, round=3), 10, **UNLINKED)
    shown = then(history, 11.9, **UNLINKED, code=CODE)
    again = then(shown, 12, **UNLINKED, code=CODE)

    assert shown.linked
    assert not again.linked
    assert again.round == 1


def test_a_logout_has_no_reason_of_the_one_before() -> None:
    """Linked again and unlinked within the minute: what was told, and asked for, is of the first."""
    history = logout_explained(replace(History(linked=True), logout_asked=0.0), "syncd_failure", now=1)
    for at in (2, 3, 5, 6):
        history = then(history, at, **UNLINKED)
    history = then(then(history, 8), 9, **UNLINKED)

    assert history.logged_out_since == 9
    assert (None, False) == (history.logout_reason, history.logged_out_as_asked)


def test_with_wait_the_link_is_never_given_up() -> None:
    """With Wait the page may show codes for ever; the session stays logged out."""
    history = then(History(linked=True), 10, policy=WAIT, **UNLINKED, code=CODE)
    later = then(history, 10_000, policy=WAIT, **UNLINKED, code=CODE)

    assert later.linked
    assert state(later, 10_000, WAIT, **UNLINKED, code=CODE) is State.LOGGED_OUT


def test_a_request_overrules_wait_once() -> None:
    """A granted relink gives the link up despite Wait; the next logout waits again."""
    history = then(History(linked=True, granted=True), 10, policy=WAIT, **UNLINKED)
    history = then(history, 12, policy=WAIT, **UNLINKED, code=CODE)
    linked = then(history, 20, policy=WAIT)
    out_again = then(linked, 30, policy=WAIT, **UNLINKED)

    assert not history.linked
    assert linked.linked
    assert not linked.granted
    assert state(out_again, 99, WAIT, **UNLINKED) is State.LOGGED_OUT


def test_a_request_for_a_session_that_works_is_spent() -> None:
    """Asking a connected session to link anew changes nothing later: it is spent when the session is seen working."""
    assert not then(History(linked=True, granted=True), 5).granted


@both
def test_a_ban_is_over_when_its_document_does_not_show_it_any_more(shape: Raw) -> None:
    """No stream has to be up for that; what the ban means for a logout lasts until one is."""
    history = then(then(History(), 1, shape), 2, shape, ban=BAN, stream="DISCONNECTED")
    down = then(history, 3, shape, ban=BAN, socket="OPENING", stream="DISCONNECTED")
    over = then(down, 4, shape, socket="OPENING", stream="DISCONNECTED")
    up = then(over, 5, shape)

    assert (None, "Banned") == (over.ban, over.logout_hold)
    assert (None, None) == (up.ban, up.logout_hold)


def test_a_reload_loses_nothing_of_a_ban() -> None:
    """Nobody repeats the event, and the screen has no code: what was shown before the reload stays."""
    banned = then(History(linked=True), 1, ban=BAN, origin=1.0, stream="DISCONNECTED")
    reloaded = then(banned, 2, origin=2.0, socket="OPENING", stream="DISCONNECTED")
    shown = then(reloaded, 3, origin=2.0, ban={}, socket="PAIRING", stream="DISCONNECTED")

    assert reloaded.ban == banned.ban
    assert shown.ban == banned.ban
    assert shown.ban_origin == 2.0


@pytest.mark.parametrize(
    "shape", [{}, {"stream": "SYNCING", "synced": False}, UNLINKED | {"code": CODE}], ids=["streams", "syncs", "code"]
)
def test_a_page_that_the_service_lets_in_is_not_banned(shape: Raw) -> None:
    """After a reload this alone refutes the ban."""
    banned = then(History(linked=True), 1, ban=BAN, origin=1.0, stream="DISCONNECTED")

    assert banned.ban is not None
    assert then(banned, 2, origin=2.0, **shape).ban is None


def test_a_logout_during_a_ban_waits_for_a_person() -> None:
    """Banned, then logged out: the hold keeps the session from linking again by itself."""
    history = then(History(linked=True), 1, ban=BAN, stream="DISCONNECTED")
    out = then(history, 2, **UNLINKED)
    later = then(out, 99, **UNLINKED, code=CODE)

    assert later.linked
    assert later.must_wait(RELINK)


def test_how_long_things_last_is_counted_from_their_begin() -> None:
    """The clocks of opening, silence, foreign mutex and loading begin once and end when the thing ends."""
    down: Raw = {"stream": "DISCONNECTED", "foreignMutex": True}
    history = then(then(History(), 1, **down), 5, **down)
    opening = then(history, 6, socket="OPENING", stream="DISCONNECTED")
    lost = then(opening, 7, booted=False)

    assert (history.silent_since, history.foreign_mutex_since, history.unclassified_since) == (1, 1, None)
    assert (opening.silent_since, opening.lost_since, opening.foreign_mutex_since) == (None, 1, None)
    assert (lost.lost_since, lost.unclassified_since) == (None, 7)


def test_the_connection_object_is_learned_while_connected() -> None:
    """Whether a healthy page has its connection object is learned only from a healthy page."""
    assert then(History(), 1, comms=False).healthy_comms is False
    assert then(History(healthy_comms=True), 1, comms=False, stream="DISCONNECTED").healthy_comms is True
    assert then(History(healthy_comms=True), 1, comms=None).healthy_comms is True


@both
def test_rounds_are_asked_for_until_they_are_used_up(shape: Raw) -> None:
    """The first code is round one; idle codes ask for the next, once per patience, up to the limit."""
    history = then(History(), 1, shape, **UNLINKED, code=CODE)
    idle = then(history, 160, shape, **IDLE)
    asked = asked_for_code(idle, now=160)
    shown = then(asked, 161, shape, **UNLINKED, code="2@new")
    idle_again = then(shown, 320, shape, **IDLE)

    assert history.round == 1
    assert wants_code(idle, looks(shape, **IDLE), policy=RELINK, now=160)
    assert not wants_code(asked, looks(shape, **IDLE), policy=RELINK, now=161)
    assert (shown.round, shown.refreshing_since) == (2, None)
    assert not wants_code(idle_again, looks(shape, **IDLE), policy=RELINK, now=320)
    assert state(idle_again, 320, **IDLE) is State.LINK_EXPIRED


def test_a_round_that_never_comes_is_asked_for_again() -> None:
    """A page that does not follow is asked again after a while, and each time counts."""
    asked = asked_for_code(History(round=1), now=100)
    policy = replace(RELINK, max_rounds=5)

    assert not wants_code(asked, looks(MODERN, **IDLE), policy=policy, now=114)
    assert wants_code(asked, looks(MODERN, **IDLE), policy=policy, now=115)
    assert asked.round == 2


def test_a_stale_code_does_not_finish_a_round() -> None:
    """The old code may stay on the screen while the page is idle; it is not the new round's."""
    asked = asked_for_code(History(round=1), now=100)

    assert then(asked, 101, **IDLE, code=CODE).refreshing_since == 100


def test_no_round_is_asked_for_while_a_logout_waits() -> None:
    """A logged-out session that waits for a person does not keep the page's codes alive."""
    assert not wants_code(History(linked=True), looks(MODERN, **IDLE), policy=WAIT, now=1)


def lasting(*turns: tuple[float, Raw]) -> tuple[list[State], float]:
    """Look each second at a linked page that goes through these turns; return the states and when the last one began."""
    history, states, at, since = History(linked=True), list[State](), 0.0, 0.0
    for seconds, shape in turns:
        for _ in range(int(seconds)):
            at += 1
            history = then(history, at, policy=Policy(connection_check=30), **shape)
            found = state(history, at, policy=Policy(connection_check=30), **shape)
            if states[-1:] != [found]:
                states, since = [*states, found], at
    return states, since


OPENING: Raw = {"socket": "OPENING", "stream": "DISCONNECTED"}
RESTING: Raw = {"socket": "UNLAUNCHED", "stream": "DISCONNECTED"}
HEARS_NOTHING: Raw = {"stream": "DISCONNECTED"}


@pytest.mark.parametrize(
    "turns",
    [
        [(60, OPENING)],
        [(10, OPENING), (10, RESTING), (10, OPENING), (30, RESTING)],
        [(5, HEARS_NOTHING), (60, OPENING)],
        [(25, HEARS_NOTHING), (2, OPENING), (20, HEARS_NOTHING)],
        [(20, OPENING), (20, HEARS_NOTHING)],
        [(1, OPENING), (1, HEARS_NOTHING)] * 30,
    ],
)
def test_a_lost_connection_is_offline_after_the_connection_check(turns: list[tuple[float, Raw]]) -> None:
    """Counted from the loss, whatever the page tries meanwhile and however its socket is called."""
    states, since = lasting((5, {}), *turns)

    assert [State.CONNECTED, State.RECONNECTING, State.OFFLINE] == states
    assert 5 + 1 + 30 == since


def test_a_second_loss_of_the_connection_counts_from_itself() -> None:
    """Two losses of 20 s are no loss of 40 s."""
    states, _ = lasting((5, {}), (20, OPENING), (1, {}), (20, HEARS_NOTHING), (1, {}))

    assert [State.CONNECTED, State.RECONNECTING] * 2 + [State.CONNECTED] == states


def test_a_page_that_has_not_begun_to_open_is_not_offline() -> None:
    """It has lost nothing yet: it is loading, which the startup timeout ends."""
    states, _ = lasting((100, UNLINKED | {"socket": "UNLAUNCHED", "registered": None}))

    assert State.OFFLINE not in states


@pytest.mark.parametrize("cover", [{"dialog": "OtherWindow"}, {"unavailable": True}, {"ban": BAN}])
def test_a_logout_is_reported_once_what_covers_it_ends(cover: Raw) -> None:
    """However long it was covered, it is reported for its time before the page links again."""
    history = then(History(linked=True), 1, **UNLINKED, **cover)
    for at in range(2, 30):
        history = then(history, at, **UNLINKED, **cover)
    shown = then(history, 30, **UNLINKED, code=CODE)

    assert shown.linked
    assert State.LOGGED_OUT is state(shown, 30, **UNLINKED, code=CODE)


def test_a_logout_that_is_covered_meanwhile_is_reported_anew() -> None:
    """Its time is a time in which people can read it."""
    history = then(History(linked=True), 1, **UNLINKED)
    covered = then(history, 2, **UNLINKED, dialog="OtherWindow")
    again = then(covered, 3.5, **UNLINKED, code=CODE)

    assert then(again, 5.4, **UNLINKED, code=CODE).linked
    assert not then(again, 5.5, **UNLINKED, code=CODE).linked


def test_the_address_says_that_the_account_is_locked() -> None:
    """The event of a logout comes while the page leaves and may be lost; the address of the next document stays."""
    history = then(History(linked=True), 1, **UNLINKED, logoutReason="account_locked")

    assert history.must_wait(RELINK)
    assert not then(History(), 1, **UNLINKED, logoutReason="account_locked").must_wait(RELINK)


def live(history: History, at: float, **changes: Any) -> tuple[str, float] | None:
    """The code that may be served now."""
    return live_code(history, looks(MODERN, **UNLINKED, **changes), now=at)


def test_a_code_dies_at_the_end_of_its_life() -> None:
    """Counted from when the page got it, also on a page that goes on showing it, or takes it away and shows it again."""
    shown: Raw = {"code": CODE, "codeLifetimeMs": 60_000, "codeAgeMs": 1_500}
    history = then(History(), 10, **UNLINKED, **shown)
    gone = then(then(history, 20, **UNLINKED), 30, **UNLINKED, **shown)

    assert (CODE, 58.5) == live(history, 10, **shown)
    assert (CODE, 0.5) == live(gone, 68, **shown)
    assert live(gone, 68.5, **shown) is None
    assert live(gone, 20) is None


def test_a_code_lives_no_longer_than_the_page_says_later() -> None:
    """The page has put the second code in the place of the first, and says how long it lives a moment after that."""
    shown: Raw = {"code": CODE, "codeAgeMs": 100}
    history = then(History(), 10, **UNLINKED, **shown, codeLifetimeMs=60_000)
    history = then(history, 11, **UNLINKED, code=CODE, codeAgeMs=1_100, codeLifetimeMs=20_000)
    history = then(history, 12, **UNLINKED, code=CODE, codeAgeMs=2_100, codeLifetimeMs=60_000)

    lifetime = live(history, 12, code=CODE)
    assert lifetime is not None
    assert 17.9 == pytest.approx(lifetime[1])


def test_a_code_dies_with_its_document() -> None:
    """A reload makes new keys, so the same text in the next document is a dead code; another one is alive."""
    history = left(then(History(), 10, **UNLINKED, code=CODE), now=11)
    reloaded = then(history, 12, **UNLINKED, code=CODE)
    renewed = then(reloaded, 13, **UNLINKED, code="2@new")

    assert live(reloaded, 12, code=CODE) is None
    assert ("2@new", 20.0) == live(renewed, 13, code="2@new")


def test_a_code_lives_on_in_a_document_that_was_not_left_after_all() -> None:
    """The page began a navigation that led to no other document; where one follows, the same text is dead."""
    shown: Raw = {"code": CODE, "origin": 1, "clockMs": 1_000_000, "codeAgeMs": 1_000, "codeLifetimeMs": 60_000}
    later: Raw = shown | {"clockMs": 1_002_000, "codeAgeMs": 3_000}
    history = left(then(History(), 10, **UNLINKED, **shown), now=11)
    other: Raw = later | {"origin": 2}
    elsewhere = then(history, 12, **UNLINKED, **other)

    assert (CODE, 57.0) == live(then(history, 12, **UNLINKED, **later), 12, **later)
    assert live(elsewhere, 12, **other) is None
    assert live(then(elsewhere, 12.1, **UNLINKED, **other), 12.1, **other) is None


@pytest.mark.parametrize("leaves", [True, False])
def test_the_same_text_is_another_code_where_the_page_was_given_it_anew(leaves: bool) -> None:  # noqa: FBT001
    """A page with the same keys may be given the same text again: by its own clock that is later."""
    shown: Raw = {"code": CODE, "codeLifetimeMs": 20_000}
    history = then(History(), 10, **UNLINKED, **shown, clockMs=1_000_000, codeAgeMs=1_000)
    history = left(history, now=29) if leaves else history
    stale: Raw = shown | {"clockMs": 1_021_000, "codeAgeMs": 22_000}
    fresh: Raw = shown | {"clockMs": 1_022_000, "codeAgeMs": 500}
    history = then(history, 31, **UNLINKED, **stale)

    assert live(history, 31, **stale) is None
    assert (CODE, 19.5) == live(then(history, 32, **UNLINKED, **fresh), 32, **fresh)


@pytest.mark.parametrize(
    ("lifetime", "at", "wants"), [(20_000, 31.9, False), (20_000, 32, True), (None, 32, False)], ids=str
)
def test_a_page_that_is_stuck_with_a_dead_code_is_asked_for_a_round(
    lifetime: int | None,
    at: float,
    wants: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """Not where the page does not tell how long its codes live; the dead code does not finish that round."""
    shown = UNLINKED | {"code": CODE, "codeLifetimeMs": lifetime}
    history = then(then(History(), 10, **shown), at, **shown)
    asked = then(asked_for_code(history, now=at), at + 1, **shown)

    assert wants is wants_code(history, looks(MODERN, **shown), policy=RELINK, now=at)
    assert asked.refreshing_since == at


def test_a_resumed_stream_that_falls_silent_is_counted_from_its_silence() -> None:
    """Resuming is no silence, so the time that it took makes no conflict of what follows."""
    history = History(linked=True, healthy_comms=True)
    for at in range(45):
        history = then(history, at, stream="RESUMING", policy=Policy())
    silent: Raw = {"stream": "DISCONNECTED", "comms": False}

    assert State.RECONNECTING is state(history, 45, Policy(), stream="RESUMING")
    assert State.RECONNECTING is state(then(history, 46, policy=Policy(), **silent), 50, Policy(), **silent)


@pytest.mark.parametrize("refused", [{"ban": BAN}, {"unavailable": True}])
def test_what_follows_a_refusal_is_counted_from_its_end(refused: Raw) -> None:
    """A banned page is silent and has ended its connection, as one that was replaced; its first moments after that are no conflict."""
    silent: Raw = {"stream": "DISCONNECTED", "comms": False}
    history = History(linked=True, healthy_comms=True)
    for at in range(100):
        history = then(history, at, policy=Policy(), **silent, **refused)
    over = then(history, 100, policy=Policy(), **silent)

    assert State.RECONNECTING is state(over, 129, Policy(), **silent)
    assert State.CONFLICT is state(then(over, 130, policy=Policy(), **silent), 130, Policy(), **silent)
