"""What a client is told of a message that waits for its turn, and of one that is refused, on both faces."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.live_settings import LiveSettings
from session_protocol.pacing import FirstContacts, Pacing
from session_protocol.vocabulary import PacingType, RunnerState, StateReason
from session_runner.messages import errors
from session_runner.store import Restriction
from support.runner_parts import PHONE, make_api
from unit.runner.messaging_harness import FRIEND, NOW, Session, running

STRANGERS = [f"1555010080{number}" for number in range(5)]
SLOW = FirstContacts(burst=1, interval=60, per_day=2)
CLOUD, V1 = f"/v24.0/{PHONE}/messages", "/v1/messages"


class Served:
    """A session, and its API."""

    def __init__(self, tokens: Path) -> None:
        tokens.mkdir()
        (tokens / "send").write_text("send-token\n")
        self.session = Session()
        self.session.say(RunnerState.CONNECTED)
        self.session.door.open(self.session.page)
        self.session.page.strangers = set(STRANGERS)
        self.session.page.people = {number: number for number in (FRIEND, *STRANGERS)}
        self.session.live.replace(LiveSettings(pacing=Pacing(type=PacingType.CUSTOM, first_contacts=SLOW)))
        self.client = TestClient(TestServer(make_api(self.session.parts, tokens)))

    async def send(self, path: str, to: str) -> ClientResponse:
        """POST a text."""
        body = {"to": to, "type": "text", "text": {"body": "Hello"}}
        more = {"messaging_product": "whatsapp"} if path == CLOUD else {}
        return await self.client.post(path, json=body | more, headers={"Authorization": "Bearer send-token"})


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A connected session that writes to one stranger at once, and to two a day."""
    made = Served(tmp_path / "tokens")
    async with running(made.session, tmp_path), made.client:
        yield made


async def code_of(answer: ClientResponse) -> int | str:
    """Give the code of an error of either face."""
    code: int | str = (await answer.json())["error"]["code"]
    return code


async def test_a_message_says_why_it_waits(served: Served) -> None:
    """With the time of its turn, in whole seconds; nothing of one that went."""
    first, second = [(await (await served.send(V1, to)).json())["id"] for to in STRANGERS[:2]]
    await served.session.becomes(first, "handed_over")
    headers = {"Authorization": "Bearer send-token"}
    found = [await (await served.client.get(f"{V1}/{one}", headers=headers)).json() for one in (first, second)]

    assert ["handed_over", "accepted"] == [one["status"] for one in found]
    assert found[0]["waiting"] is None
    assert "FirstContacts" == found[1]["waiting"]["reason"]
    assert "2026-11-30T00:00:30Z" <= found[1]["waiting"]["until"] <= "2026-11-30T00:01:31Z"


@pytest.mark.parametrize(("path", "code"), [(CLOUD, 130429), (V1, "TooManyMessages")])
async def test_what_would_wait_too_long_is_refused(served: Served, path: str, code: int | str) -> None:
    """429 with Retry-After; a reply is taken."""
    for to in STRANGERS[:2]:
        assert 200 == (await served.send(path, to)).status
    answer, reply = await served.send(path, STRANGERS[2]), await served.send(path, FRIEND)

    assert (429, code, 200) == (answer.status, await code_of(answer), reply.status)
    assert 22 * 3600 < int(answer.headers["Retry-After"]) < 24 * 3600


@pytest.mark.parametrize(("path", "code"), [(CLOUD, 131048), (V1, "FirstContactsForbidden")])
async def test_what_whatsapp_forbids_is_refused(served: Served, path: str, code: int | str) -> None:
    """With the end of it; never 401, which makes clients give a channel up; a reply is taken."""
    served.session.say(RunnerState.RESTRICTED, reason=StateReason.TIME_LOCK)
    served.session.store.restriction = Restriction(StateReason.TIME_LOCK, NOW.timestamp() + 100)
    answer, reply = await served.send(path, STRANGERS[0]), await served.send(path, FRIEND)
    served.session.store.restriction = Restriction(StateReason.TIME_LOCK)
    endless = await served.send(path, STRANGERS[0])

    assert (429, code, 200) == (answer.status, await code_of(answer), reply.status)
    assert ("100", "3600") == (answer.headers["Retry-After"], endless.headers["Retry-After"])
    assert "until 2026-11-30T00:01:40Z" in await answer.text()


async def test_too_much_to_one_person_has_its_own_code(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Cloud API's clients know it."""
    monkeypatch.setattr("session_runner.messages.pacing.ONE_PERSON", (1, 8000.0))
    taken, answer = await served.send(CLOUD, FRIEND), await served.send(CLOUD, FRIEND)

    assert (200, 429, errors.PacedToOneError.code) == (taken.status, answer.status, await code_of(answer))
