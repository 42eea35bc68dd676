"""A linked session and whoever sends by it: pywa, unmodified but for its base URL, and plain requests."""

import asyncio
from typing import Any

from pywa.client import WhatsApp
from session_protocol.phone_number_id import phone_number_id
from standin.harness import StandIn
from support.runner_process import TOKENS, RunnerProcess
from support.waiting import async_until

FRIEND = "15550100777"
PHONE = phone_number_id("", "session-1")


class Sender:
    """A linked session, and whoever sends by it."""

    def __init__(self, runner: RunnerProcess, standin: StandIn, device: str) -> None:
        self.runner = runner
        self.phone = standin.phone
        self.device = device

    def pywa(self) -> WhatsApp:
        """Make a client that knows the session's token for sending and no other."""
        client = WhatsApp(phone_id=PHONE, token=TOKENS["send"])
        client.api._session.base_url = f"{self.runner.url}/v24.0"
        return client

    async def by_pywa(self, method: str, *given: Any, **named: Any) -> Any:
        """Call one of its methods."""
        client = self.pywa()
        try:
            return await asyncio.to_thread(getattr(client, method), *given, **named)
        finally:
            client.api._session.close()

    async def send(self, text: str, *, to: str = FRIEND, **headers: str) -> tuple[int, dict[str, Any]]:
        """POST a text; gives status and document."""
        body = {"messaging_product": "whatsapp", "to": to, "text": {"body": text}}
        url, headers = (
            f"{self.runner.url}/v21.0/{PHONE}/messages",
            {"Authorization": f"Bearer {TOKENS['send']}"} | headers,
        )
        async with self.runner.client.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def v1(self, method: str, path: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
        """Call the runner's own routes for messages; gives status and document."""
        url, headers = f"{self.runner.url}/v1/messages{path}", {"Authorization": f"Bearer {TOKENS['send']}"}
        async with self.runner.client.request(method, url, headers=headers, **more) as answer:
            return answer.status, await answer.json()

    async def gets(self, text: str, **more: Any) -> None:
        """Let the friend write to it, and wait until its page has stored that."""
        await self.phone.send(self.device, text, **{"from": FRIEND} | more)

        async def look() -> int:
            return int((await self.phone.devices())[0]["waitingMessages"])

        await async_until("the message is stored", look, lambda waiting: waiting == 0, within=60)

    async def becomes(self, identifier: str, status: str) -> dict[str, Any]:
        """Wait for a message's status."""

        async def look() -> dict[str, Any]:
            code, found = await self.runner.get_json(f"/v1/messages/{identifier}", scope="send")
            assert code == 200, found
            return found

        return await async_until(f"{identifier} {status}", look, lambda found: found["status"] == status, within=60)

    async def arrived(self) -> list[tuple[str, str, int]]:
        """Give id, text and number of each arrival at the phone."""
        return [(one["id"], one["body"], one["arrival"]) for one in await self.phone.messages(self.device)]
