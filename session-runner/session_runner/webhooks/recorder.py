"""Notes to which webhooks an event goes, in the event's own transaction: what is stored is delivered, nothing else is.

Whoever stores events (`outbox.events`) calls this in the outbox's thread. The settings are one immutable object, so that
a change meanwhile counts from the next event on.
"""

from collections.abc import Callable
from functools import partial
from sqlite3 import Connection

from session_protocol.vocabulary import GroupEvents, WebhookEvent

from session_runner.live import Live
from session_runner.messages.cloud_events import Account
from session_runner.messages.events import Event
from session_runner.outbox import deliveries
from session_runner.outbox.backfills import Receiver
from session_runner.store import StateStore
from session_runner.webhooks.shapes import body_for


class Recorder:
    """The webhooks of one session, as those who store events know them."""

    def __init__(self, *, live: Live, account: Callable[[], Account], woken: Callable[[], None]) -> None:
        self._live = live
        self._account = account
        self._woken = woken
        """ Called, in whatever thread, when there is something to deliver. """

    def add_for(self, database: Connection, event: Event, place: int) -> None:
        """Note who gets an event, with the bytes that are sent."""
        account = self._account()
        added = False
        for webhook in self._live.settings.webhooks:
            body = body_for(event, webhook, account)
            if body is not None:
                deliveries.add(database, event, place, webhook=webhook.name, body=body)
                added = True
        if added:
            self._woken()

    def waiting(self, database: Connection) -> tuple[int, int]:
        """Return how many events, and bytes, the webhooks still have to get that wait for most."""
        return deliveries.most_waiting(database)


def history_receivers(live: Live, account: Callable[[], Account]) -> list[Receiver]:
    """Return the webhooks that want what was there before the link."""
    return [
        Receiver(
            name=webhook.name,
            groups=webhook.groups is GroupEvents.INCLUDE,
            body=partial(body_for, webhook=webhook, account=account()),
        )
        for webhook in live.settings.webhooks
        if WebhookEvent.HISTORY in webhook.events
    ]


def wants_presence(live: Live) -> bool:
    """Whether any webhook wants to know who is there."""
    return any(WebhookEvent.PRESENCE in webhook.events for webhook in live.settings.webhooks)


def account_of(store: StateStore, phone_number_id: str) -> Account:
    """Return whose webhooks these are; what is told while the number is not known says none."""
    known = store.account
    return Account(
        phone_number_id=phone_number_id, digits="" if known is None else known.phone_number.removeprefix("+")
    )
