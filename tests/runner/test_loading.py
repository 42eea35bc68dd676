"""Pages that do not come up: what is said meanwhile, and how the runner ends."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from runner.conftest import Start
from runner.faulty_servers import write_authority
from session_protocol.vocabulary import ExitCode
from standin.harness import StandIn
from standin.settings import Variant
from support.runner_process import Folders, link


async def test_without_the_extra_authority_the_certificate_is_refused(start: Start) -> None:
    """Certificate errors are never ignored: the state says so, for as long as it lasts."""
    async with start(EXTRA_CA_FILE="", STARTUP_TIMEOUT="5s") as runner:
        document = await runner.wait_for_state("LoadError")
        assert document["reason"] == "CertificateNotTrusted"
        assert "EXTRA_CA_FILE" in document["message"]
        await asyncio.sleep(6)

        assert runner.process.returncode is None


async def test_authorities_that_change_are_read_again(start: Start, standin: StandIn, tmp_path: Path) -> None:
    """The file is replaced under a runner that waits for it, as the kubelet does with a Secret's: no new pod is needed."""
    authorities = write_authority(trustme.CA(), tmp_path)
    async with start(EXTRA_CA_FILE=str(authorities)) as runner:
        await runner.wait_for_state("LoadError", reason="CertificateNotTrusted")
        shutil.copy(standin.ca_file, authorities)
        await link(runner, standin)
        descendants = runner.descendants()

        assert await runner.stop() == ExitCode.STOPPED
        assert runner.survivors(descendants) == []


async def test_a_host_that_is_not_allowed_is_refused_and_counted(start: Start, standin: StandIn) -> None:
    """Without the scripts' host the page never boots; the refused requests are counted and none left the browser."""
    async with start(ALLOWED_HOSTS=standin.allowed_hosts[0], STARTUP_TIMEOUT="25s") as runner:
        await runner.metric_above("whatsapp_runner_blocked_requests_total", 0)
        document = await runner.wait_for_state("LoadError")
        assert document["reason"] == "NotBooted"

        assert await runner.exit_code() == ExitCode.LOAD_FAILED
        refused = [line for line in runner.lines if "not allowed" in line["message"]]
        assert {line["host"] for line in refused} == {standin.allowed_hosts[1]}


async def test_a_page_that_refuses_the_browser_is_reported(start: Start, standin: StandIn) -> None:
    """UnsupportedBrowser, with what to do, in whatever language it is shown."""
    await standin.phone.set_language("de")
    await standin.phone.set_variant(Variant.UNSUPPORTED)
    async with start() as runner:
        document = await runner.wait_for_state("UnsupportedBrowser")

    assert "newer runner image" in document["message"]


async def test_the_browser_is_not_taken_for_a_headless_one(start: Start, standin: StandIn) -> None:
    """The stand-in refuses headless user agents as the real page does; the runner's is not one of them."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")

    assert {load["variant"] for load in (await standin.phone.loads())["loads"]} == {"normal"}


async def test_a_page_that_stays_on_its_splash_ends_as_not_loaded(start: Start, standin: StandIn) -> None:
    """Loading, then LoadError, then the exit code, with the reason in the last words."""
    await standin.phone.set_variant(Variant.SPLASH)
    async with start(STARTUP_TIMEOUT="25s") as runner:
        await runner.wait_for_state("LoadError", reason="NotBooted")

        assert await runner.exit_code() == ExitCode.LOAD_FAILED
        assert runner.termination_message().startswith("LoadFailed: The page was fetched but")


async def test_a_page_that_comes_late_is_fetched_again(start: Start, standin: StandIn) -> None:
    """HTTP 503 first: the runner says it and tries again while its start-up time lasts."""
    await standin.phone.set_variant(Variant.UNAVAILABLE)
    async with start() as runner:
        document = await runner.wait_for_state("LoadError", reason="HTTPError")
        assert "HTTP 503" in document["message"]
        await standin.phone.set_variant(Variant.NORMAL)
        await link(runner, standin)


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A server that accepts and never answers."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: held.append(writer), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in held:
        writer.transport.abort()


async def test_a_server_that_never_answers_is_reported_and_waited_for(start: Start, silent_port: int) -> None:
    """A hanging connection is no reason to hang or to end: it is reported, and asked again after the startup timeout."""
    url = f"https://web.standin.localhost:{silent_port}/"
    async with start(WHATSAPP_WEB_URL=url, STARTUP_TIMEOUT="12s") as runner:
        document = await runner.wait_for_state("LoadError", reason="FetchTimedOut")
        assert "web.standin.localhost does not answer within 12 s" in document["message"]
        await asyncio.sleep(3)

        assert await runner.stop() == ExitCode.STOPPED


async def test_a_name_that_does_not_resolve_is_reported(start: Start) -> None:
    """The browser's own word stands in the message, beside the host."""
    async with start(WHATSAPP_WEB_URL="https://web.nowhere.invalid/", ALLOWED_HOSTS="web.nowhere.invalid") as runner:
        document = await runner.wait_for_state("LoadError", reason="NameNotResolved")

    assert "the name web.nowhere.invalid has no address" in document["message"]


async def test_a_stop_while_the_page_is_loading_is_clean(start: Start, standin: StandIn, folders: Folders) -> None:
    """A pod may be deleted at any moment: also then the exit is 0 and nothing is left."""
    await standin.phone.set_variant(Variant.SPLASH)
    async with start() as runner:
        await runner.wait_for_state("Loading")
        descendants = runner.descendants()

        assert await runner.stop() == ExitCode.STOPPED
        assert runner.survivors(descendants) == []
    assert (folders.profile / "chromium").is_dir()


class Torn:
    """A page whose script is cut off the first time, on plain HTTP below localhost."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.port = 0

    async def document(self, _request: web.Request) -> web.Response:
        """The page."""
        self.fetched.append("document")
        return web.Response(text='<div id="app"></div><script src="/script.js"></script>', content_type="text/html")

    async def script(self, request: web.Request) -> web.Response:
        """Nothing for the first document, however often the browser asks, then an empty script."""
        self.fetched.append("script")
        if self.fetched.count("document") == 1 and request.transport is not None:
            request.transport.abort()
        return web.Response(text="", content_type="text/javascript")


@pytest.fixture
async def torn() -> AsyncIterator[Torn]:
    """That page, served."""
    page = Torn()
    app = web.Application()
    app.router.add_get("/", page.document)
    app.router.add_get("/script.js", page.script)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    page.port = runner.addresses[0][1]
    yield page
    await runner.cleanup()


async def test_a_page_whose_script_was_cut_off_is_fetched_again(start: Start, torn: Torn) -> None:
    """A network that changes under the browser costs a second, not the startup timeout and a restart."""
    url = f"http://torn.localhost:{torn.port}/"
    async with start(WHATSAPP_WEB_URL=url, ALLOWED_HOSTS="torn.localhost") as runner:
        await runner.metric_above("whatsapp_runner_page_loads_total", 1)
        await runner.stop()

    assert torn.fetched.count("document") == 2
    assert len([line for line in runner.lines if "A script of the page" in line.get("why", "")]) == 1
