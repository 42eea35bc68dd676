"""What is worth telling at once or never, such as who is typing: one try each, and nothing of it on the volume.

Beside the deliveries of a webhook, with a connection of its own, so that it neither has an order with them nor holds them
up. Of a chat only what is newest waits.
"""

import contextlib
from collections.abc import Callable
from typing import Final

from session_runner.waker import Waker
from session_runner.webhooks.secret_files import Secret
from session_runner.webhooks.sender import Answer, Sender
from session_runner.webhooks.signing import UnusableSecretError

MOST: Final = 100
""" Chats of which something waits; of more the one that has waited longest is left out. """


class EphemeralEvents:
    """What is told to one webhook; used from one event loop only."""

    def __init__(self, sender: Sender, *, secret: Callable[[], Secret], answered: Callable[[Answer], None]) -> None:
        self._sender = sender
        self._secret = secret
        self._answered = answered
        self._waiting: dict[str, tuple[str, bytes]] = {}
        """ Identifier and body, by chat. """
        self._waker = Waker()

    def add(self, *, chat: str, identifier: str, body: bytes) -> None:
        """Send this as soon as what is under way has ended."""
        self._waiting.pop(chat, None)
        if len(self._waiting) >= MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[chat] = identifier, body
        self._waker.wake()

    async def work(self) -> None:
        """Send, until it is cancelled."""
        while True:
            await self._waker.sleep(None)
            while self._waiting:
                identifier, body = self._waiting.pop(next(iter(self._waiting)))
                with contextlib.suppress(UnusableSecretError):  # deliveries say so
                    self._answered(await self._sender.deliver(body, identifier=identifier, secret=self._secret()))
