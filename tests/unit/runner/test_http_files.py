"""The routes under /v1 for files and read marks, over a real server: the same as in the Cloud API's shape, with problems."""

import hashlib
import sqlite3
from typing import Any

import pytest
from session_runner.http.cloud_api import largest_body
from session_runner.http.media import LARGEST_UPLOAD
from session_runner.media import media as store
from session_runner.messages.errors import MediaLostError, NoMediaRoomError
from session_runner.outbox.schema import DamagedOutboxError
from support.runner_parts import PHONE
from unit.runner.test_cloud_api import Served
from unit.runner.test_cloud_api import served as served  # noqa: PLC0414 -- a fixture
from unit.runner.test_http_media import PNG, Part, form

FILE: Part = ("file", PNG, {"filename": "a.png", "content_type": "image/jpeg"})
DOCUMENT = {
    "mimeType": "image/png",
    "size": len(PNG),
    "sha256": hashlib.sha256(PNG).hexdigest(),
    "filename": "a.png",
}


async def call(served: Served, method: str, path: str, **more: Any) -> tuple[int, Any]:
    """Call with the token; gives status and document."""
    response = await served.call(method, f"/v1/{path}", **more)
    document = await response.json()
    if response.status != 200:
        assert "application/problem+json" == response.content_type
        return response.status, document["error"]["code"]
    assert "no-store" == response.headers["Cache-Control"]
    return response.status, document


async def test_a_file_is_taken_described_given_and_deleted(served: Served) -> None:
    """It is the same file as in the Cloud API's shape, and sent by its id."""
    _, taken = await call(served, "POST", "media", data=form(FILE))
    identifier = taken.pop("id")
    described = await call(served, "GET", f"media/{identifier}")
    content = await served.call("GET", f"/v1/media/{identifier}/content")
    cloud = await (await served.call("GET", f"/v24.0/{identifier}")).json()
    message = {"to": "15550100777", "type": "image", "image": {"id": identifier}}
    sent = await call(served, "POST", "messages", json=message)
    gone = await call(served, "DELETE", f"media/{identifier}")

    assert DOCUMENT == taken
    assert (200, DOCUMENT | {"id": identifier}) == described == gone
    assert (200, PNG, "image/png") == (content.status, await content.read(), content.content_type)
    assert identifier == cloud["id"]
    assert identifier.startswith(PHONE)
    assert 200 == sent[0]
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert (404, "NoFile") == await call(served, method, f"media/{identifier}{path}")


async def test_what_is_no_file_is_a_problem(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the code that tells what to do."""
    assert (400, "BadRequest") == await call(served, "POST", "media", json={})
    assert (422, "InvalidFile") == await call(served, "POST", "media", data=form(("type", "image/png", {})))
    monkeypatch.setattr(store, "LARGEST", 1000)
    assert (422, "InvalidFile") == await call(served, "POST", "media", data=form(FILE))
    monkeypatch.setattr(store, "AT_ONCE", 0)
    assert (429, "TooManyFiles") == await call(served, "POST", "media", data=form(FILE))
    for error, expected in (
        (MediaLostError("It is gone."), (404, "NoFile")),
        (NoMediaRoomError("Full."), (429, "TooManyFiles")),
    ):

        async def find(_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(served.session.media, "find", find)
        assert expected == await call(served, "GET", "media/1")


async def test_a_file_is_sent_by_its_link(served: Served) -> None:
    """By either way of sending; where nothing may be fetched from is an error at once, and so is neither id nor link."""
    message = {"to": "15550100777", "type": "image", "image": {"link": "https://files.example.com/a.png"}}
    assert 200 == (await call(served, "POST", "messages", json=message))[0]
    assert 200 == (await served.send(message | {"messaging_product": "whatsapp"})).status
    for image in ({"link": "https://127.0.0.1/a.png"}, {"link": "no link"}, {"link": None}, {"caption": "Look"}):
        assert (422, "InvalidMessage") == await call(served, "POST", "messages", json=message | {"image": image})


async def test_a_message_is_marked_as_read(served: Served) -> None:
    """With or without typing; one that nobody wrote is a problem."""
    served.session.page.others |= {"3AF0", "3AF1"}
    assert (200, {"id": "3AF0", "typing": False}) == await call(served, "POST", "messages/3AF0/read", json={})
    typing = await call(served, "POST", "messages/3AF1/read", json={"typing": True})

    assert (200, {"id": "3AF1", "typing": True}) == typing
    assert [("3AF0", False), ("3AF1", True)] == served.session.page.marked
    assert (404, "NoMessage") == await call(served, "POST", "messages/3AF9/read", json={})
    assert (404, "NoMessage") == await call(served, "POST", "messages/a%20b/read", json={})
    assert (422, "InvalidMessage") == await call(served, "POST", "messages/3AF0/read", json={"typing": "yes"})


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), DamagedOutboxError("It is damaged.")])
async def test_a_volume_that_fails_is_no_fault_of_the_runner(
    served: Served, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever was asked for, on either side: 503, and when to ask again."""

    def fails(*_: object, **__: object) -> None:
        raise error

    for name in ("media.find", "media.add", "marks.add", "requests.add"):
        monkeypatch.setattr(f"session_runner.outbox.{name}", fails)
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "3AF0"}
    answers = [
        await served.call("GET", f"/v1/media/{PHONE * 2}"),
        await served.call("POST", "/v1/media", data=form(FILE)),
        await served.call("POST", "/v1/messages/3AF0/read", json={}),
        await served.call("POST", "/v1/messages", json={"to": "15550100777", "type": "text", "text": {"body": "a"}}),
        await served.call("GET", f"/v24.0/{PHONE * 2}"),
        await served.send(mark),
        await served.send(),
    ]

    assert [(503, "5")] * 7 == [(answer.status, answer.headers["Retry-After"]) for answer in answers]
    assert ["Starting"] * 4 == [(await answer.json())["error"]["code"] for answer in answers[:4]]


async def test_only_the_token_for_sending_opens_them(served: Served) -> None:
    """As it does for messages."""
    for method, path in (("POST", "media"), ("GET", "media/1"), ("DELETE", "media/1"), ("GET", "media/1/content")):
        assert (403, "Forbidden") == await call(served, method, path, token="state-token")
    assert LARGEST_UPLOAD == largest_body("POST", "/v1/media?x=y")
    assert 0 == largest_body("PUT", "/v1/media") == largest_body("POST", "/v1/media/1")
