"""The first of the operator's two processes: it holds the Lease, and ends the one that works when that must not go on.

    launch ── fork ──> works: kopf, workers, resync, probes (`process`)
        └─ stays here: renews the Lease over a connection of its own, passes SIGTERM on, ends with the other's exit status

A renewal must not wait for what the operator does: one regular expression or one large answer to be parsed, and neither
its event loop nor any thread of it runs meanwhile. So the Lease is not renewed beside that loop but outside of the
process. This process does nothing else, and it is the parent, since a container's first process cannot be killed from
within the container:

* The Lease is lost: the other process is killed, whatever it does, and then this one ends.
* The other one's event loop shows no sign of life for `stall_timeout`: it is asked where it hangs and killed. Nothing
  of it is under way any more, so the Lease is released.
* The other one has ended: so does this one, with its status. Unless that asked for it, the Lease is not released but
  runs out, since a request of a process that crashed may still be under way.
* This one ends, however: the kernel kills the other one (`die_with_parent`).
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
from dataclasses import dataclass
from typing import Final

from session_protocol import logs

from whatsapp_operator.app.lease_link import Channel, Message, SharedMemory
from whatsapp_operator.app.watchdog import Exit, end_now
from whatsapp_operator.runtime.kube.resources import Json
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.lease import Lease

logger = logging.getLogger(__name__)

CHECK_EVERY: Final = 1.0
""" Seconds between two looks at the other process's heartbeats. """
TRACEBACK_TIME: Final = 0.5
""" Seconds for a stuck process to write where it hangs. """
TRACEBACK_SIGNAL: Final = signal.SIGUSR1
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, whatever this process does then."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it ended before that call
        end_now(1, "the process that holds the Lease has ended")


class Worker:
    """The other process, a child of this one."""

    def __init__(self, pid: int, *, stacks: int | None = None) -> None:
        self._pid = pid
        self._stacks = stacks
        """ A file in memory, into which it writes where it hangs when it gets TRACEBACK_SIGNAL. """
        self._status: int | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self._status is None:
            os.kill(self._pid, number)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait for its end; return its exit status as a shell would: 128 and the signal that ended it."""
        if self._status is None:
            code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            self._status = code if code >= 0 else 128 - code
        return self._status

    def stacks(self) -> str:
        """Return where it hangs: the end of what it wrote about that."""
        if self._stacks is None:
            return ""
        size = os.fstat(self._stacks).st_size
        start = max(0, size - logs.LONGEST_TRACEBACK)
        return os.pread(self._stacks, size - start, start).decode(errors="replace")

    async def ended(self) -> None:
        """Wait until it has ended, without blocking the event loop."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        descriptor = os.pidfd_open(self._pid)
        loop.add_reader(descriptor, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


@dataclass
class Heartbeats:
    """Tells a process that is stuck by its heartbeats, which do not count up any more.

    It counts looks and not seconds: when both processes were stopped and go on, neither is stuck.
    """

    limit: float
    """ Seconds. """
    _last: float = -1.0
    _silent: float = 0.0

    def is_stuck(self, count: float, *, every: float) -> bool:
        """Whether there was no heartbeat for too long; `every`: seconds since the look before."""
        self._last, self._silent = count, self._silent + every if count == self._last else 0.0
        return self._silent >= self.limit


class Keeper:
    """Holds the Lease for a worker."""

    def __init__(
        self,
        *,
        lease: Lease,
        clock: Clock,
        memory: SharedMemory,
        channel: Channel,
        worker: Worker,
        stall_timeout: float,
        end: Exit = end_now,
    ) -> None:
        self._lease = lease
        self._clock = clock
        self._memory = memory
        self._channel = channel
        self._worker = worker
        self._heartbeats = Heartbeats(limit=stall_timeout)
        self._end = end
        self._holding: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Serve the worker until it ends; return its exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._worker.signal, number)
        ended = asyncio.create_task(self._worker.ended())
        serving, stuck = asyncio.create_task(self._serve()), asyncio.create_task(self._until_stuck())
        watched = {ended, serving, stuck}
        try:
            while not ended.done():
                done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                if serving in done and (error := serving.exception()) is not None:
                    logger.error("The process that holds the Lease failed", exc_info=error)
                    self.end("the process that holds the Lease failed")
                if stuck in done:
                    await self._end_stuck()
        finally:
            for task in (ended, serving, stuck):
                task.cancel()
        status = self._worker.wait()
        if status == 0:  # it was stopped while it waited for the Lease, which may be held by now
            await self._release()
        return status

    def end(self, reason: str) -> None:
        """End both processes at once, the one that works first."""
        self._worker.kill()
        self._end(1, reason)

    async def _serve(self) -> None:
        with contextlib.suppress(EOFError, ConnectionError):  # it has ended, which `run` notices
            await self._wait_for(Message.ACQUIRE)
            await self._lease.acquire()
            self._holding = asyncio.create_task(self._lease.hold())
            await self._channel.send(Message.HELD, lease=_reference(self._lease.held))
            await self._wait_for(Message.RELEASE)
            await self._release()
            await self._channel.send(Message.RELEASED)

    async def _release(self) -> None:
        self._memory.set_valid_until(0)
        if self._holding is not None:
            self._holding.cancel()
        await self._lease.release()

    async def _wait_for(self, expected: Message) -> None:
        message, _ = await self._channel.receive()
        if message is not expected:
            raise ValueError(f"expected {expected}, got {message}")

    async def _until_stuck(self) -> None:
        while not self._heartbeats.is_stuck(self._memory.heartbeats, every=CHECK_EVERY):
            await self._clock.sleep(CHECK_EVERY)

    async def _end_stuck(self) -> None:
        self._worker.signal(TRACEBACK_SIGNAL)
        await self._clock.sleep(TRACEBACK_TIME)
        logger.error("The event loop is stuck", extra={"stacks": self._worker.stacks()})
        self._worker.kill()
        await self._release()
        self._end(1, f"the event loop has shown no sign of life for {self._heartbeats.limit:g} s")


def _reference(lease: Json) -> Json:
    """Return what an event says of the object that it is about; the object itself may be of any size."""
    kept = ("name", "namespace", "uid", "resourceVersion")
    return {
        "apiVersion": lease["apiVersion"],
        "kind": lease["kind"],
        "metadata": {name: lease["metadata"][name] for name in kept},
    }
