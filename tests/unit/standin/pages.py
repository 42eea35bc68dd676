"""A page without a browser: the few frames with which the real page's script links, logs in and says what it did."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
from standin import StandIn
from standin.harness import LOCAL_WEB_HOST

__all__ = ["Page"]


class Page:
    """Speaks the socket's protocol with keys of its own."""

    def __init__(self, session: aiohttp.ClientSession, standin: StandIn, *, keys: str = "a") -> None:
        self._session = session
        self._standin = standin
        self._port = standin.page_url.rstrip("/").rpartition(":")[2]
        self._keys = {"noiseKey": f"noise-{keys}", "identityKey": f"identity-{keys}"}

    async def connect(self, device: str | None) -> aiohttp.ClientWebSocketResponse:
        """Open the socket without a word."""
        query = f"?device={device}" if device else ""
        return await self._session.ws_connect(
            f"https://127.0.0.1:{self._port}/ws/chat{query}",
            headers={"Host": LOCAL_WEB_HOST},
            server_hostname=LOCAL_WEB_HOST,
        )

    @contextlib.asynccontextmanager
    async def login(self, device: str | None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open the socket and say hello."""
        socket = await self.connect(device)
        hello = {"type": "hello", "load": "l", "profile": "p", "platform": "1", "device": device, **self._keys}
        await socket.send_json(hello)
        try:
            yield socket
        finally:
            await socket.close()

    def unlinked(self) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        """Say hello without a device."""
        return self.login(None)

    async def code(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Wait for the round and give the text of its first code."""
        refs = (await socket.receive_json())["refs"]
        return ",".join((refs[0], self._keys["noiseKey"], self._keys["identityKey"], "secret", "1"))

    async def link(self) -> str:
        """Get linked by the stand-in's phone; returns the device."""
        async with self.unlinked() as socket, asyncio.TaskGroup() as group:
            scan = group.create_task(self._standin.phone.scan(await self.code(socket)))
            paired = await socket.receive_json()
            await socket.send_json({"type": "paired", "device": paired["device"]})
        return scan.result()
