"""Fixtures of the plugin's tests; the pieces are in plugin_harness."""

import base64
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubectl_whatsapp.console import Console
from unit.plugin.plugin_harness import NOW, ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json


@pytest.fixture
def scripted_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedKubectl:
    """A scripted kubectl, the only program on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    kubectl = ScriptedKubectl(folder)
    kubectl.install()
    return kubectl


@pytest.fixture
def scripted_runner() -> Iterator[ScriptedRunner]:
    """A scripted runner on a loopback port."""
    script = ScriptedRunner()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            script.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def do_GET(self) -> None:
            script.keys += self.headers.get_all("Idempotency-Key", [])
            if script.lost and "messages" in self.path:
                script.lost -= 1
                return
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            others = {"messages": script.answer_of_messages, "dead-letters": script.answer_of_dead_letters}
            answers = next((answer for part, answer in others.items() if f"/{part}" in self.path), script.answer)
            status, answer = answers(self.path, token)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield script
        server.shutdown()
        thread.join()


@pytest.fixture
def harness() -> ConsoleHarness:
    """A console at NOW that is no terminal, 120 columns wide."""
    out, raw, err = io.StringIO(), io.BytesIO(), io.StringIO()
    sleeps: list[float] = []
    console = Console(out=out, raw=raw, err=err, terminal=False, columns=120, now=lambda: NOW, sleep=sleeps.append)
    return ConsoleHarness(console=console, out=out, raw=raw, err=err, sleeps=sleeps)


@pytest.fixture
def session_cluster(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> ScriptedKubectl:
    """A cluster with session shop/sales, its Secret, and a way to its runner."""
    secret = {"link": base64.b64encode(b"link-token").decode(), "state": base64.b64encode(b"state-token").decode()}
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=session_json())
    scripted_kubectl.answer_to("get", "secrets", "was-sales-linking-0123abcd", out={"kind": "Secret", "data": secret})
    sends = {"send": base64.b64encode(b"send-token").decode()}
    scripted_kubectl.answer_to("get", "secrets", "was-sales-messaging-0123abcd", out={"kind": "Secret", "data": sends})
    admin = {"admin": base64.b64encode(b"admin-token").decode()}
    administering = "was-sales-administering-0123abcd"
    scripted_kubectl.answer_to("get", "secrets", administering, out={"kind": "Secret", "data": admin})
    scripted_kubectl.answer_to(
        "port-forward",
        "pod/sales",
        out=f"Forwarding from 127.0.0.1:{scripted_runner.port} -> 8080\n",
        keeps_running=True,
    )
    return scripted_kubectl
