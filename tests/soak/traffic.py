"""Messages both ways while everything goes wrong: sent by the API, written by the phone, received by a webhook.

One session after the other is given a text to send and gets one, every two seconds. What was not taken, because the pod is
away say, is given again under the same key of idempotency, as clients do. The webhooks' receiver is in this process and
listens in the node's network, where no mishap reaches it. What all this came to is a `Ledger`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any, Final

from campaigns.looking import looking
from e2e.harness import ClusterHarness
from e2e.pod_processes import process_of
from e2e.tenant import Tenant
from session_bench.pod_network import PodNetwork
from session_devtools.errors import NotReady, ToolError, WaitTimeout
from session_devtools.http_client import Client
from session_devtools.installation.constants import NAMESPACE as STANDIN
from support.waiting import until
from whatsapp_operator.api.constants import RUNNER_PORT

EVERY: Final = 2.0
""" Seconds between two messages each way. """
SETTLED: Final = 180.0
""" Seconds after the last mishap in which the last messages have come where they go. """
LIVE: Final = 120.0
""" Seconds in which an edit of the webhooks has reached the running pod. """
RECEIVER: Final = "10.244.0.1"
""" The node, as its pods reach it: tests/e2e/overlay opens the way to it. """
PORT: Final = 8099
HOOK: Final = "soak"
FRIEND: Final = "15550100777"


@dataclass(kw_only=True)
class Ledger:
    """What became of the messages."""

    taken: dict[str, str] = field(default_factory=dict)
    """ Texts that the API took, with their ids. """
    arrived: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """ Texts that the phone has, each with the ids under which it came. """
    written: set[str] = field(default_factory=set)
    """ Ids of what the phone wrote. """
    reported: Counter[str] = field(default_factory=Counter)
    """ Ids of what the receiver was told, and how often. """
    grown: dict[str, int] = field(default_factory=dict)
    """ Bytes by which each session's profile grew. """
    messages: Counter[str] = field(default_factory=Counter)
    """ Messages of each session, both ways. """

    @property
    def is_settled(self) -> bool:
        """Whether everything has come where it goes."""
        return self.taken.keys() <= self.arrived.keys() and self.written <= self.reported.keys()


@dataclass(kw_only=True)
class Traffic:
    """The messages of one run."""

    e2e: ClusterHarness
    tenant: Tenant
    names: tuple[str, ...]
    ledger: Ledger = field(default_factory=Ledger)
    _network: PodNetwork = field(init=False)
    _tokens: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Send and receive until the block ends, and then wait until all of it has arrived."""
        with PodNetwork(self.e2e.cluster.network) as self._network, self._receiving():
            for name in self.names:
                self._tokens[name] = self.tenant.token(name, "send")
                self.tenant.edit(name, {"webhooks": [_hook()]})
            try:
                self._wait_for_hooks()
                before = {name: self._profile_bytes(name) for name in self.names}
                outgoing, incoming = self._outgoing(), self._incoming()
                with looking(lambda: next(outgoing), lambda: next(incoming), every=EVERY):
                    yield
                self._settle()
                self.ledger.grown = {name: self._profile_bytes(name) - before[name] for name in self.names}
            finally:
                for name in self.names:
                    self.tenant.edit(name, {"webhooks": []})

    def _wait_for_hooks(self) -> None:
        """Let each session be written to until its webhook has told of it: the setting has reached the running pod."""
        for name in self.names:
            until(f"the webhook of {name} is in force", partial(self._has_webhook, name, []), within=LIVE, every=3)
        self.ledger.written.clear()
        self.ledger.messages.clear()

    def _has_webhook(self, name: str, tried: list[str]) -> bool:
        tried.append(f"FIRST{self.names.index(name)}X{len(tried)}")
        self._write(name, tried[-1])
        return any(self.ledger.reported[identifier] for identifier in tried)

    def _outgoing(self) -> Iterator[None]:
        """Have one text taken at each step; one that is not is tried again at the next, in its turn."""
        waiting: list[tuple[str, str]] = []
        for number, name in enumerate(cycle(self.names)):
            waiting.append((name, f"out {number} of {name}"))
            away = set[str]()
            for one in waiting[:]:
                if one[0] not in away and self._take(*one):
                    waiting.remove(one)
                else:
                    away.add(one[0])
            yield

    def _take(self, name: str, text: str) -> bool:
        body = {"type": "text", "to": FRIEND, "text": {"body": text}}
        try:
            host = self.tenant.pod(name)["status"].get("podIP")
            client = Client(f"http://{host}:{RUNNER_PORT}", token=self._tokens[name])
            headers = {"Idempotency-Key": text.replace(" ", "-")}
            answer = self._network.run(client.request, "/v1/messages", body=body, headers=headers, timeout=5)
            if not answer.ok:
                return False
            self.ledger.taken[text] = str(answer.json_object()["id"])
        except ToolError:  # the API server is away, say
            return False
        self.ledger.messages[name] += 1
        return True

    def _incoming(self) -> Iterator[None]:
        """Have the phone write to one session at each step."""
        for number, name in enumerate(cycle(self.names)):
            self._write(name, f"SOAK{number:012}")
            yield

    def _write(self, name: str, identifier: str) -> None:
        """Let the phone write; what it does not answer it may have done, but need not."""
        body = {"from": FRIEND, "id": identifier, "text": f"in {identifier}"}
        try:
            if self._phone(f"/phone/{self.tenant.devices[name]}/send", body).ok:
                self.ledger.written.add(identifier)
                self.ledger.messages[name] += 1
        except ToolError:
            return

    def _phone(self, path: str, body: dict[str, Any] | None = None) -> Any:
        phone = self.e2e.phone
        pod = self.e2e.kubectl.find("pod", phone.pod, namespace=STANDIN)
        if pod is None:
            raise NotReady("the phone's pod is gone")
        client = Client(f"http://{pod['status']['podIP']}:{phone.port}", token=phone.token)
        return self._network.run(client.request, path, body=body, timeout=10)

    def _settle(self) -> None:
        def all_there() -> bool:
            for name in self.names:
                answer = self._phone(f"/phone/{self.tenant.devices[name]}/messages").json_object()
                for one in answer["messages"]:
                    self.ledger.arrived[one["body"]].add(one["id"])
            return self.ledger.is_settled

        try:
            until("all messages are where they go", all_there, within=SETTLED, every=2)
        except WaitTimeout:  # the verdict says which are not
            return

    def _profile_bytes(self, name: str) -> int:
        """Return what a session's volume holds, as the disk counts it."""
        root = Path(f"/proc/{process_of(self.e2e.cluster, self.tenant.pod_uid(name), 'session_runner')}/root/profile")
        total = 0
        for path in root.rglob("*"):
            try:
                total += path.lstat().st_blocks * 512
            except OSError:  # a database tidies up
                continue
        return total

    @contextmanager
    def _receiving(self) -> Iterator[None]:
        reported = self.ledger.reported

        class Receiver(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                for identifier in reported_ids(self.rfile.read(int(self.headers["Content-Length"]))):
                    reported[identifier] += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        server = self._network.run(ThreadingHTTPServer, ("", PORT), Receiver)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def reported_ids(body: bytes) -> list[str]:
    """Return the ids of the messages in a webhook's body."""
    changes = [change for entry in json.loads(body)["entry"] for change in entry["changes"]]
    return [message["id"] for change in changes for message in change["value"].get("messages", ())]


def _hook() -> dict[str, Any]:
    return {"name": HOOK, "url": f"http://{RECEIVER}:{PORT}/", "format": "CloudAPI", "events": ["message"]}
