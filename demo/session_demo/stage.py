"""What the demo looks at and what it does, in the words of the story: sessions, pods, QR codes, the phone.

Reads through kubectl alone; a runner and the phone are reached through `kubectl port-forward`. Tokens and QR codes
stay in memory: what is told is never more than a state.
"""

import base64
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from session_devtools.errors import ToolError
from session_devtools.kubectl import Kubectl
from session_devtools.waiting import wait_until
from session_devtools.web import Client
from session_protocol.vocabulary import RunnerState, TokenScope

from session_demo.cast import NAMESPACE
from session_demo.errors import DemoError
from session_demo.story import Probe, Seen

KILL_BROWSER = """
import os, pathlib, signal
for entry in pathlib.Path("/proc").iterdir():
    if not entry.name.isdigit():
        continue
    try:
        words = (entry / "cmdline").read_bytes().split(b"\\0")
    except OSError:
        continue
    if b"headless" in words[0].rsplit(b"/", 1)[-1] and not any(word.startswith(b"--type=") for word in words):
        os.kill(int(entry.name), signal.SIGKILL)
        print("killed", entry.name)
"""
""" Run inside a session's container: ends Chromium's main process, and says so. """


EVENTS = 12
""" The latest that are shown below a missed step. """


class NotYet(DemoError):
    """Something is not there yet."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The cluster as the story sees it."""

    kubectl: Kubectl
    phone_namespace: str
    phone_pod: str
    """ The stand-in's pod, whose phone is reached by port-forward. """
    phone_port: int
    phone_token: str
    instance: str = ""
    """ The operator's instance that this namespace belongs to. """
    profile: Mapping[str, str] = field(default_factory=dict)
    """ What each session's spec.profile says beyond its size. """
    patience: float = 90.0
    """ Seconds for a session's first pod to show its QR code; more where nodes pull images. """

    def session(self, name: str) -> dict[str, Any]:
        """Return a session. :raises NotYet: while there is none."""
        found = self.kubectl.find("whatsappsession", name, namespace=NAMESPACE)
        if found is None:
            raise NotYet(f"no session {name}")
        return found

    def pod_uid(self, name: str) -> str:
        """Return the UID of a session's pod that is not on its way out."""
        pod = self.kubectl.find("pod", name, namespace=NAMESPACE)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            raise NotYet(f"session {name} has no pod")
        return str(pod["metadata"]["uid"])

    def in_state(self, name: str, *states: str) -> Probe:
        """Make a probe: the session is in one of these states."""

        def look() -> Seen:
            status = self.session(name).get("status", {})
            state = status.get("state", "nothing yet")
            return Seen(good=state in states, text=f"{name} is {state}{_why(status)}")

        return look

    def has_condition(self, name: str, kind: str) -> Probe:
        """Make a probe: a condition of the session is true."""

        def look() -> Seen:
            conditions = self.session(name).get("status", {}).get("conditions", [])
            found: Mapping[str, Any] = next((item for item in conditions if item["type"] == kind), {})
            said = found.get("message", "not told yet")
            return Seen(good=found.get("status") == "True", text=f"{kind}={found.get('status')}: {said}")

        return look

    def connected_again(self, name: str, *, before: str, linked: str) -> Probe:
        """Make a probe: another pod than `before` is Connected with the login of `linked`, never asked for a QR code."""

        def look() -> Seen:
            status = self.session(name).get("status", {})
            uid, state = status.get("podUID"), status.get("state", "nothing yet")
            same_login = status.get("link", {}).get("linkedTime") == linked
            good = state == RunnerState.CONNECTED and uid not in (None, before) and same_login
            login = "the login of before" if same_login else "another login"
            pod = "a new pod" if uid != before else "the old pod"
            return Seen(good=good, text=f"{name} is {state} in {pod} with {login}{_why(status)}")

        return look

    def same_pod(self, name: str, uid: str) -> Probe:
        """Make a probe: the session still runs in this very pod."""

        def look() -> Seen:
            now = self.pod_uid(name)
            return Seen(good=now == uid, text=f"{name} runs in {'the same pod' if now == uid else 'another pod'}")

        return look

    def link_time(self, name: str, field: str = "linkedTime") -> str:
        """Return status.link.linkedTime or .durableTime. :raises NotYet: there is none yet."""
        value = self.session(name).get("status", {}).get("link", {}).get(field)
        if not value:
            raise NotYet(f"session {name} has no {field}")
        return str(value)

    def durable(self, name: str) -> Probe:
        """Make a probe: the login has been on disk since a time that is over."""

        def look() -> Seen:
            time_ = datetime.fromisoformat(self.link_time(name, "durableTime"))
            return Seen(good=time_ <= datetime.now(UTC), text=f"{name}'s login is durable from {time_:%H:%M:%S} on")

        return look

    def qr_text(self, name: str) -> str:
        """Return the QR code's text of a session, as the holder of its link token sees it."""
        secret_name = self.session(name).get("status", {}).get("tokenSecretName")
        secret = self.kubectl.find("secret", secret_name, namespace=NAMESPACE) if secret_name else None
        if secret is None:
            raise NotYet(f"session {name} has no Secret")
        token = base64.b64decode(secret["data"][TokenScope.LINK]).decode()
        with self.kubectl.forward(name, 8080, namespace=NAMESPACE) as port:
            return str(Client(f"http://127.0.0.1:{port}", token=token).ask("/v1/qr").object()["text"])

    def phone(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the phone's API; a body makes it a POST."""
        with self.kubectl.forward(self.phone_pod, self.phone_port, namespace=self.phone_namespace) as port:
            return Client(f"http://127.0.0.1:{port}", token=self.phone_token).ask(path, body=body).object()

    def scan(self, name: str) -> None:
        """Let the phone scan a session's QR code; a code that ran out meanwhile is read anew."""
        self.scanned(functools.partial(self.qr_text, name))

    def scanned(self, read: Callable[[], str]) -> Any:
        """Let the phone scan what is read, and return its answer; tried again for some seconds."""

        def scan() -> Any:
            return self.phone("/phone/scan", {"qr": read()})

        return wait_until("the phone scans the QR code", scan, lambda _: True, within=5, every=1, not_yet=ToolError)

    def delete_pod(self, name: str) -> None:
        """Delete a session's pod gracefully, as `kubectl delete pod` or a drain does."""
        self.kubectl("delete", "pod", name, f"--namespace={NAMESPACE}", "--wait=false")

    def suspend(self, name: str) -> None:
        """Suspend a session the way a person does."""
        patch = '{"spec": {"operatingMode": "Suspended"}}'
        self.kubectl("patch", "was", name, f"--namespace={NAMESPACE}", "--type=merge", f"--patch={patch}")

    def quota_counts(self, name: str, admitted: int, waiting: int) -> Probe:
        """Make a probe: the quota's status counts just these."""

        def look() -> Seen:
            status = (self.kubectl.find("wasq", name) or {}).get("status", {})
            seen = status.get("admitted"), status.get("waiting")
            return Seen(good=seen == (admitted, waiting), text=f"admitted {seen[0]}, waiting {seen[1]}")

        return look

    def clues(self) -> str:
        """Sessions, pods and the latest events, as kubectl prints them; or why it cannot."""
        place = f"--namespace={NAMESPACE}"
        objects = self.kubectl("get", "whatsappsessions,pods", place, check=False)
        events = self.kubectl("get", "events", place, "--sort-by=.metadata.creationTimestamp", check=False)
        return "\n".join([*objects.splitlines(), *events.splitlines()[-EVENTS:]])

    def kill_browser(self, name: str) -> None:
        """End Chromium's main process inside a session's container."""
        said = self.kubectl("exec", f"--namespace={NAMESPACE}", name, "--", "python3", "-c", KILL_BROWSER)
        if "killed" not in said:
            raise DemoError(f"no browser process was found in the pod of {name}")


def _why(status: Mapping[str, Any]) -> str:
    """The Ready condition's message, which is what a person would read."""
    ready: Mapping[str, Any] = next((item for item in status.get("conditions", []) if item["type"] == "Ready"), {})
    message = ready.get("message", "")
    return f" ({message})" if message else ""
