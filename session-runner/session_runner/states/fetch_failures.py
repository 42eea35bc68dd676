"""Why the page, or a script of it, could not be fetched, as a reason and in words for people.

`page.browser` and the monitor call this with what they have: the browser's own error, an HTTP status, or what came
instead of the page. The words are put together from ours, the host and the browser's error code, never from foreign
text, so that nothing has to be removed from them later. The message is the same for the same cause: it is part of the
published state, whose every change is written somewhere.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from session_protocol.redaction import redact
from session_protocol.vocabulary import StateReason as Reason

PAGE, SCRIPT = "The page", "A script of the page"
""" What could not be fetched. """
_AGAIN: Final = "It is tried again, at least once a minute."
_CODE = re.compile(r"net::(ERR_[A-Z0-9_]{1,60})(?![A-Za-z0-9_])")
_CHECK_DNS: Final = "check the cluster's DNS and WHATSAPP_WEB_URL"
_CHECK_WAY: Final = "check the network, NetworkPolicies and WHATSAPP_WEB_URL"


class FetchFailure(NamedTuple):
    """One cause; two of the same cause are equal."""

    reason: Reason
    message: str

    @property
    def is_answer(self) -> bool:
        """Whether something answered, and wrongly: what the browser keeps of it must not be taken for the page later."""
        return self.reason in _ANSWERS


_ANSWERS: Final = frozenset(
    {Reason.HTTP_ERROR, Reason.REDIRECTED, Reason.INVALID_RESPONSE, Reason.NOT_THE_PAGE, Reason.PROXY_REFUSED}
)


class _Cause(NamedTuple):
    reason: Reason
    what: str
    """ A clause with the host at `{host}`. """
    check: str


_ERRORS: Final[dict[str, _Cause]] = {
    # The first prefix that fits counts, so what is special comes before what is general.
    "DNS_TIMED_OUT": _Cause(Reason.NAME_NOT_RESOLVED, "DNS does not answer for {host}", _CHECK_DNS),
    "NAME_NOT_RESOLVED": _Cause(
        Reason.NAME_NOT_RESOLVED, "the name {host} has no address, DNS does not know it or does not answer", _CHECK_DNS
    ),
    "NAME_RESOLUTION_FAILED": _Cause(
        Reason.NAME_NOT_RESOLVED, "the name {host} has no address, DNS does not know it or does not answer", _CHECK_DNS
    ),
    "DNS_": _Cause(Reason.NAME_NOT_RESOLVED, "the name {host} has no address, DNS fails", _CHECK_DNS),
    "INTERNET_DISCONNECTED": _Cause(Reason.NETWORK_UNREACHABLE, "there is no network to reach {host}", _CHECK_WAY),
    "NETWORK_CHANGED": _Cause(
        Reason.NETWORK_UNREACHABLE, "the network changed during the request to {host}", _CHECK_WAY
    ),
    "NETWORK_": _Cause(Reason.NETWORK_UNREACHABLE, "there is no network to reach {host}", _CHECK_WAY),
    "ADDRESS_": _Cause(Reason.NETWORK_UNREACHABLE, "there is no route to {host}", _CHECK_WAY),
    "CONNECTION_REFUSED": _Cause(Reason.CONNECTION_REFUSED, "{host} refuses the connection", _CHECK_WAY),
    "CONNECTION_TIMED_OUT": _Cause(Reason.FETCH_TIMED_OUT, "{host} does not answer the attempt to connect", _CHECK_WAY),
    "TIMED_OUT": _Cause(Reason.FETCH_TIMED_OUT, "{host} does not answer in time", _CHECK_WAY),
    "CONNECTION_FAILED": _Cause(Reason.NETWORK_UNREACHABLE, "no connection to {host} can be made", _CHECK_WAY),
    "CONNECTION_": _Cause(Reason.CONNECTION_RESET, "the connection to {host} was broken off", _CHECK_WAY),
    "SOCKET_": _Cause(Reason.CONNECTION_RESET, "the connection to {host} was broken off", _CHECK_WAY),
    "CERT_COMMON_NAME_INVALID": _Cause(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the certificate that {host} shows is for another name",
        "a proxy or a portal in between is likely",
    ),
    "CERT_DATE_INVALID": _Cause(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the certificate of {host} has expired or is not valid yet",
        "check the certificate and the node's clock",
    ),
    "CERT_AUTHORITY_INVALID": _Cause(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the certificate of {host} is not trusted, its authority is unknown",
        "set EXTRA_CA_FILE if your own authority signed it",
    ),
    "CERT_REVOKED": _Cause(
        Reason.CERTIFICATE_NOT_TRUSTED, "the certificate of {host} has been revoked", "check the certificate"
    ),
    "CERT": _Cause(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the certificate of {host} is not trusted",
        "check the certificate; set EXTRA_CA_FILE if your own authority signed it",
    ),
    "SSL_PINNED_KEY_NOT_IN_CERT_CHAIN": _Cause(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the certificate of {host} is not the one that the browser expects",
        "a proxy in between is likely",
    ),
    "SSL_": _Cause(
        Reason.TLS_FAILED,
        "{host} speaks no TLS that the browser accepts",
        "a proxy in between or a wrong port is likely; check WHATSAPP_WEB_URL",
    ),
    "BAD_SSL_": _Cause(Reason.TLS_FAILED, "{host} asks for a client certificate", "a proxy in between is likely"),
    "UNEXPECTED_PROXY_AUTH": _Cause(
        Reason.PROXY_REFUSED,
        "a proxy between the pod and {host} asks for a login (HTTP 407)",
        "let the pod reach the host directly, or name the proxy in spec.proxy",
    ),
    "HTTP_RESPONSE_CODE_FAILURE": _Cause(
        Reason.HTTP_ERROR, "{host} answers with an HTTP error", "check what answers there"
    ),
    "EMPTY_RESPONSE": _Cause(
        Reason.INVALID_RESPONSE, "{host} closes the connection without an answer", "check what answers there"
    ),
    "TOO_MANY_REDIRECTS": _Cause(Reason.REDIRECTED, "{host} redirects in a circle", "check what answers there"),
    "ABORTED": _Cause(
        Reason.INVALID_RESPONSE, "{host} answers with something that is no page", "check what answers there"
    ),
}
_PROXY: Final = ("PROXY_", "TUNNEL_", "SOCKS_", "HTTPS_PROXY_", "MANDATORY_PROXY_", "NO_SUPPORTED_PROXIES", "PAC_")
_BROKEN: Final = (
    *("INCOMPLETE_", "CONTENT_", "RESPONSE_", "INVALID_", "HTTP2_", "HTTP_", "QUIC_", "UNSAFE_REDIRECT"),
    *("BLOCKED_BY_ORB", "BLOCKED_BY_RESPONSE", "MALFORMED_", "DISALLOWED_URL_SCHEME", "UNKNOWN_URL_SCHEME"),
)
""" Beginnings of what Chromium says of an answer that broke off or that it cannot read. """


def error_code(text: str) -> str | None:
    """Return the browser's error code in a text, without `net::`; None: there is none."""
    found = _CODE.search(text)
    return found.group(1) if found else None


def by_error(code: str | None, *, host: str, what: str = PAGE) -> FetchFailure:
    """Return the failure for an error of the browser; None: it gave none that is known to be one."""
    if code is None:
        return _failure(Reason.NAVIGATION_FAILED, what, f"the browser gives no cause for {_named(host)}", _CHECK_WAY)
    cause = _cause_of(code.removeprefix("ERR_"))
    return _failure(cause.reason, what, f"{cause.what.format(host=_named(host))} (net::{code})", cause.check)


def by_status(status: int, *, host: str, what: str = PAGE) -> FetchFailure:
    """Return the failure for the HTTP status of an answer."""
    name = _named(host)
    if status in (407, 511):
        login = f"a proxy or a portal between the pod and {name} asks for a login (HTTP {status})"
        return _failure(Reason.PROXY_REFUSED, what, login, "let the pod reach the host directly, or set spec.proxy")
    whose = "the service itself or a proxy in between is down" if status >= 500 else "check WHATSAPP_WEB_URL"
    return _failure(Reason.HTTP_ERROR, what, f"{name} answers with HTTP {status}", whose)


def redirected(host: str, *, to: str) -> FetchFailure:
    """Return the failure of a page that another host was to answer, which is not allowed."""
    other = to if _is_plain(to) else "another host"
    clause = f"{_named(host)} redirects to {other}, which ALLOWED_HOSTS does not contain"
    return _failure(Reason.REDIRECTED, PAGE, clause, "a portal or a proxy in between is likely")


def no_answer(host: str, *, seconds: float) -> FetchFailure:
    """Return the failure of a request that was given up."""
    return _failure(Reason.FETCH_TIMED_OUT, PAGE, f"{_named(host)} does not answer within {seconds:g} s", _CHECK_WAY)


def no_end(host: str, *, what: str = PAGE) -> FetchFailure:
    """Return the failure of an answer that began and does not end."""
    return _failure(Reason.FETCH_TIMED_OUT, what, f"the answer of {_named(host)} does not end", _CHECK_WAY)


def no_script(host: str) -> FetchFailure:
    """Return the failure of a script whose answer is none."""
    clause = f"{_named(host)} answers with something that is no script"
    return _failure(Reason.INVALID_RESPONSE, SCRIPT, clause, "a portal or a proxy in between is likely")


def not_the_page(host: str) -> FetchFailure:
    """Return the failure of a document that is not WhatsApp Web."""
    clause = f"what {_named(host)} answers is not WhatsApp Web"
    return _failure(
        Reason.NOT_THE_PAGE, PAGE, clause, "a portal or a proxy in between is likely, or a wrong WHATSAPP_WEB_URL"
    )


def _cause_of(error: str) -> _Cause:
    for prefix, cause in _ERRORS.items():
        if error.startswith(prefix):
            return cause
    if error.startswith(_PROXY):
        proxy = "a proxy between the pod and {host} does not let the request through"
        return _Cause(Reason.PROXY_REFUSED, proxy, "let the pod reach the host directly")
    if error.startswith(_BROKEN):
        broken = "the answer of {host} broke off or cannot be read"
        return _Cause(Reason.INVALID_RESPONSE, broken, "a proxy in between or the network is likely")
    return _Cause(Reason.NAVIGATION_FAILED, "the browser could not fetch it from {host}", _CHECK_WAY)


def _failure(reason: Reason, what: str, clause: str, check: str) -> FetchFailure:
    return FetchFailure(reason, f"{what} cannot be fetched: {clause}; {check}. {_AGAIN}")


@lru_cache(maxsize=64)
def _named(host: str) -> str:
    """Return the host as it may be shown: one that looks like a number or a secret would be cut to pieces later."""
    return host if host and _is_plain(host) else "its host"


def _is_plain(host: str) -> bool:
    sentence = f"{host} answers"  # with what follows: one that is called bearer makes a secret of the next word
    return redact(sentence) == sentence
