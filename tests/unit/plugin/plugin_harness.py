"""What the plugin's tests share: a scripted kubectl, a scripted runner, and a console that keeps what is said.

The kubectl is a real executable and the runner a real HTTP server on loopback, so that everything between the command
line and the drawing runs as it does for a person.
"""

import io
import json
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.kubectl import Kubectl

NOW = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)

PROGRAM = """#!{python} -ES
import json, os, sys, time
folder = {folder!r}
arguments = sys.argv[1:]
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
with open(folder + "/rules") as file:
    rules = json.load(file)
rule = next((rule for rule in rules if all(word in arguments for word in rule["words"])), None)
if rule is None:
    sys.exit("no rule for " + " ".join(arguments))
sys.stdout.write(rule["out"])
sys.stderr.write(rule["err"])
sys.stdout.flush()
parent = os.getppid()
while rule["stays"] and os.getppid() == parent:
    time.sleep(0.05)
sys.exit(rule["status"])
"""


@dataclass
class ScriptedKubectl:
    """A kubectl that answers by rule: the newest rule whose words are all among the arguments."""

    folder: Path
    rules: list[dict[str, Any]] = field(default_factory=list)

    def install(self) -> None:
        """Write the program."""
        program = self.folder / "kubectl"
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder)))
        program.chmod(0o755)
        self.answer_to()

    def answer_to(
        self, *arguments: str, out: object = "", err: str = "", status: int = 0, keeps_running: bool = False
    ) -> None:
        """Add a rule; `keeps_running` keeps the program running until it is ended, as port-forward does."""
        text = out if isinstance(out, str) else json.dumps(out)
        if arguments:
            self.rules.insert(
                0, {"words": arguments, "out": text, "err": err, "status": status, "stays": keeps_running}
            )
        (self.folder / "rules").write_text(json.dumps(self.rules))

    def calls(self) -> list[list[str]]:
        """Every command line so far."""
        log = self.folder / "calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@dataclass
class ScriptedRunner:
    """A runner that goes one step further each time it is asked to wait for another state."""

    steps: list[tuple[str, str | None]] = field(default_factory=lambda: [("QRPending", "2@code-1")])
    """ State and QR code of each step; the last one stays. """
    step: int = 0
    port: int = 0
    tokens: list[tuple[str, str]] = field(default_factory=list)
    """ Path and token of every request. """
    more: dict[str, Any] = field(default_factory=dict)
    """ Further fields of the state. """
    pairing: list[dict[str, Any] | None] = field(default_factory=lambda: [None])
    """ What it answers of its pairing code, one after the other; None: there is none. The last one stays. """
    bodies: list[Any] = field(default_factory=list)
    """ What was sent with a POST. """
    account: dict[str, Any] | None = None
    """ What it answers of the account; None: it does not know whose is linked. """
    fault: int | None = None
    """ Answer everything with this status. """
    refusal: dict[str, Any] = field(default_factory=lambda: {"error": "as told"})
    state_answer: dict[str, Any] | None = None
    """ The state, in place of the steps' one; there is no QR code then. """
    limit: int | None = None
    """ After so many questions about the state, answer with status 500. """
    waits: list[str] = field(default_factory=list)
    taken: tuple[int, dict[str, Any]] = 200, {"messages": [{"id": "3EB0C767D097B7C7C030"}]}
    """ What it answers to a message, with its status. """
    progress: list[dict[str, Any]] = field(default_factory=lambda: [{"status": "sent"}])
    """ How far the message has come, one after the other; the last one stays. """
    keys: list[str] = field(default_factory=list)
    """ Of idempotency, of every request that had one. """
    dead_letters: dict[str, Any] | None = field(default_factory=lambda: {"deadLetters": []})
    """ What it answers of its dead letters; None: it is too old to know any. """
    queries: list[str] = field(default_factory=list)
    """ Of every question about dead letters. """
    redriven: dict[str, Any] = field(default_factory=lambda: {"redriven": 0})
    lost: int = 0
    """ So many requests about messages end without an answer. """

    def answer(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Play the runner for one GET."""
        self.tokens.append((path.split("?", maxsplit=1)[0], token))
        if self.fault is not None:
            return self.fault, self.refusal
        if path in ("/v1/pairing-code", "/v1/account"):
            codes = self.pairing
            found = self.account if path == "/v1/account" else codes.pop(0) if len(codes) > 1 else codes[0]
            return (404, {}) if found is None else (200, found)
        if self.state_answer is not None:
            asked = [path for path, _ in self.tokens if path == "/v1/state"]
            over = self.limit is not None and len(asked) > self.limit
            return (404, {}) if path.startswith("/v1/qr") else (500, {}) if over else (200, self.state_answer)
        if "after=" in path:
            self.waits.append(path.rpartition("wait=")[2])
            self.step = min(self.step + 1, len(self.steps) - 1)
        state, code = self.steps[self.step]
        if path.startswith("/v1/state"):
            return 200, {"revision": self.step, "state": state, "reason": "AsExpected", "message": "", **self.more}
        if code is None:
            return 404, {"error": "no QR code"}
        expiry = (NOW + timedelta(seconds=18 + self.step)).isoformat()
        return 200, {"text": code, "issuedTime": NOW.isoformat(), "expiryTime": expiry, "round": 2}

    def answer_of_dead_letters(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Tell of them, or send them again."""
        where, _, query = path.partition("?")
        self.tokens.append((where, token))
        self.queries.append(query)
        found = self.redriven if where.endswith("/redrive") else self.dead_letters
        return (404, {}) if found is None else (200, found)

    def answer_of_messages(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Take a message, or tell how far one has come."""
        self.tokens.append((path, token))
        if path.endswith("/messages"):
            return self.taken
        return 200, self.progress.pop(0) if len(self.progress) > 1 else self.progress[0]


@dataclass
class ConsoleHarness:
    """A console, and what was said on it."""

    console: Console
    out: io.StringIO
    raw: io.BytesIO
    err: io.StringIO
    sleeps: list[float]


def session_json(name: str = "sales", *, state: str = "QRPending", **changes: Any) -> dict[str, Any]:
    """A session in namespace shop, as the API server shows it; `changes` replace fields of its status."""
    ready = {
        "type": "Ready",
        "status": "True" if state == "Connected" else "False",
        "reason": state,
        "message": "",
        "lastTransitionTime": "2026-11-22T13:42:00Z",
    }
    status = {
        "state": state,
        "conditions": [ready],
        "podName": name,
        "replicas": 1,
        "nodeName": "node-1",
        "image": "registry.example/runner:1",
        "browserVersion": "156.0.7204.49",
        "phoneNumberID": "265070092772032",
        "tokenSecretName": f"was-{name}-observing-0123abcd",
        "tokenSecrets": {
            "linking": f"was-{name}-linking-0123abcd",
            "messaging": f"was-{name}-messaging-0123abcd",
            "reading": f"was-{name}-reading-0123abcd",
            "administering": f"was-{name}-administering-0123abcd",
        },
        "admission": {"quotaName": "demo"},
        "recovery": {"restarts": 2},
    }
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"quotaName": "demo"},
        "status": status | changes,
    }


def kubectl_of(scripted: ScriptedKubectl) -> Kubectl:
    """The plugin's side of a scripted kubectl."""
    return Kubectl(program=str(scripted.folder / "kubectl"))


def children(folder: Path) -> set[int]:
    """The running processes that this one has started from a folder; other tests of this worker may have children too."""
    mine = Path(f"/proc/{os.getpid()}/task")
    started = {int(pid) for task in mine.iterdir() for pid in (task / "children").read_text().split()}
    return {pid for pid in started if str(folder) in command_line_of(pid)}


def command_line_of(pid: int) -> str:
    """A process's command line, empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
