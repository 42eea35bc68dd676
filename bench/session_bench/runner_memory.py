"""What one session's runner takes, split into Python, driver and browser.

    python -m session_bench.runner_memory [--seconds 60] [--untuned]

Starts the real runner on the stand-in page, links it through the phone, lets it rest and reads /proc. Anonymous memory,
that of no file, is what one more session costs; where processes share a page, each counts its part of it (private memory
would leave out what a browser's processes share with each other alone). PSS has the files' pages, too, which sessions on
one node share. `--untuned` starts the driver as Playwright does by itself, for comparison.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import aiohttp
from session_devtools.waiting import async_wait_until
from session_protocol.vocabulary import RunnerState, TokenScope
from session_runner.host.processes import descendants, processes
from session_runner.metrics import parts_of
from session_runner.page.driver import UNTUNED
from standin.harness import StandIn

from session_bench import kernel

MB = 2**20
TOKEN = "benchmark"  # noqa: S105 -- lives as long as the run, on loopback


class Size(NamedTuple):
    """Bytes."""

    pss: int
    anonymous: int


def main() -> None:
    """Measure once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="rest after linking (default %(default)s)")
    parser.add_argument("--untuned", action="store_true", help="leave the driver as Playwright starts it")
    options = parser.parse_args()
    sizes = asyncio.run(measure(rest=options.seconds, untuned=options.untuned))
    print(f"{'part':10} {'PSS MB':>8} {'anonymous MB':>13}")
    for part, size in sizes.items():
        print(f"{part:10} {size.pss / MB:8.1f} {size.anonymous / MB:13.1f}")
    everything = Size(*map(sum, zip(*sizes.values(), strict=True)))
    print(f"{'all':10} {everything.pss / MB:8.1f} {everything.anonymous / MB:13.1f}")


async def measure(*, rest: float, untuned: bool) -> dict[str, Size]:
    """Start, link, rest, read, stop."""
    async with StandIn.start() as standin:
        with tempfile.TemporaryDirectory(prefix="runner-memory-") as folder:
            environment = prepare(Path(folder), standin) | (UNTUNED if untuned else {})
            runner = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "session_runner", env=environment, stderr=asyncio.subprocess.PIPE
            )
            try:
                await link(runner, standin)
                print(f"linked; resting {rest:g} s", file=sys.stderr)
                await asyncio.sleep(rest)
                return read(runner.pid)
            finally:
                runner.terminate()
                await runner.communicate()


def prepare(folder: Path, standin: StandIn) -> dict[str, str]:
    """Folders and environment of one runner."""
    for name in ("profile", "tokens", "home", "cache"):
        (folder / name).mkdir()
    for scope in (TokenScope.STATE, TokenScope.LINK):
        (folder / "tokens" / scope).write_text(TOKEN)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "PROFILE_DIR": str(folder / "profile"),
        "CACHE_DIR": str(folder / "cache"),
        "TOKEN_DIR": str(folder / "tokens"),
        "SESSION_UID": "benchmark",
        "POD_UID": "benchmark",
        "PORT": "0",
        "WHATSAPP_WEB_URL": standin.page_url,
        "ALLOWED_HOSTS": ",".join(standin.allowed_hosts),
        "EXTRA_CA_FILE": str(standin.ca_file),
    }


async def link(runner: asyncio.subprocess.Process, standin: StandIn) -> None:
    """Find its port in its log, fetch the QR code, scan it, wait for the connected state."""
    if runner.stderr is None:
        raise RuntimeError("the runner was started without a pipe")
    port = 0
    while not port:
        line = await asyncio.wait_for(runner.stderr.readline(), 30)
        port = json.loads(line).get("port", 0)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client:
        code = await poll(client, "/v1/qr", "text", None)
        await standin.phone.scan(code)
        await poll(client, "/v1/state", "state", RunnerState.CONNECTED)


async def poll(client: aiohttp.ClientSession, path: str, key: str, wanted: str | None) -> str:
    """Ask until the answer has the key, with that value if one is given."""

    async def look() -> str | None:
        async with client.get(path) as response:
            document = await response.json()
        return str(document[key]) if key in document and wanted in (None, document[key]) else None

    return await async_wait_until(f"{key} at {path}", look, within=120, every=0.2)


def read(pid: int) -> dict[str, Size]:
    """The sizes of the runner with that pid by part."""
    everyone = processes()
    mine = [process for process in everyone if process.pid == pid] + descendants(pid, everyone)
    return {part: total(pids) for part, pids in parts_of(pid, mine).items()}


def total(pids: list[int]) -> Size:
    """Sum over these processes."""
    told = [kernel.parse_fields((kernel.PROC / str(pid) / "smaps_rollup").read_text()) for pid in pids]
    return Size(pss=sum(one["Pss"] for one in told), anonymous=sum(one["Pss_Anon"] + one["Pss_Shmem"] for one in told))


if __name__ == "__main__":
    main()
