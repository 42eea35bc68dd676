"""Each cause in words: which it is, which host, and nothing that the redaction would take out again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.redaction import redact
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.fetch_failures import (
    SCRIPT,
    FetchFailure,
    by_error,
    by_status,
    error_code,
    no_answer,
    no_end,
    no_script,
    not_the_page,
    redirected,
)
from unit.runner.pages import quick

HOST = "web.whatsapp.com"

ERRORS = [
    ("NAME_NOT_RESOLVED", Reason.NAME_NOT_RESOLVED, "the name web.whatsapp.com has no address"),
    ("NAME_RESOLUTION_FAILED", Reason.NAME_NOT_RESOLVED, "does not know it or does not answer"),
    ("DNS_TIMED_OUT", Reason.NAME_NOT_RESOLVED, "DNS does not answer for web.whatsapp.com"),
    ("DNS_SERVER_FAILED", Reason.NAME_NOT_RESOLVED, "has no address, DNS fails"),
    ("INTERNET_DISCONNECTED", Reason.NETWORK_UNREACHABLE, "no network"),
    ("NETWORK_CHANGED", Reason.NETWORK_UNREACHABLE, "the network changed"),
    ("NETWORK_ACCESS_DENIED", Reason.NETWORK_UNREACHABLE, "no network"),
    ("ADDRESS_UNREACHABLE", Reason.NETWORK_UNREACHABLE, "no route to web.whatsapp.com"),
    ("CONNECTION_REFUSED", Reason.CONNECTION_REFUSED, "web.whatsapp.com refuses the connection"),
    ("CONNECTION_RESET", Reason.CONNECTION_RESET, "was broken off"),
    ("CONNECTION_CLOSED", Reason.CONNECTION_RESET, "was broken off"),
    ("SOCKET_NOT_CONNECTED", Reason.CONNECTION_RESET, "was broken off"),
    ("CONNECTION_TIMED_OUT", Reason.FETCH_TIMED_OUT, "does not answer the attempt to connect"),
    ("TIMED_OUT", Reason.FETCH_TIMED_OUT, "does not answer in time"),
    ("CERT_COMMON_NAME_INVALID", Reason.CERTIFICATE_NOT_TRUSTED, "is for another name"),
    ("CERT_DATE_INVALID", Reason.CERTIFICATE_NOT_TRUSTED, "has expired or is not valid yet"),
    ("CERT_AUTHORITY_INVALID", Reason.CERTIFICATE_NOT_TRUSTED, "EXTRA_CA_FILE"),
    ("CERT_REVOKED", Reason.CERTIFICATE_NOT_TRUSTED, "has been revoked"),
    ("CERT_WEAK_KEY", Reason.CERTIFICATE_NOT_TRUSTED, "is not trusted"),
    ("CERTIFICATE_TRANSPARENCY_REQUIRED", Reason.CERTIFICATE_NOT_TRUSTED, "is not trusted"),
    ("SSL_PINNED_KEY_NOT_IN_CERT_CHAIN", Reason.CERTIFICATE_NOT_TRUSTED, "not the one"),
    ("SSL_PROTOCOL_ERROR", Reason.TLS_FAILED, "speaks no TLS"),
    ("SSL_VERSION_OR_CIPHER_MISMATCH", Reason.TLS_FAILED, "speaks no TLS"),
    ("BAD_SSL_CLIENT_AUTH_CERT", Reason.TLS_FAILED, "client certificate"),
    ("UNEXPECTED_PROXY_AUTH", Reason.PROXY_REFUSED, "asks for a login (HTTP 407)"),
    ("TUNNEL_CONNECTION_FAILED", Reason.PROXY_REFUSED, "a proxy between the pod and web.whatsapp.com"),
    ("PROXY_CONNECTION_FAILED", Reason.PROXY_REFUSED, "a proxy between"),
    ("SOCKS_CONNECTION_FAILED", Reason.PROXY_REFUSED, "a proxy between"),
    ("HTTP_RESPONSE_CODE_FAILURE", Reason.HTTP_ERROR, "answers with an HTTP error"),
    ("EMPTY_RESPONSE", Reason.INVALID_RESPONSE, "without an answer"),
    ("CONTENT_LENGTH_MISMATCH", Reason.INVALID_RESPONSE, "broke off"),
    ("INCOMPLETE_CHUNKED_ENCODING", Reason.INVALID_RESPONSE, "broke off"),
    ("INVALID_HTTP_RESPONSE", Reason.INVALID_RESPONSE, "cannot be read"),
    ("HTTP2_PROTOCOL_ERROR", Reason.INVALID_RESPONSE, "cannot be read"),
    ("QUIC_PROTOCOL_ERROR", Reason.INVALID_RESPONSE, "cannot be read"),
    ("BLOCKED_BY_ORB", Reason.INVALID_RESPONSE, "cannot be read"),
    ("TOO_MANY_REDIRECTS", Reason.REDIRECTED, "redirects in a circle"),
    ("ABORTED", Reason.INVALID_RESPONSE, "no page"),
    ("A_WORD_OF_LATER", Reason.NAVIGATION_FAILED, "could not fetch it from web.whatsapp.com"),
]


def read(failure: FetchFailure) -> str:
    """Return the message after what holds for all of them."""
    assert failure.message == redact(failure.message)
    assert "[" not in failure.message
    assert "at least once a minute" in failure.message
    return failure.message


@pytest.mark.parametrize(("error", "reason", "part"), ERRORS, ids=[error for error, _, _ in ERRORS])
def test_an_error_of_the_browser_has_its_cause(error: str, reason: Reason, part: str) -> None:
    """What it means, the host, and the browser's own word, which is what one searches for."""
    failure = by_error(f"ERR_{error}", host=HOST)

    assert reason is failure.reason
    assert part in read(failure)
    assert {True} == {HOST in failure.message, f"(net::ERR_{error})" in failure.message}


def test_an_error_without_a_code_still_names_the_host() -> None:
    """The browser's sentence is not repeated: a placeholder could be in it."""
    failure = by_error(error_code("Page.goto: something of later, after 30000ms"), host=HOST)

    assert Reason.NAVIGATION_FAILED is failure.reason
    assert HOST in read(failure)


@pytest.mark.parametrize(
    ("status", "reason", "part"),
    [
        (503, Reason.HTTP_ERROR, "HTTP 503; the service itself or a proxy"),
        (500, Reason.HTTP_ERROR, "HTTP 500"),
        (404, Reason.HTTP_ERROR, "HTTP 404; check WHATSAPP_WEB_URL"),
        (429, Reason.HTTP_ERROR, "HTTP 429"),
        (407, Reason.PROXY_REFUSED, "asks for a login (HTTP 407)"),
        (511, Reason.PROXY_REFUSED, "asks for a login (HTTP 511)"),
    ],
)
def test_a_status_has_its_cause(status: int, reason: Reason, part: str) -> None:
    """An answer that is an error says who may have given it."""
    failure = by_status(status, host=HOST)

    assert reason is failure.reason
    assert part in read(failure)
    assert HOST in failure.message


def test_what_is_there_in_place_of_the_page_is_named() -> None:
    """A portal, a redirect to one, silence, an answer without end: each with its host."""
    assert f"{HOST} redirects to portal.example" in read(redirected(HOST, to="portal.example"))
    assert f"what {HOST} answers is not WhatsApp Web" in read(not_the_page(HOST))
    assert f"{HOST} does not answer within 60 s" in read(no_answer(HOST, seconds=60.0))
    assert f"the answer of {HOST} does not end" in read(no_end(HOST))
    assert read(no_script("static.example")).startswith("A script of the page cannot be fetched: static.example")


@pytest.mark.parametrize(
    "host", ["portal-491711234567.example", "a1b2c3d4e5f6a7b8c9d0e1f2.cdn.example", "", "49.171.123.45.67", "BEARER"]
)
def test_a_host_that_looks_like_a_secret_is_left_out(host: str) -> None:
    """It would be cut to pieces by whoever redacts the message, and half a name helps nobody."""
    assert "its host" in read(by_error("ERR_NAME_NOT_RESOLVED", host=host))
    assert "redirects to another host" in read(redirected(HOST, to=host or "49.171.123.45.67"))


@quick
@given(
    code=st.from_regex(r"ERR_[A-Z0-9_]{1,40}", fullmatch=True), status=st.integers(400, 599), host=st.text(max_size=40)
)
def test_no_cause_has_a_placeholder(code: str, status: int, host: str) -> None:
    """Whatever the browser, a server or a host's name brings, the message is not changed by the redaction."""
    for failure in (by_status(status, host=host), by_status(status, host=host, what=SCRIPT), not_the_page(host)):
        assert redact(failure.message) == failure.message
    assert by_error(code, host=host) == by_error(code, host=host)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Page.goto: net::ERR_NAME_NOT_RESOLVED at https://web.whatsapp.com/", "ERR_NAME_NOT_RESOLVED"),
        ("net::ERR_HTTP2_PROTOCOL_ERROR", "ERR_HTTP2_PROTOCOL_ERROR"),
        ("Page.goto: Timeout 30000ms exceeded.", None),
        ("net::ERR_" + "A" * 200, None),
        ("csp", None),
        ("", None),
    ],
)
def test_the_code_is_found_in_a_text(text: str, code: str | None) -> None:
    """And nothing else of the text is."""
    assert code == error_code(text)


def test_a_wrong_answer_differs_from_none() -> None:
    """What somebody in between answered may lie in the browser's cache, and must not come from there later."""
    assert by_status(503, host=HOST).is_answer
    assert not_the_page(HOST).is_answer
    assert not by_error("ERR_NAME_NOT_RESOLVED", host=HOST).is_answer
    assert not no_answer(HOST, seconds=1).is_answer
