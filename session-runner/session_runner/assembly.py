"""Builds the parts of one runner and joins them: here, and nowhere else, it is said who knows whom.

`serving` calls it once and starts what it returns; nothing is started here. Where two parts know each other, the second
one is told to the first by a callback.
"""

import os
import random
import time
from collections.abc import Sequence
from functools import partial

from session_protocol.phone_number_id import phone_number_id
from session_protocol.steady_clock import SteadyClock
from session_protocol.vocabulary import ReadMarking

from session_runner.commands import Commands
from session_runner.host.identity import session_of_pod
from session_runner.host.memory import kill_counter
from session_runner.host.processes import Process
from session_runner.http.app import Api
from session_runner.http.auth import TokenFolder
from session_runner.linked_page import LinkedPage
from session_runner.live import Live
from session_runner.media.media import Media
from session_runner.metrics import Metrics
from session_runner.page.driver import EarlyDriver
from session_runner.phone_numbers import PhoneNumbers
from session_runner.receiving.backfill import BackfillReader
from session_runner.receiving.calls import Calls
from session_runner.receiving.contact_presence import ContactPresence
from session_runner.receiving.inbox import Inbox
from session_runner.sending.messaging import Messaging
from session_runner.sending.preparing import Preparer
from session_runner.session import Session
from session_runner.settings import Settings
from session_runner.store import StateStore
from session_runner.webhooks.deliverer import Deliverer
from session_runner.webhooks.recorder import Recorder, account_of, history_receivers, wants_presence


def assemble(
    settings: Settings,
    *,
    tokens: TokenFolder,
    started: float,
    driver: EarlyDriver | None = None,
    before: Sequence[Process] | None = None,
) -> tuple[Api, Session]:
    """Return the API and the session that it shows.

    :param started: when the process began, by the monotonic clock.
    :param driver: which is on its way already.
    :param before: our descendants that existed before it, which the session must not end.
    """
    # A code's life, and since when a state is, must not depend on who sets the node's clock.
    clock = SteadyClock(monotonic=time.monotonic).now
    metrics, store, commands = Metrics(), StateStore(clock=clock), Commands()
    live = Live(store=store, settings=settings.live_settings)
    deliverer = Deliverer(
        live=live,
        clock=clock,
        random=random.random,
        secrets=settings.webhook_secrets_dir,
        extra_ca=settings.extra_ca_file,
        counted=metrics.count_delivery,
        measured=metrics.webhooks.show,
    )
    of_pod = session_of_pod()
    phone = phone_number_id(of_pod.get("namespace", ""), of_pod.get("session", settings.session_uid))
    account = partial(account_of, store, phone)
    inbox = Inbox(
        store=store,
        door=commands,
        clock=clock,
        random=os.urandom,
        phone_number_id=phone,
        metrics=metrics,
        deliveries=Recorder(live=live, account=account, woken=deliverer.stored),
        marking=lambda: live.settings.read_marks is ReadMarking.ON_RECEIPT,
    )
    backfill = BackfillReader(
        store=store,
        door=commands,
        inbox=inbox,
        receivers=partial(history_receivers, live, account),
        stored=deliverer.stored,
    )
    calls = Calls(store=store, door=commands, inbox=inbox, handling=lambda: live.settings.calls)
    presence = ContactPresence(
        store=store,
        door=commands,
        inbox=inbox,
        wanted=partial(wants_presence, live),
        publish=lambda event: deliverer.send_ephemeral(event, account()),
    )
    page = LinkedPage(store=store, door=commands)
    media = Media(phone_number_id=phone, clock=clock, random=os.urandom, page=page, live=live)
    preparer = Preparer(media=media, live=live, metrics=metrics.messages, clock=clock, extra_ca=settings.extra_ca_file)
    messaging = Messaging(
        store=store,
        door=commands,
        clock=clock,
        random=os.urandom,
        preparer=preparer,
        metrics=metrics.messages,
        live=live,
    )
    messaging.progressed = inbox.wake
    inbox.marks_wait = messaging.marks_wait
    preparer.settled = messaging.wake
    numbers = PhoneNumbers(file=settings.phone_number_file, method=settings.link_method)
    api = Api(
        store=store,
        numbers=numbers,
        door=commands,
        live=live,
        deliverer=deliverer,
        messaging=messaging,
        inbox=inbox,
        media=media,
        phone_number_id=phone,
        tokens=tokens,
        metrics=metrics,
        session_uid=settings.session_uid,
        pod_uid=settings.pod_uid,
        clock=clock,
        metrics_need_token=settings.metrics_need_token,
        presence=settings.presence,
    )
    session = Session(
        settings=settings,
        store=store,
        metrics=metrics,
        kills=kill_counter(),
        commands=commands,
        messaging=messaging,
        inbox=inbox,
        preparer=preparer,
        beside=(calls.work, backfill.work, presence.work),
        handlers={"call": calls.something_happened, "presence": presence.something_happened},
        numbers=numbers,
        deliverer=deliverer,
        clock=clock,
        monotonic=time.monotonic,
        started=started,
        random=random.random,
        driver=driver or EarlyDriver(),
        before=before,
    )
    return api, session
