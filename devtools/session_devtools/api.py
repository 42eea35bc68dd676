"""A few requests to an API server with a client certificate, for those who wait until it is ready.

Everything richer is kubectl's work. One connection per request: the server restarts while we ask.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

__all__ = ["Answer", "ApiClient"]


class Answer(NamedTuple):
    """What came back: the status (0 when nothing did) and the text."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether the request was served."""
        return self.status == http.HTTPStatus.OK

    def object(self) -> Mapping[str, Any]:
        """The text as a JSON object."""
        return cast("Mapping[str, Any]", json.loads(self.text))


class ApiClient:
    """Asks one server as one user."""

    def __init__(self, *, host: str, port: int, authority: Path, certificate: Path, key: Path) -> None:
        self._host = host
        self._port = port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(certificate, key)

    def get(self, path: str, *, timeout: float = 5.0) -> Answer:
        """One GET; a server that does not answer within `timeout` seconds, or not at all, is status 0 and the reason."""
        connection = http.client.HTTPSConnection(self._host, self._port, context=self._context, timeout=timeout)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return Answer(response.status, response.read().decode(errors="replace"))
            except (OSError, http.client.HTTPException) as error:
                return Answer(0, str(error) or type(error).__name__)
