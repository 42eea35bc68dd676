"""The relay: a SOCKS5 server on the pod's loopback that passes the browser's connections on to the session's proxy.

`session` starts it before the browser, which is given its port as its only proxy. It is there for three things that the
browser cannot do: it adds the login (Chromium knows none for SOCKS5, and here the browser never sees it), it lets the
allowed hosts through and nothing else (behind a proxy the browser asks no resolver, so the browser's own rule would not
be asked either), and it tells what is wrong between it and the proxy, which the browser does not.

A failure of the proxy stands until a connection shows that it is over, or the page was let in. It ends nothing: the
browser gets an error and tries again when it likes.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from session_protocol.hosts import AllowedHosts

from session_runner.proxy import dialogs
from session_runner.proxy.dialogs import Dialog, ProxyRefusedError, Target
from session_runner.proxy.login import Login, NoLoginError, read_login
from session_runner.states import proxy_failures
from session_runner.states.proxy_failures import Proxy, ProxyFailure

logger = logging.getLogger(__name__)

ADDRESS: Final = "127.0.0.1"
MAX_CONNECTIONS: Final = 128
""" At once. Chromium makes at most 32 to a proxy, and as many for WebSockets. """
BUFFER: Final = 32 << 10
""" Bytes that are read ahead of whoever is to get them, in each direction. """
GREETING_SECONDS: Final = 10.0
""" For the browser to say where it wants to. """
DIAL_SECONDS: Final = 12.0
""" For the proxy to make a connection; shorter than what the page waits before it says that nothing answers. """
IDLE_SECONDS: Final = 900.0
""" A connection over which nothing goes for so long is closed. WhatsApp's own says something twice a minute. """
_KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
)
""" Seconds, but for the last, milliseconds: a proxy that is gone without a word is noticed within a minute. """
_BOUND: Final = bytes([dialogs.IPV4, 0, 0, 0, 0, 0, 0])
""" The address in each of our answers, which the browser does not look at. """


@dataclass
class Stream:
    """Both halves of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(kw_only=True)
class Relay:
    """What runs, and what is known of the proxy."""

    proxy: Proxy
    login_folder: Path | None
    """ Where the login's files are; None: the proxy gets no login. """
    allowed: AllowedHosts
    port: int = 0
    """ The relay's own. """
    failure: ProxyFailure | None = None
    """ What is wrong with the proxy, as the last connections showed it. """
    _tried: Login | None = None
    """ The login of the last connection. """
    _logged: ProxyFailure | None = None
    """ The failure that the log tells of, until it is over. """
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    def let_in(self) -> None:
        """Forget a failure: the page has the connection that matters, and what failed beside it keeps nobody out."""
        self.failure = None

    def has_new_login(self) -> bool:
        """Whether what failed may go well now: the login is another one than what was last tried."""
        if self.failure is None or self.login_folder is None:
            return False
        try:
            return read_login(self.login_folder) != self._tried
        except NoLoginError:
            return False

    def _failed(self, failure: ProxyFailure) -> None:
        if failure.host is not None and self.failure is not None and self.failure.host is not None:
            return  # the first of several hosts is what the page began with
        self.failure = failure
        if failure != self._logged:
            self._logged = failure
            logger.warning(
                "A connection through the proxy failed", extra={"reason": failure.reason, "why": failure.message}
            )

    def _passed(self, host: str) -> None:
        if self.failure is not None and self.failure.host in (None, host):
            self.failure = None
        if self._logged is not None and self._logged.host in (None, host):
            self._logged = None
            logger.info("Connections through the proxy go well again")

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection of the browser."""
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(Stream(reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _: writer.close())  # also of one that was ended before it began

    async def close(self) -> None:
        """End all connections."""
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, browser: Stream) -> None:
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                target = await _greet(browser)
            if target is None:
                return
            if not self.allowed.allows(target.host):
                _answer(browser, dialogs.NOT_ALLOWED)
                return
            try:
                far = await self._dial(target)
            except ProxyRefusedError as error:
                # Before the answer, so that it is known when the browser says that it failed.
                self._failed(error.failure)
                _answer(browser, dialogs.FAILED)
                return
            self._passed(target.host)
            try:
                _answer(browser, dialogs.SUCCEEDED)
                await _join(browser, far)
            finally:
                far.writer.close()
        except (OSError, TimeoutError, EOFError):  # the browser is gone, or nothing was said for long
            browser.writer.transport.abort()

    async def _dial(self, target: Target) -> Stream:
        """Return a connection to the host, made by the proxy. :raises ProxyRefusedError: it makes none."""
        self._tried = None
        try:
            login = self._tried = None if self.login_folder is None else read_login(self.login_folder)
        except NoLoginError:
            raise ProxyRefusedError(proxy_failures.login_missing(self.proxy)) from None
        far: Stream | None = None
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                far = await _connect(self.proxy)
                await _converse(far, dialogs.dialog(self.proxy, target, login))
        except BaseException as error:
            if far is not None:
                far.writer.transport.abort()
            if (failure := _failure_of(error, self.proxy, is_connected=far is not None)) is None:
                raise
            raise ProxyRefusedError(failure) from error
        return far


@contextlib.asynccontextmanager
async def relaying(
    proxy: Proxy | None, *, login_folder: Path | None, allowed: AllowedHosts
) -> AsyncIterator[Relay | None]:
    """Run the relay for a session's proxy until the block ends; None where there is no proxy."""
    if proxy is None:
        yield None
        return
    relay = Relay(proxy=proxy, login_folder=login_folder, allowed=allowed)
    server = await asyncio.start_server(relay.accept, ADDRESS, 0, limit=BUFFER)
    relay.port = server.sockets[0].getsockname()[1]
    logger.info("The relay to the proxy serves", extra={"port": relay.port})
    try:
        yield relay
    finally:
        server.close()
        await relay.close()


async def _greet(browser: Stream) -> Target | None:
    """Return where the browser wants to; None: it speaks another protocol, or asks for something else."""
    version, count = await browser.reader.readexactly(2)
    if version != dialogs.VERSION or dialogs.NO_LOGIN not in await browser.reader.readexactly(count):
        return None
    browser.writer.write(bytes([dialogs.VERSION, dialogs.NO_LOGIN]))
    version, command, _, kind = await browser.reader.readexactly(4)
    if (version, command) != (dialogs.VERSION, dialogs.CONNECT):
        return None
    if kind == dialogs.NAME:
        (length,) = await browser.reader.readexactly(1)
        host = (await browser.reader.readexactly(length)).decode("ascii", errors="replace")
    elif kind in (dialogs.IPV4, dialogs.IPV6):
        family, length = (socket.AF_INET, 4) if kind == dialogs.IPV4 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, await browser.reader.readexactly(length))
    else:
        return None
    return Target(host, int.from_bytes(await browser.reader.readexactly(2), "big"))


def _answer(browser: Stream, code: int) -> None:
    browser.writer.write(bytes([dialogs.VERSION, code, 0]) + _BOUND)


async def _connect(proxy: Proxy) -> Stream:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=BUFFER, happy_eyeballs_delay=0.25)
    made: socket.socket = writer.get_extra_info("socket")
    for level, option, value in _KEEPALIVE:
        made.setsockopt(level, option, value)
    return Stream(reader, writer)


async def _converse(far: Stream, dialog: Dialog) -> None:
    ask = next(dialog)
    while True:
        far.writer.write(ask.send)
        read = far.reader.readuntil(ask.read) if isinstance(ask.read, bytes) else far.reader.readexactly(ask.read)
        try:
            ask = dialog.send(await read)
        except StopIteration:
            return


def _failure_of(error: BaseException, proxy: Proxy, *, is_connected: bool) -> ProxyFailure | None:
    """Return what an error of the exchange means; None: it is none of the proxy's."""
    match error:
        case ProxyRefusedError():
            return error.failure
        case TimeoutError():
            return proxy_failures.timed_out(proxy, seconds=DIAL_SECONDS, is_connected=is_connected)
        case asyncio.LimitOverrunError():
            return proxy_failures.not_a_proxy(proxy)
        case OSError() if not is_connected:
            return proxy_failures.unreachable(proxy, why=_why(error))
        case OSError() | EOFError():
            return proxy_failures.broke_off(proxy)
        case _:
            return None


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its name has no address"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection"
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
        return "there is no route to it"
    return "no connection can be made"


async def _join(browser: Stream, far: Stream) -> None:
    """Pass on what each side says until one of them ends. :raises TimeoutError: neither has said anything for long."""
    async with asyncio.timeout(IDLE_SECONDS) as idle:
        ways = [asyncio.create_task(_copy(*way, idle)) for way in ((browser, far), (far, browser))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _copy(source: Stream, sink: Stream, idle: asyncio.Timeout) -> None:
    loop = asyncio.get_running_loop()
    while data := await source.reader.read(BUFFER):
        idle.reschedule(loop.time() + IDLE_SECONDS)
        sink.writer.write(data)
        await sink.writer.drain()
