"""The acts with messages: what they report of a session that keeps its promise, and of those that do not."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fake_time import FakeTime
from session_demo.cluster_client import ClusterClient
from session_demo.event_listener import Listener
from session_demo.manifests import WRITING
from session_demo.messages import QUESTION, REPLY, show_messages
from session_demo.messaging import Messaging
from session_demo.report import Report
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.phone import Phone
from support.fake_kubectl import Cluster, Object, kubectl, thing


@dataclass(frozen=True, kw_only=True)
class FakePhone(Phone):
    """A phone with the messages that the session sent."""

    messages: list[Object] = field(default_factory=list)

    def request(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Answer like the stand-in."""
        del path, body
        return {"messages": self.messages}


@dataclass(frozen=True, kw_only=True)
class FakeMessaging(Messaging):
    """A session that sends what it is told; with `offline` when it is connected again, so often."""

    cluster: Cluster
    phone: FakePhone
    times: int = 1
    copies: int = 1
    """ How often a message that comes in is told. """
    waiting: list[Object] = field(default_factory=list)
    listener: Listener = field(default_factory=Listener)
    offline: list[bool] = field(default_factory=list)

    def send_by_plugin(self, text: str) -> str:
        """Send at once."""
        return self.send_by_pywa(text)

    def send_by_pywa(self, text: str, *, reply_to: str | None = None) -> str:
        """Send now or later."""
        message = {"id": f"ID-{text}", "body": text} | ({"quoted": reply_to} if reply_to else {})
        if self.offline:
            self.waiting.append(message)
        else:
            self.phone.messages.append(message)
        return str(message["id"])

    def status_of(self, identifier: str) -> str:
        """Tell whether it is on the phone."""
        return "sent" if any(one["id"] == identifier for one in self.phone.messages) else "accepted"

    def write_from_phone(self, text: str) -> str:
        """Bring a message in."""
        event = {"type": "message", "data": {"id": "QUESTION", "content": {"type": "text", "text": {"body": text}}}}
        self.listener.events.extend([event] * self.copies)
        return "QUESTION"

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Hear what comes in."""
        yield self.listener

    def command_phone(self, command: str, body: Mapping[str, Any]) -> None:
        """Lose the connection, or have it back."""
        del body
        if command == "offline":
            self.offline.append(True)
        else:
            self.offline.clear()
            self.phone.messages.extend(self.waiting * self.times)


@dataclass
class Restarting(Cluster):
    """A cluster whose session has another pod as soon as the first is deleted."""

    def run(self, arguments: tuple[str, ...], text: str | None) -> str:
        """Replace the pod."""
        if arguments[:2] != ("delete", "pod"):
            return super().run(arguments, text)
        self.objects = session_with("pod-2")
        return ""


def session_with(pod: str) -> list[Object]:
    """A connected session and its pod."""
    status = {"state": "Connected", "podUID": pod, "link": {"linkedTime": "2026-01-01T00:00:00Z"}}
    runs = thing("Pod", WRITING, namespace=NAMESPACE)
    runs["metadata"]["uid"] = pod
    return [thing("WhatsAppSession", WRITING, namespace=NAMESPACE, status=status), runs]


def play(*, times: int = 1, copies: int = 1) -> list[str]:
    """Play all acts; returns the misses."""
    time, cluster = FakeTime(), Restarting(objects=session_with("pod-1"))
    report = Report(out=io.StringIO(), clock=time.read, sleep=time.sleep)
    found = kubectl(cluster)
    phone = FakePhone(kubectl=found, pod="standin", token="")
    client = ClusterClient(kubectl=found, phone=phone)
    messaging = FakeMessaging(
        client=client, name=WRITING, device="device-1", cluster=cluster, phone=phone, times=times, copies=copies
    )
    show_messages(report, messaging)
    return report.failures


def test_messages_that_come_once_are_as_promised() -> None:
    """Out by both ways, in, and the reply that a deleted pod left waiting."""
    assert [] == play()


def test_a_reply_that_is_sent_twice_is_a_miss() -> None:
    """The phone counts every arrival: that is what the act is there to tell."""
    assert "the phone has the reply once, not twice; seen: the phone has it 2 times, as a reply 2 times" in play(
        times=2
    )


def test_a_reply_that_is_lost_is_a_miss() -> None:
    """It was accepted, and no pod sent it."""
    assert "the phone has the reply; seen: the phone does not have it" in play(times=0)


@pytest.mark.parametrize("copies", [0, 2])
def test_an_event_that_does_not_come_once_is_a_miss(copies: int) -> None:
    """Neither never nor twice."""
    failures = play(copies=copies)

    assert failures
    assert all(f"events with this message: {copies}" in failure for failure in failures)


def test_texts_differ_so_that_none_is_taken_for_another() -> None:
    """The phone finds a message that came under another id by its text."""
    assert QUESTION != REPLY
