"""Reads a runner's GET /v1/events while something else happens, and keeps what came."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from session_devtools.errors import NotReady

LONGEST_LINE = 1 << 20
""" Bytes: no event has so many. """
TIMEOUT = 30.0
""" Seconds of silence; the runner writes a comment every fifteen. """


@dataclass
class Listener:
    """What came so far."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def with_id(self, message: str, *, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind about a message."""
        return [one for one in list(self.events) if one["type"] == kind and one["data"].get("id") == message]

    def take(self, line: bytes) -> None:
        """Take a line of the stream; data alone is kept."""
        name, _, value = line.strip().partition(b": ")
        if name == b"data":
            self.events.append(json.loads(value))


@contextmanager
def listening(port: int, *, token: str) -> Iterator[Listener]:
    """Listen, from now on, on a local port that is forwarded to a runner, until the block ends.

    :raises NotReady: there is no stream.
    """
    listener, connection = Listener(), HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        try:
            connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            opened = response.readline(LONGEST_LINE)  # the first line says that from here on nothing is missed
        except (OSError, HTTPException) as error:
            raise NotReady(f"no stream of events: {error}") from error
        if response.status != 200 or not opened:
            raise NotReady(f"the runner answered {response.status} for its stream of events")
        threading.Thread(target=_read, args=(response, listener), daemon=True).start()
        yield listener
    finally:
        connection.close()


def _read(response: HTTPResponse, listener: Listener) -> None:
    """Read until the stream ends, or whoever listens has closed it."""
    try:
        while line := response.readline(LONGEST_LINE):
            listener.take(line)
    except (OSError, ValueError, HTTPException, AttributeError):
        return  # closed below it; what is missing is a miss of the step that waits for it
