"""What a session's runner says over its forwarded port: the QR code and the state.

`qr.py` opens the port with kubectl and asks here. The runner's answers carry no more trust than its pod: a field that
is missing or of another kind is an error with the runner's name on it, never a traceback.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubectl_whatsapp.errors import RunnerRefused, RunnerSilent
from kubectl_whatsapp.views import read_time

__all__ = ["Code", "Runner", "Said"]

PATIENCE = 10.0
""" Seconds for an answer, beyond the time a long-poll was asked to wait. """


@dataclass(frozen=True, kw_only=True)
class Code:
    """A QR code as the page shows it now."""

    text: str
    expires: datetime | None
    round: int


@dataclass(frozen=True, kw_only=True)
class Said:
    """The runner's word on its session."""

    revision: int
    state: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner behind a local port, with the tokens of its Secret."""

    port: int
    link_token: str
    state_token: str

    def code(self) -> Code | None:
        """Return the QR code, or None while there is none.

        Raises RunnerSilent, RunnerRefused.
        """
        answer = self._ask("/v1/qr", token=self.link_token, within=PATIENCE)
        if answer is None:
            return None
        text, count = answer.get("text"), answer.get("round")
        if not isinstance(text, str) or not text:
            raise RunnerRefused("the runner answered without a QR code's text: it may be of another version")
        return Code(
            text=text, expires=read_time(answer.get("expiryTime")), round=count if isinstance(count, int) else 0
        )

    def said(self, *, after: int | None = None, wait: float = 0) -> Said:
        """Return the state; with a revision, wait that many seconds at most for another one.

        Raises RunnerSilent, RunnerRefused.
        """
        query = "" if after is None else f"?after={after}&wait={wait:.0f}"
        answer = self._ask(f"/v1/state{query}", token=self.state_token, within=PATIENCE + wait)
        if answer is None or not isinstance(answer.get("state"), str):
            raise RunnerRefused("the runner does not tell its state: it may be of another version")
        revision = answer.get("revision")
        return Said(
            revision=revision if isinstance(revision, int) else 0,
            state=answer["state"],
            reason=str(answer.get("reason") or ""),
            message=str(answer.get("message") or ""),
        )

    def _ask(self, path: str, *, token: str, within: float) -> dict[str, Any] | None:
        """GET a JSON object; None for "not found"."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=within)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RunnerSilent("the runner does not answer: its pod may be starting or ending") from error
        finally:
            connection.close()
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            raise RunnerRefused("the runner does not accept the token of the session's Secret")
        if status != http.HTTPStatus.OK:
            raise RunnerRefused(f"the runner answered with status {status}")
        return _object(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise RunnerRefused("the runner's answer is no JSON") from error
    if not isinstance(found, dict):
        raise RunnerRefused("the runner's answer is no JSON object")
    return found
