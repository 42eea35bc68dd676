"""When a document counts as fetched, when it is fetched again, and how long that may take."""

from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.classify import classify
from session_runner.states.facts import Document, Facts, Script
from session_runner.states.fetch_failures import SCRIPT, FetchFailure, by_error
from session_runner.states.fetching import (
    BOOTING_SECONDS,
    Fetching,
    gave_up,
    looked,
    new_document,
    noticed,
    patience,
    pause_before,
    unfetched,
    why_again,
)
from session_runner.states.history import History, remember
from session_runner.states.policy import Policy
from unit.runner.pages import ARRIVED, MODERN, UNLINKED, looks

HOST = "web.whatsapp.com"
NO_NAME = by_error("ERR_NAME_NOT_RESOLVED", host=HOST)
NO_SCRIPT = by_error("ERR_CONNECTION_RESET", host="static.whatsapp.net", what=SCRIPT)


def page(**document: Any) -> Facts:
    """A page that is not up, with a document that is all there but for these changes."""
    booted = document.pop("booted", False)
    return looks(MODERN, booted=booted, injected=False, registered=None, document=ARRIVED | document)


def after(
    facts: Facts, seconds: float, fetching: Fetching | None = None, *, startup: float = 60
) -> FetchFailure | None:
    """Look at once and again after these seconds; return why the page has to be fetched again then."""
    fetching = new_document(Fetching(), now=100) if fetching is None else fetching
    fetching = looked(fetching, facts, now=100)
    fetching = looked(fetching, facts, now=100 + seconds)
    return why_again(fetching, facts, host=HOST, startup=startup, now=100 + seconds)


def reason(failure: FetchFailure | None) -> Reason | None:
    """Its label."""
    return failure.reason if failure else None


def test_an_error_page_is_fetched_again_at_once() -> None:
    """The browser shows its own page: nothing will come of it, and the event before it says why."""
    fetching = noticed(new_document(Fetching(), now=99), NO_NAME, of_document=True)
    fetching = new_document(fetching, now=100, is_error=True)

    assert NO_NAME == after(page(isError=True), 0, fetching)
    assert Reason.NAVIGATION_FAILED == reason(after(page(isError=True), 0))


@pytest.mark.parametrize(
    ("status", "expected"), [(503, Reason.HTTP_ERROR), (404, Reason.HTTP_ERROR), (511, Reason.PROXY_REFUSED)]
)
def test_an_error_of_the_server_is_fetched_again_at_once(status: int, expected: Reason) -> None:
    """A page that reloaded itself into a 503 is told so by the document, which is all that is left to read."""
    assert expected == reason(after(page(status=status), 0))
    assert "HTTP" in (after(page(status=status), 0) or NO_NAME).message


def test_a_portal_is_fetched_again_after_a_moment() -> None:
    """An answer with 200 that has nothing of WhatsApp Web, not even after its own scripts had time."""
    assert after(page(isApp=False, host="portal.example"), 4.9) is None
    failure = after(page(isApp=False, host="portal.example"), 5)
    assert Reason.NOT_THE_PAGE == reason(failure)
    assert "portal.example" in (failure or NO_NAME).message


@pytest.mark.parametrize(
    ("document", "reported", "expected"),
    [
        ({}, NO_SCRIPT, NO_SCRIPT.reason),
        ({"script": {"host": "static.whatsapp.net", "status": 503}}, None, Reason.HTTP_ERROR),
        ({"script": {"host": "static.whatsapp.net"}}, None, Reason.INVALID_RESPONSE),
        ({"script": {"host": "static.whatsapp.net"}}, NO_SCRIPT, NO_SCRIPT.reason),
    ],
)
def test_a_page_without_a_script_is_fetched_again_if_it_stays_down(
    document: dict[str, Any], reported: FetchFailure | None, expected: Reason
) -> None:
    """It may come up without that one, so it has a second; where more of it works already, ten."""
    fetching = new_document(Fetching(), now=100)
    if reported:
        fetching = noticed(fetching, reported, of_document=False)

    assert after(page(**document), 0.5, fetching) is None
    assert expected == reason(after(page(**document), 1, fetching))
    assert after(page(booted=True, **document), 9, fetching) is None
    assert expected == reason(after(page(booted=True, **document), 10, fetching))


def test_a_lost_script_does_not_stop_what_is_still_coming() -> None:
    """On a slow network the others go on; the document that was cut off itself does not."""
    fetching = new_document(Fetching(), now=100)
    pending = page(complete=False)

    assert after(pending, 30, noticed(fetching, NO_SCRIPT, of_document=False)) is None
    assert NO_NAME == after(pending, 0, noticed(fetching, NO_NAME, of_document=True))


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ({"complete": False}, f"the answer of {HOST} does not end"),
        ({"waitsFor": "static.whatsapp.net"}, "A script of the page"),
    ],
)
@pytest.mark.parametrize(("startup", "longest"), [(1, 10), (60, 60), (86_400, 120)])
def test_an_answer_without_end_is_given_up(document: dict[str, Any], part: str, startup: float, longest: float) -> None:
    """After the startup timeout, within bounds: less than 10 s is no time, and a dead connection never ends by itself."""
    assert longest == patience(startup)
    assert after(page(**document), longest - 1, startup=startup) is None
    failure = after(page(**document), longest, startup=startup)
    assert Reason.FETCH_TIMED_OUT == reason(failure)
    assert part in (failure or NO_NAME).message


@pytest.mark.parametrize(
    "facts", [looks(MODERN), looks(MODERN, **UNLINKED), looks(MODERN, booted=False, refused=True), Facts(), page()]
)
def test_a_page_that_is_up_or_all_there_is_never_fetched_again(facts: Facts) -> None:
    """A reload could take a session over, and would help nothing: not even a lost script changes that."""
    fetching = new_document(Fetching(), now=100)

    assert after(facts, 1000, fetching) is None


def test_a_failure_is_shown_until_the_page_is_up() -> None:
    """Between two tries the label does not change, or each try would be two writes; when it is up, nothing is left of it."""
    policy, history = Policy(), History(fetching=gave_up(Fetching(), NO_NAME))
    for facts in (Facts(), page(complete=False), page()):
        history = remember(history, facts, policy=policy, now=100)
        assert (State.LOAD_ERROR, *NO_NAME) == classify(facts, history, policy=policy, now=100)
    history = remember(history, looks(MODERN), policy=policy, now=101)

    assert Fetching() == history.fetching
    assert State.CONNECTED is classify(looks(MODERN), history, policy=policy, now=101).state


def test_a_failure_is_over_when_all_of_the_page_has_been_there_for_a_while() -> None:
    """What is wrong then is the page's own fault, and must not be called the network's."""
    fetching = looked(gave_up(Fetching(), NO_NAME), page(), now=100)

    assert NO_NAME == looked(fetching, page(), now=99 + BOOTING_SECONDS).shown
    assert looked(fetching, page(), now=100 + BOOTING_SECONDS).shown is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, Reason.NOT_BOOTED),
        ({"complete": False}, Reason.FETCH_TIMED_OUT),
        ({"isApp": False}, Reason.NOT_THE_PAGE),
        ({"status": 503}, Reason.HTTP_ERROR),
    ],
)
def test_a_page_that_takes_long_says_what_it_waits_for(document: dict[str, Any], expected: Reason) -> None:
    """After half of the startup timeout: on the network, or on itself."""
    history = History(unclassified_since=0.0)
    verdict = classify(page(**document), history, policy=Policy(startup=60), now=30)

    assert (State.LOAD_ERROR, expected) == verdict[:2]


def test_the_pauses_grow_up_to_a_minute() -> None:
    """From a second on; sessions that lost their network together do not come back in one moment."""
    assert [1, 2, 4, 8, 16, 32, 60, 60] == [pause_before(tries, random=0) for tries in range(1, 9)]
    assert pause_before(10**6, random=0) == 60
    assert pause_before(9, random=1) == 45


def test_only_the_documents_own_failure_is_kept_for_the_error_page() -> None:
    """A new document begins anew, whatever its predecessor lacked."""
    fetching = noticed(new_document(Fetching(), now=0), NO_SCRIPT, of_document=False)

    assert new_document(fetching, now=1).seen is None
    assert noticed(Fetching(), NO_SCRIPT, of_document=False).seen is None
    assert NO_SCRIPT == noticed(fetching, NO_NAME, of_document=False).seen
    assert NO_NAME == noticed(fetching, NO_NAME, of_document=True).seen


def test_the_document_is_read_from_anything() -> None:
    """Hosts and numbers are what they should be or not there."""
    odd = {
        "isError": 1,
        "status": "503",
        "host": "a b",
        "complete": "yes",
        "waitsFor": ["x"],
        "script": {"host": "x" * 300},
    }
    fine = {
        "status": 204,
        "host": "Web.Example",
        "waitsFor": "[::1]",
        "script": {"host": "static.example", "status": 404},
    }

    assert Document() == looks(MODERN, document=odd).document
    assert (
        Document(status=204, host="web.example", waits_for="[::1]", script=Script(host="static.example", status=404))
        == looks(MODERN, document=fine).document
    )
    assert unfetched(Fetching(), looks(MODERN, document=[]), host=HOST) is None
