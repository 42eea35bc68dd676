"""Builds the parts of one runner and joins them: here, and nowhere else, it is said who knows whom.

`serving` calls `assemble` once and starts what it returns; nothing is started here. Where two parts know each other, the
one calls the other by a signal, which is connected once both are there.
"""

from collections.abc import Sequence
from functools import partial

from aiohttp import web
from msgspec import Struct
from session_protocol.vocabulary import ReadMarking

from session_runner.account.appearance import Appearance
from session_runner.account.own_profile import OwnProfile
from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.account.reader import Reader
from session_runner.commands import Commands
from session_runner.host.identity import Identity
from session_runner.host.processes import Process
from session_runner.http.access import Access
from session_runner.http.app import application
from session_runner.http.auth import TokenFolder
from session_runner.http.cloud_api import CloudApi
from session_runner.http.event_stream import EventStreams
from session_runner.http.media import FileRoutes
from session_runner.http.message_routes import MessageRoutes
from session_runner.http.operator_routes import OperatorRoutes
from session_runner.http.process_routes import ProcessRoutes
from session_runner.http.reading_routes import ReadingRoutes
from session_runner.http.session_routes import SessionRoutes
from session_runner.http.webhook_routes import WebhookRoutes
from session_runner.linked_page import LinkedPage
from session_runner.live import Live
from session_runner.media.media import Media
from session_runner.metrics.metrics import Metrics
from session_runner.page.driver import EarlyDriver
from session_runner.receiving.backfill import BackfillReader
from session_runner.receiving.calls import Calls
from session_runner.receiving.contact_presence import ContactPresence
from session_runner.receiving.inbox import Inbox
from session_runner.seams import Seams
from session_runner.sending.messaging import Messaging
from session_runner.sending.preparing import Preparer
from session_runner.session import Session
from session_runner.settings import Settings
from session_runner.store import StateStore
from session_runner.webhooks.deliverer import Deliverer
from session_runner.webhooks.recorder import Recorder, account_of, history_receivers, wants_presence
from session_runner.workers import Workers


class Base(Struct, frozen=True, kw_only=True):
    """What all other parts are built on."""

    settings: Settings
    seams: Seams
    identity: Identity
    metrics: Metrics
    store: StateStore
    commands: Commands
    page: LinkedPage
    live: Live
    numbers: PhoneNumbers


class Sending(Struct, frozen=True, kw_only=True):
    """Messages on their way to the page."""

    media: Media
    preparer: Preparer
    messaging: Messaging


class Receiving(Struct, frozen=True, kw_only=True):
    """What comes from the page, and goes to webhooks."""

    deliverer: Deliverer
    inbox: Inbox
    calls: Calls
    backfill: BackfillReader
    presence: ContactPresence


class Parts(Struct, frozen=True, kw_only=True):
    """All parts of one runner."""

    base: Base
    sending: Sending
    receiving: Receiving


def assemble(settings: Settings, identity: Identity, seams: Seams) -> Parts:
    """Return the parts, joined."""
    base = _base(settings, identity, seams)
    sending, receiving = _sending(base), _receiving(base)
    sending.messaging.progressed.connect(receiving.inbox.wake)
    receiving.inbox.marks_stored.connect(sending.messaging.marks_wait)
    return Parts(base=base, sending=sending, receiving=receiving)


def _base(settings: Settings, identity: Identity, seams: Seams) -> Base:
    store, commands = StateStore(clock=seams.clock), Commands()
    return Base(
        settings=settings,
        seams=seams,
        identity=identity,
        metrics=Metrics(),
        store=store,
        commands=commands,
        page=LinkedPage(store=store, commands=commands),
        live=Live(store=store, settings=settings.live_settings),
        numbers=PhoneNumbers(file=settings.phone_number_file, method=settings.link_method),
    )


def _sending(base: Base) -> Sending:
    settings, seams = base.settings, base.seams
    media = Media(
        phone_number_id=base.identity.phone_number_id,
        clock=seams.clock,
        random=seams.random_bytes,
        page=base.page,
        live=base.live,
    )
    preparer = Preparer(
        media=media,
        live=base.live,
        metrics=base.metrics.messages,
        clock=seams.clock,
        extra_ca=settings.extra_ca_file,
        guard=seams.guard,
    )
    messaging = Messaging(
        store=base.store,
        page=base.page,
        clock=seams.clock,
        random=seams.random_bytes,
        preparer=preparer,
        metrics=base.metrics.messages,
        live=base.live,
    )
    return Sending(media=media, preparer=preparer, messaging=messaging)


def _receiving(base: Base) -> Receiving:
    settings, seams, store, live, page = base.settings, base.seams, base.store, base.live, base.page
    deliverer = Deliverer(
        live=live,
        clock=seams.clock,
        random=seams.random,
        secrets=settings.webhook_secrets_dir,
        extra_ca=settings.extra_ca_file,
        counted=base.metrics.count_delivery,
        measured=base.metrics.webhooks.show,
        guard=seams.guard,
    )
    account = partial(account_of, store, base.identity.phone_number_id)
    inbox = Inbox(
        store=store,
        page=page,
        clock=seams.clock,
        random=seams.random_bytes,
        phone_number_id=base.identity.phone_number_id,
        metrics=base.metrics,
        deliveries=Recorder(live=live, account=account, woken=deliverer.stored),
        marking=lambda: live.settings.read_marks is ReadMarking.ON_RECEIPT,
    )
    return Receiving(
        deliverer=deliverer,
        inbox=inbox,
        calls=Calls(store=store, page=page, inbox=inbox, handling=lambda: live.settings.calls),
        backfill=BackfillReader(
            store=store,
            page=page,
            inbox=inbox,
            receivers=partial(history_receivers, live, account),
            stored=deliverer.stored,
        ),
        presence=ContactPresence(
            store=store,
            page=page,
            inbox=inbox,
            wanted=partial(wants_presence, live),
            publish=lambda event: deliverer.send_ephemeral(event, account()),
        ),
    )


def api_of(parts: Parts, tokens: TokenFolder) -> web.Application:
    """Return the HTTP API over the parts."""
    base, sending, receiving = parts.base, parts.sending, parts.receiving
    identity, clock = base.identity, base.seams.clock
    access = Access(tokens, pod_uid=identity.pod_uid, monotonic=base.seams.monotonic)
    reader = Reader(
        page=base.page,
        outbox=sending.messaging.outbox,
        clock=clock,
        random=base.seams.random_bytes,
        phone_number_id=identity.phone_number_id,
        unreadable=base.metrics.unreadable.inc,
    )
    profile = OwnProfile(base.page)
    routes = (
        SessionRoutes(store=base.store, numbers=base.numbers, commands=base.commands, identity=identity, clock=clock),
        MessageRoutes(sending.messaging),
        FileRoutes(sending.media),
        ReadingRoutes(reader, Appearance(page=base.page, usual=lambda: base.live.settings.presence), profile),
        EventStreams(inbox=receiving.inbox, metrics=base.metrics, is_closing=lambda: base.store.closing),
        WebhookRoutes(receiving.deliverer),
        OperatorRoutes(tokens=tokens, live=base.live),
        ProcessRoutes(
            registry=base.metrics.registry, access=access, metrics_need_token=base.settings.metrics_need_token
        ),
    )
    cloud_api = CloudApi(
        page=base.page,
        messaging=sending.messaging,
        media=sending.media,
        tokens=tokens,
        phone_number_id=identity.phone_number_id,
        live=base.live,
        profile=profile,
    )
    return application(access=access, routes=routes, cloud_api=cloud_api)


def session_of(parts: Parts, *, started: float, driver: EarlyDriver, before: Sequence[Process]) -> Session:
    """Return the session that works with the parts.

    :param started: when the process began, by the monotonic clock.
    :param driver: one that may be starting already.
    :param before: our descendants that existed before it, which the session must not end.
    """
    base, sending, receiving = parts.base, parts.sending, parts.receiving
    workers = Workers(
        messaging=sending.messaging,
        media=sending.media,
        loops=(
            sending.messaging.work,
            receiving.inbox.work,
            sending.media.work,
            sending.preparer.work,
            receiving.calls.work,
            receiving.backfill.work,
            receiving.presence.work,
            receiving.deliverer.work,
        ),
        handlers={
            "ack": sending.messaging.acks_changed,
            "handed": sending.messaging.wake,
            "message": receiving.inbox.something_happened,
            "call": receiving.calls.something_happened,
            "presence": receiving.presence.something_happened,
        },
    )
    return Session(
        settings=base.settings,
        seams=base.seams,
        store=base.store,
        metrics=base.metrics,
        commands=base.commands,
        numbers=base.numbers,
        workers=workers,
        live=base.live,
        started=started,
        driver=driver,
        before=before,
    )
