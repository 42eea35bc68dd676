"""The command: `python -m whatsapp_operator`, from the settings to the exit status.

    settings ──> fork ──> one process holds the Lease (`lease_keeper`), its child does everything else (`process`)

With `rotate-key` there is one process, which makes a new key and ends.
"""

import asyncio
import faulthandler
import gc
import logging
import os
import sys
import uuid
from collections.abc import Sequence
from typing import Final

from session_protocol import logs, open_files

from whatsapp_operator.app import lease_keeper
from whatsapp_operator.app.lease_keeper import Keeper, Worker
from whatsapp_operator.app.lease_link import Channel, HeldLease, SharedMemory, channels
from whatsapp_operator.app.process import USER_AGENT, Fault, Inputs, Process, read_inputs
from whatsapp_operator.app.settings import BadSettings, load
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import BadCredentials, Connection
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.keys import BadKeySecret, KeyRing
from whatsapp_operator.runtime.process.lease import Lease
from whatsapp_operator.runtime.process.metrics import Metrics

logger = logging.getLogger(__name__)

PACKAGE: Final = "whatsapp_operator"
USAGE: Final = """\
usage: python -m whatsapp_operator             run the operator
       python -m whatsapp_operator rotate-key  make a new key for the tokens of pods made from now on

Settings are environment variables; see docs/reference/settings.md.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and return the exit status: 0 stopped, 1 fault, 2 wrong arguments, settings, credentials or key Secret."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given not in ([], ["rotate-key"]):
        sys.stderr.write(USAGE)
        return 0 if given in (["-h"], ["--help"]) else 2
    logs.configure("info", ours=PACKAGE)
    try:
        settings = load()
        logs.configure(settings.log_level, ours=PACKAGE)
        for advice in settings.advice():
            logger.warning("Settings to look at", extra={"advice": advice})
        open_files.raise_limit()
        inputs = read_inputs(settings)
        if given:
            asyncio.run(_rotate_key(inputs))
            return 0
        return _run(inputs)
    except (BadSettings, BadCredentials, BadKeySecret) as error:
        # What a person has to correct; a traceback would hide it.
        logger.critical("Cannot start", extra={"error": str(error)})
        return 2
    except (Fault, KubeError, OSError) as error:
        logger.critical("Ended by a fault", extra={"error": str(error)})
        return 1


def _run(inputs: Inputs) -> int:
    """Run both processes; return the exit status of the one that this is."""
    memory, parent = SharedMemory(), os.getpid()
    ours, theirs = channels()
    # Before any thread and event loop is there. What is loaded stays shared between the two: a garbage collection would
    # write to all of it, and so copy it.
    gc.collect()
    gc.freeze()
    child = os.fork()
    if child:
        theirs.close()
        return asyncio.run(_keep_lease(inputs, memory, ours, Worker(child)))
    ours.close()
    lease_keeper.die_with_parent(parent)
    faulthandler.register(lease_keeper.TRACEBACK_SIGNAL, all_threads=True)
    asyncio.run(Process(inputs, memory=memory, lease=HeldLease(memory, theirs)).run())
    return 0


async def _keep_lease(inputs: Inputs, memory: SharedMemory, channel: Channel, worker: Worker) -> int:
    settings, clock = inputs.settings, SystemClock()
    connection = Connection(inputs.credentials, user_agent=USER_AGENT, metrics=Metrics())
    lease = Lease(
        kube=Kube(connection, timeout=settings.lease_request_timeout.total_seconds()),
        clock=clock,
        namespace=inputs.namespace,
        name=settings.object_name,
        identity=f"{inputs.identity}_{uuid.uuid4().hex[:8]}",
        times=settings.lease_times(),
        on_lost=lambda reason: keeper.end(f"the Lease is lost: {reason}"),
        on_valid=memory.set_valid_until,
    )
    keeper = Keeper(
        lease=lease,
        clock=clock,
        memory=memory,
        channel=channel,
        worker=worker,
        stall_timeout=settings.event_loop_timeout.total_seconds(),
    )
    try:
        return await keeper.run()
    finally:
        await connection.close()


async def _rotate_key(inputs: Inputs) -> None:
    """Add a new key and make it current; a running operator reads it within a resync interval."""
    connection = Connection(inputs.credentials, user_agent=USER_AGENT, metrics=Metrics())
    kube = Kube(connection, timeout=inputs.settings.request_timeout.total_seconds())
    name = inputs.settings.key_secret
    try:
        await KeyRing(kube=kube, clock=SystemClock(), namespace=inputs.namespace, name=name).rotate()
    finally:
        await connection.close()
