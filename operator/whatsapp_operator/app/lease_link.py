"""What the two processes of the operator share: two numbers in memory, and four messages.

    the process that holds the Lease (`lease_keeper`)           the process that works (`process`)
      until when the Lease allows to act    ── memory ──>   read before each write, and by the watchdog
      whether its event loop still runs     <── memory ──   counted up by a task of that loop
      "held", "released"                    ── socket ──>   acquire(), release()
                                            <── socket ──   "acquire", "release"

The numbers are in memory and not in messages because a process that was stuck must know at once, before it reads
anything, whether it may still act. Both clocks are the machine's one monotonic clock.
"""

import asyncio
import json
import mmap
import socket
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from whatsapp_operator.runtime.kube.resources import Json

LONGEST: Final = 4096
""" Bytes of a message. """


class Message(StrEnum):
    """What one of them tells the other."""

    ACQUIRE = "acquire"
    HELD = "held"
    RELEASE = "release"
    RELEASED = "released"


class SharedMemory:
    """Two numbers that both processes see, made before the second one is; each is written by one of them alone."""

    def __init__(self) -> None:
        # Anonymous and shared: a fork inherits it. An aligned double is written in one piece.
        self._numbers = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")

    @property
    def valid_until(self) -> float:
        """Until when the Lease allows to act, monotonic seconds; 0: it is not held."""
        return self._numbers[0]

    def set_valid_until(self, moment: float) -> None:
        """Set until when the Lease allows to act."""
        self._numbers[0] = moment

    @property
    def heartbeats(self) -> float:
        """How often the working process's event loop has shown that it runs."""
        return self._numbers[1]

    @heartbeats.setter
    def heartbeats(self, count: float) -> None:
        self._numbers[1] = count


class Channel:
    """One end of the socket between them; packets, so that a message comes whole."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)

    async def send(self, message: Message, **fields: Any) -> None:
        """Send a message."""
        await asyncio.get_running_loop().sock_sendall(self._end, json.dumps({"is": message, **fields}).encode())

    async def receive(self) -> tuple[Message, dict[str, Any]]:
        """Return the next message and its fields. :raises EOFError: the other process has ended."""
        packet = await asyncio.get_running_loop().sock_recv(self._end, LONGEST)
        if not packet:
            raise EOFError
        fields: dict[str, Any] = json.loads(packet)
        return Message(fields.pop("is")), fields

    def close(self) -> None:
        """Close this end."""
        self._end.close()


def channels() -> tuple[Channel, Channel]:
    """Return both ends of a new channel."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(one), Channel(other)


class HeldLease:
    """The Lease as the working process sees it."""

    def __init__(
        self, memory: SharedMemory, channel: Channel, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._memory = memory
        self._channel = channel
        self._monotonic = monotonic
        self.reference: Json | None = None
        """ The object, as events refer to it, while the Lease is held. """

    async def acquire(self) -> None:
        """Wait until this operator holds the Lease. :raises EOFError: the other process has ended."""
        await self._channel.send(Message.ACQUIRE)
        _, fields = await self._channel.receive()
        self.reference = fields["lease"]

    async def release(self) -> None:
        """Give the Lease up, after the last write. :raises EOFError: the other process has ended."""
        await self._channel.send(Message.RELEASE)
        await self._channel.receive()
        self.reference = None

    @property
    def valid_until(self) -> float | None:
        """Until when this process may act, monotonic seconds; None: the Lease is not held."""
        return self._memory.valid_until or None

    @property
    def may_act(self) -> bool:
        """Whether nobody else can have taken the Lease yet."""
        return self._monotonic() <= self._memory.valid_until
