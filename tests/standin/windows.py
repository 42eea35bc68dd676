"""The windows in which pages are open: what a person does to them there, whatever a page's own connection does.

Each page that has come up holds a second socket for this. So it can be reloaded while it is banned, offline or in a
conflict, when no frame of the exchange reaches it. No rule of the exchange depends on it.
"""

from typing import Literal

from aiohttp import WSCloseCode, web

__all__ = ["Act", "Windows"]

Act = Literal["reload", "other-tab"]


class Windows:
    """All open windows."""

    def __init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Hold one page's socket until it ends; a page says nothing here."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            self._sockets.discard(socket)
        return socket

    async def act(self, act: Act) -> int:
        """Do it in every window; returns in how many."""
        sockets = list(self._sockets)
        for socket in sockets:
            await socket.send_str(act)
        return len(sockets)

    async def close(self) -> None:
        """End every socket, for the server's shutdown."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)
