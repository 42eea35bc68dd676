"""Starts the runner as the outside world does: `python -m session_runner` with an environment, spoken to over HTTP.

Tests and the benchmark of the runner's memory hold a `RunnerProcess`; nothing here imports the runner's code apart from
its words. A runner that is left behind is ended by its id, with everything below it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from session_protocol.environment import Variable
from session_runner.host.processes import Process, descendants, end, processes
from standin.harness import StandIn
from support import log_schema
from support.waiting import async_until

RUNNER = ("-m", "session_runner")
TOKENS = {scope: f"token-for-{scope}" for scope in ("state", "link", "send", "read", "admin")}


@dataclass(kw_only=True)
class Folders:
    """What a pod would mount; one profile can serve several runners after each other."""

    root: Path
    profile: Path = field(init=False)
    tokens: Path = field(init=False)
    home: Path = field(init=False)
    cache: Path = field(init=False)
    termination_log: Path = field(init=False)

    def __post_init__(self) -> None:
        for name in ("profile", "tokens", "home", "cache"):
            folder = self.root / name
            folder.mkdir()
            setattr(self, name, folder)
        self.termination_log = self.root / "termination-log"
        for scope, token in TOKENS.items():
            (self.tokens / scope).write_text(token + "\n")

    def environment(self, **more: str) -> dict[str, str]:
        """The runner's whole environment; `more` overrides."""
        self.termination_log.write_text("")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": os.environ.get("TMPDIR", tempfile.gettempdir()),
            Variable.PROFILE_DIR: str(self.profile),
            Variable.CACHE_DIR: str(self.cache),
            Variable.TOKEN_DIR: str(self.tokens),
            Variable.SESSION_UID: "session-1",
            Variable.POD_UID: "pod-1",
            Variable.PORT: "0",
            Variable.TERMINATION_LOG: str(self.termination_log),
        } | more


@dataclass(kw_only=True)
class RunnerProcess:
    """One runner process."""

    process: asyncio.subprocess.Process
    client: aiohttp.ClientSession
    folders: Folders
    port: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    """ Its log so far. """
    raw_lines: list[str] = field(default_factory=list)
    """ The same as it was written; at the end it is held to the schema. """
    seen: list[tuple[str, str]] = field(default_factory=list)
    """ States and reasons in the order in which `wait_for_state` met them. """

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    async def get(
        self, path: str, *, scope: str | None = "state", accept: str = "*/*", **query: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body."""
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {TOKENS[scope]}"} if scope else {})
        async with self.client.get(self.url + path, headers=headers, params=query) as response:
            return response.status, dict(response.headers), await response.read()

    async def get_json(self, path: str, *, scope: str = "state") -> tuple[int, dict[str, Any]]:
        """Status and document."""
        status, _, body = await self.get(path, scope=scope)
        return status, json.loads(body)

    async def post(self, path: str, *, scope: str | None = "admin") -> tuple[int, dict[str, Any]]:
        """Status and document of a command."""
        headers = {"Authorization": f"Bearer {TOKENS[scope]}"} if scope else {}
        async with self.client.post(self.url + path, headers=headers) as response:
            return response.status, json.loads(await response.read())

    async def state(self, **query: str) -> dict[str, Any]:
        """GET /v1/state, which must succeed."""
        status, _, body = await self.get("/v1/state", **query)
        assert status == 200, body
        document: dict[str, Any] = json.loads(body)
        return document

    async def wait_for_state(self, *states: str, deadline: float = 60, reason: str | None = None) -> dict[str, Any]:
        """Follow the states by long-polls until one of `states` comes; fails with what came instead."""
        after = "0"
        try:
            async with asyncio.timeout(deadline):
                while True:
                    document = await self.state(after=after, wait="20")
                    after = str(document["revision"])
                    reported = (document["state"], document["reason"])
                    if not self.seen or self.seen[-1] != reported:
                        self.seen.append(reported)
                    if document["state"] in states and reason in (None, document["reason"]):
                        return document
        except (TimeoutError, aiohttp.ClientError) as error:
            log = "\n".join(json.dumps(line) for line in self.lines[-20:])
            raise AssertionError(f"waited for {states}, saw {self.seen}, log:\n{log}") from error

    async def code(self, *, deadline: float = 60, other_than: str | None = None) -> dict[str, Any]:
        """The QR code as JSON, as soon as there is one (other than the given text)."""

        async def look() -> dict[str, Any] | None:
            status, _, body = await self.get("/v1/qr", scope="link")
            document: dict[str, Any] = json.loads(body)
            return document if status == 200 and document["text"] != other_than else None

        return await async_until("a QR code", look, within=deadline, every=0.1)

    async def metric(self, name: str) -> float:
        """One sample of /metrics by its full name, labels included."""
        _, _, body = await self.get("/metrics", scope=None)
        values = [line.rpartition(" ")[2] for line in body.decode().splitlines() if line.startswith(name + " ")]
        assert len(values) == 1, body.decode()
        return float(values[0])

    async def metric_above(self, name: str, value: float, *, deadline: float = 60) -> None:
        """Wait until that sample is greater."""
        await async_until(
            f"{name} above {value}", lambda: self.metric(name), lambda seen: seen > value, within=deadline
        )

    @contextlib.asynccontextmanager
    async def loading_anew(self) -> AsyncIterator[None]:
        """Wait until the page has another document than before the block, and is connected again.

        Its state alone may be the one of the old document still.
        """
        name = "whatsapp_runner_page_loads_total"
        before = await self.metric(name)
        yield
        await self.metric_above(name, before)
        await self.wait_for_state("Connected")

    def descendants(self) -> list[Process]:
        """The processes it has started, directly or not."""
        return descendants(self.process.pid, processes())

    def browser_process(self, kind: str | None) -> Process:
        """The browser's process of that --type; `None` is the main one."""
        for process in self.descendants():
            # Processes that the browser started write their title with blanks, the others with zero bytes.
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode().replace("\0", " ").split()
            if arguments and "headless-shell" in arguments[0]:
                types = [reported.removeprefix("--type=") for reported in arguments if reported.startswith("--type=")]
                if types == ([kind] if kind else []):
                    return process
        raise AssertionError(f"no browser process of type {kind} among {self.descendants()}")

    async def exit_code(self, *, deadline: float = 90) -> int:
        """Wait for its end."""
        async with asyncio.timeout(deadline):
            return await self.process.wait()

    async def stop(self, *, deadline: float = 50) -> int:
        """SIGTERM, as the kubelet does, and wait."""
        self.process.send_signal(signal.SIGTERM)
        return await self.exit_code(deadline=deadline)

    def survivors(self, before: list[Process]) -> list[Process]:
        """Which of these are still there."""
        now = {(process.pid, process.started) for process in processes()}
        return [process for process in before if (process.pid, process.started) in now]

    async def kill(self) -> None:
        """SIGKILL to all of it at once, as a lost node does."""
        # Browser first: a browser whose driver is gone closes itself cleanly, which is what shall not happen here.
        end(reversed(self.descendants()))
        self.process.kill()
        await self.process.wait()

    def termination_message(self) -> str:
        """What the kubelet would read."""
        return self.folders.termination_log.read_text()


def settings_for(standin: StandIn) -> dict[str, str]:
    """The runner's variables that lead it to a stand-in page."""
    return {
        Variable.WHATSAPP_WEB_URL: standin.page_url,
        Variable.ALLOWED_HOSTS: ",".join(standin.allowed_hosts),
        Variable.EXTRA_CA_FILE: str(standin.ca_file),
    }


async def link(runner: RunnerProcess, standin: StandIn) -> str:
    """Scan the QR code and wait until the session is connected; returns the device."""
    code = await runner.code()
    device = await standin.phone.scan(code["text"])
    await runner.wait_for_state("Connected")
    return device


@contextlib.asynccontextmanager
async def start_runner(
    folders: Folders,
    environment: dict[str, str],
    *,
    serves: bool = True,
    group: Path | None = None,
    program: Sequence[str] = RUNNER,
) -> AsyncIterator[RunnerProcess]:
    """Start a runner and wait until its API serves, unless it is expected to end before.

    `group` is a control group (v1) for it and everything below it; `program` is what Python starts.
    """

    def enter() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
        preexec_fn=enter if group else None,
    )
    everything: list[Process] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=70)) as client:
        runner = RunnerProcess(process=process, client=client, folders=folders)
        ready = asyncio.Event()
        reader = asyncio.create_task(_read(runner, ready))
        try:
            if serves:
                async with asyncio.timeout(60):
                    await ready.wait()
                assert runner.port, f"the runner ended instead of serving: {runner.lines}"
            yield runner
        finally:
            if process.returncode is None:
                everything = runner.descendants()
                process.kill()
            await process.wait()
            # A browser that still dies would go on connecting to a page's server that stops.
            await async_until("the browser has ended", lambda: _ended(everything))
            await reader
    assert [] == log_schema.faults(runner.raw_lines)


async def _ended(everything: list[Process]) -> bool:
    return not end(everything)


async def _read(runner: RunnerProcess, ready: asyncio.Event) -> None:
    """Collect the log; every line must be JSON, or a traceback that fails the test's own expectations."""
    assert runner.process.stdout is not None
    async for line in runner.process.stdout:
        if line.endswith(b"\n"):  # the last one may have been cut off when it was killed
            runner.raw_lines.append(line.decode(errors="replace").removesuffix("\n"))
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"not JSON": line.decode(errors="replace")}
        runner.lines.append(entry)
        if entry.get("message") == "The API serves":
            runner.port = entry["port"]
            ready.set()
    ready.set()
