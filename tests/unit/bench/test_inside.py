"""Calls to runners and the phone, on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from session_bench.inside import call


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        told = {
            "method": self.command,
            "path": self.path,
            "token": self.headers["Authorization"],
            "body": json.loads(body or "null"),
        }
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    do_GET = do_POST = _answer  # noqa: N815 -- the names that the library calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="port")
def serve() -> Iterator[int]:
    """A server on a free port."""
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_without_a_body_it_asks(port: int) -> None:
    """A GET with the token."""
    answer = call("127.0.0.1", port, "/v1/qr", token="secret")

    assert (200, {"method": "GET", "path": "/v1/qr", "token": "Bearer secret", "body": None}) == (
        answer.status,
        json.loads(answer.text),
    )


def test_with_a_body_it_posts(port: int) -> None:
    """JSON, as the phone takes it."""
    told = json.loads(call("127.0.0.1", port, "/phone/scan", token="secret", body={"qr": "text"}).text)

    assert ("POST", {"qr": "text"}) == (told["method"], told["body"])


def test_refusal_is_an_answer(port: int) -> None:
    """404 is what a runner says while it has no QR code."""
    assert 404 == call("127.0.0.1", port, "/none", token="secret").status


def test_nobody_there_is_no_answer() -> None:
    """A runner that is not up yet refuses the connection: status 0, and no exception to handle at each look."""
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        free = server.server_port

    assert 0 == call("127.0.0.1", free, "/v1/qr", token="secret", timeout=5).status
