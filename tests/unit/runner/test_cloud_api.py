"""The routes in the Cloud API's shape, over a real server: every answer has the form that its clients read."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.live_settings import LiveSettings
from session_protocol.vocabulary import Interactive, RunnerState
from session_runner.http import bodies, cloud_bodies
from support.runner_parts import PHONE, make_api
from unit.runner.messaging_harness import FRIEND, Session, running

TEXT = {"messaging_product": "whatsapp", "to": f"+{FRIEND}", "type": "text", "text": {"body": "Hello"}}


class Served:
    """A session and its API."""

    def __init__(self, folder: Path) -> None:
        for scope in ("state", "send", "admin"):
            (folder / scope).write_text(f"{scope}-token\n")
        self.session = Session()
        self.live = self.session.live
        self.client = TestClient(TestServer(make_api(self.session.parts, folder)))

    async def call(self, method: str, path: str, *, token: str | None = "send-token", **more: Any) -> ClientResponse:
        """Call with a token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, path, **{"headers": headers | more.pop("headers", {}), **more})

    async def send(self, body: Any = TEXT, *, version: str = "v24.0", **more: Any) -> ClientResponse:
        """POST a message."""
        return await self.call("POST", f"/{version}/{PHONE}/messages", json=body, **more)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A connected session whose messages are stored and not handed over."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    made = Served(tokens)
    made.session.say(RunnerState.CONNECTED)
    made.session.door.open(made.session.page)
    messages = running(made.session, tmp_path, works=False)
    async with made.client, messages as outbox, made.session.media.opened(outbox, tmp_path / "media"):
        yield made


async def failure(response: ClientResponse) -> tuple[int, int]:
    """Give status and code of an error whose form is checked."""
    assert "application/json" == response.content_type
    document = await response.json()
    assert ["error"] == list(document)
    error = document["error"]
    assert error["message"].startswith(f"(#{error['code']}) ")
    assert error["type"] in ("OAuthException", "GraphMethodException")
    assert {"messaging_product", "details"} == set(error["error_data"])
    assert re.fullmatch(r"[\w-]{12}", error["fbtrace_id"])
    return response.status, error["code"]


@pytest.mark.parametrize("version", ["v13.0", "v24.0", "v26.0"])
async def test_a_text_is_taken_by_any_version(served: Served, version: str) -> None:
    """The answer has all that clients read of it: the number as they wrote it and as it is, and the message's id."""
    response = await served.send(version=version)

    assert (200, "no-store") == (response.status, response.headers["Cache-Control"])
    document = await response.json()
    identifier = document["messages"][0]["id"]
    assert {
        "messaging_product": "whatsapp",
        "contacts": [{"input": f"+{FRIEND}", "wa_id": FRIEND}],
        "messages": [{"id": identifier, "message_status": "accepted"}],
    } == document
    assert re.fullmatch("3EB0[0-9A-F]{18}", identifier)
    status = await served.call("GET", f"/v1/messages/{identifier}")
    assert {
        "id": identifier,
        "waId": FRIEND,
        "status": "accepted",
        "times": {"accepted": "2026-11-30T00:00:00Z"},
        "errorCode": None,
        "errorDetails": None,
        "waiting": None,
    } == await status.json()


async def test_an_unknown_message_is_a_problem(served: Served) -> None:
    """Under /v1 errors have the other form."""
    response = await served.call("GET", "/v1/messages/3EB0")

    assert (404, "application/problem+json") == (response.status, response.content_type)
    assert "NoMessage" == (await response.json())["error"]["code"]


@pytest.mark.parametrize(("token", "expected"), [(None, (401, 190)), ("wrong", (401, 190)), ("state-token", (403, 10))])
async def test_the_token_for_sending_opens_it(served: Served, token: str | None, expected: tuple[int, int]) -> None:
    """Besides the one for everything; 401 is for a wrong token and nothing else."""
    assert expected == await failure(await served.send(token=token))
    assert 200 == (await served.send(token="admin-token")).status


async def test_a_token_in_the_query_is_taken(served: Served) -> None:
    """Some clients put it there; not beside a header, of which then nobody knows which one counts."""
    served.session.store.show_account("+15550100001")
    path = f"/v14.0/{PHONE}?access_token=send-token"

    assert 200 == (await served.call("GET", path, token=None)).status
    assert (401, 190) == await failure(await served.call("GET", path, token="wrong"))
    assert (401, 190) == await failure(await served.call("GET", f"{path}&access_token=x", token=None))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v24.0/999/messages"),
        ("GET", "/v24.0/999"),
        ("DELETE", f"/v24.0/{PHONE}/messages"),
        ("GET", f"/v24.0/{PHONE}/username"),
        ("GET", "/v24.0/999/whatsapp_business_profile"),
        ("POST", "/v24.0/999/whatsapp_business_profile"),
        ("PUT", f"/v24.0/{PHONE}/media"),
        ("GET", "/v24.0/"),
    ],
)
async def test_what_does_not_exist_is_an_error_in_the_same_form(served: Served, method: str, path: str) -> None:
    """Another session's id, a method or a route that is not there."""
    response = await served.call(method, path, json=TEXT)

    assert (400, 100) == await failure(response)
    assert 33 == (await response.json())["error"]["error_subcode"]


async def test_the_phone_number_id_can_be_asked_for(served: Served) -> None:
    """By whoever has the token: it is in the error for any other."""
    document = await (await served.call("GET", "/v24.0/0")).json()

    assert PHONE in document["error"]["error_data"]["details"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"messaging_product": "whatsapp"}, (400, 131008)),
        (TEXT | {"type": "template", "template": {"name": "x"}}, (400, 132001)),
        (TEXT | {"type": "interactive", "interactive": {"type": "button"}}, (400, 131051)),
        ({"fill": "x" * cloud_bodies.LARGEST_BODY}, (400, 100)),
    ],
)
async def test_what_cannot_be_sent_is_refused(served: Served, body: Any, expected: tuple[int, int]) -> None:
    """With the documented code, and nothing is stored."""
    assert expected == await failure(await served.send(body))
    assert [] == served.session.page.given


async def test_a_session_that_cannot_send_says_why(served: Served) -> None:
    """Not linked is an error of the request, and no 401, which would end the client's channel."""
    served.session.page.people = {FRIEND: None}
    assert (400, 131026) == await failure(await served.send())
    served.session.say(RunnerState.QR_PENDING, linked=False)
    assert (400, 133010) == await failure(await served.send())
    assert (400, 133010) == await failure(await served.call("GET", f"/v24.0/{PHONE}"))


async def test_a_key_makes_a_second_request_the_first(served: Served) -> None:
    """The same answer for the same body, 422 for another, and no key that is none."""
    key = {"Idempotency-Key": "order-17"}
    first, again = await served.send(headers=key), await served.send(headers=key)

    assert await first.json() == await again.json()
    assert (422, 131009) == await failure(await served.send(TEXT | {"to": "15550100888"}, headers=key))
    assert (400, 131009) == await failure(await served.send(headers={"Idempotency-Key": "x" * 256}))


async def test_a_read_mark_is_answered_with_success(served: Served) -> None:
    """That one word is all that its clients read; a message that is not there has an error."""
    served.session.page.others = {"3AF0"}
    body = {"messaging_product": "whatsapp", "status": "read", "typing_indicator": {"type": "text"}}
    done = await served.send(body | {"message_id": "3AF0"})

    assert (200, {"success": True}) == (done.status, await done.json())
    assert [("3AF0", True)] == served.session.page.marked
    assert (400, 131009) == await failure(await served.send(body | {"message_id": "3AF1"}))


async def test_the_longest_text_fits(served: Served) -> None:
    """However it is written: each of its characters may be an escape of twelve."""
    body = TEXT | {"text": {"body": "\N{GRINNING FACE}" * 4096}}

    assert 200 == (await served.send(body)).status


async def test_a_body_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told so."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.5)
        yield b"}"

    path = f"/v24.0/{PHONE}/messages"
    assert (400, 100) == await failure(await served.call("POST", path, data=slow()))


async def test_a_fault_of_ours_is_an_error_in_their_form(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that find no code make one up."""

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(served.session.messaging, "accept", broken)
    assert (500, 131000) == await failure(await served.send())


async def test_buttons_are_a_numbered_text_where_a_session_wants_that(served: Served) -> None:
    """From the next request on; else they are refused, and never left out."""
    buttons = [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]
    asked = {"type": "button", "body": {"text": "Come?"}, "action": {"buttons": buttons}}
    body = TEXT | {"type": "interactive", "interactive": asked}
    before = await failure(await served.send(body))
    served.live.replace(LiveSettings(interactive=Interactive.NUMBERED_TEXT))
    taken = await served.send(body)
    outbox = served.session.messaging._outbox
    assert outbox is not None
    ((kind, content),) = await outbox.run(lambda db: db.execute("SELECT kind, content FROM requests").fetchall())

    assert (400, 131051) == before
    assert (200, "text", "Come?\n\n1. Yes") == (taken.status, kind, json.loads(content)["body"])
