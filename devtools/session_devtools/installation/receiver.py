"""A small receiver of webhooks: it answers the Cloud API's handshake and keeps what is signed by the secret.

A program of the standard library alone: `webhook` puts this file into a ConfigMap, and any image with Python runs it. Of
what comes it keeps the last few, in memory.

    GET  /webhook?hub.mode=subscribe&…   the challenge, if the verify token is ours
    POST /webhook                        an event; 401 if its signature is not by our secret
    GET  /received                       what came: whether it was asked for a handshake, events, and how many were refused
"""

import hashlib
import hmac
import json
import os
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

PORT: Final = 8080
LARGEST: Final = 1 << 20
""" Bytes of an event. """
KEPT: Final = 1000


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether a signature is this secret's over these bytes, as docs/webhooks.md has it."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


class Receiver(BaseHTTPRequestHandler):
    """Answers one request."""

    secret = os.environ.get("SIGNING_SECRET", "")
    verify_token = os.environ.get("VERIFY_TOKEN", "")
    events: ClassVar[deque[Any]] = deque(maxlen=KEPT)
    counts: ClassVar[dict[str, int]] = {"handshakes": 0, "refused": 0}

    def do_GET(self) -> None:
        """Shake hands, or show what came."""
        parts = urlsplit(self.path)
        if parts.path == "/received":
            self._answer(200, json.dumps({**self.counts, "events": list(self.events)}))
            return
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not hmac.compare_digest(given.get("hub.verify_token", "").encode(), self.verify_token.encode()):
            self._answer(403, "another verify token")
            return
        self.counts["handshakes"] += 1
        self._answer(200, given.get("hub.challenge", ""))

    def do_POST(self) -> None:
        """Keep an event that is signed."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST))
        if not is_signed(body, self.headers.get("X-Hub-Signature-256", ""), self.secret):
            self.counts["refused"] += 1
            self._answer(401, "not signed by our secret")
            return
        self.events.append(json.loads(body))
        self._answer(200, "")

    def log_message(self, *_: object) -> None:
        """Write nothing: a query has the verify token in it."""

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", PORT), Receiver).serve_forever()  # noqa: S104 -- a pod's own addresses
