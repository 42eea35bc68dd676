"""How each mishap is brought about on the local cluster, and ended. `mishaps` is the table of them."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from e2e.harness import ClusterHarness
from e2e.operator_pod import NAMESPACE as OPERATOR
from e2e.pod_processes import paused, process_of
from e2e.tenant import Tenant
from local_cluster.full.up import supervisor_of
from session_devtools.errors import NotReady
from session_devtools.installation.constants import NAMESPACE as STANDIN
from session_devtools.processes import end
from support.waiting import until
from whatsapp_operator.api.constants import SERVICE_NAME

KEYS: Final = "whatsapp-operator-keys"
HOSTS: Final = ("standin-web", "standin-static")
REFUSES: Final = "soak-no-pods"
ADMISSION: Final = "admissionregistration.k8s.io/v1"
FILL: Final = """
import os, sys
with open(sys.argv[1], "wb", buffering=0) as file:
    size = 2**20
    while size:
        try:
            while file.write(bytes(size)) == size:
                pass
        except OSError:
            pass
        size //= 2
"""
FILLER: Final = "/profile/soak-filler"


@dataclass(frozen=True, kw_only=True)
class Site:
    """What mishaps happen to."""

    e2e: ClusterHarness
    tenant: Tenant

    def pids_of(self, name: str, *, program: str) -> list[int]:
        """Return the processes of a session's pod whose command line has this in it."""
        pod = f"/pod{self.tenant.pod_uid(name)}/"
        found = []
        for pid in self.e2e.cluster.pids():
            try:
                groups = Path(f"/proc/{pid}/cgroup").read_text()
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it ended
                continue
            if pod in groups and program in command:
                found.append(pid)
        return found


Cause = Callable[[Site, str], AbstractContextManager[None]]


def kill_runner(site: Site, victim: str) -> None:
    """End the first process of a session's container by SIGKILL."""
    os.kill(process_of(site.e2e.cluster, site.tenant.pod_uid(victim), "session_runner"), signal.SIGKILL)


@contextmanager
def busy_page(site: Site, victim: str) -> Iterator[None]:
    """Stop the page's processes: it answers nothing."""
    pids = site.pids_of(victim, program="--type=renderer")
    if not pids:
        raise NotReady(f"session {victim} has no page")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGCONT)


def phone(command: str) -> Cause:
    """Return what the phone does to the session's device, and takes back."""

    @contextmanager
    def cause(site: Site, victim: str) -> Iterator[None]:
        site.tenant.command_device(victim, command)
        try:
            yield
        finally:
            site.tenant.command_device(victim, "online")

    return cause


@contextmanager
def full_volume(site: Site, victim: str) -> Iterator[None]:
    """Fill the session's volume to the last byte, from the node, and make room again."""
    root = Path(f"/proc/{process_of(site.e2e.cluster, site.tenant.pod_uid(victim), 'session_runner')}/root")
    folder = root / "profile"
    handle = os.open(folder, os.O_PATH)  # the volume stays reachable when the container ends
    try:
        site.tenant.python(victim, FILL, FILLER)
        yield
    finally:
        Path(f"/proc/self/fd/{handle}/{Path(FILLER).name}").unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def page_host_hangs(site: Site, _victim: str) -> Iterator[None]:
    """Stop the page's server: connections are made, and nothing comes."""
    pod = site.e2e.kubectl.find("pod", site.e2e.phone.pod, namespace=STANDIN) or {}
    with paused(process_of(site.e2e.cluster, pod["metadata"]["uid"], "standin")):
        yield


@contextmanager
def no_page_host(site: Site, _victim: str) -> Iterator[None]:
    """Take the page's hosts their server: new connections are refused, the old ones are cut."""
    _select(site, "nobody")
    try:
        for device in site.tenant.devices:
            site.tenant.command_device(device, "drop")
        yield
    finally:
        _select(site, "standin")


def _select(site: Site, app: str) -> None:
    patch = json.dumps({"spec": {"selector": {"app.kubernetes.io/name": app}}})
    for host in HOSTS:
        site.e2e.kubectl("patch", "service", host, f"--namespace={STANDIN}", "--type=merge", f"--patch={patch}")


def stopped(daemon: str) -> Cause:
    """Return what ends one of the cluster's own programs, and starts it again."""

    @contextmanager
    def cause(site: Site, _victim: str) -> Iterator[None]:
        running = supervisor_of(site.e2e.cluster.instance).running(daemon)
        if running is None:
            raise NotReady(f"{daemon} does not run")
        end([running], grace_period=5)  # of containerd not its children, who are the pods'
        try:
            yield
        finally:
            site.e2e.cluster.up()

    return cause


def kill_operator(site: Site, _victim: str) -> None:
    """End the operator's process that works, and wait until another acts."""
    site.e2e.operator.kill(site.e2e.operator.work_process())
    time.sleep(1)
    site.e2e.operator.replace()  # else the kubelet's back-off would decide when it is back


def kill_lease_process(site: Site, _victim: str) -> None:
    """End the one that holds the Lease."""
    site.e2e.operator.kill(site.e2e.operator.lease_process())
    time.sleep(1)
    site.e2e.operator.replace()


@contextmanager
def no_operator(site: Site, _victim: str) -> Iterator[None]:
    """Have no operator."""
    site.e2e.operator.scale(0)
    try:
        yield
    finally:
        site.e2e.operator.scale(1)


def delete_keys(site: Site, _victim: str) -> None:
    """Delete the operator's keys, and wait for the resync that puts them back: to end the operator first is another harm."""
    before = _keys(site)
    site.e2e.kubectl("delete", "secret", KEYS, f"--namespace={OPERATOR}")
    until("the keys are back", lambda: _keys(site), lambda data: data == before, within=90)


def _keys(site: Site) -> str:
    """Return a hash of them, since what is waited for is printed when it does not come."""
    data = site.e2e.kubectl(
        "get", "secret", KEYS, f"--namespace={OPERATOR}", "--ignore-not-found", "--output=jsonpath={.data}"
    )
    return hashlib.sha256(data.encode()).hexdigest()


def wipe_status(site: Site, victim: str) -> None:
    """Take a session its whole status."""
    site.tenant.run("patch", "was", victim, "--subresource=status", "--type=merge", '--patch={"status":null}')


def delete_service(site: Site, _victim: str) -> None:
    """Delete the namespace's Service."""
    site.tenant.run("delete", "service", SERVICE_NAME)


@contextmanager
def webhook_to_nowhere(site: Site, _victim: str) -> Iterator[None]:
    """Have the API server ask a webhook about each new pod of the namespace whose service is not there."""
    hook = {
        "name": "soak.example.com",
        "clientConfig": {"service": {"name": "nobody", "namespace": site.tenant.namespace}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
        "namespaceSelector": _only(site),
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    yield from _applied(site, {"kind": "ValidatingWebhookConfiguration", "webhooks": [hook]})


@contextmanager
def policy_refuses_pods(site: Site, _victim: str) -> Iterator[None]:
    """Have a policy of the cluster refuse each new pod of the namespace."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]
    policy = {
        "kind": "ValidatingAdmissionPolicy",
        "spec": {
            "matchConstraints": {"namespaceSelector": _only(site), "resourceRules": rules},
            "validations": [{"expression": "false", "message": "not today"}],
        },
    }
    binding = {
        "kind": "ValidatingAdmissionPolicyBinding",
        "spec": {"policyName": REFUSES, "validationActions": ["Deny"]},
    }
    yield from _applied(site, policy, binding)


def _only(site: Site) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": site.tenant.namespace}}


def _applied(site: Site, *objects: dict[str, Any]) -> Iterator[None]:
    """Apply objects that stand in the way, and take them away."""
    named = [{"apiVersion": ADMISSION, "metadata": {"name": REFUSES}, **item} for item in objects]
    site.e2e.kubectl.apply(*named)
    try:
        yield
    finally:
        for item in reversed(named):
            site.e2e.kubectl("delete", str(item["kind"]).lower(), REFUSES, "--ignore-not-found")
