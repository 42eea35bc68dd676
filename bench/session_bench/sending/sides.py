"""Two ways to send and receive by one session of the stand-in: the runner, and one Node process with puppeteer.

Both are linked, watched by one observer, and spoken to over HTTP from here.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import msgspec
from session_protocol.environment import Variable
from session_protocol.live_settings import LiveSettings, Webhook
from session_protocol.pacing import Pacing
from session_protocol.phone_number_id import phone_number_id
from session_protocol.vocabulary import PacingType, WebhookEvent, WebhookFormat
from session_runner.host.browser_version import browser_version
from session_runner.host.processes import descendants, processes
from session_runner.messages.ids import received_id
from session_runner.page import scripts
from session_runner.page.launch import user_agent
from session_runner.profile.certificates import trust
from standin.harness import StandIn
from support.runner_process import TOKENS, Folders, RunnerProcess, link, settings_for, start_runner
from support.waiting import async_until

from session_bench.errors import BenchError
from session_bench.kernel import Part, part_of
from session_bench.one_process.programs import PUPPETEER
from session_bench.sending.observer import Observer

PHONE: Final = phone_number_id("", "session-1")
PDF: Final = "application/pdf"
SECONDS: Final = 300.0
_AUTHORIZATION: Final = {"Authorization": f"Bearer {TOKENS['send']}"}


class Side(Protocol):
    """One of them. Whom it writes to is given by digits, a message that came in by its id."""

    name: str
    standin: StandIn
    device: str

    async def send(self, to: str, text: str) -> str:
        """Send a text; returns its id when that is answered."""

    async def send_file(self, to: str, path: Path) -> str:
        """Send a file as a document; returns the message's id when that is answered."""

    async def fetch_file(self, sender: str, identifier: str) -> int:
        """Fetch the file of a message; returns how many bytes came."""

    def pids(self) -> dict[Part, list[int]]:
        """Return its processes by part."""


@dataclass(kw_only=True)
class RunnerSide:
    """The runner."""

    runner: RunnerProcess
    standin: StandIn
    device: str
    socket: Path
    name: str = "runner"
    _direct: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, init=False)

    async def direct(self, to: str, text: str) -> dict[str, Any]:
        """Have the page send by its own call, without the runner: its `id`, when it was `begun` and `ended`, and `inside` the page."""
        if self._direct is None:
            self._direct = await asyncio.open_unix_connection(self.socket)
        reader, writer = self._direct
        writer.write(json.dumps({"to": f"{to}@c.us", "body": text}).encode() + b"\n")
        found = json.loads(await reader.readline())
        return {**found, "id": bare(found["id"])}

    async def send(self, to: str, text: str) -> str:
        """POST it as clients of the Cloud API do."""
        return await self._post({"to": to, "type": "text", "text": {"body": text}})

    async def send_file(self, to: str, path: Path) -> str:
        """Upload it, and send it by its id."""
        with path.open("rb") as file, aiohttp.MultipartWriter("form-data") as form:
            part = form.append(file, {"Content-Type": PDF})
            part.set_content_disposition("form-data", name="file", filename=path.name)
            url = f"{self.runner.url}/v24.0/{PHONE}/media"
            medium = await _answer(self.runner.client.post(url, data=form, headers=_AUTHORIZATION, timeout=_TIMEOUT))
        return await self._post({"to": to, "type": "document", "document": {"id": medium["id"], "filename": path.name}})

    async def fetch_file(self, sender: str, identifier: str) -> int:
        """Ask where it is, and read it in pieces."""
        medium = received_id(PHONE, f"false_{sender}@c.us_{identifier}")
        about = await _answer(self.runner.client.get(f"{self.runner.url}/v24.0/{medium}", headers=_AUTHORIZATION))
        size = 0
        async with self.runner.client.get(about["url"], headers=_AUTHORIZATION, timeout=_TIMEOUT) as answer:
            async for piece in answer.content.iter_chunked(2**16):
                size += len(piece)
        return size

    def pids(self) -> dict[Part, list[int]]:
        """Python, driver, browser."""
        return by_part(self.runner.process.pid)

    async def _post(self, message: dict[str, Any]) -> str:
        body = {"messaging_product": "whatsapp", **message}
        url = f"{self.runner.url}/v24.0/{PHONE}/messages"
        found = await _answer(self.runner.client.post(url, json=body, headers=_AUTHORIZATION))
        return str(found["messages"][0]["id"])


@dataclass(kw_only=True)
class NodeSide:
    """One Node process with puppeteer, as servers on whatsapp-web.js are built."""

    pid: int
    url: str
    client: aiohttp.ClientSession
    standin: StandIn
    device: str
    name: str = "one Node process"

    async def send(self, to: str, text: str) -> str:
        """POST it."""
        return bare((await self._post("send", to=f"{to}@c.us", body=text))["id"])

    async def send_file(self, to: str, path: Path) -> str:
        """Tell it where the file is, which spares it the upload."""
        sent = await self._post("send-file", to=f"{to}@c.us", path=str(path), filename=path.name, mimetype=PDF)
        return bare(sent["id"])

    async def fetch_file(self, sender: str, identifier: str) -> int:
        """Get it as base64."""
        found = await self._post("fetch", key=f"false_{sender}@c.us_{identifier}")
        data = str(found["data"]).partition(",")[2]
        return len(data) * 3 // 4 - data[-2:].count("=")

    def pids(self) -> dict[Part, list[int]]:
        """Node and browser."""
        return by_part(self.pid)

    async def _post(self, call: str, **body: Any) -> dict[str, Any]:
        return await _answer(self.client.post(f"{self.url}/{call}", json=body, timeout=_TIMEOUT))


@contextlib.asynccontextmanager
async def runner_side(
    standin: StandIn, observer: Observer, folder: Path, *, group: Path | None = None
) -> AsyncIterator[RunnerSide]:
    """Start a runner without pacing and with a webhook to the observer, in a control group if one is given, and link it."""
    folders, socket = Folders(root=folder), folder / "direct"
    hook = Webhook(name="bench", url=observer.url, format=WebhookFormat.CLOUD_API, events=(WebhookEvent.MESSAGE,))
    settings = msgspec.json.encode(LiveSettings(webhooks=(hook,), pacing=Pacing(type=PacingType.NONE))).decode()
    environment = folders.environment(**settings_for(standin)) | {Variable.LIVE_SETTINGS: settings}
    program = ("-m", "session_bench.sending.runner_program", str(socket))
    async with start_runner(folders, environment, program=program, group=group) as runner:
        device = await link(runner, standin)
        yield RunnerSide(runner=runner, standin=standin, device=device, socket=socket)
        await runner.stop()


@contextlib.asynccontextmanager
async def node_side(standin: StandIn, observer: Observer, folder: Path) -> AsyncIterator[NodeSide]:
    """Start the Node process, and link it."""
    await trust(standin.ca_file, home=folder, deadline=30)
    (folder / "init.js").write_text(f"{scripts.script('config.js')};\n{scripts.wa_js()}")
    plan = {
        "url": standin.page_url,
        "executable": str(PUPPETEER.browser),
        "userAgent": user_agent(await browser_version(PUPPETEER.browser)),
        "script": str(folder / "init.js"),
        "folder": str(folder),
        "receiver": observer.url,
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    command = (*PUPPETEER.command("messaging.mjs"), str(folder / "plan.json"))
    with (folder / "errors.log").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=PUPPETEER.environment(home=folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        output = _Output(process, folder / "errors.log")
        reading = asyncio.create_task(output.read())
        port, code = await output.value("port"), await output.value("qr")
        device = await standin.phone.scan(code)
        async with aiohttp.ClientSession() as client:
            yield NodeSide(
                pid=process.pid, url=f"http://127.0.0.1:{port}", client=client, standin=standin, device=device
            )
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await asyncio.wait_for(process.wait(), 60)
        await reading


class _Output:
    """What a program has said last, line by line."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process, self._log = process, log
        self._values: dict[str, Any] = {}

    async def read(self) -> None:
        """Read until it ends."""
        if self._process.stdout is not None:
            async for line in self._process.stdout:
                self._values |= json.loads(line)

    async def value(self, name: str) -> Any:
        """Wait for it. :raises BenchError: the program ended."""

        async def look() -> Any:
            if self._process.returncode is not None:
                raise BenchError(f"the process ended: {self._log.read_text()[-2000:]}")
            return self._values.get(name)

        return await async_until(f"the process's {name}", look, within=90)


def bare(key: str) -> str:
    """Return the id in a key of wa-js: false_NUMBER@c.us_ID."""
    return key.split("_")[2]


def by_part(pid: int) -> dict[Part, list[int]]:
    """Return a process and all below it, by part."""
    found: dict[Part, list[int]] = {}
    for one in (pid, *(process.pid for process in descendants(pid, processes()))):
        with contextlib.suppress(OSError):  # it ended
            # Browser processes write their title with blanks.
            title = Path(f"/proc/{one}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            found.setdefault(part_of(title.split()), []).append(one)
    return found


async def _answer(asked: Any) -> dict[str, Any]:
    async with asked as response:
        document: dict[str, Any] = await response.json()
        if response.status != 200:
            raise BenchError(f"{response.url.path} was answered {response.status}: {document}")
        return document


_TIMEOUT: Final = aiohttp.ClientTimeout(total=SECONDS)
