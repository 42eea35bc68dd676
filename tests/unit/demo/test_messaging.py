"""How the demo sends and listens: the plugin's command line, pywa's request, the stream of events."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from session_demo.cluster_client import ClusterClient
from session_demo.errors import DemoError
from session_demo.event_listener import listening
from session_demo.messaging import Messaging
from session_devtools.errors import NotReady
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.phone import Phone
from session_devtools.kubectl import Kubectl
from support.fake_kubectl import Cluster, FakeKubectl, thing

ID = "123456789012345"
MESSAGE = {"type": "message", "data": {"id": "M1"}}


class Runner(BaseHTTPRequestHandler):
    """A runner that takes every message and has one event."""

    asked: ClassVar[list[tuple[str, str | None, Any]]] = []
    refuses: ClassVar[bool] = False

    def do_POST(self) -> None:
        """Take a message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, self.headers["Authorization"], body))
        taken = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "1", "wa_id": "1"}],
            "messages": [{"id": "M1"}],
        }
        error = {"error": {"message": "no", "type": "OAuthException", "code": 133010, "fbtrace_id": "x"}}
        self._answer(400 if self.refuses else 200, json.dumps(error if self.refuses else taken), "application/json")

    def do_GET(self) -> None:
        """Stream, or tell how far the message is."""
        if self.path == "/v1/events":
            stream = f"retry: 2000\n\n: nothing yet\n\nid: E1\nevent: message\ndata: {json.dumps(MESSAGE)}\n\n"
            self._answer(403 if self.refuses else 200, stream, "text/event-stream")
        else:
            self._answer(200, json.dumps({"id": "M1", "status": "sent"}), "application/json")

    def log_message(self, *given: Any) -> None:
        """Say nothing."""

    def _answer(self, status: int, text: str, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


@dataclass(frozen=True, kw_only=True)
class Forwarding(FakeKubectl):
    """A cluster in memory whose pods are all that server."""

    port: int

    @contextmanager
    def forward(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Yield the server's port."""
        del pod, port, namespace
        yield self.port


@pytest.fixture(name="port")
def runner_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a runner that answers."""
    monkeypatch.setattr(Runner, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Runner) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def messaging(kubectl: Kubectl) -> Messaging:
    """The demo's way to a session."""
    return Messaging(
        client=ClusterClient(kubectl=kubectl, phone=Phone(kubectl=kubectl, pod="standin", token="")),
        name="support",
        device="device-1",
    )


def session_at(port: int) -> Messaging:
    """A session whose runner answers at a port."""
    status = {"phoneNumberID": ID, "tokenSecrets": {"messaging": "support-m"}}
    secret = thing("Secret", "support-m", namespace=NAMESPACE, data={"send": "dG9rZW4="})
    session = thing("WhatsAppSession", "support", namespace=NAMESPACE, status=status)
    return messaging(Forwarding(program="kubectl", cluster=Cluster(objects=[session, secret]), port=port))


def test_the_plugin_is_called_as_a_person_does(tmp_path: Path) -> None:
    """By kubectl, which finds it on the PATH, with the options of the cluster behind its name."""
    program = tmp_path / "kubectl"
    program.write_text('#!/bin/sh\necho "$@"; command -v kubectl-whatsapp >/dev/null && command -v kubectl\n')
    program.chmod(0o755)
    kubectl = Kubectl(program=program, context="blue", environment={"PATH": "/usr/bin:/bin"})

    arguments, found = messaging(kubectl).send_by_plugin("Hello").splitlines()

    assert "whatsapp send support --namespace=whatsapp-demo --to=+1 555 010 0777 Hello --context=blue" == arguments
    assert str(program) == found


def test_pywa_asks_the_sessions_runner(port: int) -> None:
    """With the session's id and its token for messaging; a reply names what it answers."""
    session = session_at(port)

    assert "M1" == session.send_by_pywa("Yes", reply_to="Q1")
    path, token, body = Runner.asked[0]
    assert (f"/v24.0/{ID}/messages", "Bearer token") == (path, token)
    assert ("Yes", {"message_id": "Q1"}) == (body["text"]["body"], body["context"])
    assert "sent" == session.status_of("M1")


def test_a_refusal_ends_the_play_with_its_reason(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one of the demo's own errors, which the report knows."""
    monkeypatch.setattr(Runner, "refuses", True)

    with pytest.raises(DemoError, match="pywa could not send"):
        session_at(port).send_by_pywa("Yes")


def test_events_are_kept_while_something_else_happens(port: int) -> None:
    """Found by the message that they are about, and by their kind."""
    with session_at(port).listening() as listener:
        deadline = time.monotonic() + 10
        while not listener.events and time.monotonic() < deadline:
            time.sleep(0.01)

    assert [MESSAGE] == listener.with_id("M1", kind="message")
    assert [] == listener.with_id("M1", kind="ack")


def test_a_stream_that_is_refused_is_not_ready(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes silence for a stream without events."""
    monkeypatch.setattr(Runner, "refuses", True)

    with pytest.raises(NotReady, match="403"), listening(port, token="token"):
        pass
