"""Runs one process with several sessions inside the cluster's network, and lets the phone link them.

The process is told what to do by a JSON file, writes one JSON line per QR code, and ends when its standard input is
closed. It runs in a control group of its own, so that its memory is counted as a pod's is.
"""

import asyncio
import functools
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from session_devtools.installation.transformers import STATIC_HOST, WEB_HOST
from session_devtools.waiting import wait_until
from session_runner.host.browser_version import browser_version
from session_runner.page import scripts
from session_runner.page.launch import user_agent
from session_runner.profile.certificates import trust

from session_bench.cgroups import Cgroup, own_cgroup
from session_bench.errors import BenchError
from session_bench.one_process.programs import PLAYWRIGHT, PUPPETEER, Program
from session_bench.testbed import Testbed

T = TypeVar("T")
CERTIFICATE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way to run many sessions in one process."""

    title: str
    browser: str
    program: Program


KINDS = (
    Kind(
        title="one Node process",
        browser="puppeteer with one full Chromium per session, as whatsapp-web.js servers are built",
        program=PUPPETEER,
    ),
    Kind(
        title="one Python process",
        browser="the runner's own headless shell, flags and driver settings, one browser per session",
        program=PLAYWRIGHT,
    ),
)


class QrCodes:
    """The newest QR code of each session, as the process prints them, and when it had one first; filled by a thread."""

    def __init__(self, lines: IO[str]) -> None:
        self._codes: dict[int, str] = {}
        self._first: dict[int, float] = {}
        self._thread = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._thread.start()

    def code(self, number: int) -> str | None:
        """Return a session's code, or None while there is none."""
        return self._codes.get(number)

    def first_time(self, number: int) -> float | None:
        """Return when a session showed its first code (monotonic), or None while it has shown none."""
        return self._first.get(number)

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            if line.startswith("{"):
                shown = json.loads(line)
                self._first.setdefault(int(shown["session"]), time.monotonic())
                self._codes[int(shown["session"])] = str(shown["qr"])


@dataclass(frozen=True, kw_only=True)
class OneProcess:
    """The process, as it was started with all its sessions."""

    group: Cgroup
    begun: float
    """ When (monotonic). """
    process: subprocess.Popen[str]
    qr_codes: QrCodes
    log: Path

    def until_codes(self, count: int) -> float:
        """Wait for every session's first code; return the seconds from the start to the last one."""
        times = [self._wait(number, functools.partial(self.qr_codes.first_time, number)) for number in range(count)]
        return max(times) - self.begun

    def link(self, testbed: Testbed, count: int) -> None:
        """Let the phone scan every session's code."""
        for number in range(count):
            testbed.scan(self._wait(number, functools.partial(self.qr_codes.code, number)))

    def _wait(self, number: int, look: Callable[[], T | None]) -> T:
        def shown() -> T | None:
            if self.process.poll() is not None:
                raise BenchError(f"the process ended ({self.process.returncode}): {self.log.read_text()[-2000:]}")
            return look()

        return wait_until(f"the QR code of session {number}", shown)


@contextmanager
def started(testbed: Testbed, kind: Kind, count: int) -> Iterator[OneProcess]:
    """Start the process with so many sessions, none of them linked; it ends afterwards."""
    group = own_cgroup(testbed.cluster.instance.label, "one-process")
    with tempfile.TemporaryDirectory(prefix="bench-one-process-") as name:
        folder = Path(name)
        plan = asyncio.run(_prepare(testbed, kind, count, folder))
        command = [*group.command_prefix(), *testbed.cluster.inside(*kind.program.command(), str(plan))]
        environment = kind.program.environment(home=folder)
        begun = time.monotonic()
        with (folder / "errors.log").open("w") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
        if process.stdout is None:
            raise BenchError("the process was started without a pipe")
        try:
            yield OneProcess(
                group=group,
                begun=begun,
                process=process,
                qr_codes=QrCodes(process.stdout),
                log=folder / "errors.log",
            )
        finally:
            _end(process, group)


@contextmanager
def running(testbed: Testbed, kind: Kind, count: int) -> Iterator[Cgroup]:
    """The same with all sessions linked; yields its control group."""
    with started(testbed, kind, count) as one:
        one.link(testbed, count)
        yield one.group


async def _prepare(testbed: Testbed, kind: Kind, count: int, folder: Path) -> Path:
    """Write what the process needs: its plan, the script for the page, and an authority that its browsers trust."""
    authority = testbed.get("/api/v1/namespaces/whatsapp-operator/configmaps/extra-ca")
    if authority is None:
        raise BenchError("the operator's ConfigMap extra-ca is gone")
    (folder / "ca.crt").write_text(authority["data"]["ca.crt"])
    await trust(folder / "ca.crt", home=folder, deadline=CERTIFICATE_SECONDS)
    (folder / "init.js").write_text(f"{scripts.script('config.js')};\n{scripts.wa_js()}")
    addresses = {host: _address(testbed, host) for host in (WEB_HOST, STATIC_HOST)}
    plan = {
        "sessions": count,
        "url": f"https://{WEB_HOST}/",
        "executable": str(kind.program.browser),
        "userAgent": user_agent(await browser_version(kind.program.browser)),
        "resolver": ", ".join(f"MAP {host} {address}" for host, address in addresses.items()),
        "script": str(folder / "init.js"),
        "folder": str(folder),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    return folder / "plan.json"


def _address(testbed: Testbed, host: str) -> str:
    name, namespace, _ = host.split(".")
    service = testbed.get(f"/api/v1/namespaces/{namespace}/services/{name}")
    if service is None:
        raise BenchError(f"the stand-in's Service {name} is gone")
    return str(service["spec"]["clusterIP"])


def _end(process: subprocess.Popen[str], group: Cgroup) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    wait_until("the browsers of the one process to end", lambda: not group.pids(), within=30)
