"""What is said to a proxy until it has made a connection: HTTP's CONNECT (RFC 9110) and SOCKS5 (RFC 1928, 1929).

Pure: a dialog is a generator that yields what to send and how much to read, and gets what was read. The relay carries it
out. The host's name goes to the proxy as it is, so that the proxy resolves it and nobody here does.
"""

import base64
import ipaddress
import re
from collections.abc import Generator
from typing import Final, NamedTuple

from session_protocol.vocabulary import ProxyType

from session_runner.proxy.login import Login
from session_runner.states import proxy_failures
from session_runner.states.proxy_failures import Proxy, ProxyFailure

HEAD_END: Final = b"\r\n\r\n"
VERSION, CONNECT, SUCCEEDED, NOT_ALLOWED, FAILED = 5, 1, 0, 2, 1
NO_LOGIN, BY_PASSWORD, NO_METHOD = 0, 2, 255
IPV4, NAME, IPV6 = 1, 3, 4
""" SOCKS5's numbers: the version, a command, answers, methods, kinds of addresses. """
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r\n")
_ANSWERS: Final = {
    1: "general failure",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "its time ran out",
    7: "CONNECT not supported",
    8: "this kind of address not supported",
}


class Target(NamedTuple):
    """Where the browser wants to."""

    host: str
    port: int


class Ask(NamedTuple):
    """Something to send, and how much of the answer to read: so many bytes, or up to these."""

    send: bytes
    read: int | bytes


Dialog = Generator[Ask, bytes, None]


class ProxyRefusedError(Exception):
    """The proxy does not make the connection."""

    def __init__(self, failure: ProxyFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def dialog(proxy: Proxy, target: Target, login: Login | None) -> Dialog:
    """Return what to say; it ends when the connection is made. It raises ProxyRefusedError when it is not."""
    return (_http if proxy.type is ProxyType.HTTP else _socks5)(proxy, target, login)


def _http(proxy: Proxy, target: Target, login: Login | None) -> Dialog:
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
    if login is not None:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.username + b':' + login.password).decode()}")
    head = yield Ask("".join(f"{line}\r\n" for line in [*lines, ""]).encode(), HEAD_END)
    found = _STATUS.match(head)
    if found is None:
        raise ProxyRefusedError(proxy_failures.not_a_proxy(proxy))
    status = int(found[1])
    if status == 407:
        raise ProxyRefusedError(proxy_failures.login_refused(proxy, is_given=login is not None))
    if not 200 <= status < 300:
        because = proxy_failures.failed if status >= 500 else proxy_failures.refused
        raise ProxyRefusedError(because(proxy, host=target.host, answer=f"HTTP {status}"))


def _socks5(proxy: Proxy, target: Target, login: Login | None) -> Dialog:
    methods = bytes([NO_LOGIN] if login is None else [NO_LOGIN, BY_PASSWORD])
    version, method = yield Ask(bytes([VERSION, len(methods)]) + methods, 2)
    if version != VERSION or method not in (*methods, NO_METHOD):
        raise ProxyRefusedError(proxy_failures.not_a_proxy(proxy))
    if method == NO_METHOD:
        raise ProxyRefusedError(proxy_failures.login_refused(proxy, is_given=login is not None))
    if method == BY_PASSWORD and login is not None:
        _, status = yield Ask(b"\x01" + _counted(login.username) + _counted(login.password), 2)
        if status != SUCCEEDED:
            raise ProxyRefusedError(proxy_failures.login_refused(proxy, is_given=True))
    version, answer, _, kind = yield Ask(
        bytes([VERSION, CONNECT, 0]) + address(target.host) + target.port.to_bytes(2, "big"), 4
    )
    if version != VERSION:
        raise ProxyRefusedError(proxy_failures.not_a_proxy(proxy))
    if answer == NOT_ALLOWED:
        raise ProxyRefusedError(proxy_failures.refused(proxy, host=target.host, answer="not allowed by its rules"))
    if answer != SUCCEEDED:
        meaning = f"SOCKS5: {_ANSWERS.get(answer, f'answer {answer}')}"
        raise ProxyRefusedError(proxy_failures.failed(proxy, host=target.host, answer=meaning))
    length = {IPV4: 4, IPV6: 16}.get(kind)
    if length is None:
        if kind != NAME:
            raise ProxyRefusedError(proxy_failures.not_a_proxy(proxy))
        (length,) = yield Ask(b"", 1)
    yield Ask(b"", length + 2)  # the address from which the proxy connects, and its port


def address(host: str) -> bytes:
    """Return a host as SOCKS5 writes it."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return bytes([NAME]) + _counted(host.encode())
    return bytes([IPV4 if parsed.version == 4 else IPV6]) + parsed.packed


def _counted(text: bytes) -> bytes:
    return bytes([len(text)]) + text
