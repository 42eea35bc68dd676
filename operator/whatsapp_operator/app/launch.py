"""Starts the processes of a command: two for a run of the operator, one for a new key.

fork ──> the parent holds the Lease (`lease_keeper`), its child does everything else (`process`)
"""

import asyncio
import faulthandler
import gc
import os
import uuid

from whatsapp_operator.app import lease_keeper
from whatsapp_operator.app.lease_keeper import Keeper, Worker
from whatsapp_operator.app.lease_link import Channel, HeldLease, SharedMemory, channels
from whatsapp_operator.app.process import USER_AGENT, Inputs, Process
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import Connection
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.lease import Lease
from whatsapp_operator.runtime.process.metrics import Metrics


def run(inputs: Inputs) -> int:
    """Run both processes; return the exit status of the one that this is."""
    memory, parent = SharedMemory(), os.getpid()
    ours, theirs = channels()
    stacks = os.memfd_create("stacks")
    # Before any thread and event loop is there. What is loaded stays shared between the two: a garbage collection would
    # write to all of it, and so copy it.
    gc.collect()
    gc.freeze()
    child = os.fork()
    if child:
        theirs.close()
        return asyncio.run(_keep_lease(inputs, memory, ours, Worker(child, stacks=stacks)))
    ours.close()
    lease_keeper.die_with_parent(parent)
    faulthandler.register(lease_keeper.TRACEBACK_SIGNAL, file=stacks, all_threads=True)
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


async def rotate_key(inputs: Inputs) -> None:
    """Add a new key and make it current; a running operator reads it within a resync interval."""
    connection = Connection(inputs.credentials, user_agent=USER_AGENT, metrics=Metrics())
    kube = Kube(connection, timeout=inputs.settings.request_timeout.total_seconds())
    name = inputs.settings.key_secret
    try:
        await KeyRing(kube=kube, clock=SystemClock(), namespace=inputs.namespace, name=name).rotate()
    finally:
        await connection.close()
