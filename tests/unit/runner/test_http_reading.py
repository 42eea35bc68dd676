"""The routes that read what the account has, over a real server and a page that is played."""

import asyncio
import base64
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.vocabulary import Presence, RunnerState, TokenScope
from session_runner.account import appearance
from session_runner.http.routes import ROUTES
from session_runner.messages.stored import write_cursor
from session_runner.outbox import media, reading
from session_runner.outbox.outbox import Outbox
from session_runner.page.errors import CallFailedError
from support.runner_parts import PHONE, make_api
from unit.runner.messaging_harness import NOW, Session, running

ADA = {"id": "15550100701@c.us", "number": "15550100701", "lid": "888000111", "name": "Ada"}
ADAS_LID = ADA | {"id": "888000111@lid"}
TEAM = {"id": "120363000000000001@g.us"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def text(identifier: str, *, own: bool = False, **more: Any) -> dict[str, Any]:
    """A message of Ada's chat as the page gives it."""
    key = f"{str(own).lower()}_{ADA['id']}_{identifier}"
    given = {"key": key, "id": identifier, "own": own, "t": 7, "type": "chat", "who": ADA, "body": identifier}
    return given | more


class Page:
    """A page by what its scripts answer."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, Any]] = []

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run a script."""
        self.asked.append((script, argument))
        answer = self.answers.get(script)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Served:
    """A session, its API and its outbox."""

    def __init__(self, folder: Path, outbox: Outbox, session: Session, page: Page) -> None:
        for scope in ("send", "read", "admin"):
            (folder / scope).write_text(f"{scope}-token\n")
        self.session = session
        self.outbox = outbox
        self.page = page
        self.metrics = session.parts.base.metrics
        self.client = TestClient(TestServer(make_api(session.parts, folder)))

    async def get(self, path: str, *, scope: str = "read", **query: Any) -> tuple[int, Any]:
        """Read; gives status and document."""
        headers = {"Authorization": f"Bearer {scope}-token"}
        answer = await self.client.get(f"/v1/{path}", headers=headers, params=query)
        return answer.status, await answer.json()

    async def refused(self, path: str, **query: Any) -> tuple[int, str, str | None]:
        """Read what is refused; gives status, code and after how many seconds to ask again."""
        answer = await self.client.get(f"/v1/{path}", headers={"Authorization": "Bearer admin-token"}, params=query)
        return answer.status, (await answer.json())["error"]["code"], answer.headers.get("Retry-After")

    async def check(self, number: str = "+15550100701", **more: Any) -> tuple[int, Any]:
        """Ask whether a number is there; gives status and document."""
        headers = {"Authorization": "Bearer send-token"}
        body = more or {"json": {"phoneNumber": number}}
        answer = await self.client.post("/v1/contacts/check", headers=headers, **body)
        return answer.status, await answer.json()

    async def ada(self) -> str:
        """Let the session know Ada; gives her `userId`."""
        self.page.answers["lookup.js"] = {"digits": ADA["number"], "lid": ADA["lid"]}
        return str((await self.check())[1]["person"]["userId"])


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A connected session over a page that answers nothing yet."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    session, page = Session(), Page()
    session.say(RunnerState.CONNECTED)
    session.door.open(page)
    async with running(session, tmp_path, works=False) as outbox:
        made = Served(tokens, outbox, session, page)
        async with made.client:
            yield made


async def test_chats_come_in_pieces(served: Served) -> None:
    """With people as events name them; the page is asked for what follows the last one."""
    chat = {"who": ADA, "t": 9, "unread": 2, "archived": False, "name": "Ada L."}
    group = {"who": TEAM, "t": 0, "unread": -1, "archived": True}
    served.page.answers["chats.js"] = {"chats": [chat, group], "next": [0, TEAM["id"]]}
    status, found = await served.get("chats", limit=2)
    ada = found["chats"][0]["person"]["userId"]
    person = {"userId": ada, "waId": "15550100701", "name": "Ada"}
    common = {"markedUnread": False, "archived": False, "timestamp": 9, "unread": 2}
    assert (200, common | {"id": ada, "group": False, "person": person, "name": "Ada L."}) == (
        status,
        found["chats"][0],
    )
    assert (TEAM["id"], None, True, True) == tuple(
        found["chats"][1][name] for name in ("id", "person", "group", "markedUnread")
    )

    served.page.answers["chats.js"] = {"chats": [], "next": None}
    assert (200, {"chats": [], "next": None}) == await served.get("chats", after=found["next"])
    assert [
        ("chats.js", {"own": None, "after": None, "count": 2}),
        ("chats.js", {"own": None, "after": (0.0, TEAM["id"]), "count": 100}),
    ] == served.page.asked


async def test_messages_come_from_the_newest_backwards(served: Served) -> None:
    """Without the page's notes; each file has an id by which it can be fetched; the page knows the chat by any id."""
    ada = await served.ada()
    image = text("M2", type="image", body=None, mimetype="image/png", size=3, digest="CTo=", filename="a.png")
    given = [text("M1"), image, text("N", type="e2e_notification"), text("M3", own=True, ack=2)]
    served.page.answers["chat_messages.js"] = {"messages": given, "next": given[0]["key"]}
    status, found = await served.get(f"chats/{ada}/messages", limit=4)
    assert (200, ["M3", "M2", "M1"]) == (status, [one["id"] for one in found["messages"]])
    assert [ada] * 3 == [one["chat"] for one in found["messages"]]
    assert ["delivered", None] == [found["messages"][place]["status"] for place in (0, 2)]
    file = await served.outbox.run(media.find, found["messages"][1]["content"]["image"]["id"], now=NOW.timestamp())
    assert file is not None
    assert (image["key"], "image/png", 3, "a.png") == (file.page_key, file.mime_type, file.size, file.filename)

    served.page.answers["chat_messages.js"] = {"messages": [], "next": None}
    assert (200, {"messages": [], "next": None}) == await served.get(f"chats/{ada}/messages", after=found["next"])
    ids = [ADA["id"], ADAS_LID["id"]]
    argument = {"own": None, "ids": ids, "before": given[0]["key"], "count": 50}
    assert ("chat_messages.js", argument) == served.page.asked[-1]


async def test_a_group_shows_who_wrote(served: Served) -> None:
    """By the same `userId` as anywhere; of an own message nobody is told."""
    ada = await served.ada()
    theirs = text("M1", who=TEAM, author=ADAS_LID, name="Ada L.")
    served.page.answers["chat_messages.js"] = {"messages": [theirs, text("M2", who=TEAM, own=True)], "next": None}
    _, found = await served.get(f"chats/{TEAM['id']}/messages")
    person = {"userId": ada, "waId": "15550100701", "name": "Ada L."}
    assert [(TEAM["id"], None), (TEAM["id"], person)] == [(one["chat"], one["person"]) for one in found["messages"]]


async def test_more_files_than_are_known_have_no_id(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are known keep theirs."""
    ada = await served.ada()
    first = text("M1", type="image", body=None)
    served.page.answers["chat_messages.js"] = {"messages": [first], "next": None}
    await served.get(f"chats/{ada}/messages")
    monkeypatch.setattr(reading, "MOST_FILES", 1)
    served.page.answers["chat_messages.js"] = {"messages": [first, text("M2", type="image", body=None)], "next": None}
    _, found = await served.get(f"chats/{ada}/messages")
    assert [False, True] == ["id" in one["content"]["image"] for one in found["messages"]]


async def test_what_is_no_message_is_left_out(served: Served) -> None:
    """And counted; the rest of the piece is told."""
    ada = await served.ada()
    served.page.answers["chat_messages.js"] = {"messages": [text("M1"), {"key": 7}, "x"], "next": None}
    _, found = await served.get(f"chats/{ada}/messages")
    assert ["M1"] == [one["id"] for one in found["messages"]]
    assert 2 == served.metrics.registry.get_sample_value("whatsapp_runner_unreadable_messages_total")


async def test_contacts_come_in_pieces(served: Served) -> None:
    """As the address book calls them."""
    contact = {"who": ADA, "name": "Ada from work", "business": True}
    served.page.answers["contacts.js"] = {"contacts": [contact], "next": ADA["id"]}
    _, found = await served.get("contacts", limit=1)
    assert ("Ada from work", True, "15550100701") == (
        found["contacts"][0]["name"],
        found["contacts"][0]["business"],
        found["contacts"][0]["person"]["waId"],
    )
    await served.get("contacts", after=found["next"])
    assert ("contacts.js", {"own": None, "after": ADA["id"], "count": 100}) == served.page.asked[-1]


async def test_a_number_is_there_or_not_or_could_not_be_asked(served: Served) -> None:
    """Three answers: the last one says nothing about the number."""
    served.page.answers["lookup.js"] = {"digits": "15550100702", "lid": None}
    status, found = await served.check("+15550100701")
    assert (200, True, "15550100702") == (status, found["exists"], found["person"]["waId"])
    served.page.answers["lookup.js"] = {"nobody": True}
    assert (200, {"exists": False, "person": None}) == await served.check("+15550100703")
    served.page.answers["lookup.js"] = None
    status, found = await served.check("+15550100704")
    assert (503, "NoPage") == (status, found["error"]["code"])
    wrong: tuple[dict[str, Any], ...] = ({"json": {"phoneNumber": "7"}}, {"json": {}}, {"data": b"\xff"})
    for body in wrong:
        assert 400 == (await served.check(**body))[0]


async def test_nobody_harvests_numbers(served: Served) -> None:
    """Twenty at once, and one more each minute."""
    served.page.answers["lookup.js"] = {"nobody": True}
    assert [200] * 20 + [429] * 2 == [(await served.check())[0] for _ in range(22)]
    served.session.later(seconds=61)
    status, found = await served.check()
    assert (200, False) == (status, found["exists"])
    assert (429, "TooManyChecks") == ((await served.check())[0], (await served.check())[1]["error"]["code"])


async def test_a_picture_is_given_as_what_it_is(served: Served) -> None:
    """By its content; what is no picture is not called one."""
    ada, headers = await served.ada(), {"Authorization": "Bearer admin-token"}
    for content, kind in ((PNG, "image/png"), (b"<html>", "application/octet-stream")):
        served.page.answers["picture.js"] = {"piece": base64.b64encode(content).decode()}
        for path in (f"contacts/{ada}/picture", "profile/picture"):
            answer = await served.client.get(f"/v1/{path}", headers=headers)
            assert (200, kind, content) == (answer.status, answer.content_type, await answer.read())
            assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert [[ADA["id"], ADAS_LID["id"]], None] == [argument["ids"] for _, argument in served.page.asked[-2:]]
    answered: Any
    for answered in ({"none": True}, {"large": True}):
        served.page.answers["picture.js"] = answered
        assert (404, "NoPicture", None) == await served.refused("profile/picture")
    for answered in ({"piece": 7}, {"piece": "?"}):
        served.page.answers["picture.js"] = answered
        assert (503, "NoPage", "5") == await served.refused("profile/picture")


async def test_the_own_profile_is_shown(served: Served) -> None:
    """With null for what the page does not tell."""
    served.session.store.show_account("+15550100000")
    served.page.answers["profile.js"] = {"name": "Shop", "about": None}
    expected = {"waId": "15550100000", "name": "Shop", "about": None}
    assert (200, expected) == await served.get("profile", scope="send")
    served.page.answers["profile.js"] = {"name": 7}
    assert (503, "NoPage", "5") == await served.refused("profile")


async def test_a_session_appears_online_for_a_while(served: Served) -> None:
    """And then as usual again, whoever asked; who asks again has as long again."""
    headers = {"Authorization": "Bearer send-token"}
    ends: list[asyncio.Future[None]] = []

    async def sleep(seconds: float) -> None:
        assert seconds == appearance.LASTS
        ends.append(asyncio.get_running_loop().create_future())
        await ends[-1]

    page = served.session.parts.base.page
    shown = appearance.Appearance(page=page, usual=lambda: Presence.UNAVAILABLE, sleep=sleep)
    for presence in (Presence.AVAILABLE, Presence.AVAILABLE):
        await shown.appear(presence)
        await asyncio.sleep(0)
    assert ends[0].cancelled()
    ends[1].set_result(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert ["available.js", "available.js", "unavailable.js"] == [script for script, _ in served.page.asked]

    body = {"presence": "Unavailable"}
    answer = await served.client.put("/v1/presence", headers=headers, json=body)
    assert (200, body | {"seconds": 300}) == (answer.status, await answer.json())
    assert 400 == (await served.client.put("/v1/presence", headers=headers, json={"presence": "x"})).status
    served.page.answers["unavailable.js"] = CallFailedError("Execution context destroyed")
    assert 503 == (await served.client.put("/v1/presence", headers=headers, json=body)).status


async def test_sending_is_no_right_to_read_what_was(served: Served) -> None:
    """Old chats and the address book are for the scope read, or admin."""
    for path in ("chats", "chats/ZZ.1/messages", "contacts", "contacts/ZZ.1/picture"):
        status, found = await served.get(path, scope="send")
        assert (403, "Forbidden") == (status, found["error"]["code"])
        assert 403 != (await served.get(path, scope="admin"))[0]


async def test_reading_is_no_right_to_do_anything(served: Served) -> None:
    """Its token opens all that tells of messages, and no route that sends, changes, asks WhatsApp or administers."""
    opened = {(route.method, route.path) for route in ROUTES if TokenScope.READ in route.scopes}
    others = [route for route in ROUTES if route.scopes and TokenScope.READ not in route.scopes]

    assert {"GET"} == {method for method, _ in opened}
    assert {path.split("/")[2] for _, path in opened} == {"chats", "contacts", "events", "media", "messages", "profile"}
    for route in others:
        path = route.path.replace("{id}", "x")
        answer = await served.client.request(
            route.method, path, headers={"Authorization": "Bearer read-token"}, json={}
        )
        assert 403 == answer.status, path
    for path in (f"/v24.0/{PHONE}", f"/v24.0/{PHONE}/messages"):
        assert 403 == (await served.client.get(path, headers={"Authorization": "Bearer read-token"})).status


async def test_what_shows_messages_is_open_for_both(served: Served) -> None:
    """Who sends sees what became of it, and so does who only reads."""
    for path in ("messages/x", "media/x", "media/x/content", "profile"):
        assert 403 not in {(await served.get(path, scope=scope))[0] for scope in ("send", "read")}


@pytest.mark.parametrize("path", ["chats/ZZ.1/messages", "chats/x/messages", "contacts/ZZ.1/picture"])
async def test_nobody_is_known_by_any_other_id(served: Served, path: str) -> None:
    """Neither chat nor picture; the page is not asked."""
    assert (404, "NoChat", None) == await served.refused(path)
    assert (404, "NoChat", None) == await served.refused(f"contacts/{TEAM['id']}/picture")
    assert [] == served.page.asked


async def test_a_chat_or_a_place_may_be_gone(served: Served) -> None:
    """A chat that the page has not, a message that is gone, and what never was a place."""
    ada = await served.ada()
    path, after = f"chats/{ada}/messages", write_cursor("false_x_y")
    served.page.answers["chat_messages.js"] = {"missing": "chat"}
    assert (404, "NoChat", None) == await served.refused(path)
    served.page.answers["chat_messages.js"] = {"missing": "message"}
    assert (404, "NoCursor", None) == await served.refused(path, after=after)
    for wrong in ("x", write_cursor([1, 2])):
        assert (404, "NoCursor", None) == await served.refused("chats", after=wrong)
        assert (404, "NoCursor", None) == await served.refused(path, after=wrong)
    assert (400, "BadRequest", None) == await served.refused("chats", limit=101)


@pytest.mark.parametrize("answer", [None, {}, {"chats": [{}] * 101}, CallFailedError("Execution context destroyed")])
async def test_a_page_that_does_not_answer_is_no_empty_account(served: Served, answer: Any) -> None:
    """Whatever it says instead: ask again later."""
    served.page.answers["chats.js"] = answer
    assert (503, "NoPage", "5") == await served.refused("chats")


async def test_a_full_volume_is_no_fault(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who people are could not be kept: ask again later."""

    def full(*_given: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(reading, "name_chats", full)
    served.page.answers["chats.js"] = {"chats": [], "next": None}
    assert (503, "Starting", "5") == await served.refused("chats")


async def test_nothing_is_read_without_a_connected_page(served: Served) -> None:
    """Away for a moment it is 503; without a phone 409."""
    served.session.say(RunnerState.RECONNECTING)
    assert (503, "NoPage", "5") == await served.refused("chats")
    served.session.say(RunnerState.QR_PENDING, linked=False)
    for path in ("chats", "contacts", "profile", "profile/picture"):
        assert (409, "NotLinked", None) == await served.refused(path)
    assert 409 == (await served.check())[0]
    assert [] == served.page.asked
