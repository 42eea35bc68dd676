"""One small HTTP client: API servers that are just starting, runners and the phone behind a forwarded port, registries.

Each request is one connection unless it is told otherwise, since many servers restart while they are asked, and none is
tried twice: `wait_until` does that where it is wanted. Answers are small and read whole. What a richer conversation with an API server needs is kubectl's work.
"""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import urllib3

from session_devtools.errors import ToolError

__all__ = ["Client", "RequestFailed", "Response"]


class RequestFailed(ToolError):
    """The server did not do what was asked, or nobody answered; tells what was said, and never what was sent."""


class Response(NamedTuple):
    """What came back: the status (0 when nothing did) and the text, or why there is none."""

    status: int
    text: str
    request_line: str = ""
    """Method and path, for a message."""

    @property
    def ok(self) -> bool:
        """Whether the request was served."""
        return 200 <= self.status < 300

    def json_object(self) -> dict[str, Any]:
        """The text as a JSON object.

        :raises RequestFailed: the request was not served, or the answer is none.
        """
        if self.status == 0:
            raise RequestFailed(f"no answer to {self.request_line}: {self.text[:500]}")
        if not self.ok:
            raise RequestFailed(f"{self.status} for {self.request_line}: {self.text[:500]}")
        try:
            return dict(json.loads(self.text))
        except (ValueError, TypeError) as error:
            raise RequestFailed(f"no JSON object came for {self.request_line}: {error}") from error


class Client:
    """Asks one server, as its `base` URL names it: with a token, or with a certificate that its authority knows."""

    def __init__(
        self,
        base: str,
        *,
        token: str = "",
        ca_file: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        keep_alive: bool = False,
    ) -> None:
        self._base = base
        self._headers = {"Connection": "keep-alive" if keep_alive else "close", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        context = None if ca_file is None else ssl.create_default_context(cafile=str(ca_file))
        if context is not None and certificate is not None:
            context.load_cert_chain(certificate, key)
        self._pool = urllib3.PoolManager(ssl_context=context, retries=False, maxsize=8)

    def request(
        self,
        path: str,
        *,
        method: str | None = None,
        body: Mapping[str, Any] | None = None,
        timeout: float = 15.0,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Ask for a path; a body is sent as JSON and makes it a POST unless another method is given.

        A server that does not answer within `timeout` seconds, or not at all, is status 0 and the reason.
        """
        verb = method or ("GET" if body is None else "POST")
        given = {**self._headers, **(headers or {})}
        try:
            response = self._pool.request(verb, self._base + path, json=body, headers=given, timeout=timeout)
        except urllib3.exceptions.HTTPError as error:
            return Response(0, str(error) or type(error).__name__, f"{verb} {path}")
        return Response(response.status, response.data.decode(errors="replace"), f"{verb} {path}")
