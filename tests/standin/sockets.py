"""The shell around the exchange: WebSockets in, effects out.

`Switchboard` owns every open socket and is the only place that carries out effects; the page's handler and the phone's
API both give theirs to `carry_out`. Frames to one page go out in the order they were decided.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterable

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from standin.errors import MalformedRequestError
from standin.exchange import Close, Confirmed, Effect, Exchange, Send, SendLater
from standin.frames import DeviceId, Frame, Hello, PageId
from standin.loads import LoadLedger

__all__ = ["Switchboard"]

logger = logging.getLogger(__name__)


class Switchboard:
    """All open sockets, by page, each with its queue of what is still to be sent."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        loads: LoadLedger,
        new_token: Callable[[], str],
        on_devices_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._exchange = exchange
        self._loads = loads
        self._new_token = new_token
        self._on_devices_changed = on_devices_changed
        self._queues: dict[PageId, asyncio.Queue[Frame | None]] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._confirmations: dict[DeviceId, asyncio.Event] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one page's socket from the first frame to the last."""
        if not self._exchange.reachable(request.query.get("device")):
            # Refused before the upgrade: the page stays OPENING, as when the server cannot be reached.
            raise web.HTTPServiceUnavailable(text="The socket of this device is refused for now.")
        socket = web.WebSocketResponse(heartbeat=self._exchange.timing.silence / 2, max_msg_size=256 * 1024 * 1024)
        await socket.prepare(request)
        self._sockets.add(socket)
        page = PageId(self._new_token())
        queue = self._queues[page] = asyncio.Queue()
        writer = asyncio.create_task(self._write(socket, queue))
        try:
            await self._read(socket, page)
        except MalformedRequestError as error:
            logger.warning("a page broke the protocol", extra={"detail": str(error)})
            await socket.close(code=WSCloseCode.PROTOCOL_ERROR, message=str(error).encode()[:120])
        finally:
            self._exchange.closed(page)
            del self._queues[page]
            self._sockets.discard(socket)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    def carry_out(self, effects: Iterable[Effect]) -> None:
        """Do what the exchange decided."""
        for effect in effects:
            match effect:
                case Send(page, frame):
                    self._put(page, frame)
                case SendLater(page, frame, seconds):
                    self._later(page, frame, seconds)
                case Close(page):
                    self._put(page, None)
                case Confirmed(device):
                    self._on_devices_changed()
                    if device in self._confirmations:
                        self._confirmations[device].set()

    async def confirmation(self, device: DeviceId, *, seconds: float) -> bool:
        """Wait until the page of a scan has stored its login; False when it did not in time."""
        event = self._confirmations.setdefault(device, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            del self._confirmations[device]
        return True

    async def close(self) -> None:
        """End every socket, for the server's shutdown."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def _put(self, page: PageId, frame: Frame | None) -> None:
        queue = self._queues.get(page)
        if queue is not None:  # else the page left between decision and effect
            queue.put_nowait(frame)

    def _later(self, page: PageId, frame: Frame, seconds: float) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            self._put(page, frame)

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._timers.add(timer)

    async def _read(self, socket: web.WebSocketResponse, page: PageId) -> None:
        greeted = False
        async for message in socket:
            frame = _decode(message)
            if frame is None:
                continue
            if greeted:
                self.carry_out(self._exchange.received(page, frame))
                if frame.get("type") == "logout":
                    self._on_devices_changed()
                continue
            hello = Hello.parse(frame)
            self._loads.attribute(hello.load, profile=hello.profile, device=hello.device)
            greeted = True
            self.carry_out(self._exchange.opened(page, hello))

    async def _write(self, socket: web.WebSocketResponse, queue: asyncio.Queue[Frame | None]) -> None:
        while (frame := await queue.get()) is not None:
            with contextlib.suppress(ConnectionError):  # the reader sees the same end and cleans up
                await socket.send_json(frame)
        await socket.close()


def _decode(message: WSMessage) -> Frame | None:
    if message.type is not WSMsgType.TEXT:
        return None
    try:
        frame = json.loads(message.data)
    except ValueError as error:
        raise MalformedRequestError("A frame is not JSON.") from error
    if not isinstance(frame, dict):
        raise MalformedRequestError("A frame is not a JSON object.")
    return frame
