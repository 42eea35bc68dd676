"""One webhook at work: its deliveries are sent in their order, again and again until they are taken or dead.

Each webhook has its own, so that a receiver that hangs holds up no other. What is under way when this ends is still in
its row, and is sent again.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct
from session_protocol.live_settings import Webhook
from session_protocol.vocabulary import WebhookFormat

from session_runner.outbox import deliveries
from session_runner.outbox.deliveries import Delivery
from session_runner.outbox.outbox import Outbox
from session_runner.waker import Waker
from session_runner.webhooks.ephemeral import EphemeralEvents
from session_runner.webhooks.refusals import Refusals
from session_runner.webhooks.retries import LONGEST_OF_ALL, Outcome, is_given_up, is_over, outcome, pause, says_unknown
from session_runner.webhooks.secret_files import Secret, read_secret
from session_runner.webhooks.sender import AT_ONCE, Answer, Sender
from session_runner.webhooks.signing import UnusableSecretError

logger = logging.getLogger(__name__)

TICK: Final = 60.0
""" Seconds between two looks of which nobody woke it. """
SECRET_PAUSE: Final = 10.0
""" Seconds until an unusable Secret is read again. """


class Surroundings(Struct, frozen=True, kw_only=True):
    """What all channels of a session share."""

    clock: Callable[[], datetime]
    random: Callable[[], float]
    """ A number from 0 to 1. """
    secrets: Path | None
    """ The folder with the Secrets' folders. """
    counted: Callable[[str, str], None]
    """ Called with the webhook's name and the class of each answer. """


class Channel:
    """The deliveries of one webhook."""

    def __init__(self, webhook: Webhook, sender: Sender, surroundings: Surroundings) -> None:
        self.webhook = webhook
        self._sender = sender
        self._around = surroundings
        self._waker = Waker()
        self._under_way: dict[int, tuple[str, asyncio.Task[None]]] = {}
        """ By place, with the chat that each had then: people who are joined share one. """
        self._verified = False
        self._tries = 0
        self._shake_at = 0.0
        self._shaken: Secret | None = None
        """ Of the handshake: how often it came to nothing, when it is tried again, and with which Secret it was. """
        self._not_before = 0.0
        self._taken: set[int] = set()
        """ Deliveries, by place, that the receiver has taken, and whose rows could not be deleted yet. """
        self._refusals = Refusals()
        self.ephemeral = EphemeralEvents(
            sender,
            secret=lambda: read_secret(surroundings.secrets, webhook),
            answered=lambda answer: surroundings.counted(webhook.name, _class_of(answer)),
        )
        """ What is told beside the deliveries. """
        self.problem = ""
        """ Why the last request came to nothing; empty: it did not. """

    def wake(self) -> None:
        """Look whether there is something to do."""
        self._waker.wake()

    async def work(self, outbox: Outbox) -> None:
        """Deliver until it is cancelled."""
        ephemeral = asyncio.create_task(self.ephemeral.work())
        try:
            while True:
                try:
                    wait = await self._round(outbox)
                except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                    logger.exception("The deliveries on the volume could not be read or written")
                    wait = SECRET_PAUSE
                await self._waker.sleep(wait)
        finally:
            tasks = [ephemeral, *(task for _, task in self._under_way.values())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._sender.close()

    async def _round(self, outbox: Outbox) -> float:
        """Start what is due; return the seconds after which there may be more."""
        now = self._now()
        if not is_over(self._not_before, now=now):
            return self._not_before - now
        await self._look_at_secret(outbox)
        free = AT_ONCE - len(self._under_way)
        if not free:
            return TICK  # woken by the first that ends
        waiting, due = await outbox.run(
            deliveries.turn, webhook=self.webhook.name, now=now, longest=LONGEST_OF_ALL, most=AT_ONCE + free
        )
        chats = {chat for chat, _ in self._under_way.values()}
        waiting = [one for one in waiting if one.place not in self._under_way and one.chat not in chats]
        if waiting:
            try:
                secret = read_secret(self._around.secrets, self.webhook)
            except UnusableSecretError as error:
                self._say(str(error))
                return SECRET_PAUSE
            if not await self._is_verified(secret):
                return min(SECRET_PAUSE, max(0.0, self._shake_at - self._now()))
            for delivery in waiting[:free]:
                task = asyncio.create_task(self._deliver(outbox, delivery, secret))
                self._under_way[delivery.place] = delivery.chat, task
                task.add_done_callback(partial(self._ended, delivery.place))
        longest = SECRET_PAUSE if self._refusals else TICK
        return longest if due is None else min(longest, max(0.0, due - self._now()))

    async def _look_at_secret(self, outbox: Outbox) -> None:
        """End the pauses of a receiver that refused another Secret than the one of now."""
        if not self._refusals:
            return
        with contextlib.suppress(UnusableSecretError):  # half written, say; whoever sends says so
            if self._refusals.end_by(read_secret(self._around.secrets, self.webhook)):
                await outbox.run(deliveries.hurry, webhook=self.webhook.name)

    async def _is_verified(self, secret: Secret) -> bool:
        """Whether the receiver has shown, if it is asked at all, that it wants the events."""
        if self._verified or secret.verify_token is None or self.webhook.format is not WebhookFormat.CLOUD_API:
            return True
        if secret != self._shaken:
            self._tries, self._shake_at = 0, 0.0
        if not is_over(self._shake_at, now=self._now()):
            return False
        problem = await self._sender.shake_hands(secret.verify_token)
        self._say(problem or "")
        if problem is None:
            self._verified = True
            return True
        self._tries += 1
        self._shaken, self._shake_at = secret, self._now() + pause(self._tries, chance=self._around.random())
        return False

    async def _deliver(self, outbox: Outbox, delivery: Delivery, secret: Secret) -> None:
        if delivery.place in self._taken:
            await self._delivered(outbox, delivery)
            return
        answer = await self._sender.deliver(delivery.body, identifier=delivery.identifier, secret=secret)
        self._around.counted(self.webhook.name, _class_of(answer))
        now = self._now()
        unknown_for = None
        if says_unknown(answer.status) and (secret.signing is not None or self.webhook.headers):
            unknown_for = self._refusals.note(delivery.place, secret, now=now)
        result = Outcome.AGAIN if answer.status is None else outcome(answer.status, unknown_for=unknown_for)
        if result is Outcome.DELIVERED:
            await self._delivered(outbox, delivery)
            return
        problem = answer.problem if answer.status is None else f"The receiver answered {answer.status}."
        self._say(problem)
        if result is Outcome.DEAD or is_given_up(age=now - delivery.created):
            self._refusals.forget(delivery.place)
            left = await outbox.run(
                deliveries.died, delivery.place, webhook=self.webhook.name, now=now, problem=problem
            )
            logger.warning("A delivery is a dead letter now", extra={"webhook": self.webhook.name})
            if left:
                logger.warning("Old dead letters were deleted", extra={"webhook": self.webhook.name, "count": left})
            return
        wait = pause(delivery.tries + 1, chance=self._around.random(), asked=answer.asked_pause)
        if answer.asked_pause is not None:
            self._not_before = max(self._not_before, now + wait)  # it is the receiver that wants rest, not the chat
        await outbox.note(deliveries.failed, delivery.place, due_at=now + wait, problem=problem)

    async def _delivered(self, outbox: Outbox, delivery: Delivery) -> None:
        """Note that a delivery was taken; where there is no room for that it is noted later, and not sent again."""
        self._refusals.forget(delivery.place)
        self._taken.add(delivery.place)
        await outbox.note(deliveries.delivered, delivery.place)
        self._taken.discard(delivery.place)
        self._say("")

    def _ended(self, place: int, task: asyncio.Task[None]) -> None:
        self._under_way.pop(place)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its row is as it was, and is due again.
            logger.error("A delivery failed", extra={"webhook": self.webhook.name, "error": type(error).__name__})
            self._not_before = self._now() + SECRET_PAUSE
        self._waker.wake()

    def _say(self, problem: str) -> None:
        if problem and not self.problem:
            logger.warning("A webhook does not get its events", extra={"webhook": self.webhook.name, "why": problem})
        elif self.problem and not problem:
            logger.info("A webhook gets its events again", extra={"webhook": self.webhook.name})
        self.problem = problem

    def _now(self) -> float:
        return self._around.clock().timestamp()


def _class_of(answer: Answer) -> str:
    if answer.status is None:
        return "refused" if answer.refused else "none"
    return f"{answer.status // 100}xx" if 100 <= answer.status < 600 else "none"
