"""Chromium's own sandbox and user namespaces: what the kernel says of the page's process, and what a node without says.

The component that puts the profile onto nodes is applied as it is shipped. Both settings go back to off at the end.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2e.harness import ClusterHarness
from e2e.operator_pod import NAMESPACE
from e2e.pod_processes import process_of
from e2e.tenant import Object, Tenant
from session_devtools.commands import run
from session_devtools.installation.constants import ROOT
from session_devtools.installation.transformers import parse_objects
from session_devtools.kubectl import Kubectl
from session_runner.host.processes import descendants, processes
from support.sessions import condition, has_condition, is_true

COMPONENT = ROOT / "manifests/components/browser-sandbox"
NODE_SETUP = "whatsapp-node-setup"
VARIABLES = ("BROWSER_SANDBOX", "USER_NAMESPACES", "BROWSER_SECCOMP_PROFILE")
PROFILE = "/var/lib/kubelet/seccomp/whatsapp-session-operator/chromium-sandbox.json"
LOOK_AROUND = """
import json, os, sys
try:
    os.chdir(sys.argv[1])
    os.chroot(".")
    tokens = "/run/whatsapp-session/tokens"
    found = [*os.listdir("/"), *(os.listdir(tokens) if os.path.exists(tokens) else ())]
except OSError as error:
    found = [type(error).__name__]
print(json.dumps(found))
"""
NO_HANDLER = "no-such-handler"


@pytest.fixture(scope="module")
def shared_settings(e2e: ClusterHarness) -> Iterator[Callable[..., None]]:
    """A function that gives the operator these of the variables here and takes the others away; all go in the end."""

    def give(**variables: str) -> None:
        wanted = [f"{name}={variables[name]}" if name in variables else f"{name}-" for name in VARIABLES]
        e2e.kubectl("set", "env", "deployment/whatsapp-operator", f"--namespace={NAMESPACE}", *wanted)
        e2e.operator.wait_until_ready()

    yield give
    give()


@pytest.fixture
def settings(e2e: ClusterHarness, shared_settings: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """The same; after each test the profile is gone from the node."""
    yield shared_settings
    e2e.kubectl("delete", "namespace", NODE_SETUP, "--ignore-not-found", timeout=120)
    run(*e2e.cluster.inside("rm", "-f", PROFILE))


def put_profile_on_nodes(kubectl: Kubectl, *, image: str) -> None:
    """Apply the component's own objects, with the image that this cluster has."""
    found = parse_objects(kubectl("kustomize", str(COMPONENT)))
    for item in found:
        pod = item.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*pod.get("initContainers", ()), *pod.get("containers", ())):
            container["image"] = image
    kubectl.apply(*found)
    kubectl("rollout", "status", "daemonset/seccomp-profiles", f"--namespace={NODE_SETUP}", "--timeout=60s", timeout=70)


class Proc:
    """One process, as the machine sees it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.folder = Path(f"/proc/{pid}")

    @property
    def arguments(self) -> str:
        """Its command line, with blanks."""
        return (self.folder / "cmdline").read_text(errors="replace").replace("\0", " ")

    def status(self, name: str) -> list[str]:
        """The values of one line of its status."""
        lines = (self.folder / "status").read_text().splitlines()
        return next(line.split(":", 1)[1].split() for line in lines if line.startswith(f"{name}:"))

    def namespaces(self) -> dict[str, str]:
        """The namespaces that it is in."""
        return {name: str((self.folder / "ns" / name).readlink()) for name in ("user", "pid", "net", "mnt")}

    def look_around(self) -> list[str]:
        """What a process finds that begins where this one has its root: folders, or the kernel's refusal to go there."""
        there = f"/proc/{self.pid}/root"
        done = subprocess.run([sys.executable, "-c", LOOK_AROUND, there], capture_output=True, text=True, check=True)
        found: list[str] = json.loads(done.stdout)
        return found


def _page_and_runner(e2e: ClusterHarness, pod_uid: str) -> tuple[Proc, Proc]:
    """The page's process and the runner's."""
    runner = process_of(e2e.cluster, pod_uid, "session_runner")
    below = [Proc(process.pid) for process in descendants(runner, processes())]
    pages = [process for process in below if "--type=renderer" in process.arguments]
    assert 1 == len(pages), [process.arguments[:200] for process in below]
    return pages[0], Proc(runner)


def _counted(status: Object) -> bool:
    """Whether anything was counted against the session: what a node refuses is none of its failures."""
    recovery = status.get("recovery", {})
    return bool(recovery.get("consecutiveFailures", 0)) or "lastFailure" in recovery


def test_the_page_is_held_in_when_both_are_on_and_the_session_works(
    e2e: ClusterHarness, tenant: Tenant, settings: Callable[..., None]
) -> None:
    """The linked session's page has namespaces, two filters and nothing of the container's files; users are nobody's."""
    settings()
    tenant.create("before")
    plain, runner = _page_and_runner(e2e, tenant.wait_for_state("before", "QRPending")["podUID"])
    assert "SandboxOff" == condition(tenant.status("before"), "Sandboxed")["reason"]
    assert {"profile", "state", "link"} <= set(plain.look_around()), (
        "without the sandbox the page's process sees it all"
    )
    assert (runner.namespaces(), "1") == (plain.namespaces(), plain.status("Seccomp_filters")[0])

    put_profile_on_nodes(e2e.kubectl, image=e2e.images.operator)
    settings(BROWSER_SANDBOX="true", USER_NAMESPACES="true")
    tenant.create("sales")
    status = tenant.link("sales")
    page, runner = _page_and_runner(e2e, status["podUID"])
    theirs, ours = page.namespaces(), runner.namespaces()

    assert {"user", "pid", "net"} == {name for name in theirs if theirs[name] != ours[name]}
    assert (["2"], ["2"]) == (page.status("Seccomp"), page.status("Seccomp_filters"))
    assert (["2"], ["1"]) == (runner.status("Seccomp"), runner.status("Seccomp_filters"))
    assert {"profile", "state", "link"} <= set(runner.look_around())
    # Its root is a folder in /proc of a process that has ended: there is nothing, not even a folder to list.
    assert ["ProcessLookupError"] == page.look_around()
    assert 65536 <= int(runner.status("Uid")[0]), "the pod's users are the machine's"
    assert "10001" == tenant.run("exec", "sales", "--", "id", "-u").strip()
    assert (True, "Sandboxed") == (is_true(status, "Sandboxed"), condition(status, "Sandboxed")["reason"])
    assert "SandboxIncomplete" == condition(tenant.status("before"), "Sandboxed")["reason"], "it was made before"


def test_a_node_without_the_profile_is_reported_and_the_session_starts_when_it_is_there(
    e2e: ClusterHarness, tenant: Tenant, settings: Callable[..., None]
) -> None:
    """The pod does not hang: it is ended, the next one waits with the reason, and runs under the profile once it is there."""
    settings(BROWSER_SANDBOX="true")
    tenant.create("sales")
    refused = tenant.wait_for("sales", has_condition("Sandboxed", status="False", reason="SeccompProfileUnusable"))
    put_profile_on_nodes(e2e.kubectl, image=e2e.images.operator)
    status = tenant.wait_for_state("sales", "QRPending")

    assert "browser-sandbox" in condition(refused, "Sandboxed")["message"]
    assert not _counted(refused)
    assert is_true(status, "Sandboxed")


def test_a_node_that_has_no_user_namespaces_is_reported(
    e2e: ClusterHarness, tenant: Tenant, settings: Callable[..., None]
) -> None:
    """The kubelet tells it in an event alone: a runtime handler without them, here one that is not there at all."""
    # It stays until the cluster goes: without it the session's next pod would be forbidden, which is another story.
    runtime: Object = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": NO_HANDLER}}
    e2e.kubectl.apply(runtime | {"handler": NO_HANDLER})
    settings(USER_NAMESPACES="true")
    tenant.create("sales", pod={"runtimeClassName": NO_HANDLER})
    refused = tenant.wait_for("sales", has_condition("Sandboxed", status="False", reason="UserNamespaceRefused"))

    assert "USER_NAMESPACES" in condition(refused, "Sandboxed")["message"]
    assert not _counted(refused)


def test_a_browser_that_is_refused_its_sandbox_is_reported(
    e2e: ClusterHarness, tenant: Tenant, settings: Callable[..., None]
) -> None:
    """The profile is there and denies what the sandbox needs, as a kernel may: Chromium tries, and the runner says it."""
    shipped = json.loads((COMPONENT / "nodes/chromium-sandbox.json").read_text())
    denying = shipped | {"syscalls": [rule for rule in shipped["syscalls"] if rule["names"] != ["unshare"]]}
    place = Path(PROFILE).with_name("denying.json")
    write = f"mkdir -p {place.parent} && cat > {place}"
    run(*e2e.cluster.inside("sh", "-ec", write), input=json.dumps(denying))
    settings(BROWSER_SANDBOX="true", BROWSER_SECCOMP_PROFILE=f"{place.parent.name}/{place.name}")
    try:
        tenant.create("sales")
        refused = tenant.wait_for("sales", has_condition("Sandboxed", status="False", reason="SandboxRefused"))
    finally:
        run(*e2e.cluster.inside("rm", "-f", str(place)))

    assert not _counted(refused)
    assert "seccomp profile" in condition(refused, "Sandboxed")["message"]
