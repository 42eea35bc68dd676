"""The single measurements, each of the runner and of the Node process in turn, so that what slows one slows the other.

What is found is a list of figures by the row's name (`table`), in ms, messages per second, seconds or MB.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from session_bench.errors import BenchError
from session_bench.kernel import Part, resident
from session_bench.sending import table
from session_bench.sending.disk import sync_seconds
from session_bench.sending.observer import Observer
from session_bench.sending.sides import PDF, RunnerSide, Side

MB: Final = 2**20
REST: Final = 0.06
""" Seconds between two measurements, in which what the last one left is done. """
CHATS: Final = tuple(f"155501007{number:02}" for number in range(16))
AT_ONCE: Final = 8
""" Chats that are written to at the same time. """


Turn = Callable[[str, str], Awaitable[None]]


@dataclass(kw_only=True)
class Measures:
    """All of one run."""

    observer: Observer
    runner: RunnerSide
    node: Side
    folder: Path
    found: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _texts: int = 0

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, in another order each time that is asked."""
        self._texts += 1
        return (self.runner, self.node) if self._texts % 2 else (self.node, self.runner)

    async def warm(self) -> None:
        """Have each chat write, and be written to: a new chat costs the page more, and a stranger a lookup each time."""
        for number, chat in enumerate(CHATS):
            for side in (self.runner, self.node):
                identifier = f"3EB3{number:08X}{side.name.encode().hex().upper()[:10]}"
                await side.standin.phone.send(side.device, "hello", id=identifier, **{"from": chat})
                await self.observer.received.of(identifier)
                await self.observer.arrived.of(await side.send(chat, "first"))

    async def sends(self, count: int) -> None:
        """One text at a time: the page's own call, the runner's API, the Node process's, and one fsync."""
        for number in range(count):
            chat, text = CHATS[number % len(CHATS)], f"text {number}"
            turns = [self._direct, *(self._sent_by(side) for side in (self.runner, self.node))]
            for turn in turns[number % 3 :] + turns[: number % 3]:
                await turn(chat, text)
                await asyncio.sleep(REST)
            self._note(table.FSYNC, await asyncio.to_thread(sync_seconds, self.folder / "fsync"))

    async def _direct(self, chat: str, text: str) -> None:
        done = await self.runner.direct(chat, text)
        (arrived,) = await self.observer.arrived.of(done["id"])
        self._note(table.INSIDE, done["inside"])
        self._note(table.DIRECT_ANSWERED, done["ended"] - done["begun"])
        self._note(table.DIRECT_ARRIVED, arrived - done["begun"])

    def _sent_by(self, side: Side) -> Turn:
        async def sent(chat: str, text: str) -> None:
            begun = time.monotonic()
            identifier = await side.send(chat, text)
            answered = time.monotonic()
            (arrived,) = await self.observer.arrived.of(identifier)
            self._note(table.answered(side.name), answered - begun)
            self._note(table.arrived(side.name), arrived - begun)

        return sent

    async def bursts(self, count: int, rounds: int) -> None:
        """Texts to several chats at the same time, one after the other in each."""
        for _ in range(rounds):
            for side in self.sides:
                begun = time.monotonic()
                sent = await self._burst(side, count)
                times = await self.observer.arrived.of(*sent)
                self.found[table.rate(side.name)].append(count / (max(times) - begun))
                await asyncio.sleep(1)

    async def _burst(self, side: Side, count: int) -> list[str]:
        async def write(chat: str, texts: int) -> list[str]:
            return [await side.send(chat, f"burst {number}") for number in range(texts)]

        sent = await asyncio.gather(*(write(chat, count // AT_ONCE) for chat in CHATS[:AT_ONCE]))
        return [identifier for of_chat in sent for identifier in of_chat]

    async def webhooks(self, count: int) -> None:
        """One text in at a time: from when the page has it to when the receiver has it."""
        for number in range(count):
            for side in self.sides:
                identifier = f"3EB0{number:08X}{side.name.encode().hex().upper()[:10]}"
                await side.standin.phone.send(side.device, "in", id=identifier, **{"from": CHATS[number % len(CHATS)]})
                (stored,) = await self.observer.stored.of(identifier)
                (received,) = await self.observer.received.of(identifier)
                self._note(table.webhook(side.name), received - stored)
                await asyncio.sleep(REST)

    async def backlog_out(self, count: int) -> None:
        """So many texts are taken while the server is away, and go out when it is back."""
        for side in self.sides:
            async with self._away(side):
                begun = time.monotonic()
                sent = await self._burst(side, count)
                self.found[table.taken(side.name)].append(len(sent) / (time.monotonic() - begun))
            times = await self.observer.arrived.of(*sent)
            self.found[table.drained_out(side.name)].append(max(times) - min(times))

    async def backlog_in(self, count: int) -> None:
        """So many texts wait at the server while the page is away, and come to the receiver when it is back."""
        for side in self.sides:
            waiting = [f"3EB1{number:08X}{side.name.encode().hex().upper()[:10]}" for number in range(count)]
            async with self._away(side):
                for number, identifier in enumerate(waiting):
                    sender = {"from": CHATS[number % len(CHATS)]}
                    await side.standin.phone.send(side.device, f"in {number}", id=identifier, **sender)
            stored = await self.observer.stored.of(*waiting)
            received = await self.observer.received.of(*waiting)
            self.found[table.drained_in(side.name)].append(max(received) - min(stored))
            self.found[table.stored_in(side.name)].append(max(stored) - min(stored))

    @contextlib.asynccontextmanager
    async def _away(self, side: Side) -> AsyncIterator[None]:
        """Keep a page from its server until the block ends."""
        await side.standin.phone.unreachable(side.device)
        if isinstance(side, RunnerSide):
            await side.runner.wait_for_state("Reconnecting", "Offline")
        yield
        await side.standin.phone.online(side.device)

    async def files(self, size: int, rounds: int) -> None:
        """One large file out and one in, with what it takes of memory."""
        path = large_file(self.folder / "large.pdf", size)
        for number in range(rounds):
            for side in self.sides:
                async with self._peaks(side, table.OUT):
                    begun = time.monotonic()
                    identifier = await side.send_file(CHATS[0], path)
                    (arrived,) = await self.observer.arrived.of(identifier)
                    self.found[table.file_seconds(side.name, table.OUT)].append(arrived - begun)
                identifier = f"3EB2{number:08X}{side.name.encode().hex().upper()[:10]}"
                about = {"type": "document", "size": size, "mimetype": PDF, "from": CHATS[0]}
                await side.standin.phone.send(side.device, "", id=identifier, **about)
                await self.observer.received.of(identifier)
                async with self._peaks(side, table.IN):
                    begun = time.monotonic()
                    if await side.fetch_file(CHATS[0], identifier) != size:
                        raise BenchError(f"{side.name} gave another file than came in")
                    self.found[table.file_seconds(side.name, table.IN)].append(time.monotonic() - begun)

    @contextlib.asynccontextmanager
    async def _peaks(self, side: Side, way: str) -> AsyncIterator[None]:
        """Note how far the processes grow in the block, the browser's apart from the others."""
        before = {pid: _begin_peak(pid) for pids in side.pids().values() for pid in pids}
        yield
        grown = {True: 0, False: 0}
        for part, pids in side.pids().items():
            grown[part is Part.CHROMIUM] += sum(max(0, _peak(pid) - before[pid]) for pid in pids if pid in before)
        self.found[table.grown(side.name, way)].append(grown[False] / MB)
        self.found[table.browser_grown(side.name, way)].append(grown[True] / MB)

    def _note(self, row: str, seconds: float) -> None:
        self.found[row].append(seconds * 1000)


def large_file(path: Path, size: int) -> Path:
    """Make a file of so many bytes, by its first ones a PDF."""
    with path.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(size)
    return path


def _begin_peak(pid: int) -> int:
    """Have the kernel measure the peak of a process's resident memory anew; return what it has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return resident(pid)[0]


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError):  # it ended
        return resident(pid)[1]
    return 0
