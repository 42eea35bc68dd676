"""Why the session's proxy does not let a connection through, as a reason and in words for people.

The relay (`session_runner.proxy`) makes one of these of whatever goes wrong between it and the proxy; the state
ProxyError shows it. The words are ours, with the hosts and the proxy's status as a number: nothing that the proxy says,
and nothing of the login, so that there is nothing to remove from them later.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from session_protocol.redaction import redact
from session_protocol.vocabulary import ProxyType
from session_protocol.vocabulary import StateReason as Reason

_AGAIN: Final = "It is tried again, at least once a minute."
_SECRET: Final = "the Secret of spec.proxy.loginSecretRef"  # noqa: S105 -- what holds it, not the secret
_WAY: Final = "check spec.proxy, that the proxy runs, and that NetworkPolicies let the pod reach it"


class Proxy(NamedTuple):
    """Where the proxy is."""

    type: ProxyType
    host: str
    port: int


class ProxyFailure(NamedTuple):
    """One cause; two of the same cause are equal."""

    reason: Reason
    message: str
    host: str | None = None
    """ The one host that it is about; None: the proxy lets nothing through. """


def unreachable(proxy: Proxy, *, why: str) -> ProxyFailure:
    """Return the failure of a connection to the proxy; `why` is a clause of ours."""
    return _failure(Reason.PROXY_UNREACHABLE, proxy, f"cannot be reached, {why}", _WAY)


def timed_out(proxy: Proxy, *, seconds: float, is_connected: bool) -> ProxyFailure:
    """Return the failure of a proxy that takes too long, to take the connection or to answer on it."""
    what = "took the connection and does not answer" if is_connected else "does not take the connection"
    return _failure(Reason.PROXY_TIMED_OUT, proxy, f"{what} within {seconds:g} s", _WAY)


def login_missing(proxy: Proxy) -> ProxyFailure:
    """Return the failure of a login that cannot be read."""
    wanted = "it must have the keys username and password, each with at most 255 bytes"
    return _failure(Reason.PROXY_LOGIN_MISSING, proxy, f"gets no login, {_SECRET} has none", wanted)


def login_refused(proxy: Proxy, *, is_given: bool) -> ProxyFailure:
    """Return the failure of a login that the proxy does not take, or of none where it wants one."""
    if is_given:
        clause, check = "refuses the login", f"correct {_SECRET}: the running pod reads it within two minutes"
    else:
        clause, check = "asks for a login", "put username and password into a Secret and name it in loginSecretRef"
    return _failure(Reason.PROXY_LOGIN_REFUSED, proxy, clause, check)


def refused(proxy: Proxy, *, host: str, answer: str) -> ProxyFailure:
    """Return the failure of a host that the proxy forbids; `answer` is its status in words of ours."""
    clause = f"does not let the session through to {_named(host)} ({answer})"
    return _failure(Reason.PROXY_REFUSED, proxy, clause, "allow the hosts of WhatsApp Web there", host=host)


def failed(proxy: Proxy, *, host: str, answer: str) -> ProxyFailure:
    """Return the failure of a proxy that cannot reach the host itself."""
    clause = f"cannot reach {_named(host)} itself ({answer})"
    return _failure(Reason.PROXY_FAILED, proxy, clause, "check the proxy's own network and DNS", host=host)


def broke_off(proxy: Proxy) -> ProxyFailure:
    """Return the failure of a proxy that closes the connection in the middle of the exchange."""
    check = "check the proxy's log, and spec.proxy.type and port"
    return _failure(Reason.PROXY_FAILED, proxy, "closes the connection instead of answering", check)


def not_a_proxy(proxy: Proxy) -> ProxyFailure:
    """Return the failure of something that answers in another protocol."""
    return _failure(
        Reason.PROXY_FAILED, proxy, f"does not answer as one of type {proxy.type}", "check spec.proxy.type and port"
    )


def _failure(reason: Reason, proxy: Proxy, clause: str, check: str, *, host: str | None = None) -> ProxyFailure:
    return ProxyFailure(reason, f"The proxy{_place(proxy)} {clause}; {check}. {_AGAIN}", host)


def _place(proxy: Proxy) -> str:
    """Return the proxy's host and port as they may be shown; a host that looks like a number or a secret is left out."""
    bracketed = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    text = f"{bracketed}:{proxy.port}"
    return f" {text}" if redact(text) == text else ""


@lru_cache(maxsize=64)
def _named(host: str) -> str:
    return host if redact(host) == host else "a host of the page"
