"""What the scenario reads and does in a cluster: sessions, pods, QR codes, the phone.

Reads through kubectl alone; a runner and the phone are reached through `kubectl port-forward`. Tokens and QR codes
stay in memory: what is reported is never more than a state.
"""

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from session_devtools.errors import NotReady
from session_devtools.http_client import Client
from session_devtools.installation.browser import kill_browser
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.phone import Phone
from session_devtools.kubectl import Kubectl
from session_protocol.vocabulary import RunnerState, TokenPurpose, TokenScope

from session_demo.report import Observation, Probe

EVENTS = 12
""" The latest that are shown below a missed step. """


@dataclass(frozen=True, kw_only=True)
class ClusterClient:
    """A cluster with operator and stand-in, as the scenario uses it."""

    kubectl: Kubectl
    phone: Phone
    instance: str = ""
    """ The operator's instance that this namespace belongs to. """
    profile: Mapping[str, str] = field(default_factory=dict)
    """ What each session's spec.profile says beyond its size. """
    startup_timeout: float = 120.0
    """ Seconds for a session's first pod to show its QR code; more where nodes pull images. """

    def session(self, name: str) -> dict[str, Any]:
        """Return a session. :raises NotReady: there is none yet."""
        found = self.kubectl.find("whatsappsession", name, namespace=NAMESPACE)
        if found is None:
            raise NotReady(f"no session {name}")
        return found

    def pod_uid(self, name: str) -> str:
        """Return the UID of a session's pod that is not on its way out."""
        pod = self.kubectl.find("pod", name, namespace=NAMESPACE)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            raise NotReady(f"session {name} has no pod")
        return str(pod["metadata"]["uid"])

    def in_state(self, name: str, *states: str) -> Probe:
        """Make a probe: the session is in one of these states."""

        def observe() -> Observation:
            status = self.session(name).get("status", {})
            state = status.get("state", "nothing yet")
            return Observation(ok=state in states, text=f"{name} is {state}{_ready_message(status)}")

        return observe

    def has_condition(self, name: str, kind: str) -> Probe:
        """Make a probe: a condition of the session is true."""

        def observe() -> Observation:
            conditions = self.session(name).get("status", {}).get("conditions", [])
            found: Mapping[str, Any] = next((item for item in conditions if item["type"] == kind), {})
            output = found.get("message", "not told yet")
            return Observation(ok=found.get("status") == "True", text=f"{kind}={found.get('status')}: {output}")

        return observe

    def connected_again(self, name: str, *, before: str, linked: str) -> Probe:
        """Make a probe: another pod than `before` is Connected with the login of `linked`, never asked for a QR code."""

        def observe() -> Observation:
            status = self.session(name).get("status", {})
            uid, state = status.get("podUID"), status.get("state", "nothing yet")
            same_login = status.get("link", {}).get("linkedTime") == linked
            ok = state == RunnerState.CONNECTED and uid not in (None, before) and same_login
            login = "the same login" if same_login else "another login"
            pod = "a new pod" if uid != before else "the old pod"
            return Observation(ok=ok, text=f"{name} is {state} in {pod} with {login}{_ready_message(status)}")

        return observe

    def same_pod(self, name: str, uid: str) -> Probe:
        """Make a probe: the session still runs in this very pod."""

        def observe() -> Observation:
            now = self.pod_uid(name)
            return Observation(ok=now == uid, text=f"{name} runs in {'the same pod' if now == uid else 'another pod'}")

        return observe

    def another_pod(self, name: str, *, before: str) -> Probe:
        """Make a probe: the session has a pod, and no longer that one."""

        def observe() -> Observation:
            now = self.pod_uid(name)
            return Observation(ok=now != before, text=f"{name} has {'the old pod' if now == before else 'a new pod'}")

        return observe

    def link_time(self, name: str, field: str = "linkedTime") -> str:
        """Return status.link.linkedTime or .durableTime. :raises NotReady: there is none yet."""
        value = self.session(name).get("status", {}).get("link", {}).get(field)
        if not value:
            raise NotReady(f"session {name} has no {field}")
        return str(value)

    def durable(self, name: str) -> Probe:
        """Make a probe: the login has been on disk since a time that is over."""

        def observe() -> Observation:
            durable_time = datetime.fromisoformat(self.link_time(name, "durableTime"))
            return Observation(
                ok=durable_time <= datetime.now(UTC),
                text=f"the login of {name} is on disk from {durable_time:%H:%M:%S} on",
            )

        return observe

    def token(self, name: str, purpose: TokenPurpose, scope: TokenScope) -> str:
        """Return a token of a session, from the Secret that its status names. :raises NotReady: there is none yet."""
        secret_name = self.session(name).get("status", {}).get("tokenSecrets", {}).get(purpose)
        secret = self.kubectl.find("secret", secret_name, namespace=NAMESPACE) if secret_name else None
        if secret is None:
            raise NotReady(f"session {name} has no Secret for {purpose}")
        return base64.b64decode(secret["data"][scope]).decode()

    def qr_text(self, name: str) -> str:
        """Return the QR code's text of a session, as the holder of its link token sees it."""
        token = self.token(name, TokenPurpose.LINKING, TokenScope.LINK)
        with self.kubectl.forward(name, 8080, namespace=NAMESPACE) as port:
            return str(Client(f"http://127.0.0.1:{port}", token=token).request("/v1/qr").json_object()["text"])

    def scan(self, name: str) -> str:
        """Let the phone scan a session's QR code; a code that ran out meanwhile is read anew. Returns the phone's device."""
        return str(self.phone.scan(functools.partial(self.qr_text, name))["device"])

    def shows_code(self, name: str) -> Probe:
        """Make a probe: the holder of the session's link token gets a QR code."""

        def observe() -> Observation:
            return Observation(ok=bool(self.qr_text(name)), text=f"{name} has a QR code")

        return observe

    def take_over(self, device: str) -> None:
        """Let another window log in with the same login, which pushes the session's own page out."""
        self.phone.request(f"/phone/{device}/replaced", {})

    def ban_unlinked(self, seconds: int) -> None:
        """Let the service refuse every page without a login for so long."""
        self.phone.request("/phone/unlinked/ban", {"expire": seconds})

    def page_loads(self, device: str) -> int:
        """Return how often the page of a device was opened, as the stand-in counts it."""
        return int(self.phone.request("/loads")["byDevice"].get(device, 0))

    def opened(self, device: str, times: int) -> Probe:
        """Make a probe: the page of a device was opened so often, and not once more."""

        def observe() -> Observation:
            seen = self.page_loads(device)
            return Observation(ok=seen == times, text=f"openings of the page so far: {seen}; before: {times}")

        return observe

    def delete_pod(self, name: str) -> None:
        """Delete a session's pod gracefully, as `kubectl delete pod` or a drain does."""
        self.kubectl("delete", "pod", name, f"--namespace={NAMESPACE}", "--wait=false")

    def suspend(self, name: str) -> None:
        """Suspend a session the way a person does."""
        self._operate(name, "Suspended")

    def resume(self, name: str) -> None:
        """Let a suspended session run again."""
        self._operate(name, "Running")

    def _operate(self, name: str, mode: str) -> None:
        patch = f'{{"spec": {{"operatingMode": "{mode}"}}}}'
        self.kubectl("patch", "was", name, f"--namespace={NAMESPACE}", "--type=merge", f"--patch={patch}")

    def quota_counts(self, name: str, admitted: int, waiting: int) -> Probe:
        """Make a probe: the quota's status counts just these."""

        def observe() -> Observation:
            status = (self.kubectl.find("wasq", name) or {}).get("status", {})
            seen = status.get("admitted"), status.get("waiting")
            return Observation(ok=seen == (admitted, waiting), text=f"admitted {seen[0]}, waiting {seen[1]}")

        return observe

    def diagnostics(self) -> str:
        """Sessions, pods and the latest events, as kubectl prints them; or why it cannot."""
        context = f"--namespace={NAMESPACE}"
        objects = self.kubectl("get", "whatsappsessions,pods", context, check=False)
        events = self.kubectl("get", "events", context, "--sort-by=.metadata.creationTimestamp", check=False)
        return "\n".join([*objects.splitlines(), *events.splitlines()[-EVENTS:]])

    def kill_browser(self, name: str) -> None:
        """End Chromium's main process inside a session's container."""
        kill_browser(self.kubectl, name, namespace=NAMESPACE)


def _ready_message(status: Mapping[str, Any]) -> str:
    """The Ready condition's message, which is what a person would read."""
    ready: Mapping[str, Any] = next((item for item in status.get("conditions", []) if item["type"] == "Ready"), {})
    message = ready.get("message", "")
    return f" ({message})" if message else ""
