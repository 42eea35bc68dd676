"""Receivers of webhooks in pods of their own, each with a secret, and somebody whose phone writes to a session."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from e2e.tenant import Tenant
from session_devtools.errors import ToolError
from session_devtools.http_client import Client
from session_devtools.installation import receiver
from session_devtools.installation.receiver_pod import receiver_objects
from session_devtools.kubectl import Kubectl
from support.waiting import until

NAMESPACE = "receivers"
CHATS = ("15550100701", "15550100702", "15550100703")


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """One of them: the demo's, which takes what is signed by its secret and answers 401 to the rest."""

    kubectl: Kubectl
    name: str

    @classmethod
    def start(cls, kubectl: Kubectl, name: str, *, image: str, secret: str) -> "Receiver":
        """Start it, and wait until it answers."""
        kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        kubectl(
            "wait", f"--namespace={NAMESPACE}", "--for=create", "serviceaccount/default", "--timeout=60s", timeout=70
        )
        entries = {"signingSecret": secret, "verifyToken": "unused"}
        kubectl.apply(*receiver_objects(image=image, secret=entries, name=name, namespace=NAMESPACE))
        kubectl(
            "wait", f"--namespace={NAMESPACE}", "--for=condition=Ready", f"pod/{name}", "--timeout=90s", timeout=100
        )
        return cls(kubectl=kubectl, name=name)

    def webhook(self) -> dict[str, Any]:
        """Return a webhook that posts to it, signed by the Secret bot."""
        url = f"http://{self.name}.{NAMESPACE}.svc:{receiver.PORT}/webhook"
        return {"name": "bot", "url": url, "format": "CloudAPI", "events": ["message"], "secretName": "bot"}

    def received(self) -> dict[str, Any]:
        """Return what came, as it says."""
        with self.kubectl.forward(self.name, receiver.PORT, namespace=NAMESPACE) as port:
            return Client(f"http://127.0.0.1:{port}").request("/received").json_object()

    def texts(self) -> list[str]:
        """Return the texts of the messages that it took, in their order."""
        changes = [change for one in self.received()["events"] for entry in one["entry"] for change in entry["changes"]]
        return [message["text"]["body"] for change in changes for message in change["value"]["messages"]]

    def close(self) -> None:
        """Remove it."""
        self.kubectl(f"--namespace={NAMESPACE}", "delete", "pod,service,secret,configmap", self.name, "--wait=false")


@dataclass(kw_only=True)
class Writer:
    """Numbered messages to a session, in three chats; each is written once, whatever the way to the phone does."""

    tenant: Tenant
    session: str
    numbers: Iterator[int] = field(default_factory=itertools.count)
    written: int = 0

    def write(self, count: int = 1) -> None:
        """Write the next ones."""
        for number in itertools.islice(self.numbers, count):
            body = {"from": chat_of(number), "id": f"3EB0{number:018X}", "text": str(number)}
            until(f"message {number} is written", partial(self._send, body))
            self.written = number + 1

    def _send(self, body: dict[str, Any]) -> bool:
        self.tenant.command_device(self.session, "send", **body)
        return True

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write all the time until the block ends."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(0.5):
                try:
                    self.write()
                except ToolError as error:
                    failed.append(error)
                    return

        failed: list[ToolError] = []
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=170)
        assert [] == failed


def chat_of(number: int) -> str:
    """Return who writes a message."""
    return CHATS[number % len(CHATS)]


def by_chat(texts: list[str]) -> list[list[int]]:
    """Return the numbers of each chat, in their order."""
    numbers = [int(text) for text in texts]
    return [[number for number in numbers if chat_of(number) == chat] for chat in CHATS]


def in_order(count: int) -> list[list[int]]:
    """Return what `by_chat` gives where each message came once, in its chat's order."""
    return by_chat([str(number) for number in range(count)])
