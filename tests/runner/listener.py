"""Somebody who reads the stream of events, and comes again with the last id."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from support.runner_process import TOKENS, RunnerProcess
from support.waiting import async_until


class Listener:
    """Somebody who reads the stream of events, and comes again with the last id."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.last: str | None = None

    @contextlib.asynccontextmanager
    async def listening(self, runner: RunnerProcess) -> AsyncIterator[None]:
        """Read while the body runs."""
        headers = {"Authorization": f"Bearer {TOKENS['send']}"}
        if self.last is not None:
            headers["Last-Event-ID"] = self.last
        async with runner.client.get(f"{runner.url}/v1/events", headers=headers) as answer:
            assert (200, "text/event-stream") == (answer.status, answer.content_type)
            reading = asyncio.create_task(self._read(answer.content))
            try:
                yield
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, content: Any) -> None:
        async for line in content:
            name, _, value = line.decode().strip().partition(": ")
            if name == "id":
                self.last = value
            if name == "data":
                self.events.append(json.loads(value))

    def about(self, *kinds: str) -> list[tuple[str, str]]:
        """Give kind and id of the events about messages."""
        wanted = kinds or ("message", "message.edited", "message.deleted", "reaction")
        return [(event["type"], event["data"]["id"]) for event in self.events if event["type"] in wanted]

    def texts(self) -> list[str]:
        """Give the texts of the messages."""
        return [event["data"]["content"]["text"]["body"] for event in self.events if event["type"] == "message"]

    async def hears(self, count: int, *kinds: str, within: float = 30) -> None:
        """Wait for so many events about messages."""

        async def look() -> int:
            return len(self.about(*kinds))

        await async_until(f"{count} events", look, lambda found: found >= count, within=within)
        await asyncio.sleep(1.0)  # no more of them


async def ready(runner: RunnerProcess) -> None:
    """Wait until the first synchronisation is over: what comes before may be history."""
    await asyncio.sleep(6)
    assert runner
