"""Reads the codes, the account and the state from a session's runner, over its forwarded port.

`sessions.py` opens the port with kubectl, and the commands call this. The runner's answers are not trusted: a field that
is missing or of the wrong type raises RunnerRefused, never another exception.
"""

import io
import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from session_protocol.phone_numbers import PHONE_NUMBER

from kubectl_whatsapp.errors import RunnerRefused, RunnerUnreachable
from kubectl_whatsapp.text import one_line
from kubectl_whatsapp.views import read_time

__all__ = ["TIMEOUT", "PairingCode", "QrCode", "Runner", "RunnerStatus", "ask", "exchange", "refuse_wrong_token"]

TIMEOUT = 10.0
""" Seconds for an answer, in addition to the wait of a long-poll. """
MAX_BYTES = 64 * 1024
""" The most bytes of an answer; a larger one is rejected. """


@dataclass(frozen=True, kw_only=True)
class QrCode:
    """The QR code that the page shows now."""

    text: str
    expires: datetime | None
    round: int


@dataclass(frozen=True, kw_only=True)
class PairingCode:
    """What a person types into the phone."""

    text: str
    expires: datetime | None


@dataclass(frozen=True, kw_only=True)
class RunnerStatus:
    """The state of the session as its runner reports it."""

    revision: int
    state: str
    reason: str
    message: str
    linked: bool | None = None
    """ Whether a phone is linked; None: the runner does not report it. """


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner behind a local port, with the tokens for linking."""

    port: int
    link_token: str
    state_token: str

    def code(self) -> QrCode | None:
        """Return the QR code, or None while there is none.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: the runner refused.
        """
        answer = self._get("/v1/qr", token=self.link_token, within=TIMEOUT)
        if answer is None:
            return None
        text = answer.get("text")
        # `-o text` gives it out as it is, to a terminal too, so that it has to be what WhatsApp's are: printable.
        if not isinstance(text, str) or not text or not text.isprintable():
            raise RunnerRefused("the runner answered without a QR code's text: it may be of another version")
        return QrCode(text=text, expires=read_time(answer.get("expiryTime")), round=_count(answer, "round"))

    def pairing_code(self) -> PairingCode | None:
        """Return the pairing code, or None while there is none.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: the runner refused.
        """
        answer = self._get("/v1/pairing-code", token=self.link_token, within=TIMEOUT)
        return None if answer is None else _pairing_code(answer)

    def ask_for_pairing_code(self, phone_number: str) -> PairingCode | None:
        """Return a pairing code for this number, which takes the runner up to 20 seconds; None: it takes longer.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: it gives none; the text says why.
        """
        body = json.dumps({"phoneNumber": phone_number})
        answer = ask(
            self.port,
            "POST",
            "/v1/pairing-code",
            token=self.link_token,
            within=3 * TIMEOUT,
            body=body,
            none=HTTPStatus.GATEWAY_TIMEOUT,
        )
        return None if answer is None else _pairing_code(answer)

    def account(self) -> str | None:
        """Return the number of the linked account, or None while it is not known.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: the runner refused.
        """
        answer = self._get("/v1/account", token=self.link_token, within=TIMEOUT)
        if answer is None:
            return None
        number = answer.get("phoneNumber")
        if not isinstance(number, str) or not re.fullmatch(PHONE_NUMBER, number) or not number.isprintable():
            raise RunnerRefused("the runner answered without a telephone number: it may be of another version")
        return number

    def status(self, *, after: int | None = None, wait: float = 0) -> RunnerStatus:
        """Return the state; with `after`, wait up to `wait` seconds for a revision other than that.

        :raises RunnerUnreachable: no answer came.
        :raises RunnerRefused: the runner refused.
        """
        query = "" if after is None else f"?after={after}&wait={wait:.0f}"
        answer = self._get(f"/v1/state{query}", token=self.state_token, within=TIMEOUT + wait)
        if answer is None or not isinstance(answer.get("state"), str):
            raise RunnerRefused("the runner did not report its state: it may be of another version")
        return RunnerStatus(
            revision=_count(answer, "revision"),
            state=answer["state"],
            reason=str(answer.get("reason") or ""),
            message=str(answer.get("message") or ""),
            linked=_linked(answer),
        )

    def _get(self, path: str, *, token: str, within: float) -> dict[str, Any] | None:
        """Return the JSON object of a GET; None for 404."""
        return ask(self.port, "GET", path, token=token, within=within)


def ask(
    port: int,
    method: str,
    path: str,
    *,
    token: str,
    within: float,
    body: str | None = None,
    none: HTTPStatus = HTTPStatus.NOT_FOUND,
) -> dict[str, Any] | None:
    """Return the JSON object of an answer; None for the status that says that there is nothing (yet).

    :raises RunnerUnreachable: no answer came.
    :raises RunnerRefused: the runner refused, or its answer is none.
    """
    content_sent = None if body is None else body.encode()
    status, content = exchange(port, method, path, token=token, within=within, body=content_sent)
    if status == none:
        return None
    refuse_wrong_token(status)
    if status != HTTPStatus.OK:
        raise RunnerRefused(f"the runner answered with status {status}{_error_detail(content)}")
    return _object(content)


def exchange(
    port: int,
    method: str,
    path: str,
    *,
    token: str,
    within: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Send one request to the runner behind a local port; return the status and the body of its answer.

    :raises RunnerUnreachable: no answer came.
    :raises RunnerRefused: it is too large.
    """
    # Late: `status` asks no runner. And the standard library's, because urllib3 would take longer to load than all the
    # rest, and bounds an answer's body but not its head.
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        own = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        connection.request(method, path, body=body, headers={**own, **(headers or {})})
        bounded = _Bounded(connection.sock, within=within)
        answer = http.client.HTTPResponse(cast("socket.socket", bounded), method=method)
        answer.begin()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise RunnerUnreachable("the runner does not answer: its pod may be starting or ending") from error
    finally:
        connection.close()


def refuse_wrong_token(status: int) -> None:
    """:raises RunnerRefused: the status of an answer says that the token is not this runner's."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise RunnerRefused("the runner does not accept the token of the session's Secret")


def _pairing_code(answer: dict[str, Any]) -> PairingCode:
    text = answer.get("text")
    if not isinstance(text, str) or not re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", text):
        raise RunnerRefused("the runner answered without a pairing code: it may be of another version")
    return PairingCode(text=text, expires=read_time(answer.get("expiryTime")))


def _linked(answer: dict[str, Any]) -> bool | None:
    """Return whether a phone is linked; an older runner only sends the time of linking."""
    linked = answer.get("linked")
    if isinstance(linked, bool):
        return linked
    return True if read_time(answer.get("linkedTime")) is not None else None


def _count(answer: dict[str, Any], name: str) -> int:
    found = answer.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**53 else 0


class _Bounded(io.RawIOBase):
    """A connection that reads at most MAX_BYTES, headers included, and nothing after its deadline."""

    def __init__(self, connection: socket.socket, *, within: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + within
        self._left = MAX_BYTES

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a reader, as HTTPResponse requests it from a socket."""
        del mode
        return _BoundedReader(self)

    def readable(self) -> bool:
        """Return True: the buffer may read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive within the remaining size and time.

        :raises RunnerRefused: the answer is too large.
        """
        self._connection.settimeout(max(self._deadline - time.monotonic(), 0.001))
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise RunnerRefused(f"the runner's answer is larger than {MAX_BYTES // 1024} KiB")
        return count


class _BoundedReader(io.BufferedReader):
    """A buffer that makes no room for more than may come, whatever length the answer claims to have."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, or all of them."""
        return super().read(size if size is None else min(size, MAX_BYTES + 1))


def _error_detail(body: bytes) -> str:
    """Return the message of an error answer: from `error`, or else from the problem's own fields (RFC 9457)."""
    try:
        problem = _object(body)
    except RunnerRefused:
        return ""
    error = problem.get("error")
    texts = [error.get("message"), error.get("code")] if isinstance(error, dict) else []
    texts += [problem.get("detail"), problem.get("title")]
    text = next((text_ for text_ in texts if isinstance(text_, str) and text_), "")
    return f": {one_line(text)}" if text else ""


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RunnerRefused("the runner's answer is not JSON") from error
    if not isinstance(found, dict):
        raise RunnerRefused("the runner's answer is not a JSON object")
    return found
