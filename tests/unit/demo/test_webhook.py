"""The act with a webhook: what its receiver believes, and what is reported of what came."""

import hmac
import io
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from fake_time import FakeTime
from session_demo.cluster_client import ClusterClient
from session_demo.manifests import WRITING
from session_demo.messaging import Messaging
from session_demo.report import Report
from session_demo.webhook import QUESTION, show_webhook
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.phone import Phone
from session_devtools.installation.receiver import Receiver
from session_devtools.installation.receiver_pod import receiver_objects
from support.fake_kubectl import Cluster, FakeKubectl, Object, thing

SECRET, TOKEN = "signing", "verify"


@pytest.fixture(name="port")
def receiver_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a receiver that has had nothing yet."""
    monkeypatch.setattr(Receiver, "secret", SECRET)
    monkeypatch.setattr(Receiver, "verify_token", TOKEN)
    monkeypatch.setattr(Receiver, "events", deque(maxlen=3))
    monkeypatch.setattr(Receiver, "counts", {"handshakes": 0, "refused": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def ask(port: int, path: str, *, event: object = None, secret: str = SECRET) -> tuple[int, str]:
    """Ask the receiver; an event is posted, signed."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    body = None if event is None else json.dumps(event).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body or b"", "sha256").hexdigest()
    connection.request("GET" if body is None else "POST", path, body, {"X-Hub-Signature-256": signature})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def handshake(port: int, token: str = TOKEN) -> tuple[int, str]:
    """Ask whether the receiver wants events."""
    return ask(port, f"/webhook?hub.mode=subscribe&hub.challenge=123&hub.verify_token={token}")


def event_of(identifier: str, text: str = QUESTION) -> Object:
    """A message in the Cloud API's shape."""
    message = {"id": identifier, "type": "text", "text": {"body": text}}
    return {"entry": [{"changes": [{"value": {"messages": [message]}}]}]}


def test_a_receiver_believes_only_who_has_its_secrets(port: int) -> None:
    """The challenge for the verify token alone, and events signed by the secret alone."""
    assert [(200, "123"), 403] == [handshake(port), handshake(port, "other")[0]]
    answers = [ask(port, "/webhook", event=event_of("M1"), secret=secret)[0] for secret in (SECRET, "other")]

    assert [200, 401] == answers
    received = {"handshakes": 1, "refused": 1, "events": [event_of("M1")]}
    assert received == json.loads(ask(port, "/received")[1])


def test_a_receivers_pod_meets_the_restricted_standard() -> None:
    """It asks for no right, and the Secret's values are new each time."""
    one, other = (receiver_objects(image="standin") for _ in range(2))
    pod = next(item for item in one if item["kind"] == "Pod")

    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert ["ALL"] == pod["spec"]["containers"][0]["securityContext"]["capabilities"]["drop"]
    assert one[0]["stringData"] != other[0]["stringData"]


@dataclass(frozen=True, kw_only=True)
class Forwarding(FakeKubectl):
    """A cluster in memory, whose receiver is a real one."""

    port: int

    @contextmanager
    def forward(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Yield the receiver's port."""
        del pod, port, namespace
        yield self.port


@dataclass(frozen=True, kw_only=True)
class Posting(Messaging):
    """A session that shakes hands and posts each message so often."""

    port: int
    times: int

    def write_from_phone(self, text: str) -> str:
        """Tell the receiver."""
        handshake(self.port)
        for _ in range(self.times):
            ask(self.port, "/webhook", event=event_of("M1", text))
        return "M1"


@dataclass
class Restarting(Cluster):
    """A cluster whose session has another pod as soon as the first is deleted."""

    def run(self, arguments: tuple[str, ...], text: str | None) -> str:
        """Replace the pod."""
        if arguments[:2] == ("delete", "pod"):
            self.objects = objects("pod-2")
            return ""
        if arguments[:2] == ("get", "pods"):
            return json.dumps({"items": [one for one in self.objects if one["metadata"]["name"] == "standin"]})
        return super().run(arguments, text)


def objects(pod: str) -> list[Object]:
    """A connected session, its pod and the stand-in's."""
    status = {"state": "Connected", "podUID": pod, "link": {"linkedTime": "2026-01-01T00:00:00Z"}}
    runs, standin = (thing("Pod", name, namespace=NAMESPACE) for name in (WRITING, "standin"))
    runs["metadata"]["uid"] = pod
    standin["spec"] = {"containers": [{"image": "standin"}]}
    return [thing("WhatsAppSession", WRITING, namespace=NAMESPACE, status=status), runs, standin]


@pytest.mark.parametrize(("times", "failures"), [(1, 0), (0, 1), (2, 1)])
def test_a_message_that_comes_once_is_as_promised(times: int, failures: int, port: int) -> None:
    """Never or twice is a miss."""
    fake = FakeTime()
    report = Report(out=io.StringIO(), clock=fake.read, sleep=fake.sleep)
    answers: dict[tuple[str, ...], Any] = {("set",): "", ("patch",): ""}
    cluster = Restarting(objects=objects("pod-1"), answers=answers)
    kubectl = Forwarding(program="kubectl", cluster=cluster, port=port)
    client = ClusterClient(kubectl=kubectl, phone=Phone(kubectl=kubectl, pod="standin", token=""))

    show_webhook(report, Posting(client=client, name=WRITING, device="device-1", port=port, times=times))

    assert failures == len(report.failures)
    assert [("set", "env", "deployment/whatsapp-operator")] == [one[:3] for one in cluster.commands_of("set")]
