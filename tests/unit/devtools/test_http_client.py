"""The small HTTP client, against real servers on loopback: one that wants a certificate, and one that takes a token."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from session_devtools.http_client import Client, RequestFailed, Response


class Api(http.server.BaseHTTPRequestHandler):
    """Plays an API server: ready, or not found."""

    def do_GET(self) -> None:
        """Answer by the path."""
        status, body = (200, b'{"kind": "Node"}') if self.path == "/readyz" else (404, b"no such path")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class Quiet(http.server.ThreadingHTTPServer):
    """A server that does not print what a client did wrong; the tests do that on purpose."""

    def handle_error(self, *_: object) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Files:
    """A server's and two users' certificates; the stranger's and his authority are others'."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Certificates of two authorities."""
    made = Files(tmp_path_factory.mktemp("certificates"))
    for authority, names in (("ca", ("127.0.0.1", "admin")), ("other-ca", ("stranger",))):
        issuer = trustme.CA()
        issuer.cert_pem.write_to_path(made[f"{authority}.crt"])
        for name in names:
            pair = issuer.issue_cert(name)
            pair.private_key_pem.write_to_path(made[f"{name}.key"])
            pair.cert_chain_pems[0].write_to_path(made[f"{name}.crt"])
    return made


@pytest.fixture
def port(files: Files) -> Iterator[int]:
    """A server that wants a client certificate of the first authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["127.0.0.1.crt"], files["127.0.0.1.key"])
    context.load_verify_locations(files["ca.crt"])
    context.verify_mode = ssl.CERT_REQUIRED
    with Quiet(("127.0.0.1", 0), Api) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(20)


def _client(files: Files, port: int, *, user: str = "admin", ca: str = "ca") -> Client:
    return Client(
        f"https://127.0.0.1:{port}",
        ca_file=files[f"{ca}.crt"],
        certificate=files[f"{user}.crt"],
        key=files[f"{user}.key"],
    )


def test_an_answer_carries_status_and_object(files: Files, port: int) -> None:
    """What the server said, as text and as an object."""
    answer = _client(files, port).request("/readyz")

    assert answer.ok
    assert answer.json_object() == {"kind": "Node"}


def test_a_refusal_is_an_answer(files: Files, port: int) -> None:
    """Who waits for something looks at it again later."""
    answer = _client(files, port).request("/none")

    assert (404, "no such path", False) == (answer.status, answer.text, answer.ok)


def test_a_stranger_gets_no_answer(files: Files, port: int) -> None:
    """The certificate of another authority does not get through the handshake."""
    answer = _client(files, port, user="stranger").request("/readyz")

    assert not answer.ok
    assert answer.status == 0
    assert answer.text != ""


def test_an_impostor_is_not_believed(files: Files, port: int) -> None:
    """A server whose certificate is not of our authority is none."""
    answer = _client(files, port, ca="other-ca").request("/readyz")

    assert answer.status == 0
    assert "certificate" in answer.text.lower()


def test_a_server_that_is_not_there_is_no_error(files: Files) -> None:
    """It may be starting; the reason is in the text."""
    answer = _client(files, 1).request("/readyz", timeout=5)

    assert answer.status == 0
    assert "refused" in answer.text


class Phone(http.server.BaseHTTPRequestHandler):
    """A phone that tells what it was asked, and refuses one path."""

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer({"asked": self.path, "token": self.headers["Authorization"]})

    def do_POST(self) -> None:
        """Answer a request with its body, or refuse."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"body": body} if self.path != "/refuse" else None)

    def _answer(self, answer: dict[str, Any] | None) -> None:
        self.send_response(200 if answer is not None else 409)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode() if answer is not None else b"the code is over")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(name="phone")
def serving_phone() -> Iterator[str]:
    """The phone's URL."""
    with http.server.HTTPServer(("127.0.0.1", 0), Phone) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_question_carries_the_token(phone: str) -> None:
    """As the phone and the runners want it."""
    assert {"asked": "/phone/devices", "token": "Bearer t"} == Client(phone, token="t").request(
        "/phone/devices"
    ).json_object()


def test_a_body_makes_it_a_request(phone: str) -> None:
    """Sent as JSON; an empty one too."""
    assert {"body": {"qr": "x"}} == Client(phone, token="t").request("/phone/scan", body={"qr": "x"}).json_object()
    assert {"body": {}} == Client(phone, token="t").request("/phone/scan", body={}).json_object()


def test_a_refusal_has_the_answer_and_not_what_was_sent(phone: str) -> None:
    """A QR code or a token in a message would be one in a log."""
    with pytest.raises(RequestFailed) as caught:
        Client(phone, token="top-secret").request("/refuse", body={"qr": "2@secret-code"}).json_object()

    assert "409 for POST /refuse: the code is over" == str(caught.value)


def test_nobody_at_the_port_is_no_answer(phone: str) -> None:
    """The forwarding may have ended."""
    port = int(phone.rpartition(":")[2])

    with pytest.raises(RequestFailed, match="no answer to GET /x"):
        Client(f"http://127.0.0.2:{port}", token="t").request("/x", timeout=1).json_object()


@pytest.mark.parametrize("answer", ["no JSON", "[1]", ""])
def test_an_answer_that_is_no_object_is_refused(answer: str) -> None:
    """Whoever sits at that port is not who was meant."""
    with pytest.raises(RequestFailed, match="no JSON object came for GET /x"):
        Response(200, answer, "GET /x").json_object()
