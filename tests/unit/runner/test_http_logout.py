"""POST /v1/logout over a real server: what is answered, and each way in which it comes to nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.states import STATES
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.account import logout
from session_runner.commands import MAX_WAITING
from session_runner.http import session_routes
from session_runner.page.errors import PageGoneError
from support.runner_parts import make_api, make_parts

NOW = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)


class Session:
    """An API over a session whose page is played here."""

    def __init__(self, folder: Path) -> None:
        for scope in ("state", "link", "send", "read", "admin"):
            (folder / scope).write_text(f"{scope}-token\n")
        parts = make_parts(clock=lambda: NOW)
        self.store, self.door = parts.base.store, parts.base.commands
        self.linked = True
        self.answers = asyncio.Event()
        self.begun = 0
        self.shown_after = 0.05
        self.client = TestClient(TestServer(make_api(parts, folder)))
        self.answers.set()

    def say(self, state: RunnerState, reason: StateReason, *, linked: bool) -> None:
        """What the monitor publishes."""
        moment = NOW if linked else None
        self.store.publish(state=state, reason=reason, message="", linked_time=moment, durable_time=moment, round=0)

    async def call(self, _script: str, argument: Any = None) -> str:
        """The page: it unlinks when it is told to begin, and the session says so a moment later."""
        await self.answers.wait()
        if not self.linked:
            return "unlinked"
        assert argument["begin"]
        self.begun += 1
        self.linked = False
        asyncio.get_running_loop().call_later(
            self.shown_after, lambda: self.say(RunnerState.LOGGED_OUT, StateReason.RELINKING, linked=False)
        )
        return "begun"

    async def log_out(self, token: str | None = "admin-token") -> ClientResponse:
        """POST with a token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.post("/v1/logout", headers=headers)


@pytest.fixture
async def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    """A linked session with its page open."""
    monkeypatch.setattr(logout, "PAUSE", 0)
    made = Session(tmp_path)
    made.say(RunnerState.CONNECTED, StateReason.AS_EXPECTED, linked=True)
    made.door.open(made)
    async with made.client:
        yield made


async def problem(response: ClientResponse) -> tuple[int, str, str]:
    """Status, code and sentence of a problem; its form is checked, too."""
    assert "application/problem+json" == response.content_type
    assert "no-store" == response.headers["Cache-Control"]
    document = await response.json()
    assert response.status == document["status"]
    return response.status, document["error"]["code"], document["detail"]


async def test_the_answer_is_the_state_after_it(session: Session) -> None:
    """It comes when the session says that it is logged out, not before."""
    response = await session.log_out()

    assert (200, "no-store") == (response.status, response.headers["Cache-Control"])
    document = await response.json()
    assert ("LoggedOut", "Relinking", None) == (document["state"], document["reason"], document["linkedTime"])


async def test_two_at_once_log_out_once(session: Session) -> None:
    """The second one's turn comes when the session is no longer linked."""
    first, second = await asyncio.gather(session.log_out(), session.log_out())

    assert [200, 409] == sorted([first.status, second.status])
    assert 1 == session.begun


async def test_a_session_that_is_not_linked_has_nothing_to_log_out_of(session: Session) -> None:
    """The page is asked, and not the state, which may be a look behind."""
    session.linked = False
    session.say(RunnerState.QR_PENDING, StateReason.WAITING_FOR_SCAN, linked=False)

    assert (
        409,
        "NotLinked",
        "The session is not linked, so there is nothing to log out of; it is QRPending.",
    ) == await problem(await session.log_out())


@pytest.mark.parametrize("scope", ["state", "link", "send", "read"])
async def test_the_token_of_another_scope_is_refused(session: Session, scope: str) -> None:
    """Whoever may see the code or write messages may not unlink the session."""
    assert (
        403,
        "Forbidden",
        f"This needs a token of the scope admin; yours is of the scope {scope}.",
    ) == await problem(await session.log_out(f"{scope}-token"))
    assert 0 == session.begun


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_without_a_token_nothing_is_done(session: Session, token: str | None) -> None:
    """As everywhere."""
    assert (401, "Unauthorized") == (await problem(await session.log_out(token)))[:2]
    assert 0 == session.begun


async def test_a_page_that_is_not_open_is_reported(session: Session) -> None:
    """While the browser starts, and while the page stays closed for a person."""
    session.door.close()
    session.say(RunnerState.CONFLICT, StateReason.REPLACED, linked=True)

    assert (
        503,
        "NoPage",
        "The session's page is not open, it is Conflict; try again when it is Connected.",
    ) == await problem(await session.log_out())


@pytest.mark.parametrize("state", [state for state in RunnerState if STATES[state].linked is False])
async def test_an_unlinked_session_without_a_page_is_reported_so_and_not_to_wait(
    session: Session, state: RunnerState
) -> None:
    """Held as LoggedOut, say: there is nothing to log out of, now or later."""
    session.door.close()
    session.say(state, StateReason.WAITING_FOR_PERSON, linked=False)

    assert (
        409,
        "NotLinked",
        f"The session is not linked, so there is nothing to log out of; it is {state}.",
    ) == await problem(await session.log_out())


async def test_a_page_that_dies_meanwhile_is_no_page(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is no fault of the request."""

    async def dies(*_: object) -> str:
        raise PageGoneError("Target crashed")

    monkeypatch.setattr(session, "call", dies)

    assert (503, "NoPage") == (await problem(await session.log_out()))[:2]


async def test_a_page_that_does_not_answer_is_given_up(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the deadline, with the word that it may still come true."""
    monkeypatch.setattr(session_routes, "LOGOUT_SECONDS", 0.05)
    session.answers.clear()

    assert (
        504,
        "DeadlineExceeded",
        "The page did not log out within 0.05 s, and may still do so; see GET /v1/state.",
    ) == await problem(await session.log_out())


async def test_too_many_at_once_are_refused(session: Session) -> None:
    """A program gone wild gets an answer, and the session is logged out once."""
    session.answers.clear()
    asked = [asyncio.create_task(session.log_out()) for _ in range(MAX_WAITING + 1)]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    [refused] = [task.result() for task in done]
    session.answers.set()
    statuses = sorted([(await task).status for task in asked])

    assert (429, "TooManyCommands") == (await problem(refused))[:2]
    assert [200, *[409] * (MAX_WAITING - 1), 429] == statuses
    assert 1 == session.begun


async def test_a_session_that_says_nothing_is_not_waited_for_for_ever(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is unlinked; the answer is then what the session last said."""
    session.shown_after = 60
    monkeypatch.setattr(session_routes, "SHOWN_SECONDS", 0.02)

    document = await (await session.log_out()).json()

    assert "Connected" == document["state"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_nothing_but_post_logs_out(session: Session, method: str) -> None:
    """A link that somebody opens, or a program that prefetches, unlinks nothing."""
    response = await session.client.request(method, "/v1/logout", headers={"Authorization": "Bearer admin-token"})

    assert (405, "POST") == (response.status, response.headers["Allow"])
    assert 0 == session.begun
