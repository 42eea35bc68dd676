"""Runs a channel for each webhook of the settings, and another one when its webhook has changed.

`session` runs `work` beside the page for as long as the profile is ours; the recorder wakes it when an event was stored,
the HTTP API asks it about dead letters and for how each webhook does.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct
from session_protocol.live_settings import LiveSettings, Webhook

from session_runner.live import Live
from session_runner.messages.cloud_events import Account
from session_runner.messages.events import Event
from session_runner.outbox import deliveries
from session_runner.outbox.deliveries import Backlog, DeadLetter
from session_runner.outbox.outbox import Outbox
from session_runner.waker import Waker
from session_runner.webhooks.channel import Channel, Surroundings
from session_runner.webhooks.connections import Guard
from session_runner.webhooks.guard import Destinations
from session_runner.webhooks.sender import Sender
from session_runner.webhooks.shapes import body_for

MEASURE: Final = 10.0
""" Seconds between two measurements of the backlog. """
SWEEP: Final = 3600.0
MOST_LISTED: Final = 100


class WebhookReport(Struct, frozen=True, kw_only=True):
    """How one webhook does."""

    webhook: Webhook
    problem: str
    backlog: Backlog


class Deliverer:
    """All webhooks of a session; used from one event loop only."""

    def __init__(
        self,
        *,
        live: Live,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        secrets: Path | None,
        extra_ca: Path | None,
        counted: Callable[[str, str], None],
        measured: Callable[[dict[str, Backlog]], None],
        guard: Guard,
    ) -> None:
        self._live = live
        self._waker = Waker()
        live.changed.connect(self._waker.wake)
        self._clock = clock
        self._extra_ca = extra_ca
        self._measured = measured
        self._guard = guard
        self._around = Surroundings(clock=clock, random=random, secrets=secrets, counted=counted)
        self._channels: dict[str, tuple[Channel, asyncio.Task[None]]] = {}
        self._settings = LiveSettings()
        """ What the channels run by. """
        self._outbox: Outbox | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Look whether something is to be delivered."""
        for channel, _ in self._channels.values():
            channel.wake()

    def send_ephemeral(self, event: Event, account: Account) -> None:
        """Send an event that is not stored to the webhooks that want it."""
        for channel, _ in self._channels.values():
            body = body_for(event, channel.webhook, account)
            if body is not None:
                channel.ephemeral.add(chat=event.chat, identifier=event.id, body=body)

    def stored(self) -> None:
        """Handle, in whatever thread, that a delivery was stored."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.wake)

    async def work(self, outbox: Outbox) -> None:
        """Deliver until it is cancelled."""
        loop = self._loop = asyncio.get_running_loop()
        sweep_at = loop.time() + SWEEP  # the settings of today may still be on their way
        self._outbox = outbox
        try:
            while True:
                await self._go_by(self._live.settings, outbox)
                if loop.time() >= sweep_at:
                    names = [webhook.name for webhook in self._settings.webhooks]
                    await outbox.run(deliveries.sweep, now=self._now(), webhooks=names)
                    sweep_at = loop.time() + SWEEP
                for _, task in self._channels.values():
                    if task.done():
                        task.result()  # a fault of ours
                self._measured(await self._backlog(outbox))
                await self._waker.sleep(MEASURE)
        finally:
            self._outbox = self._loop = None
            await self._end(list(self._channels))

    async def reports(self) -> list[WebhookReport] | None:
        """Return how each webhook does; None: the runner is starting or ending."""
        if self._outbox is None:
            return None
        backlog = await self._backlog(self._outbox)
        return [
            WebhookReport(webhook=channel.webhook, problem=channel.problem, backlog=backlog[name])
            for name, (channel, _) in self._channels.items()
        ]

    async def dead_letters(self, webhook: str | None) -> list[DeadLetter] | None:
        """Return the newest dead letters of a webhook, or of all; None: the runner is starting or ending."""
        if self._outbox is None:
            return None
        return await self._outbox.run(deliveries.dead_letters, webhook=webhook, most=MOST_LISTED)

    async def redrive(self, *, webhook: str | None, identifiers: Collection[str] | None) -> int | None:
        """Try dead letters again; return how many. None: the runner is starting or ending."""
        if self._outbox is None:
            return None
        count = await self._outbox.run(deliveries.redrive, webhook=webhook, identifiers=identifiers, now=self._now())
        self.wake()
        return count

    async def _backlog(self, outbox: Outbox) -> dict[str, Backlog]:
        found = await outbox.run(deliveries.backlog)
        return {webhook.name: found.get(webhook.name, Backlog()) for webhook in self._settings.webhooks}

    async def _go_by(self, settings: LiveSettings, outbox: Outbox) -> None:
        """Start, replace and end channels, so that there is one for each webhook as it is now."""
        if settings == self._settings:
            return
        moved = settings.destinations != self._settings.destinations
        wanted = {webhook.name: webhook for webhook in settings.webhooks}
        await self._end(
            [name for name, (channel, _) in self._channels.items() if moved or channel.webhook != wanted.get(name)]
        )
        known, self._settings = {webhook.name for webhook in self._settings.webhooks}, settings
        destinations = Destinations.parse(settings.destinations)
        for name, webhook in wanted.items():
            if name in self._channels:
                continue
            if name in known:  # what waited for its old receiver need not
                await outbox.run(deliveries.hurry, webhook=name)
            sender = Sender(webhook, destinations, clock=self._clock, extra_ca=self._extra_ca, guard=self._guard)
            channel = Channel(webhook, sender, self._around)
            self._channels[name] = channel, asyncio.create_task(channel.work(outbox), name=f"webhook {name}")

    async def _end(self, names: list[str]) -> None:
        tasks = [self._channels.pop(name)[1] for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _now(self) -> float:
        return self._clock().timestamp()
