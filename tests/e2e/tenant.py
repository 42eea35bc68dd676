"""One test's part of the cluster: a namespace, a quota of the same name, and what a person does with sessions there."""

import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kubectl_whatsapp.sessions import messages_at
from session_devtools.errors import NotReady
from session_devtools.http_client import Client
from session_devtools.installation.browser import kill_browser
from session_devtools.installation.phone import Phone
from session_devtools.kubectl import Kubectl
from session_protocol.messages_client import MessagesClient
from support.sessions import Expectation, SessionWaits

LONG_TIMEOUTS = {"startup": "3m", "launch": "2m", "healthCheck": "2m"}
""" For a loaded machine, where a browser's start may take long: these tests are about what follows, not about speed. """
API = "wasession.dev/v1alpha1"
Object = dict[str, Any]


@dataclass
class Tenant(SessionWaits):
    """A restricted namespace with sessions in it."""

    kubectl: Kubectl
    phone: Phone
    """ For the phone alone; its sessions are another namespace's. """
    namespace: str
    devices: dict[str, str] = field(default_factory=dict)
    """ The phone's name of each linked session. """

    @classmethod
    def make(cls, kubectl: Kubectl, phone: Phone, **limits: Any) -> "Tenant":
        """Make the namespace and its quota; no limit is no limit."""
        # Letters alone: a name with seven digits is a hash in metrics, as it may be a telephone number.
        name = "e2e-" + uuid.uuid4().hex[:6].translate(str.maketrans("0123456789", "ghijklmnop"))
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        # Pods are refused until the controller has made the account they run as.
        kubectl("wait", f"--namespace={name}", "--for=create", "serviceaccount/default", "--timeout=60s", timeout=70)
        tenant = cls(kubectl=kubectl, phone=phone, namespace=name)
        tenant.limit(**limits)
        return tenant

    def close(self) -> None:
        """Remove sessions and quota. The empty namespace goes with the cluster: waiting for it would prove nothing."""
        self.run("delete", "was", "--all", "--wait=false")
        self.kubectl("delete", "wasq", self.namespace, "--ignore-not-found")

    def run(self, *arguments: str, timeout: float = 60) -> str:
        """Run kubectl in the namespace."""
        return self.kubectl(f"--namespace={self.namespace}", *arguments, timeout=timeout)

    def limit(self, **limits: Any) -> None:
        """Set the quota's limits."""
        metadata = {"name": self.namespace}
        self.kubectl.apply({"apiVersion": API, "kind": "WhatsAppSessionQuota", "metadata": metadata, "spec": limits})

    def create(self, name: str, **spec: Any) -> None:
        """Apply a session that names the quota, with a small volume."""
        spec = {"quotaName": self.namespace, "profile": {"size": "256Mi"}, "timeouts": LONG_TIMEOUTS} | spec
        metadata = {"name": name, "namespace": self.namespace}
        self.kubectl.apply({"apiVersion": API, "kind": "WhatsAppSession", "metadata": metadata, "spec": spec})

    def edit(self, name: str, spec: Object) -> None:
        """Change a session's spec as a person would."""
        self.run("patch", "was", name, "--type=merge", f"--patch={json.dumps({'spec': spec})}")

    def request(self, name: str, request: str) -> str:
        """Ask for a new pod (restart-at) or a new login (relink-at); returns the value."""
        value = datetime.now(UTC).isoformat()
        self.run("annotate", "was", name, "--overwrite", f"wasession.dev/{request}={value}")
        return value

    def get(self, kind: str, name: str) -> Object | None:
        """Return an object of the namespace, or None."""
        return self.kubectl.find(kind, name, namespace=self.namespace)

    def status(self, name: str) -> Object:
        """Return a session's status; empty while there is none."""
        session = self.get("was", name)
        if session is None:
            raise NotReady(f"no session {name}")
        status: Object = session.get("status", {})
        return status

    def pod(self, name: str) -> Object:
        """Return a session's pod. :raises NotReady: there is none, or it is on its way out."""
        pod = self.get("pod", name)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            raise NotReady(f"session {name} has no pod")
        return pod

    def pod_uid(self, name: str) -> str:
        """Return the UID of a session's pod."""
        return str(self.pod(name)["metadata"]["uid"])

    def pods(self) -> list[Object]:
        """Return all sessions' pods."""
        return self.kubectl.get("pod", namespace=self.namespace, selector="wasession.dev/session")

    def wait_for_recovery(self, name: str, *, after: Object) -> Object:
        """Wait until the session is Connected in a newer pod than that status tells, and never asked for a QR code."""

        def connected(status: Object) -> bool:
            state = status.get("state")  # a session that was applied a moment ago has no status yet
            assert state not in ("QRPending", "LoggedOut", "LinkExpired"), status
            return state == "Connected" and status.get("podUID") not in (None, after["podUID"])

        status = self.wait_for(name, Expectation("is Connected again in a new pod", connected))
        assert after["link"]["linkedTime"] == status["link"]["linkedTime"]
        return status

    def link(self, name: str) -> Object:
        """Let the phone scan the session's QR code, and wait until it is Connected; returns its status."""
        self.wait_for_state(name, "QRPending")
        answer = self.phone.scan(lambda: self.qr(name))
        self.devices[name] = answer["device"]
        return self.wait_for_state(name, "Connected")

    def qr(self, name: str) -> str:
        """Return what the session's QR code says, as the holder of its link token sees it."""
        return str(self._ask_runner(name, "/v1/qr", scope="link")["text"])

    def pairing_code(self, name: str) -> str:
        """Return the session's pairing code, as the holder of its link token sees it."""
        return str(self._ask_runner(name, "/v1/pairing-code", scope="link")["text"])

    def runner_state(self, name: str) -> str:
        """Return the state that the session's runner says, asked directly: no operator is needed for it."""
        return str(self._ask_runner(name, "/v1/state", scope="state")["state"])

    def token(self, name: str, scope: str) -> str:
        """Return the session's token of a scope. :raises NotReady: it has none yet."""
        status = self.status(name)
        others = status.get("tokenSecrets") or {}
        by_scope = {"state": status.get("tokenSecretName"), "link": others.get("linking")}
        by_scope |= {
            "admin": others.get("administering"),
            "send": others.get("messaging"),
            "read": others.get("reading"),
        }
        secret = self.get("secret", str(by_scope[scope]))
        if secret is None:
            raise NotReady(f"session {name} has no Secret")
        return base64.b64decode(secret["data"][scope]).decode()

    @contextmanager
    def messages(self, name: str) -> Iterator[MessagesClient]:
        """Yield a client of the session's messages."""
        token, phone_id = self.token(name, "send"), str(self.status(name)["phoneNumberID"])
        with self.kubectl.forward(name, 8080, namespace=self.namespace) as port:
            yield messages_at(port, token, own_id=phone_id)

    def webhooks(self, name: str) -> list[Object]:
        """Return how the session's webhooks do, as its runner says."""
        return list(self._ask_runner(name, "/v1/webhooks", scope="admin")["webhooks"])

    def secret(self, name: str, **entries: str) -> None:
        """Set the content of a Secret."""
        metadata = {"name": name, "namespace": self.namespace}
        self.kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": entries})

    def _ask_runner(self, name: str, path: str, *, scope: str) -> Object:
        token = self.token(name, scope)
        with self.kubectl.forward(name, 8080, namespace=self.namespace) as port:
            return Client(f"http://127.0.0.1:{port}", token=token).request(path).json_object()

    def command_device(self, name: str, command: str, **body: Any) -> None:
        """Do something to the session's device on the phone."""
        self.phone.request(f"/phone/{self.devices[name]}/{command}", body)

    def evict(self, name: str) -> None:
        """Evict the session's pod by the eviction API, as a drain does."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/eviction"
        metadata = {"name": name, "namespace": self.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.kubectl("create", "--raw", path, "--filename=-", input=json.dumps(body))

    def delete_pod(self, name: str) -> None:
        """Delete the session's pod gracefully."""
        self.run("delete", "pod", name, "--wait=false")

    def python(self, name: str, code: str, *parts: str) -> str:
        """Run Python inside the session's container; returns what it printed."""
        return self.run("exec", name, "--", "python3", "-c", code, *parts)

    def kill_browser(self, name: str) -> None:
        """End Chromium's main process inside the session's container."""
        kill_browser(self.kubectl, name, namespace=self.namespace)
