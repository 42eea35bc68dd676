"""The demo's kubectl and its small HTTP calls, with a real program and a real server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from session_demo.errors import CommandFailed, PhoneRefused
from session_demo.kubectl import Kubectl
from session_demo.web import NoAnswer, call
from unit.plugin.plugin_stage import ScriptedKubectl


@pytest.fixture(name="script")
def scripted_program(tmp_path: Path) -> ScriptedKubectl:
    """A kubectl that answers by rule."""
    script = ScriptedKubectl(tmp_path)
    script.install()
    return script


def program(script: ScriptedKubectl) -> Kubectl:
    """The demo's way to it, for one context."""
    return Kubectl(program=str(script.folder / "kubectl"), flags=("--context=blue",))


def test_every_command_carries_the_cluster(script: ScriptedKubectl) -> None:
    """First of all, so that no command can reach another one."""
    script.on("version", out="v1.35.4")

    assert "v1.35.4" == program(script).run("version")
    assert [["--context=blue", "version"]] == script.calls()


def test_a_fault_is_told_in_kubectls_words(script: ScriptedKubectl) -> None:
    """With the command that failed."""
    script.on("delete", err="Error from server (Forbidden): no\n", status=1)

    with pytest.raises(CommandFailed, match=r"^kubectl delete pod x: Error from server \(Forbidden\): no$"):
        program(script).run("delete", "pod", "x")


def test_a_fault_without_complaint_tells_what_was_printed(script: ScriptedKubectl) -> None:
    """`kubectl auth can-i` says its no on standard output."""
    script.on("auth", out="no\n", status=1)

    with pytest.raises(CommandFailed, match=r"can-i create pods: no$"):
        program(script).run("auth", "can-i", "create", "pods")


def test_a_command_that_hangs_is_ended(script: ScriptedKubectl) -> None:
    """The message says how long it was waited for."""
    script.on("wait", stays=True)

    with pytest.raises(CommandFailed, match=r"kubectl wait crd took over 0 s"):
        program(script).run("wait", "crd", timeout=0.3)


def test_an_object_or_none(script: ScriptedKubectl) -> None:
    """None is an answer, a fault is none."""
    script.on("get", "pod", out={"kind": "Pod", "metadata": {"name": "sales"}})
    script.on("get", "secret")
    script.on("get", "node", err="Error from server (Forbidden): no", status=1)
    kubectl = program(script)

    assert {"kind": "Pod", "metadata": {"name": "sales"}} == kubectl.get("pod", "sales", namespace="shop")
    assert kubectl.get("secret", "x", namespace="shop") is None
    with pytest.raises(CommandFailed, match="Forbidden"):
        kubectl.get("node", "n")


def test_objects_are_applied_as_one_stream(script: ScriptedKubectl, tmp_path: Path) -> None:
    """JSON documents on standard input, which is YAML to kubectl."""
    heard = tmp_path / "heard"
    reader = tmp_path / "reader"
    reader.write_text(f'#!/bin/sh\ncat > {heard}\necho "$@" >> {heard}\n')
    reader.chmod(0o755)

    Kubectl(program=str(reader)).apply({"a": 1}, {"b": 2})

    *documents, words = heard.read_text().replace("}apply", "}\napply").splitlines()
    assert [{"a": 1}, {"b": 2}] == [json.loads(line) for line in documents if line != "---"]
    assert "apply --filename=-" == words
    assert [] == script.calls()


def test_a_port_is_forwarded_while_it_is_needed(script: ScriptedKubectl) -> None:
    """To whatever port of this machine kubectl chose."""
    script.on("port-forward", out="Forwarding from 127.0.0.1:4711 -> 8080\n", stays=True)

    with program(script).forwarded("sales", 8080, namespace="shop") as port:
        assert 4711 == port

    assert ["pod/sales", ":8080"] == script.calls()[0][-2:]


def test_a_port_that_cannot_be_forwarded_is_a_message(script: ScriptedKubectl) -> None:
    """In kubectl's words."""
    script.on("port-forward", err='Error from server (NotFound): pods "sales" not found', status=1)

    with pytest.raises(CommandFailed, match="not found"), program(script).forwarded("sales", 8080, namespace="shop"):
        pass


class Phone(BaseHTTPRequestHandler):
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
    with HTTPServer(("127.0.0.1", 0), Phone) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_question_carries_the_token(phone: str) -> None:
    """As the phone and the runners want it."""
    assert {"asked": "/phone/devices", "token": "Bearer t"} == call(f"{phone}/phone/devices", token="t")


def test_a_body_makes_it_a_request(phone: str) -> None:
    """Sent as JSON; an empty one too."""
    assert {"body": {"qr": "x"}} == call(f"{phone}/phone/scan", token="t", body={"qr": "x"})
    assert {"body": {}} == call(f"{phone}/phone/scan", token="t", body={})


def test_a_refusal_tells_what_was_said_and_not_what_was_sent(phone: str) -> None:
    """A QR code or a token in a message would be one in a log."""
    with pytest.raises(PhoneRefused) as caught:
        call(f"{phone}/refuse", token="top-secret", body={"qr": "2@secret-code"})

    assert "409 for POST /refuse: the code is over" == str(caught.value)


def test_nobody_at_the_port_is_no_answer(phone: str) -> None:
    """The forwarding may have ended."""
    port = int(phone.rpartition(":")[2])

    with pytest.raises(NoAnswer, match="no answer from /x"):
        call(f"http://127.0.0.2:{port}/x", token="t", timeout=1)
