"""Who is there, typing or gone, for the webhooks that want to know: told at once or never, and kept nowhere.

`session` runs `work` beside the inbox. Nothing is asked of the page while no webhook wants it. It is beside the events:
it has no place among them, no stream has it, and a receiver that is away misses it.
"""

import logging
import sqlite3
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from session_protocol.vocabulary import WebhookEvent

from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.messages.events import Event, PresenceChange
from session_runner.messages.incoming import Who, seconds_of
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.seen import chat_of
from session_runner.page.errors import CallFailedError
from session_runner.receiving.inbox import Inbox
from session_runner.store import StateStore
from session_runner.waker import Waker

logger = logging.getLogger(__name__)

CALL_SECONDS: Final = 10.0
""" For the page to answer. """
PAUSE: Final = 30.0
""" Seconds between two looks without an event: a new document has to be told that somebody wants to know. """
_ACTING: Final = {"composing": "typing", "recording": "recording"}


class _Seen(Struct, frozen=True, kw_only=True):
    who: Who
    state: Annotated[str, Meta(max_length=32)]
    online: bool
    t: float


class ContactPresence:
    """The presence of one session's contacts; used from one event loop only."""

    def __init__(
        self,
        *,
        store: StateStore,
        page: LinkedPage,
        inbox: Inbox,
        wanted: Callable[[], bool],
        publish: Callable[[Event], None],
    ) -> None:
        self._store = store
        self._page = page
        self._inbox = inbox
        self._wanted = wanted
        """ Whether anybody wants to know now. """
        self._publish = publish
        self._waker = Waker()
        store.changed.connect(self._waker.wake)
        self._is_on = False
        """ Whether a page may be noting. """

    def something_happened(self) -> None:
        """Handle the page's event that somebody did something."""
        self._waker.wake()

    async def work(self, outbox: Outbox) -> None:
        """Tell, until it is cancelled."""
        while True:
            try:
                await self._round(outbox)
            except (CommandError, CallFailedError, msgspec.ValidationError) as error:
                logger.info("The page did not tell who is there", extra={"error": type(error).__name__})
            except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                logger.exception("Who is there could not be found on the volume")
            await self._waker.sleep(PAUSE)

    async def _round(self, outbox: Outbox) -> None:
        wanted = self._wanted()
        if not (wanted or self._is_on) or not self._page.is_connected:
            return
        given = await self._page.read("presence_take.js", {"wanted": wanted}, deadline=CALL_SECONDS)
        self._is_on = wanted
        how = self._inbox.taking()
        for seen in msgspec.convert(given, type=list[_Seen]):
            chat, person = await outbox.run(chat_of, seen.who, how)
            state = _ACTING.get(seen.state, "online" if seen.online else "offline")
            change = PresenceChange(chat=chat, person=person, state=state, timestamp=int(seconds_of(seen.t)))
            self._publish(Event(id=how.new_event(), type=WebhookEvent.PRESENCE, time=how.now, data=change))
