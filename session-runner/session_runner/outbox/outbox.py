"""The one thread in which the outbox is read and written.

The event loop never waits for the disk, and a transaction is one call into the thread: a caller that is cancelled leaves
none half done.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from session_runner.outbox.schema import DamagedOutboxError, damaged, is_damage, open_database

P = ParamSpec("P")
T = TypeVar("T")


class Outbox:
    """The open file."""

    def __init__(self, path: Path, database: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._path = path
        self._database = database
        self._thread = thread
        self._found: asyncio.Future[DamagedOutboxError] = asyncio.get_running_loop().create_future()

    async def watch(self) -> None:
        """Wait until somebody finds the file damaged, be it a request that nobody waits for but its client.

        :raises DamagedOutboxError: it is.
        """
        raise await asyncio.shield(self._found)

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Run one of the functions of `requests` in a transaction, which is on the disk when this returns.

        :raises DamagedOutboxError: the file turns out to be damaged.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(self._run, work, *given, **named))
        except DamagedOutboxError as error:
            if not self._found.done():
                self._found.set_result(error)
            raise

    async def note(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Run one in a transaction that is written when this returns, and on the disk with the next that `run` ends.

        No kill takes it back, a power cut may: for what the page, or a receiver, is asked or told anew after that. A
        message is so one wait for the disk and not three.

        :raises DamagedOutboxError: the file turns out to be damaged.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, partial(self._note, work, *given, **named)
        )

    def _note(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        self._database.execute("PRAGMA synchronous = NORMAL")
        try:
            return self._run(work, *given, **named)
        finally:
            self._database.execute("PRAGMA synchronous = FULL")

    def _run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        try:
            with self._database:  # commits, or takes back
                return work(self._database, *given, **named)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise damaged(self._path, error) from error
            raise


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
