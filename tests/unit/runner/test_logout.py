"""The logout that somebody asks for: the command against a page that is played, and what the session says of it."""

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace
from session_protocol.vocabulary import OnLogout, RunnerState, StateReason
from session_runner.account import logout
from session_runner.account.logout import log_out
from session_runner.commands import NotLinkedError
from session_runner.page.errors import CallFailedError, PageGoneError
from session_runner.states.classify import classify
from session_runner.states.history import ASKED_SECONDS, History, remember
from session_runner.states.policy import Policy
from unit.runner.pages import MODERN, UNLINKED, looks

LINKED = History(linked=True, unclassified_since=None)


class ScriptedAnswers:
    """A page that answers the script with these words; an exception is raised."""

    def __init__(self, answers: Iterable[str | Exception]) -> None:
        self.answers = list(answers)
        self.began: list[bool] = []

    async def call(self, script: str, argument: Any = None) -> Any:
        """The next answer."""
        assert "logout.js" == script
        self.began.append(argument["begin"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(logout, "PAUSE", 0)


@pytest.mark.parametrize(
    ("answers", "begins"),
    [
        (["begun", "unlinked"], [True, False]),
        (["begun", "linked", "unknown", "unlinked"], [True, False, False, False]),
        (["begun", CallFailedError("navigated"), "unlinked"], [True, False, False]),
        (["unknown", CallFailedError("loading"), "begun", "unlinked"], [True, True, True, False]),
        ([CallFailedError("navigated"), "unlinked"], [True, True]),
    ],
    ids=["at once", "slowly", "cut off by the reload", "still loading", "cut off as it began"],
)
async def test_it_ends_when_the_page_says_that_it_is_unlinked(
    answers: list[str | Exception], begins: list[bool]
) -> None:
    """Whatever the page answers on the way; it is begun once, and asked again only where it did not begin."""
    page = ScriptedAnswers(answers)

    await log_out(page)

    assert [] == page.answers
    assert begins == page.began


@pytest.mark.parametrize("answers", [["unlinked"], ["unknown", "unlinked"]])
async def test_a_page_that_is_not_linked_is_reported(answers: list[str | Exception]) -> None:
    """There is nothing to log out of, and nothing was begun."""
    with pytest.raises(NotLinkedError):
        await log_out(ScriptedAnswers(answers))


async def test_a_page_that_dies_ends_it() -> None:
    """Nobody waits for a dead page."""
    with pytest.raises(PageGoneError):
        await log_out(ScriptedAnswers(["begun", PageGoneError("crashed")]))


@pytest.mark.parametrize(
    ("on_logout", "logout_hold", "reason", "message"),
    [
        (
            OnLogout.RELINK,
            None,
            StateReason.RELINKING,
            "The session was logged out as asked; a new QR code follows.",
        ),
        (
            OnLogout.WAIT,
            None,
            StateReason.WAITING_FOR_PERSON,
            "The session was logged out as asked; ask for a relink to show a QR code.",
        ),
        (
            OnLogout.RELINK,
            "Banned",
            StateReason.WAITING_FOR_PERSON,
            "The session was logged out after a ban; ask for a relink to show a QR code.",
        ),
    ],
)
def test_the_state_is_a_logouts_and_says_that_it_was_asked_for(
    on_logout: OnLogout, logout_hold: str | None, reason: StateReason, message: str
) -> None:
    """What follows is what follows a logout by the phone; a ban weighs more than who asked."""
    policy = Policy(on_logout=on_logout)
    history = replace(LINKED, logout_asked=10.0, logout_hold=logout_hold)
    facts = looks(MODERN, **UNLINKED)

    verdict = classify(facts, remember(history, facts, policy=policy, now=12.0), policy=policy, now=12.0)

    assert (RunnerState.LOGGED_OUT, reason, message) == verdict


@pytest.mark.parametrize("now", [9.0, 10.0 + ASKED_SECONDS + 1])
def test_another_logout_was_not_asked_for(now: float) -> None:
    """One before, and one long after a request that came to nothing, by the phone say."""
    facts = looks(MODERN, **UNLINKED)
    history = remember(replace(LINKED, logout_asked=10.0), facts, policy=Policy(), now=now)

    assert history.logged_out_since == now
    assert not history.logged_out_as_asked
