"""The running server, spoken to as a browser, a page's socket and a phone would: over TLS and HTTP on loopback."""

import asyncio
import contextlib
import hashlib
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from standin import Mode, PhoneRefusedError, StandIn, Timing
from standin.harness import LOCAL_STATIC_HOST, LOCAL_WEB_HOST
from support.waiting import async_until
from unit.standin.pages import Page

QUICK = Timing(first_sync=0.01, sync=0.01)


@pytest_asyncio.fixture
async def standin(tmp_path: Path) -> AsyncIterator[StandIn]:
    """A stand-in that keeps its list on disk."""
    async with StandIn.start(mode=Mode.MODERN, timing=QUICK, state_dir=tmp_path) as standin:
        yield standin


@pytest_asyncio.fixture
async def browser(standin: StandIn) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that trusts the stand-in's authority and nothing else."""
    context = ssl.create_default_context(cafile=standin.ca_file)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield session


async def get(
    browser: aiohttp.ClientSession,
    standin: StandIn,
    path: str,
    *,
    host: str = LOCAL_WEB_HOST,
    agent: str = "Chrome/156",
) -> tuple[aiohttp.ClientResponse, str]:
    """Ask one of the hosts; names under .localhost are resolved by browsers, not by every resolver."""
    port = standin.page_url.rstrip("/").rpartition(":")[2]
    headers = {"Host": f"{host}:{port}", "User-Agent": agent}
    async with browser.get(f"https://127.0.0.1:{port}{path}", headers=headers, server_hostname=host) as response:
        return response, await response.text()


async def test_the_document_is_under_a_strict_policy(browser: aiohttp.ClientSession, standin: StandIn) -> None:
    """Scripts run by a nonce that changes with every load; no unsafe source is anywhere in the policy."""
    policies = []
    for _ in range(2):
        response, text = await get(browser, standin, "/")
        policies.append(response.headers["Content-Security-Policy"])
        nonce = policies[-1].partition("'nonce-")[2].partition("'")[0]
        assert f'nonce="{nonce}"' in text
        assert "no-store" == response.headers["Cache-Control"]

    assert policies[0] != policies[1]
    assert "unsafe" not in policies[0]
    assert "default-src 'none'" in policies[0]
    assert "script-src 'nonce-" in policies[0]


async def test_scripts_come_from_the_other_host_and_may_be_kept(
    browser: aiohttp.ClientSession, standin: StandIn
) -> None:
    """The document names them with the port it was asked on; their address changes with their content."""
    _, text = await get(browser, standin, "/")
    source = text.partition('crossorigin src="')[2].partition('"')[0]
    path = "/" + source.removeprefix("https://").partition("/")[2]
    response, script = await get(browser, standin, path, host=LOCAL_STATIC_HOST)

    assert source.startswith(f"https://{LOCAL_STATIC_HOST}:")
    assert (200, "text/javascript") == (response.status, response.content_type)
    assert "immutable" in response.headers["Cache-Control"]
    assert "import" in script


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/", LOCAL_STATIC_HOST, 421),
        ("/assets/x/main.js", LOCAL_WEB_HOST, 421),
        ("/assets/x/../settings.py", LOCAL_STATIC_HOST, 404),
        ("/assets/x/settings.py", LOCAL_STATIC_HOST, 404),
        ("/assets/x/index.html", LOCAL_STATIC_HOST, 404),
        ("/media/m1-1", LOCAL_WEB_HOST, 421),
        ("/media/m1-1", LOCAL_STATIC_HOST, 410),
        ("/healthz", LOCAL_STATIC_HOST, 200),
        ("/check-online", LOCAL_WEB_HOST, 204),
    ],
)
async def test_each_host_serves_its_own(
    browser: aiohttp.ClientSession, standin: StandIn, path: str, host: str, status: int
) -> None:
    """Nothing is served under the wrong name, and nothing but the page's own files."""
    response, _ = await get(browser, standin, path, host=host)

    assert status == response.status


async def test_files_go_up_to_the_other_host_and_no_larger_than_the_limit(
    browser: aiohttp.ClientSession, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has size and digest, and may be read by the page of the web host."""
    monkeypatch.setattr("standin.files.LARGEST", 1000)
    port = standin.page_url.rstrip("/").rpartition(":")[2]
    answers = []
    for size in (1000, 1001):
        async with browser.post(
            f"https://127.0.0.1:{port}/media",
            data=b"x" * size,
            headers={"Host": f"{LOCAL_STATIC_HOST}:{port}"},
            server_hostname=LOCAL_STATIC_HOST,
        ) as response:
            answers.append((response.status, response.headers["Access-Control-Allow-Origin"], await response.text()))
    taken, refused = answers

    assert (200, "*") == taken[:2]
    digest = hashlib.sha256(b"x" * 1000).hexdigest()
    assert {"media": "m1", "size": 1000, "sha256": digest, "link": "/media/m1-2"} == json.loads(taken[2])
    assert (413, "*") == refused[:2]


@pytest.mark.parametrize(
    ("variant", "agent", "status", "found"),
    [
        ("normal", "Chrome/156", 200, "main.js"),
        ("normal", "HeadlessChrome/156", 200, "works with Google Chrome 100+"),
        ("unsupported", "Chrome/156", 200, "works with Google Chrome 100+"),
        ("splash", "Chrome/156", 200, "splash.js"),
        ("unavailable", "HeadlessChrome/156", 503, "Service Unavailable"),
    ],
)
async def test_variants_of_the_document(
    browser: aiohttp.ClientSession, standin: StandIn, variant: str, agent: str, status: int, found: str
) -> None:
    """What is chosen is what the next load gets; a headless name is turned away from the normal page."""
    await standin.phone.set_variant(variant)
    response, text = await get(browser, standin, "/", agent=agent)

    assert status == response.status
    assert found in text


async def test_the_qr_picture_is_made_of_any_text(browser: aiohttp.ClientSession, standin: StandIn) -> None:
    """Rows of ones and zeros, square; an empty text is refused."""
    port = standin.page_url.rstrip("/").rpartition(":")[2]
    address, host = f"https://127.0.0.1:{port}/qr-matrix", {"Host": LOCAL_WEB_HOST}
    async with browser.post(address, data="2@ref", headers=host, server_hostname=LOCAL_WEB_HOST) as response:
        rows = await response.json()
    async with browser.post(address, data="", headers=host, server_hostname=LOCAL_WEB_HOST) as response:
        refused = response.status

    assert {len(rows)} == {len(row) for row in rows}
    assert {"0", "1"} == set("".join(rows))
    assert 400 == refused


async def test_a_page_is_linked_and_comes_back(browser: aiohttp.ClientSession, standin: StandIn) -> None:
    """The scan answers when the page has stored its login; the device is then listed, connected and counted."""
    page = Page(browser, standin)
    device = await page.link()
    async with page.login(device) as socket:
        assert ["success", "synced"] == [(await socket.receive_json())["type"] for _ in range(2)]
        (listed,) = await standin.phone.devices()

    assert (device, True, False, None) == tuple(listed[name] for name in ("id", "connected", "offline", "banned"))


async def test_a_scan_without_the_pages_answer_is_refused(
    browser: aiohttp.ClientSession, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that cannot store its login leaves no device behind."""
    monkeypatch.setattr("standin.phone.CONFIRMATION_SECONDS", 0.05)
    page = Page(browser, standin)
    async with page.unlinked() as socket:
        text = await page.code(socket)
        with pytest.raises(PhoneRefusedError, match="did not store its login") as caught:
            await standin.phone.scan(text)

    assert 409 == caught.value.status
    assert [] == await standin.phone.devices()


async def test_an_offline_device_is_refused_before_the_upgrade(
    browser: aiohttp.ClientSession, standin: StandIn
) -> None:
    """Its page never gets a socket, and its network test fails; another page is not concerned."""
    page = Page(browser, standin)
    device = await page.link()
    await standin.phone.offline(device)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await page.connect(device)

    assert 503 == caught.value.status
    assert 503 == (await get(browser, standin, f"/check-online?device={device}"))[0].status
    assert 204 == (await get(browser, standin, "/check-online"))[0].status


@pytest.mark.parametrize("sent", ["no json", "[]", '{"type": "hello"}'])
async def test_a_page_that_breaks_the_protocol_gets_an_error(
    browser: aiohttp.ClientSession, standin: StandIn, sent: str
) -> None:
    """The socket ends with a protocol error that names the fault."""
    socket = await Page(browser, standin).connect(None)
    await socket.send_str(sent)
    message = await socket.receive(timeout=20)

    assert (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.PROTOCOL_ERROR) == (message.type, message.data)
    assert message.extra


async def test_devices_survive_a_restart(tmp_path: Path) -> None:
    """With a state folder a linked page logs in at the next server; an unlinked one does not."""
    async with _served(tmp_path) as (standin, session):
        devices = {name: await Page(session, standin, keys=name).link() for name in ("a", "b")}
        await standin.phone.unlink(devices["b"])
    answers = {}
    async with _served(tmp_path) as (standin, session):
        for name, device in devices.items():
            async with Page(session, standin, keys=name).login(device) as socket:
                answers[name] = (await socket.receive_json())["type"]

    assert {"a": "success", "b": "failure"} == answers


@contextlib.asynccontextmanager
async def _served(state_dir: Path) -> AsyncIterator[tuple[StandIn, aiohttp.ClientSession]]:
    async with StandIn.start(timing=QUICK, state_dir=state_dir) as standin:
        context = ssl.create_default_context(cafile=standin.ca_file)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            yield standin, session


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("POST", "/phone/scan", {}, 400, "MalformedRequest"),
        ("POST", "/phone/scan", {"qr": "x"}, 400, "MalformedRequest"),
        ("POST", "/phone/scan", {"qr": "2@a,b,c,d,1"}, 404, "UnknownQr"),
        ("POST", "/phone/enter-code", {}, 400, "MalformedRequest"),
        ("POST", "/phone/enter-code", {"code": "AAAA-AAAA"}, 404, "UnknownQr"),
        ("POST", "/phone/device-1/unlink", {}, 404, "UnknownDevice"),
        ("POST", "/phone/device-1/explode", {}, 400, "MalformedRequest"),
        ("GET", "/phone/device-1/messages", {}, 404, "UnknownDevice"),
        ("GET", "/phone/device-1/lookups", {}, 404, "UnknownDevice"),
        ("POST", "/phone/people", {}, 400, "MalformedRequest"),
        ("POST", "/phone/people", {"people": [{"lid": "1"}]}, 400, "MalformedRequest"),
        ("POST", "/phone/people", {"people": [{"number": "1", "age": 9}]}, 400, "MalformedRequest"),
        ("POST", "/phone/people", {"people": [{"number": "1", "lookup": "x"}]}, 400, "MalformedRequest"),
        ("POST", "/phone/history", {"messages": [5]}, 400, "MalformedRequest"),
        ("POST", "/page/variant", {"variant": "x"}, 400, "MalformedRequest"),
        ("GET", "/nothing", {}, 404, "UnknownCall"),
        ("DELETE", "/phone/devices", {}, 405, "MethodNotAllowed"),
    ],
)
async def test_refusals_are_json_with_a_reason(
    standin: StandIn, method: str, path: str, body: dict[str, Any], status: int, reason: str
) -> None:
    """Every refusal has its status, its reason and a message that helps."""
    headers = {"Authorization": f"Bearer {standin.phone.token}"}
    async with aiohttp.request(method, standin.phone.url + path, json=body, headers=headers) as response:
        answer = await response.json()

    assert (status, reason) == (response.status, answer["error"])
    assert len(answer["message"]) > 10


@pytest.mark.parametrize("body", ["{", "[]", '"text"'])
async def test_a_body_that_is_no_object_is_refused(standin: StandIn, body: str) -> None:
    """Said plainly, not as an error of the server."""
    headers = {"Authorization": f"Bearer {standin.phone.token}"}
    async with aiohttp.request("POST", f"{standin.phone.url}/phone/scan", data=body, headers=headers) as response:
        assert (400, "MalformedRequest") == (response.status, json.loads(await response.text())["error"])


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic é"}])
async def test_the_phone_wants_its_token(standin: StandIn, header: dict[str, str]) -> None:
    """Everything but the health check is closed without it."""
    for path, status in (("/phone/devices", 401), ("/loads", 401), ("/healthz", 200)):
        async with aiohttp.request("GET", standin.phone.url + path, headers=header) as response:
            assert status == response.status


async def test_an_act_reaches_every_window(standin: StandIn, browser: aiohttp.ClientSession) -> None:
    """In the order in which they were done; a window that is closed is none."""
    port = standin.page_url.rstrip("/").rpartition(":")[2]
    url, headers = f"https://127.0.0.1:{port}/ws/window", {"Host": f"{LOCAL_WEB_HOST}:{port}"}
    async with browser.ws_connect(url, headers=headers, server_hostname=LOCAL_WEB_HOST) as window:
        assert 1 == await standin.phone.reload_window()
        assert 1 == await standin.phone.open_other_tab()
        assert ["reload", "other-tab"] == [(await window.receive(5)).data for _ in range(2)]

    await async_until("no window is open", standin.phone.reload_window, lambda pages: pages == 0, within=10)


async def test_a_document_on_its_way_arrives_when_it_may(standin: StandIn, browser: aiohttp.ClientSession) -> None:
    """As soon as the delay is taken away."""
    began = time.monotonic()
    await standin.phone.set_delay(50)
    coming = asyncio.create_task(get(browser, standin, "/"))
    await async_until("it is asked for", standin.phone.loads, lambda loads: loads["total"] == 1, within=10)
    assert not coming.done()
    await standin.phone.set_delay(0)
    response, _ = await coming

    assert 200 == response.status
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("kind", ["greeted", "in its handshake", "not yet taken"])
async def test_a_server_that_stops_leaves_no_connection(kind: str) -> None:
    """A client that says nothing more, at whatever point it fell silent, is cut off at once."""
    async with StandIn.start(mode=Mode.MODERN) as standin:
        address = ("127.0.0.1", int(standin.page_url.rstrip("/").rpartition(":")[2]))
        client = socket.create_connection(address, timeout=5)
        if kind == "in its handshake":
            await asyncio.sleep(0.1)
        if kind == "greeted":
            context = ssl.create_default_context(cafile=standin.ca_file)
            client = await asyncio.to_thread(context.wrap_socket, client, server_hostname=LOCAL_WEB_HOST)

    with client, contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        while await asyncio.to_thread(client.recv, 1000):
            pass
