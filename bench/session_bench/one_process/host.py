"""Runs one process with several sessions inside the cluster's network, and lets the phone link them.

The process is told what to do by a JSON file, writes one JSON line per QR code, and ends when its standard input is
closed. It runs in a control group of its own, so that its memory is counted as a pod's is.
"""

import asyncio
import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

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
    """The newest QR code of each session, as the process prints them; filled by a thread."""

    def __init__(self, lines: IO[str]) -> None:
        self._codes: dict[int, str] = {}
        self._thread = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._thread.start()

    def code(self, number: int) -> str | None:
        """Return a session's code, or None while there is none."""
        return self._codes.get(number)

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            if line.startswith("{"):
                shown = json.loads(line)
                self._codes[int(shown["session"])] = str(shown["qr"])


@contextmanager
def running(testbed: Testbed, kind: Kind, count: int) -> Iterator[Cgroup]:
    """Start the process with so many sessions, link all of them, and yield its control group; it ends afterwards."""
    group = own_cgroup(testbed.cluster.instance.label, "one-process")
    with tempfile.TemporaryDirectory(prefix="bench-one-process-") as name:
        folder = Path(name)
        plan = asyncio.run(_prepare(testbed, kind, count, folder))
        command = [*group.command_prefix(), *testbed.cluster.inside(*kind.program.command(), str(plan))]
        environment = kind.program.environment(home=folder)
        with (folder / "errors.log").open("w") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
        try:
            _link(testbed, process, count, log=folder / "errors.log")
            yield group
        finally:
            _end(process, group)


def _link(testbed: Testbed, process: subprocess.Popen[str], count: int, *, log: Path) -> None:
    if process.stdout is None:
        raise BenchError("the process was started without a pipe")
    qr_codes = QrCodes(process.stdout)
    for number in range(count):

        def shown(number: int = number) -> str | None:
            if process.poll() is not None:
                raise BenchError(f"the process ended ({process.returncode}): {log.read_text()[-2000:]}")
            return qr_codes.code(number)

        testbed.scan(wait_until(f"the QR code of session {number}", shown))


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
