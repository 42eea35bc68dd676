"""The process: `python -m session_runner`.

Reads the settings, serves the API from the start, runs the session, and ends with its exit code and a termination
message. It can be PID 1 of a container or any other process.
"""

import os
import sys
import time

from session_runner.host.memory_tuning import importing, tune

STARTED = time.monotonic()
tune()  # before the big imports allocate

with importing():
    import asyncio
    import logging
    import random
    import signal
    from functools import partial
    from pathlib import Path

    from session_protocol import logs, open_files
    from session_protocol.environment import Variable
    from session_protocol.phone_number_id import phone_number_id
    from session_protocol.steady_clock import SteadyClock
    from session_protocol.vocabulary import ExitCode, ReadMarking, TokenScope

    from session_runner.backfill import BackfillReader
    from session_runner.calls import Calls
    from session_runner.commands import Commands
    from session_runner.contact_presence import ContactPresence
    from session_runner.exits import Exit
    from session_runner.host.identity import session_of_pod
    from session_runner.host.memory import kill_counter
    from session_runner.host.processes import adopt_orphans
    from session_runner.host.termination_log import write_termination_log
    from session_runner.http.app import Api, serve
    from session_runner.http.auth import TokenFolder
    from session_runner.inbox import Inbox
    from session_runner.linked_page import LinkedPage
    from session_runner.live import Live
    from session_runner.media.media import Media
    from session_runner.messaging import Messaging
    from session_runner.metrics import Metrics
    from session_runner.phone_numbers import PhoneNumbers
    from session_runner.preparing import Preparer
    from session_runner.session import Session
    from session_runner.settings import Settings, SettingsError, read_settings
    from session_runner.store import StateStore
    from session_runner.webhooks.deliverer import Deliverer
    from session_runner.webhooks.recorder import Recorder, account_of, history_receivers, wants_presence

PACKAGE = "session_runner"
logger = logging.getLogger(PACKAGE)


def main() -> int:
    """Run the process and return its exit code."""
    session = session_of_pod()
    logs.configure("info", ours=PACKAGE, constant=session)
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        path = Path(os.environ.get(Variable.TERMINATION_LOG) or "/dev/termination-log")
        return leave(Exit(ExitCode.BAD_CONFIGURATION, str(error)), path)
    logs.configure(settings.log_level, ours=PACKAGE, constant=session)
    try:
        exit_ = asyncio.run(run(settings))
    except Exception as error:
        logger.exception("The runner failed")
        exit_ = Exit(ExitCode.INTERNAL_ERROR, f"The runner has a fault: {type(error).__name__}: {error}")
    return leave(exit_, settings.termination_log)


async def run(settings: Settings) -> Exit:
    """Serve the API and run the session until it ends; return the exit."""
    adopt_orphans()
    open_files.raise_limit()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tokens = TokenFolder(settings.token_dir)
    if TokenScope.STATE not in tokens.scopes():
        return Exit(
            ExitCode.BAD_CONFIGURATION,
            f"TOKEN_DIR={settings.token_dir} has no file named {TokenScope.STATE} with a token; mount the session's Secret there.",
        )
    clock = SteadyClock(
        monotonic=time.monotonic
    ).now  # a code's life, and since when a state is, must not depend on who sets the node's clock
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
        publish=lambda event: deliverer.pass_on(event, account()),
    )
    media = Media(
        phone_number_id=phone, clock=clock, random=os.urandom, page=LinkedPage(store=store, door=commands), live=live
    )
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
    try:
        server, port = await serve(api.application(), port=settings.port, metrics=metrics)
    except OSError as error:
        return Exit(ExitCode.BAD_CONFIGURATION, f"PORT={settings.port} cannot be used ({error.strerror}).")
    logger.info("The API serves", extra={"port": port})
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
        started=STARTED,
        random=random.random,
    )
    try:
        return await session.run(stop)
    finally:
        store.close()
        await server.cleanup()


def leave(exit_: Exit, termination_log: Path) -> int:
    """Write the reason of the end to the log and to the termination log; return the exit code."""
    logger.info(
        "The runner ends", extra={"exit_code": int(exit_.code), "reason": exit_.code.reason, "why": exit_.message}
    )
    if exit_.code is not ExitCode.STOPPED:
        write_termination_log(termination_log, exit_.code, exit_.message)
    return int(exit_.code)


if __name__ == "__main__":
    logs.log_uncaught(PACKAGE)
    sys.exit(main())
