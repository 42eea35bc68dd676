"""Servers on loopback that stand for the rest of the world, and the ways in which a page may try to reach them.

`test_hosts` opens a browser with the runner's own flags on a page of an allowed host and tries every way; what arrives
here has got out. Each way marks what it sends with its own name: an HTTP path, or a port of its own for UDP and for
connections that carry no path.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

PAGE_HOST = "page.localhost"
NEVER = "not-allowed.localhost"

_WORKER = "onmessage = async e => { try { await fetch(e.data, {mode: 'no-cors'}) } catch {} postMessage('tried') }"
_SHARED = "onconnect = c => c.ports[0].onmessage = async e => { try { await fetch(e.data, {mode: 'no-cors'}) } catch {} c.ports[0].postMessage('tried') }"
_SERVICE = """
self.addEventListener('message', e => e.waitUntil((async () => {
  try { await fetch(e.data, {mode: 'no-cors'}) } catch {}
  e.source.postMessage('tried');
})()));
self.addEventListener('activate', e => e.waitUntil(clients.claim()));
"""
_SCRIPTS = {"/worker.js": _WORKER, "/shared.js": _SHARED, "/service.js": _SERVICE}


class Attempt(NamedTuple):
    """One way out: JavaScript that takes an address and resolves when it has been tried, and where it goes."""

    name: str
    script: str
    address: "Callable[[OutsideServers, str], str]"
    """ From the servers and the attempt's name. """


FETCH = "u => fetch(u, {mode: 'no-cors'}).then(() => 'sent', () => 'refused')"
SOCKET = "u => new Promise(r => { const s = new WebSocket(u); s.onopen = s.onerror = () => r('tried') })"
FRAME = "u => new Promise(r => { const f = document.createElement('iframe'); f.onload = r; f.src = u; document.body.append(f) })"
IMAGE = "u => new Promise(r => { const i = new Image(); i.onload = i.onerror = () => r('tried'); i.src = u })"
BEACON = "u => navigator.sendBeacon(u, 'x')"
WORKER = (
    "u => new Promise(r => { const w = new Worker('/worker.js'); w.onmessage = () => r('tried'); w.postMessage(u) })"
)
SHARED = "u => new Promise(r => { const w = new SharedWorker('/shared.js').port; w.onmessage = () => r('tried'); w.postMessage(u) })"
SERVICE = """async u => {
  await navigator.serviceWorker.register('/service.js');
  const ready = await navigator.serviceWorker.ready;
  const answer = new Promise(r => { navigator.serviceWorker.onmessage = () => r('tried') });
  ready.active.postMessage(u);
  return await answer;
}"""
ICE = """async u => {
  const peer = new RTCPeerConnection({iceServers: [{urls: u, username: 'u', credential: 'c'}]});
  peer.createDataChannel('x');
  const done = new Promise(r => { peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && r() });
  await peer.setLocalDescription(await peer.createOffer());
  await Promise.race([done, new Promise(r => setTimeout(r, 4000))]);
  peer.close();
}"""
LOOK_AHEAD = """host => {
  const link = document.createElement('link');
  link.rel = 'dns-prefetch';
  link.href = `http://${host}/`;
  document.head.append(link);
}"""
CANDIDATES = """async u => {
  const peer = new RTCPeerConnection({iceServers: [{urls: u}]}), found = [];
  peer.createDataChannel('x');
  peer.onicecandidate = e => e.candidate && e.candidate.candidate && found.push(e.candidate.candidate);
  const done = new Promise(r => { peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && r() });
  await peer.setLocalDescription(await peer.createOffer());
  await Promise.race([done, new Promise(r => setTimeout(r, 4000))]);
  peer.close();
  return found;
}"""
TRANSPORT = "async u => { try { await Promise.race([new WebTransport(u).ready, new Promise(r => setTimeout(r, 3000))]) } catch {} }"


@dataclass
class OutsideServers:
    """What runs, and what has arrived."""

    port: int
    """ HTTP, on every address of loopback. """
    seen: set[str] = field(default_factory=set)
    languages: set[str] = field(default_factory=set)
    """ What the requests for pages preferred. """
    ports: dict[str, int] = field(default_factory=dict)
    """ Of the attempts that need one of their own. """

    def http(self, host: str, name: str, scheme: str = "http") -> str:
        """An address that bears the attempt's name as its path."""
        return f"{scheme}://{host}:{self.port}/{name}"

    def redirect(self, host: str, name: str) -> str:
        """An address of the allowed host that sends the browser on to another one."""
        return f"http://{PAGE_HOST}:{self.port}/redirect?to={self.http(host, name)}"


def _to(host: str, scheme: str = "http") -> Callable[[OutsideServers, str], str]:
    return lambda outside_servers, name: outside_servers.http(host, name, scheme)


def _by_port(form: str) -> Callable[[OutsideServers, str], str]:
    return lambda outside_servers, name: form.format(port=outside_servers.ports[name])


ATTEMPTS = (
    Attempt("fetch-v4", FETCH, _to("127.0.0.2")),
    Attempt("fetch-v6", FETCH, _to("[::1]")),
    Attempt("fetch-v4-in-v6", FETCH, _to("[::ffff:127.0.0.2]")),
    Attempt("fetch-v4-as-number", FETCH, _to("2130706434")),
    Attempt("fetch-name", FETCH, _to(NEVER)),
    Attempt("redirect-v4", FETCH, lambda outside_servers, name: outside_servers.redirect("127.0.0.2", name)),
    Attempt("redirect-v6", FETCH, lambda outside_servers, name: outside_servers.redirect("[::1]", name)),
    Attempt("redirect-name", FETCH, lambda outside_servers, name: outside_servers.redirect(NEVER, name)),
    Attempt("websocket-v4", SOCKET, _to("127.0.0.2", "ws")),
    Attempt("websocket-v6", SOCKET, _to("[::1]", "ws")),
    Attempt("websocket-name", SOCKET, _to(NEVER, "ws")),
    Attempt("frame", FRAME, _to("127.0.0.2")),
    Attempt("image", IMAGE, _to("127.0.0.2")),
    Attempt("beacon", BEACON, _to("127.0.0.2")),
    Attempt("worker", WORKER, _to("127.0.0.2")),
    Attempt("shared-worker", SHARED, _to("127.0.0.2")),
    Attempt("service-worker-v4", SERVICE, _to("127.0.0.2")),
    Attempt("service-worker-name", SERVICE, _to(NEVER)),
    Attempt("stun-udp-v4", ICE, _by_port("stun:127.0.0.1:{port}")),
    Attempt("stun-udp-name", ICE, _by_port(f"stun:{NEVER}:{{port}}")),
    Attempt("turn-udp-v4", ICE, _by_port("turn:127.0.0.1:{port}?transport=udp")),
    Attempt("turn-tcp-v4", ICE, _by_port("turn:127.0.0.1:{port}?transport=tcp")),
    Attempt("turns-tcp-v4", ICE, _by_port("turns:127.0.0.1:{port}?transport=tcp")),
    Attempt("webtransport-v4", TRANSPORT, _by_port("https://127.0.0.1:{port}/")),
)
SERVICE_WORKERS = frozenset({"service-worker-v4", "service-worker-name"})
UNCOUNTED = frozenset(
    {"shared-worker", "stun-udp-v4", "stun-udp-name", "turn-udp-v4", "turn-tcp-v4", "turns-tcp-v4", "webtransport-v4"}
)
""" Refused like the others, but the browser reports no request, so nothing can count them. """
_UDP = ("stun-udp-v4", "stun-udp-name", "turn-udp-v4", "webtransport-v4")
_TCP = ("turn-tcp-v4", "turns-tcp-v4")


ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "::1")


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, name: str, seen: set[str]) -> None:
        self._name, self._seen = name, seen

    def datagram_received(self, _data: bytes, _address: object) -> None:
        self._seen.add(self._name)


async def _listen_for_datagrams(name: str, seen: set[str]) -> asyncio.DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(name, seen), local_addr=("127.0.0.1", 0)
    )
    return transport


async def _listen_for_connections(name: str, seen: set[str]) -> asyncio.Server:
    def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.add(name)
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0)


def _website(servers: OutsideServers) -> web.Application:
    async def answer(request: web.Request) -> web.StreamResponse:
        name = request.path.removeprefix("/")
        if name == "redirect":
            raise web.HTTPFound(request.query["to"])
        if request.path in _SCRIPTS:
            return web.Response(text=_SCRIPTS[request.path], content_type="text/javascript")
        servers.seen.add(name)
        servers.languages.add(request.headers.get("Accept-Language", ""))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            answered = web.WebSocketResponse()
            await answered.prepare(request)
            await answered.close()
            return answered
        return web.Response(text="<!doctype html><body>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{name:.*}", answer)
    return app


def _sockets() -> list[socket.socket]:
    """One port on all of the addresses; which one is left to the kernel, so another one is tried if it is taken."""
    for _ in range(20):
        with contextlib.ExitStack() as stack:
            made: list[socket.socket] = []
            with contextlib.suppress(OSError):
                for address in ADDRESSES:
                    port = made[0].getsockname()[1] if made else 0
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    made.append(stack.enter_context(socket.create_server((address, port), family=family)))
                stack.pop_all()
                return made
    raise OSError("no port is free on all loopback addresses, IPv6 included")


@contextlib.asynccontextmanager
async def outside_servers() -> AsyncIterator[OutsideServers]:
    """Serve, until the block ends."""
    sockets = _sockets()
    servers = OutsideServers(port=sockets[0].getsockname()[1])
    runner = web.AppRunner(_website(servers))
    await runner.setup()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        for made in sockets:
            await web.SockSite(runner, made).start()
        for name in _UDP:
            transport = await _listen_for_datagrams(name, servers.seen)
            stack.callback(transport.close)
            servers.ports[name] = transport.get_extra_info("sockname")[1]
        for name in _TCP:
            server = await _listen_for_connections(name, servers.seen)
            stack.callback(server.close)
            servers.ports[name] = server.sockets[0].getsockname()[1]
        yield servers
