"""The one thread in which the outbox is read and written.

The event loop never waits for the disk, and a transaction is one call into the thread: a caller that is cancelled leaves
none half done. What is asked for while the thread is busy shares its next transaction, each behind a savepoint of its own,
and so shares the wait for the disk; nobody gets an answer before that is over. Functions that run here begin and end no
transaction of their own, which would be everybody's (tests/unit/runner/test_outbox_together.py).
"""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from session_runner.outbox.schema import DamagedOutboxError, damaged, is_damage, open_database

P = ParamSpec("P")
T = TypeVar("T")

TOGETHER: Final = 64
""" Calls that share a transaction at most. """


@dataclass(eq=False, kw_only=True)
class _Call:
    """What somebody wants done in the thread, and what came of it."""

    work: Callable[[sqlite3.Connection], Any]
    waits_for_disk: bool
    answer: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def run(self, database: sqlite3.Connection) -> None:
        """Do it. :raises Exception: it failed."""
        self.result = self.work(database)

    def settle(self) -> None:
        """Answer whoever still waits."""
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.error)


class Outbox:
    """The open file."""

    def __init__(self, path: Path, database: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._path = path
        self._database = database
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._calls: deque[_Call] = deque()
        """ Added to by the loop, taken from by the thread. """
        self._found: asyncio.Future[DamagedOutboxError] = self._loop.create_future()

    async def watch(self) -> None:
        """Wait until somebody finds the file damaged, be it a request that nobody waits for but its client.

        :raises DamagedOutboxError: it is.
        """
        raise await asyncio.shield(self._found)

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Run one of the functions of `requests` in a transaction, which is on the disk when this returns.

        :raises DamagedOutboxError: the file turns out to be damaged.
        """
        return await self._in_thread(lambda database: work(database, *given, **named), waits_for_disk=True)

    async def note(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Run one in a transaction that is written when this returns, and on the disk with the next that `run` ends.

        No kill takes it back, a power cut may: for what the page, or a receiver, is asked or told anew after that. A
        message is so one wait for the disk and not three.

        :raises DamagedOutboxError: the file turns out to be damaged.
        """
        return await self._in_thread(lambda database: work(database, *given, **named), waits_for_disk=False)

    async def _in_thread(self, work: Callable[[sqlite3.Connection], T], *, waits_for_disk: bool) -> T:
        answer: asyncio.Future[T] = self._loop.create_future()
        self._calls.append(_Call(work=work, waits_for_disk=waits_for_disk, answer=answer))
        self._thread.submit(self._run_waiting)
        try:
            return await answer
        except DamagedOutboxError as error:
            if not self._found.done():
                self._found.set_result(error)
            raise

    def _run_waiting(self) -> None:
        """In the thread: run what waits. Each call has this run once, and most find that another one's did it."""
        calls: list[_Call] = []
        while self._calls and len(calls) < TOGETHER:
            call = self._calls.popleft()
            if not call.answer.cancelled():
                calls.append(call)
        if not calls:
            return
        try:
            self._run(calls)
        except BaseException as error:  # noqa: BLE001 -- the transaction's: all of its calls have failed
            for call in calls:
                call.error = call.error or error
        for call in calls:
            if isinstance(call.error, sqlite3.DatabaseError) and is_damage(call.error):
                found = damaged(self._path, call.error)
                found.__cause__ = call.error
                call.error = found
        self._loop.call_soon_threadsafe(_settle, calls)

    def _run(self, calls: Sequence[_Call]) -> None:
        if any(call.waits_for_disk for call in calls):
            self._run_together(calls)
            return
        self._database.execute("PRAGMA synchronous = NORMAL")
        try:
            self._run_together(calls)
        finally:
            self._database.execute("PRAGMA synchronous = FULL")

    def _run_together(self, calls: Sequence[_Call]) -> None:
        with self._database:  # commits, or takes back
            if len(calls) == 1:  # needs no savepoint, and no transaction if it only reads
                calls[0].run(self._database)
                return
            self._database.execute("BEGIN IMMEDIATE")
            for call in calls:
                self._database.execute("SAVEPOINT call")
                try:
                    call.run(self._database)
                except Exception as error:
                    if not self._database.in_transaction:  # for want of room, say, SQLite takes back all of it
                        raise
                    call.error = error
                    self._database.execute("ROLLBACK TO call")
                self._database.execute("RELEASE call")


def _settle(calls: Sequence[_Call]) -> None:
    for call in calls:
        call.settle()


@contextlib.asynccontextmanager
async def open_outbox(path: Path) -> AsyncIterator[Outbox]:
    """Open the outbox for as long as the profile is ours.

    :raises DamagedOutboxError: the file cannot be read, or is a newer runner's.
    :raises NoRoomError: the volume is full.
    :raises OSError: it cannot be made for another reason.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="outbox") as thread:
        loop = asyncio.get_running_loop()
        database = await loop.run_in_executor(thread, open_database, path)
        try:
            yield Outbox(path, database, thread)
        finally:
            await loop.run_in_executor(thread, database.close)
