"""What is said to a proxy, byte by byte, and what each answer means. Pure."""

import base64

import pytest
from session_protocol.redaction import redact
from session_protocol.vocabulary import ProxyType
from session_protocol.vocabulary import StateReason as Reason
from session_runner.proxy.dialogs import HEAD_END, Ask, ProxyRefusedError, Target, address, dialog
from session_runner.proxy.login import Login
from session_runner.states.proxy_failures import Proxy, ProxyFailure

HTTP = Proxy(ProxyType.HTTP, "proxy.example.com", 3128)
SOCKS5 = Proxy(ProxyType.SOCKS5, "proxy.example.com", 1080)
PAGE = Target("web.whatsapp.com", 443)
LOGIN = Login(b"shop", b"correct horse: battery")
MADE = [b"\x05\x00\x00\x01", bytes(6)]
""" What a SOCKS5 proxy says of a connection that it has made. """


def asked(proxy: Proxy, *answers: bytes, login: Login | None = None, target: Target = PAGE) -> list[Ask]:
    """What is asked when these are the answers, which must make the connection."""
    talk = dialog(proxy, target, login)
    asks = [next(talk), *(talk.send(answer) for answer in answers[:-1])]
    with pytest.raises(StopIteration):
        talk.send(answers[-1])
    return asks


def failure(proxy: Proxy, *answers: bytes, login: Login | None = None) -> ProxyFailure:
    """What is made of these answers."""
    talk = dialog(proxy, PAGE, login)
    next(talk)
    for answer in answers[:-1]:
        talk.send(answer)
    with pytest.raises(ProxyRefusedError) as caught:
        talk.send(answers[-1])
    return caught.value.failure


def test_http_is_asked_by_connect() -> None:
    """Name and port, without a login when there is none; anything the proxy adds to its answer is left unread."""
    [ask] = asked(HTTP, b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")

    assert ask == Ask(b"CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\n\r\n", HEAD_END)


def test_http_gets_the_login() -> None:
    """In the Basic scheme, UTF-8 and colons included."""
    [ask] = asked(HTTP, b"HTTP/1.0 200\r\n\r\n", login=Login("shöp".encode(), b"a:b"))

    assert f"\r\nProxy-Authorization: Basic {base64.b64encode('shöp:a:b'.encode()).decode()}\r\n".encode() in ask.send


def test_an_ipv6_address_is_bracketed() -> None:
    """As an address is written beside a port."""
    [ask] = asked(HTTP, b"HTTP/1.1 200 OK\r\n\r\n", target=Target("fd00::1", 443))

    assert ask.send.startswith(b"CONNECT [fd00::1]:443 HTTP/1.1\r\nHost: [fd00::1]:443\r\n")


def test_socks5_gets_the_name() -> None:
    """It resolves the name itself; it is offered no login where there is none."""
    asks = asked(SOCKS5, b"\x05\x00", *MADE)

    assert asks == [
        Ask(b"\x05\x01\x00", 2),
        Ask(b"\x05\x01\x00\x03\x10web.whatsapp.com\x01\xbb", 4),
        Ask(b"", 6),
    ]


def test_socks5_gets_the_login_when_it_asks() -> None:
    """Name and password, each with its length; one that asks for none gets none."""
    asks = asked(SOCKS5, b"\x05\x02", b"\x01\x00", *MADE, login=LOGIN)

    assert [Ask(b"\x05\x02\x00\x02", 2), Ask(b"\x01\x04shop\x16correct horse: battery", 2)] == asks[:2]
    assert len(asked(SOCKS5, b"\x05\x00", *MADE, login=LOGIN)) == 3


@pytest.mark.parametrize(
    ("answers", "reads"),
    [([b"\x05\x00\x00\x04", bytes(18)], [18]), ([b"\x05\x00\x00\x03", b"\x05", bytes(7)], [1, 7])],
)
def test_each_kind_of_bound_address_is_read(answers: list[bytes], reads: list[int]) -> None:
    """All of the answer, so that nothing of it is taken for the host's."""
    assert reads == [ask.read for ask in asked(SOCKS5, b"\x05\x00", *answers)][2:]


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("10.0.0.1", b"\x01\x0a\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("web.whatsapp.com", b"\x03\x10web.whatsapp.com"),
    ],
)
def test_a_host_is_written_as_what_it_is(host: str, written: bytes) -> None:
    """Addresses in their own form."""
    assert written == address(host)


@pytest.mark.parametrize(
    ("status", "login", "reason", "says"),
    [
        ("407 Authentication Required", LOGIN, Reason.PROXY_LOGIN_REFUSED, "refuses the login"),
        ("407 Authentication Required", None, Reason.PROXY_LOGIN_REFUSED, "asks for a login"),
        ("403 Forbidden", None, Reason.PROXY_REFUSED, "to web.whatsapp.com (HTTP 403)"),
        ("301 Moved", None, Reason.PROXY_REFUSED, "(HTTP 301)"),
        ("503 Service Unavailable", LOGIN, Reason.PROXY_FAILED, "cannot reach web.whatsapp.com itself (HTTP 503)"),
    ],
)
def test_a_status_is_a_cause(status: str, login: Login | None, reason: Reason, says: str) -> None:
    """Each with what to do, and the proxy by its name."""
    found = failure(HTTP, f"HTTP/1.1 {status}\r\n\r\n".encode(), login=login)

    assert reason == found.reason
    assert says in found.message
    assert found.message.startswith("The proxy proxy.example.com:3128 ")


@pytest.mark.parametrize(
    ("answers", "login", "reason", "says"),
    [
        ([b"\x05\xff"], None, Reason.PROXY_LOGIN_REFUSED, "asks for a login"),
        ([b"\x05\xff"], LOGIN, Reason.PROXY_LOGIN_REFUSED, "refuses the login"),
        ([b"\x05\x02", b"\x01\x01"], LOGIN, Reason.PROXY_LOGIN_REFUSED, "refuses the login"),
        ([b"\x05\x00", b"\x05\x02\x00\x01"], None, Reason.PROXY_REFUSED, "not allowed by its rules"),
        ([b"\x05\x00", b"\x05\x04\x00\x01"], None, Reason.PROXY_FAILED, "SOCKS5: host unreachable"),
        ([b"\x05\x00", b"\x05\x63\x00\x01"], None, Reason.PROXY_FAILED, "SOCKS5: answer 99"),
    ],
)
def test_an_answer_of_socks5_is_a_cause(answers: list[bytes], login: Login | None, reason: Reason, says: str) -> None:
    """Each with what to do."""
    found = failure(SOCKS5, *answers, login=login)

    assert reason == found.reason
    assert says in found.message


@pytest.mark.parametrize(
    ("proxy", "answers"),
    [
        (HTTP, [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"]),
        (HTTP, [b"HTTP/2 200\r\n\r\n"]),
        (SOCKS5, [b"HT"]),
        (SOCKS5, [b"\x05\x02"]),
        (SOCKS5, [b"\x05\x00", b"\x04\x00\x00\x01"]),
        (SOCKS5, [b"\x05\x00", b"\x05\x00\x00\x09"]),
    ],
)
def test_another_protocol_is_no_proxy_of_this_type(proxy: Proxy, answers: list[bytes]) -> None:
    """Also one that chooses a method that it was not offered, or an address of no known kind."""
    found = failure(proxy, *answers)

    assert Reason.PROXY_FAILED == found.reason
    assert f"does not answer as one of type {proxy.type}" in found.message


def test_only_a_cause_of_one_host_names_it() -> None:
    """What keeps every host out is over with any connection that goes well."""
    assert "web.whatsapp.com" == failure(HTTP, b"HTTP/1.1 403 Forbidden\r\n\r\n").host
    assert failure(HTTP, b"HTTP/1.1 407 Login\r\n\r\n").host is None


@pytest.mark.parametrize("host", ["customer-4917012345678.example.com", "10.0.0.1", "fd00::1", "proxy.example.com"])
def test_a_message_needs_no_redaction(host: str) -> None:
    """A proxy whose name may be somebody's number is not named; an address is."""
    found = failure(Proxy(ProxyType.HTTP, host, 3128), b"HTTP/1.1 407 Login\r\n\r\n")

    assert found.message == redact(found.message)
    assert "4917012345678" not in found.message


def test_a_login_is_never_shown() -> None:
    """Neither by itself nor in what holds it."""
    assert "correct" not in repr(LOGIN)
    assert "shop" not in repr([LOGIN])
