"""The relay between a browser and a small real proxy, on loopback: who gets through, what is said of who does not."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from session_protocol.hosts import AllowedHosts
from session_protocol.vocabulary import ProxyType
from session_protocol.vocabulary import StateReason as Reason
from session_runner.proxy import relay as relays
from session_runner.proxy.dialogs import address
from session_runner.proxy.login import PASSWORD, USERNAME
from session_runner.proxy.relay import Relay, relaying
from session_runner.states.proxy_failures import Proxy
from support.proxies import LOGIN, SmallProxy, small_proxy
from support.waiting import async_until

ALLOWED = AllowedHosts(("*.page.localhost", "page.localhost"))
BOTH = pytest.mark.parametrize("kind", list(ProxyType))


@pytest.fixture
async def host() -> AsyncIterator[int]:
    """A host that says in capitals what it is told; its port."""

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data.upper())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mounted Secret with the login."""
    write_login(tmp_path, *LOGIN)
    return tmp_path


def write_login(folder: Path, username: str, password: str) -> None:
    """As the kubelet would."""
    (folder / USERNAME).write_text(username)
    (folder / PASSWORD).write_text(password)


@contextlib.asynccontextmanager
async def before(proxy: SmallProxy, *, login_folder: Path | None = None) -> AsyncIterator[Relay]:
    """A relay in front of a proxy."""
    place = Proxy(proxy.type, "127.0.0.1", proxy.port)
    async with relaying(place, login_folder=login_folder, allowed=ALLOWED) as relay:
        assert relay is not None
        yield relay


async def connect(relay: Relay, name: str, port: int) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask as Chromium does; return the answer and the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(b"\x05\x01\x00")
    assert b"\x05\x00" == await reader.readexactly(2)
    writer.write(b"\x05\x01\x00" + address(name) + port.to_bytes(2, "big"))
    answer = await reader.readexactly(10)
    return answer[1], reader, writer


async def answer_for(relay: Relay, name: str, port: int) -> int:
    """Only what is answered."""
    code, _, writer = await connect(relay, name, port)
    writer.close()
    return code


@BOTH
@pytest.mark.parametrize("login", [None, LOGIN])
async def test_an_allowed_host_is_reached_by_its_name(
    kind: ProxyType, login: tuple[str, str] | None, host: int, folder: Path
) -> None:
    """The proxy is told the name and the login, and what is said passes both ways."""
    async with small_proxy(kind, login=login) as proxy, before(proxy, login_folder=login and folder) as relay:
        code, reader, writer = await connect(relay, "web.page.localhost", host)
        writer.write(b"hello")

        assert (0, b"HELLO") == (code, await reader.readexactly(5))
        assert [("web.page.localhost", host)] == proxy.asked
        assert relay.failure is None
        writer.close()


@pytest.mark.parametrize("name", ["evil.localhost", "localhost", "127.0.0.1", "127.0.0.2", "::1", "page.localhost."])
async def test_no_other_host_reaches_the_proxy(name: str, host: int) -> None:
    """Names and addresses alike; that is no fault of the proxy."""
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        assert 2 == await answer_for(relay, name, host)
        assert [] == proxy.asked
        assert relay.failure is None


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x04\x01\x01\xbb", b"\x05\x01\x02", b"\x05\x01\x00\x05\x02\x00\x01", b"\x05"]
)
async def test_whoever_speaks_otherwise_is_left(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another protocol, another method, another command, or half a greeting."""
    monkeypatch.setattr(relays, "GREETING_SECONDS", 0.05)
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(sent)
        with contextlib.suppress(ConnectionResetError):
            assert b"" == (await reader.read()).removeprefix(b"\x05\x00")

        assert [] == proxy.asked
        writer.close()


@BOTH
async def test_a_refused_login_is_named_and_a_corrected_one_is_taken(kind: ProxyType, host: int, folder: Path) -> None:
    """Read for each connection, so no new pod is needed; whoever waits is told that another try is worth it."""
    write_login(folder, "shop", "yesterday's")
    async with small_proxy(kind, login=LOGIN) as proxy, before(proxy, login_folder=folder) as relay:
        assert 1 == await answer_for(relay, "page.localhost", host)
        assert relay.failure is not None
        assert (Reason.PROXY_LOGIN_REFUSED, 1) == (relay.failure.reason, proxy.refused_logins)
        known = [relay.has_new_login()]

        write_login(folder, *LOGIN)
        known.append(relay.has_new_login())
        assert 0 == await answer_for(relay, "page.localhost", host)
        assert [False, True, False] == [*known, relay.has_new_login()]
        assert relay.failure is None


@pytest.mark.parametrize("content", [None, "", "x" * 256])
async def test_a_secret_without_a_login_is_named(content: str | None, folder: Path, host: int) -> None:
    """Absent, empty or too long; the proxy is not asked without it."""
    (folder / USERNAME).unlink()
    if content is not None:
        (folder / USERNAME).write_text(content)
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy, login_folder=folder) as relay:
        assert 1 == await answer_for(relay, "page.localhost", host)
        assert relay.failure is not None
        assert Reason.PROXY_LOGIN_MISSING == relay.failure.reason
        assert not relay.has_new_login()

        write_login(folder, "somebody\n", "\n")
        assert relay.has_new_login()
        assert 0 == await answer_for(relay, "page.localhost", host)


async def test_a_proxy_that_is_not_there_is_named_until_it_is(host: int) -> None:
    """Refused, then back on the same port."""
    async with small_proxy(ProxyType.SOCKS5) as proxy, before(proxy) as relay:
        await proxy.stop()
        assert 1 == await answer_for(relay, "page.localhost", host)
        assert relay.failure is not None
        assert Reason.PROXY_UNREACHABLE == relay.failure.reason
        assert (
            f"The proxy 127.0.0.1:{proxy.port} cannot be reached, it refuses the connection;" in relay.failure.message
        )

        await proxy.start()
        assert 0 == await answer_for(relay, "page.localhost", host)
        assert relay.failure is None


async def test_a_name_without_an_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy's own name is the one that is looked up here."""
    loop, looked_up = asyncio.get_running_loop(), list[str]()
    resolve = loop.getaddrinfo

    async def resolver(host: str, port: int, **options: Any) -> Any:
        if host != "proxy.invalid":
            return await resolve(host, port, **options)
        looked_up.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(loop, "getaddrinfo", resolver)
    place = Proxy(ProxyType.HTTP, "proxy.invalid", 3128)
    async with relaying(place, login_folder=None, allowed=ALLOWED) as relay:
        assert relay is not None
        assert 1 == await answer_for(relay, "page.localhost", 443)
        assert relay.failure is not None
        assert (Reason.PROXY_UNREACHABLE, True) == (relay.failure.reason, "has no address" in relay.failure.message)
    assert ["proxy.invalid"] == looked_up


async def test_a_proxy_that_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch, host: int) -> None:
    """After a bounded time."""
    monkeypatch.setattr(relays, "DIAL_SECONDS", 2.0)  # a busy machine may take a while to connect
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        proxy.is_mute = True
        assert 1 == await answer_for(relay, "page.localhost", host)

        assert relay.failure is not None
        assert Reason.PROXY_TIMED_OUT == relay.failure.reason
        assert "took the connection and does not answer" in relay.failure.message


@pytest.mark.parametrize(
    ("sent", "says"),
    [(b"", "closes the connection"), (b"HTTP", "closes the connection"), (b"x" * 200_000, "as one of type HTTP")],
)
async def test_what_is_no_proxy_is_named(sent: bytes, says: str) -> None:
    """It closes, or talks without end."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(OSError):
            writer.write(sent)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    place = Proxy(ProxyType.HTTP, "127.0.0.1", server.sockets[0].getsockname()[1])
    async with relaying(place, login_folder=None, allowed=ALLOWED) as relay:
        assert relay is not None
        assert 1 == await answer_for(relay, "page.localhost", 443)
        assert relay.failure is not None
        assert (Reason.PROXY_FAILED, True) == (relay.failure.reason, says in relay.failure.message)
    server.close()


@BOTH
async def test_a_host_that_the_proxy_refuses_is_named_until_it_passes(kind: ProxyType, host: int) -> None:
    """Another host's success says nothing of it, and the first of several stands."""
    async with small_proxy(kind) as proxy, before(proxy) as relay:
        proxy.forbidden, proxy.unreachable = {"a.page.localhost"}, {"b.page.localhost"}
        codes = [await answer_for(relay, f"{name}.page.localhost", host) for name in ("a", "b", "c")]
        assert [1, 1, 0] == codes
        assert relay.failure is not None
        assert (Reason.PROXY_REFUSED, "a.page.localhost") == (relay.failure.reason, relay.failure.host)

        proxy.forbidden = set()
        assert 0 == await answer_for(relay, "a.page.localhost", host)
        assert relay.failure is None


async def test_a_page_that_was_let_in_forgets_what_failed_beside_it(host: int) -> None:
    """And is told again should it fail once more."""
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        proxy.forbidden = {"media.page.localhost"}
        await answer_for(relay, "media.page.localhost", host)
        relay.let_in()
        assert relay.failure is None

        await answer_for(relay, "media.page.localhost", host)
        assert relay.failure is not None


async def test_the_end_of_either_side_ends_the_other(host: int) -> None:
    """Also when the proxy goes down: the page notices at once."""
    async with small_proxy(ProxyType.SOCKS5) as proxy, before(proxy) as relay:
        _, reader, writer = await connect(relay, "page.localhost", host)
        await proxy.stop()
        with contextlib.suppress(ConnectionResetError):
            assert b"" == await reader.read()
        writer.close()

        await proxy.start()
        _, _, writer = await connect(relay, "page.localhost", host)
        writer.close()
        await async_until("nothing is open", lambda: asyncio.sleep(0, len(proxy.connections)), lambda count: count == 0)


async def test_a_connection_over_which_nothing_goes_is_closed(monkeypatch: pytest.MonkeyPatch, host: int) -> None:
    """What is said in either direction keeps it open."""
    monkeypatch.setattr(relays, "IDLE_SECONDS", 2.0)
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        _, reader, writer = await connect(relay, "page.localhost", host)
        for _ in range(5):
            await asyncio.sleep(0.1)
            writer.write(b"x")
            assert b"X" == await reader.readexactly(1)

        with contextlib.suppress(ConnectionResetError):
            assert b"" == await reader.read()
        writer.close()


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch, host: int) -> None:
    """One more is refused; an end makes room."""
    monkeypatch.setattr(relays, "MAX_CONNECTIONS", 3)
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        writers = [(await connect(relay, "page.localhost", host))[2] for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        with contextlib.suppress(ConnectionResetError):
            assert b"" == await reader.read()

        for each in (*writers, writer):
            each.close()
        await async_until("there is room", lambda: asyncio.sleep(0, len(relay._connections)), lambda count: count == 0)
        assert 0 == await answer_for(relay, "page.localhost", host)


async def test_a_reader_that_does_not_read_is_not_read_ahead_of() -> None:
    """What waits for the browser is bounded: the proxy's side is not read until the browser reads."""

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(bytes(65536))
                await writer.drain()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with small_proxy(ProxyType.HTTP) as proxy, before(proxy) as relay:
        _, _, writer = await connect(relay, "page.localhost", server.sockets[0].getsockname()[1])
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        before_, passed = -1, 0
        while passed != before_:
            before_ = passed
            await asyncio.sleep(0.2)
            passed = proxy.bytes_passed

        assert passed < 32 << 20
        writer.transport.abort()
    server.close()


async def test_the_end_of_the_relay_ends_its_connections(host: int) -> None:
    """No task and no connection is left."""
    async with small_proxy(ProxyType.HTTP) as proxy:
        async with before(proxy) as relay:
            _, reader, writer = await connect(relay, "page.localhost", host)
        with contextlib.suppress(ConnectionResetError):
            assert b"" == await reader.read()

        assert set() == relay._connections
        writer.close()


async def test_where_there_is_no_proxy_there_is_no_relay() -> None:
    """The browser connects by itself."""
    async with relaying(None, login_folder=None, allowed=ALLOWED) as relay:
        assert relay is None
