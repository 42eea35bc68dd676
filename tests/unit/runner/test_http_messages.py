"""The runner's own routes for messages, over a real server: what they take, and the problem for each error."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.vocabulary import RunnerState
from session_runner.http.message_routes import PROBLEMS
from session_runner.messages import errors
from session_runner.messages.progress import Progress
from session_runner.outbox import requests
from session_runner.outbox.outbox import Outbox
from support.runner_parts import make_api
from unit.runner.messaging_harness import FRIEND, Session, running

TEXT = {"to": f"+{FRIEND}", "type": "text", "text": {"body": "Hello"}}
REACTION = {"to": FRIEND, "type": "reaction", "reaction": {"message_id": "3AF0", "emoji": "x"}}


class Served:
    """A session, its API and its outbox."""

    def __init__(self, folder: Path, outbox: Outbox, session: Session) -> None:
        (folder / "send").write_text("send-token\n")
        (folder / "state").write_text("state-token\n")
        self.session = session
        self.outbox = outbox
        self.client = TestClient(TestServer(make_api(session.parts, folder)))

    async def call(self, method: str, path: str = "", *, key: str | None = None, **more: Any) -> tuple[int, Any]:
        """Call with the token; gives status and document."""
        headers = {"Authorization": "Bearer send-token"} | ({} if key is None else {"Idempotency-Key": key})
        answer: ClientResponse = await self.client.request(method, f"/v1/messages{path}", headers=headers, **more)
        return answer.status, await answer.json()

    async def refused(self, method: str, path: str = "", **more: Any) -> tuple[int, str]:
        """Call for what is refused; gives status and code."""
        status, document = await self.call(method, path, **more)
        return status, document["error"]["code"]

    async def sent(self, body: Any = TEXT) -> str:
        """Send; gives the id."""
        status, document = await self.call("POST", json=body)
        assert (200, "accepted", FRIEND) == (status, document["status"], document["waId"])
        return str(document["id"])


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A connected session whose messages are stored and not handed over."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    session = Session()
    session.say(RunnerState.CONNECTED)
    session.door.open(session.page)
    session.page.people = {FRIEND: FRIEND, "15550100803": None}
    session.page.others = {"3AF0"}
    async with running(session, tmp_path, works=False) as outbox:
        made = Served(tokens, outbox, session)
        async with made.client:
            yield made


async def test_a_message_is_taken(served: Served) -> None:
    """Each kind that can be sent; the answer is what is told of it from then on."""
    bodies = [
        TEXT | {"context": {"message_id": "3AF0"}, "messaging_product": "whatsapp"},
        REACTION,
        {"to": FRIEND, "type": "location", "location": {"latitude": 1, "longitude": 2.5}},
        {"to": FRIEND, "type": "contacts", "contacts": [{"name": {"formatted_name": "Ada"}, "phones": [{}]}]},
        {"to": FRIEND, "type": "forward", "forward": {"message_id": "3AF9"}},
        TEXT | {"text": {"body": "@15550100777", "mentions": [FRIEND], "preview_url": True}},
    ]
    sent = [await served.sent(body) for body in bodies]
    waiting = await served.outbox.run(requests.due, account=None, most=10)

    assert [(one.identifier, one.reply_to) for one in waiting] == list(zip(sent, ["3AF0", *[None] * 5], strict=True))
    assert 200 == (await served.call("GET", f"/{sent[0]}"))[0]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (TEXT | {"to": "15550100803"}, 404, "NotOnWhatsApp"),
        ({"to": TEXT["to"], "type": "image", "image": {"id": "1"}}, 422, "InvalidMessage"),
        (TEXT | {"to": 15550100777}, 422, "InvalidMessage"),
        (TEXT | {"to": "15550100777\n"}, 422, "InvalidMessage"),
        (TEXT | {"type": "hologram"}, 422, "InvalidMessage"),
        (TEXT | {"text": {"body": " "}}, 422, "InvalidMessage"),
        (TEXT | {"text": {"body": "x" * 4097}}, 422, "InvalidMessage"),
        (TEXT | {"context": {"message_id": "3AF1"}}, 422, "InvalidMessage"),
        ([], 422, "InvalidMessage"),
    ],
)
async def test_what_cannot_be_sent_is_a_problem(served: Served, body: Any, status: int, code: str) -> None:
    """Of its own code, and not of Meta's."""
    assert (status, code) == await served.refused("POST", json=body)


async def test_what_is_no_body_is_a_problem(served: Served) -> None:
    """Too large, or no JSON."""
    assert (422, "InvalidMessage") == await served.refused("POST", data=b"{")
    assert (400, "BadRequest") == await served.refused("POST", data=b"x" * (128 * 1024 + 1))


async def test_a_key_makes_a_second_request_the_first(served: Served) -> None:
    """Of each kind of change, too; another request with it is refused."""
    first, again = [await served.call("POST", json=TEXT, key="k") for _ in range(2)]
    path = f"/{first[1]['id']}"
    edits = [await served.call("PATCH", path, json={"text": {"body": "Hi"}}, key="e") for _ in range(2)]
    deletions = [await served.call("DELETE", path, key="d") for _ in range(2)]

    assert first == again
    assert edits[0] == edits[1]
    assert deletions[0] == deletions[1]
    assert (422, "IdempotencyKeyReused") == await served.refused("DELETE", path, key="e")
    assert 3 == await served.outbox.run(requests.count_waiting)


async def test_only_what_was_sent_can_be_changed(served: Served) -> None:
    """A text can be edited, everything can be taken back but what is no message."""
    place = await served.sent({"to": FRIEND, "type": "location", "location": {"latitude": 1, "longitude": 2}})
    reaction, text = await served.sent(REACTION), await served.sent()
    edit = {"json": {"text": {"body": "Hi"}}}

    assert (404, "NoMessage") == await served.refused("PATCH", "/3EB0", **edit)
    assert (404, "NoMessage") == await served.refused("DELETE", "/3EB0")
    assert (409, "NotChangeable") == await served.refused("PATCH", f"/{place}", **edit)
    assert (409, "NotChangeable") == await served.refused("DELETE", f"/{reaction}")
    assert (422, "InvalidMessage") == await served.refused("PATCH", f"/{text}", json={"text": {}})
    assert 200 == (await served.call("DELETE", f"/{place}"))[0]
    await served.outbox.run(requests.record, text, Progress.FAILED, time=0, error=131000)
    assert (409, "NotChangeable") == await served.refused("DELETE", f"/{text}")


async def test_a_session_without_a_phone_sends_nothing(served: Served) -> None:
    """It is said, and neither a key nor a read mark makes a difference."""
    served.session.say(RunnerState.QR_PENDING, linked=False)

    assert (409, "NotLinked") == await served.refused("POST", json=TEXT)


def test_each_error_has_its_problem() -> None:
    """None of messaging's errors is forgotten under /v1."""

    def all_below(kind: type[errors.MessageError]) -> set[type[errors.MessageError]]:
        return {kind}.union(*(all_below(one) for one in kind.__subclasses__()))

    assert all_below(errors.MessageError) - {errors.MessageError} == set(PROBLEMS)
