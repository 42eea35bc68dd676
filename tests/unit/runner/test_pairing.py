"""Pairing codes: when one is asked for, how long it lives, and what follows from a refusal."""

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from session_protocol.vocabulary import LinkMethod
from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.states.facts import Facts
from session_runner.states.history import History, left, wants_code
from session_runner.states.pairing import (
    AGAIN_PAUSE,
    ANSWER_SECONDS,
    ANSWERED_SECONDS,
    CODE_SECONDS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Pairing,
    Source,
    asked,
    for_number,
    is_due,
    is_over,
    live_pairing_code,
    looked,
    refused,
)
from session_runner.states.policy import Policy
from unit.runner.monitor_harness import MonitorHarness, ScriptedPage
from unit.runner.pages import CODE, MODERN, UNLINKED, looks

NUMBER, OTHER = "+15550100000", "+15550100001"
NOW = 1000.0
WAITING: dict[str, Any] = UNLINKED | {"code": CODE}
TYPED = "ABCD1EFG"


def page(request: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """A page that waits for a phone; `request` is what became of its pairing code."""
    return looks(MODERN, **(WAITING | {"pairing": request} | changes))


def shown(code: str = TYPED, *, age: float = 0, **more: Any) -> dict[str, Any]:
    """A request with its code."""
    return {"code": code, "ageMs": age * 1000, "failed": False, **more}


WANTED = Pairing(number=NUMBER)
ASKED = asked(WANTED, "asked", round_=1, now=NOW)
LIVE = looked(ASKED, page(shown()), now=NOW)


def test_a_code_is_asked_for_once_in_a_round() -> None:
    """While the page shows a QR code, which the person may scan as well."""
    assert is_due(WANTED, page(), round_=1, now=NOW)
    assert not is_due(ASKED, page(), round_=1, now=NOW)
    assert not is_due(LIVE, page(shown()), round_=1, now=NOW + 500)
    assert is_due(LIVE, page(), round_=2, now=NOW + 500)


@pytest.mark.parametrize(
    "changes", [{"registered": True}, {"registered": None}, {"socket": "UNPAIRED_IDLE"}, {"socket": "OPENING"}]
)
def test_no_other_page_is_asked(changes: dict[str, Any]) -> None:
    """One that is linked, loads, or has used its codes up."""
    assert not is_due(WANTED, page(**changes), round_=1, now=NOW)


def test_without_a_number_nothing_is_asked() -> None:
    """Nobody has given one."""
    assert not is_due(Pairing(), page(), round_=1, now=NOW)


@pytest.mark.parametrize("text", [TYPED, "abcd-1efg", "ABCD-1EFG"])
def test_a_code_is_shown_as_people_read_it(text: str) -> None:
    """In two groups, from when the page got it."""
    got = looked(ASKED, page(shown(text, age=30)), now=NOW + 40)

    assert ("ABCD-1EFG", CODE_SECONDS - 30) == live_pairing_code(got, now=NOW + 40)


@pytest.mark.parametrize("text", ["ABCD", "ABCD-1EFG\n", "ABCD1EFGH", "ÄBCD1EFG", "\x1b[2JABCD", "", 12345678, None])
def test_what_is_no_code_is_not_shown(text: Any) -> None:
    """A page may answer anything."""
    assert looked(ASKED, page(shown(text)), now=NOW).code is None


def test_a_code_is_never_live_after_its_life() -> None:
    """Also while the page goes on showing it."""
    later = looked(LIVE, page(shown(age=CODE_SECONDS)), now=NOW + CODE_SECONDS)

    assert live_pairing_code(later, now=NOW + CODE_SECONDS - 0.1) is not None
    assert live_pairing_code(later, now=NOW + CODE_SECONDS) is None


def test_a_phone_that_has_answered_leaves_a_minute() -> None:
    """The code has been typed; what follows comes at once or not at all."""
    later = looked(LIVE, page(shown(answeredAgeMs=1000)), now=NOW + 10)

    assert ("ABCD-1EFG", ANSWERED_SECONDS - 1) == live_pairing_code(later, now=NOW + 10)


def test_a_phone_that_answers_late_is_waited_for() -> None:
    """Beyond the code's own life: another round would cut off the two that are about to be linked."""
    late = page(shown(answeredAgeMs=0), socket="UNPAIRED_IDLE")
    got = looked(LIVE, late, now=NOW + CODE_SECONDS - 1)
    history, end = History(round=1, pairing=got), NOW + CODE_SECONDS - 1 + ANSWERED_SECONDS

    assert not wants_code(history, late, policy=Policy(), now=end - 1)
    assert wants_code(history, late, policy=Policy(), now=end)


def test_an_answer_after_the_codes_life_revives_nothing() -> None:
    """It may have come a moment too late, or be another page's invention."""
    got = looked(LIVE, page(shown(answeredAgeMs=0)), now=NOW + CODE_SECONDS)

    assert live_pairing_code(got, now=NOW + CODE_SECONDS) is None


def test_a_code_that_was_typed_in_vain_is_followed_by_another() -> None:
    """In the same round, for the person who still has the phone in hand; once."""
    typed = looked(LIVE, page(shown(answeredAgeMs=0)), now=NOW + 20)
    in_vain = page(shown(answeredAgeMs=60_000))
    got = looked(typed, in_vain, now=NOW + 80)

    assert is_due(got, page(), round_=1, now=NOW + 80)
    assert got == looked(got, in_vain, now=NOW + 81)


def test_the_page_s_own_new_code_replaces_the_old_one() -> None:
    """The service may ask the page for it at any time."""
    later = looked(LIVE, page(shown("ZZZZ9999", age=1)), now=NOW + 50)

    assert ("ZZZZ-9999", CODE_SECONDS - 1) == live_pairing_code(later, now=NOW + 50)


@pytest.mark.parametrize("before", [ASKED, LIVE], ids=["asked", "shown"])
def test_a_refusal_is_followed_by_a_pause(before: Pairing) -> None:
    """Counted once, however often it is seen; then it is asked for in the same round."""
    failed = page({"code": None, "failed": True, "limited": True})
    first = looked(before, failed, now=NOW)
    again = looked(first, failed, now=NOW + 5)

    assert first == again
    assert first.is_refused
    assert first.limited
    assert not is_due(again, page(), round_=1, now=NOW + FIRST_PAUSE - 1)
    assert is_due(again, page(), round_=1, now=NOW + FIRST_PAUSE)


def test_pauses_grow_and_end_with_a_code() -> None:
    """So a service that refuses is left alone, and one that does not is not mistrusted."""
    pairing, pauses = WANTED, []
    for _ in range(6):
        pairing = refused(pairing, limited=True, now=NOW)
        pauses.append(pairing.retry_at - NOW)
    given_ = looked(asked(pairing, "asked", round_=2, now=NOW), page(shown()), now=NOW)

    assert [60, 120, 240, 480, 900, 900] == pauses
    assert LONGEST_PAUSE == pauses[-1]
    assert (0, False) == (given_.refusals, given_.is_refused)


def test_a_page_that_answers_nothing_has_refused() -> None:
    """Its promise may never end."""
    quiet = {"code": None, "failed": False}
    assert not looked(ASKED, page(quiet), now=NOW + ANSWER_SECONDS - 1).is_refused
    assert looked(ASKED, page(quiet), now=NOW + ANSWER_SECONDS).is_refused


@pytest.mark.parametrize(
    ("answer", "refusals", "unsupported"),
    [("asked", 0, False), ("early", 0, False), ("unsupported", 1, True), (None, 1, False)],
)
def test_the_script_s_answer_decides(answer: str | None, refusals: int, unsupported: bool) -> None:  # noqa: FBT001
    """A page that is too early is asked again soon, one that cannot later and later."""
    got = asked(WANTED, answer, round_=1, now=NOW)

    assert (refusals, unsupported) == (got.refusals, got.unsupported)
    assert (answer == "asked") == (got.asked_since is not None)


def test_a_page_that_is_never_ready_has_refused() -> None:
    """Until then it is asked every second; a person would wait for ever without a reason."""
    first = asked(WANTED, "early", round_=1, now=NOW)
    later = asked(first, "early", round_=1, now=NOW + ANSWER_SECONDS - 1)
    last = asked(later, "early", round_=1, now=NOW + ANSWER_SECONDS)

    assert [False, False, True] == [pairing.is_refused for pairing in (first, later, last)]
    assert FIRST_PAUSE == last.retry_at - (NOW + ANSWER_SECONDS)


@pytest.mark.parametrize(
    "lost", [{"pairing": None}, {"socket": "OPENING"}, {"online": False}], ids=["document", "connection", "network"]
)
def test_a_code_ends_with_what_it_was_given_to(lost: dict[str, Any]) -> None:
    """Another document or another connection has none; the next one is asked for without waiting for a round."""
    got = looked(LIVE, page(shown(), **lost) if lost != {"pairing": None} else page(), now=NOW + 20)

    assert live_pairing_code(got, now=NOW + 20) is None
    assert is_due(got, page(), round_=1, now=NOW + 20)


def test_codes_of_one_round_come_at_a_pace() -> None:
    """A connection that drops all the time would use up the few that the service gives; a new round begins anew."""
    pairing, pauses = WANTED, []
    for _ in range(4):
        pairing = asked(pairing, "asked", round_=1, now=NOW)
        pauses.append(pairing.retry_at - NOW)
        pairing = looked(pairing, page(socket="OPENING"), now=NOW)

    assert [10, 20, 40, 80] == pauses
    assert AGAIN_PAUSE == asked(pairing, "asked", round_=2, now=NOW).retry_at - NOW


def test_a_document_that_is_left_takes_the_code_along() -> None:
    """At once, before the next look."""
    history = left(History(pairing=LIVE), now=NOW + 1)

    assert live_pairing_code(history.pairing, now=NOW + 1) is None


def test_another_number_drops_the_code_and_asks_anew() -> None:
    """The old code would link the old phone; a number that changes without end is asked for at a pace."""
    got = for_number(LIVE, OTHER, source=Source.FOUND)
    stale = looked(got, page(shown()), now=NOW + 1)

    assert live_pairing_code(stale, now=NOW + 1) is None
    assert not is_due(stale, page(), round_=1, now=NOW + AGAIN_PAUSE - 1)
    assert is_due(stale, page(), round_=1, now=NOW + AGAIN_PAUSE)
    assert LIVE == for_number(LIVE, NUMBER, source=Source.NONE)


def test_a_round_is_not_replaced_under_a_live_code() -> None:
    """Another round restarts the connection, and with it ends the code."""
    idle, policy = page(shown(), socket="UNPAIRED_IDLE"), Policy()
    history = History(round=1, pairing=LIVE)

    assert not wants_code(history, idle, policy=policy, now=NOW + CODE_SECONDS - 1)
    assert not wants_code(replace(history, pairing=ASKED), idle, policy=policy, now=NOW + 1)
    assert wants_code(history, idle, policy=policy, now=NOW + CODE_SECONDS)


def test_what_nobody_wants_is_ended_in_the_page() -> None:
    """wa-js would ask for further codes by itself, and end in an error once linked."""
    linked = looks(MODERN, pairing=shown())

    assert is_over(looked(LIVE, linked, now=NOW), linked, now=NOW)
    assert is_over(LIVE, page(shown()), now=NOW + CODE_SECONDS)
    assert not is_over(LIVE, page(shown()), now=NOW + 1)
    assert not is_over(LIVE, page(), now=NOW + CODE_SECONDS)


@given(text=st.text(max_size=12), age=st.floats(0, 1e6), later=st.floats(0, 1e6))
def test_no_code_outlives_its_life(text: str, age: float, later: float) -> None:
    """Whatever the page says of it."""
    got = looked(ASKED, page(shown(text, age=age)), now=NOW)

    assert (live_pairing_code(got, now=NOW + later) is None) or later + age < CODE_SECONDS + 1e-6


class Numbered(MonitorHarness):
    """A monitor of a session with a number in a file."""

    def __init__(
        self, folder: Path, number: str | None, *, method: LinkMethod = LinkMethod.PAIRING_CODE, **variables: str
    ) -> None:
        super().__init__(folder, **variables)
        self.file = folder / "phoneNumber"
        if number is not None:
            self.file.write_text(number)
        self.step = 0.25
        self.monitor.numbers = PhoneNumbers(file=self.file, method=method)


async def test_the_page_is_asked_for_the_number_in_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And neither the number nor the code reaches the log."""
    caplog.set_level(logging.DEBUG)
    harness = Numbered(tmp_path, " +1 555-010-0000\n")
    script = ScriptedPage(WAITING, WAITING | {"pairing": shown()}, WAITING | {"pairing": shown()})
    codes: list[str | None] = []
    publish = harness.store.publish

    def note(**fields: Any) -> bool:
        code = harness.store.pairing_code_for(NUMBER)
        codes.append(None if code is None else code.text)
        return publish(**fields)

    harness.store.publish = note  # type: ignore[method-assign]
    await harness.exit(script)

    assert [("pair.js", {"number": "15550100000"})] == list(zip(script.asked, script.arguments, strict=True))
    assert "ABCD-1EFG" in codes
    assert ("PairingCodePending", "WaitingForPairingCode") in harness.states
    assert not any(text in caplog.text for text in ("1555", "ABCD"))


async def test_a_number_of_the_secret_asks_for_nothing_where_a_qr_code_is_wished_for(tmp_path: Path) -> None:
    """There it only says whose account is expected."""
    harness = Numbered(tmp_path, NUMBER, method=LinkMethod.QR)
    script = ScriptedPage(WAITING, WAITING)
    await harness.exit(script)

    assert [] == script.asked


ME: dict[str, Any] = {"account": "15550100000@c.us"}
STRANGER: dict[str, Any] = {"account": "15550100001@c.us"}


async def test_a_new_link_of_another_account_is_unlinked_at_once(tmp_path: Path) -> None:
    """By whatever code it came; nothing but the page's own state was read of it, and it never was Connected."""
    harness = Numbered(tmp_path, NUMBER, method=LinkMethod.QR)
    script = ScriptedPage(WAITING, STRANGER, STRANGER, *[WAITING] * 4)
    await harness.exit(script)

    assert [("logout.js", {"begin": True})] * 2 == list(zip(script.asked, script.arguments, strict=True))
    assert ("ActionRequired", "UnexpectedAccount") in harness.states
    assert "Connected" not in {state for state, _ in harness.states}
    assert ("LoggedOut", "Relinking") in harness.states


async def test_the_right_account_stays(tmp_path: Path) -> None:
    """Also when its number comes a moment after the link."""
    harness = Numbered(tmp_path, NUMBER)
    script = ScriptedPage(WAITING, {"account": None}, ME, ME)
    await harness.exit(script)

    assert "logout.js" not in script.asked
    assert True is harness.store.snapshot.account_expected


async def test_who_must_wait_for_a_person_is_asked_for_nothing(tmp_path: Path) -> None:
    """A page that was logged out shows codes of its own; nobody is meant to link it yet."""
    harness = Numbered(tmp_path, NUMBER, ON_LOGOUT="Wait")
    script = ScriptedPage(WAITING | {"pairing": shown()}, ME, *[WAITING] * 30)
    await harness.exit(script)

    assert ("LoggedOut", "WaitingForPerson") == harness.states[-1]
    assert ["pair.js"] == script.asked


async def test_a_stranger_is_unlinked_by_the_next_pod(tmp_path: Path) -> None:
    """When this one ends before the page has done it; one that is right by then stays."""
    first = Numbered(tmp_path, NUMBER, method=LinkMethod.QR)
    await first.exit(ScriptedPage(WAITING, STRANGER))
    second, third = (Numbered(tmp_path, NUMBER, method=LinkMethod.QR) for _ in range(2))
    unlinking, right = ScriptedPage({"booted": False}, STRANGER), ScriptedPage(ME)
    await second.exit(unlinking)
    await third.exit(right)
    fourth = Numbered(tmp_path, OTHER, method=LinkMethod.QR)
    edited = ScriptedPage(ME)
    await fourth.exit(edited)

    assert (["logout.js"], [], []) == (unlinking.asked, right.asked, edited.asked)
    assert "Connected" not in {state for state, _ in second.states}


async def test_a_page_that_does_not_say_whose_account_it_is_is_no_session_yet(tmp_path: Path) -> None:
    """It would be Connected before anybody knows; one that never says it goes unchecked after a minute."""
    harness = Numbered(tmp_path, NUMBER, method=LinkMethod.QR)
    await harness.exit(ScriptedPage(WAITING, *[{"account": None}] * 60, STRANGER))
    states = [state for state, _ in harness.states]
    waited = states.index("Connected") - states.index("Syncing")

    assert 10 < waited < 60
    assert ("Connected", "AsExpected") == harness.states[-1]


async def test_an_edit_unlinks_nobody(tmp_path: Path) -> None:
    """The session goes on, and says that its account is another one."""
    harness = Numbered(tmp_path, NUMBER)
    await harness.exit(ScriptedPage(WAITING, ME))
    harness.file.write_text(OTHER)
    script = ScriptedPage(ME, ME)
    await harness.exit(script)

    assert [] == script.asked
    assert ("Connected", "AsExpected") == harness.states[-1]
    assert False is harness.store.snapshot.account_expected
    assert "another one than the number in the session's Secret" in harness.store.snapshot.message


async def test_a_login_of_before_is_no_new_link(tmp_path: Path) -> None:
    """Neither one that the volume remembers nor one that was on it before the runner kept a record."""
    harness = Numbered(tmp_path, NUMBER)
    script = ScriptedPage({"booted": False}, STRANGER, STRANGER)
    await harness.exit(script)

    assert [] == script.asked
    assert False is harness.store.snapshot.account_expected


async def test_without_a_secret_anybody_may_be_linked(tmp_path: Path) -> None:
    """Also while the Secret that is named does not exist."""
    harness = Numbered(tmp_path, None)
    script = ScriptedPage(WAITING, STRANGER)
    await harness.exit(script)

    assert "logout.js" not in script.asked
    assert harness.store.snapshot.account_expected is None
