"""`make demo CLUSTER=current` on a cluster that is somebody else's: ours, reached by nothing but a kubeconfig.

It pulls from a registry as foreign clusters do, and an operator is installed there already, whose only session waits
under a quota of none. The play runs once, in the page's modern mode, as a person types it; the tests look at what it
said, at what the audit log saw, and at what `make demo-down` left.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e.audit import Audit
from e2e.harness import KEEP, remove
from local_cluster.full.cluster import FullCluster
from local_cluster.registry import Registry, trust
from session_demo.manifests import QUOTA
from session_demo.preflight import OPERATOR_NAMESPACE
from session_devtools.audit_log import READS, Entry
from session_devtools.images.build import build
from session_devtools.images.push import push
from session_devtools.installation import transformers
from session_devtools.installation.constants import NAMESPACE, OPERATOR_ACCOUNT
from session_devtools.installation.install import rollout
from session_devtools.installation.transformers import Images
from session_devtools.kubectl import Kubectl
from session_devtools.progress import ConsoleProgress
from support.waiting import until

ROOT = Path(__file__).parents[2]
DEMO_OPERATOR = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_NAMESPACE}"
KINDS = (
    *("namespaces", "customresourcedefinitions", "clusterroles", "clusterrolebindings", "persistentvolumes"),
    *("validatingadmissionpolicies", "validatingadmissionpolicybindings", "networkpolicies"),
    *("whatsappsessionquotas", "whatsappsessions", "deployments", "services", "secrets", "persistentvolumeclaims"),
)
""" Where a demo could leave something. """
SHOP = "shop"
NO_ROOM = "Maximum concurrent sessions limit reached (0). Please terminate some sessions first."


@dataclass(kw_only=True)
class ForeignCluster:
    """Somebody else's cluster with an operator of theirs, and the registry that its nodes pull from."""

    cluster: FullCluster
    kubectl: Kubectl
    kubeconfig: Path
    registry: str

    def make(self, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make as the person does, with a kubeconfig of their own and all output in one stream."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        path = f"{Path(self.kubectl.program).parent}:{own['PATH']}"
        arguments = ["make", "-s", target, "CLUSTER=current", *(f"{name}={value}" for name, value in variables.items())]
        return subprocess.run(
            arguments,
            cwd=ROOT,
            env={**own, "KUBECONFIG": str(self.kubeconfig), "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=700,
            check=False,
        )

    def everything(self) -> set[str]:
        """Every object that stays when nothing happens, as KIND NAMESPACE/NAME."""
        found = json.loads(self.kubectl("get", ",".join(KINDS), "--all-namespaces", "--output=json"))["items"]
        return {f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}" for item in found}

    def session(self, name: str) -> dict[str, Any]:
        """A session of the installed operator."""
        return self.kubectl.find("whatsappsession", name, namespace=SHOP) or {}


@dataclass(frozen=True, kw_only=True)
class DemoRun:
    """What was seen when the demo was over."""

    before: set[str]
    shop: dict[str, Any]
    """ The other operator's session, before. """
    shop_after: dict[str, Any]
    status: int
    output: str
    pods: list[dict[str, Any]]
    """ All pods of demo and operators. """
    requests: Mapping[str, list[Entry]]
    """ What each operator asked of the API server meanwhile. """


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignCluster]:
    """A cluster of its own that is used through a private kubeconfig alone."""
    keep = bool(os.environ.get(KEEP))
    cluster = FullCluster("foreign")
    folder = tmp_path_factory.mktemp("foreign")
    if not keep:
        cluster.down(progress=ConsoleProgress())
    try:
        cluster.up(progress=ConsoleProgress())
        with Registry.running(folder, host=cluster.instance.link.host, progress=ConsoleProgress()) as registry:
            trust(cluster.instance, registry.address)
            kubeconfig = folder / "kubeconfig"
            kubeconfig.write_bytes(cluster.kubeconfig.read_bytes())
            kubectl = Kubectl(program=cluster.kubectl.program, kubeconfig=kubeconfig)
            made = ForeignCluster(
                cluster=cluster, kubectl=kubectl, kubeconfig=kubeconfig, registry=f"{registry.address}/team"
            )
            install_their_operator(made)
            yield made
    finally:
        if not keep:
            remove(cluster)


def install_their_operator(foreign: ForeignCluster) -> None:
    """Install an operator as docs/operations/install.md says, with a session that its quota has no room for."""
    names = {
        name: push(image, foreign.registry, verify_tls=False, progress=ConsoleProgress())
        for name, image in build(progress=ConsoleProgress()).items()
    }
    base = transformers.parse_objects(foreign.kubectl("kustomize", str(ROOT / "manifests/base")))
    foreign.kubectl.apply(*transformers.with_images(base, Images(**names)))
    rollout(foreign.kubectl, "whatsapp-operator", "whatsapp-operator")
    api = "wasession.dev/v1alpha1"
    foreign.kubectl.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}},
        {"apiVersion": api, "kind": "WhatsAppSessionQuota", "metadata": {"name": "default"}, "spec": {"sessions": 0}},
        their_session("sales"),
    )
    until("their session waits", lambda: foreign.session("sales"), waits)


def their_session(name: str) -> dict[str, Any]:
    """A session of the installed operator."""
    metadata = {"name": name, "namespace": SHOP}
    return {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSession", "metadata": metadata, "spec": {}}


def waits(session: Mapping[str, Any]) -> bool:
    """Whether their operator has told the session that there is no room."""
    return any(item.get("message") == NO_ROOM for item in session.get("status", {}).get("conditions", []))


@pytest.fixture(scope="module")
def demo_run(foreign: ForeignCluster) -> DemoRun:
    """The demo, run once."""
    before, shop = foreign.everything(), foreign.session("sales")
    audits = {user: Audit(foreign.cluster.audit_log, user=user) for user in (OPERATOR_ACCOUNT, DEMO_OPERATOR)}
    began = audits[OPERATOR_ACCOUNT].now()
    done = foreign.make("demo", REGISTRY=foreign.registry, REGISTRY_INSECURE="1", DEMO_MODE="modern")
    sys.stderr.write(done.stdout)  # whoever looks into a failure reads the demo's output first
    pods = json.loads(foreign.kubectl("get", "pods", "--all-namespaces", "--output=json"))["items"]
    return DemoRun(
        before=before,
        shop=shop,
        shop_after=foreign.session("sales"),
        status=done.returncode,
        output=done.stdout,
        pods=pods,
        requests={user: audit.requests(since=began) for user, audit in audits.items()},
    )


@pytest.fixture(scope="module")
def removed(foreign: ForeignCluster, demo_run: DemoRun) -> subprocess.CompletedProcess[str]:
    """`make demo-down CLUSTER=current`, after the demo was looked at."""
    assert demo_run.before
    return foreign.make("demo-down")


def test_every_step_shows_what_it_promises(demo_run: DemoRun) -> None:
    """The whole of the demo on somebody else's cluster: each step told with what was seen, and none was missed."""
    assert 0 == demo_run.status, demo_run.output
    assert "steps showed what they promise" in demo_run.output
    assert " ✗ " not in demo_run.output


def test_it_says_where_before_it_changes_anything(foreign: ForeignCluster, demo_run: DemoRun) -> None:
    """Which context, which server, what will be made and who is there already come before the first change."""
    server = foreign.cluster.instance.plane.url
    context = f"This is context kubernetes-super-admin@local-{foreign.cluster.name} ({server}, Kubernetes v1."
    there = "An operator is installed there (whatsapp-operator/whatsapp-operator): it is left alone."
    used = "the CRDs that are there are used as they are."

    positions = [demo_run.output.find(text) for text in (context, there, used, "removing what an earlier demo left")]

    assert -1 not in positions, demo_run.output
    assert sorted(positions) == positions


def test_the_nodes_pulled_from_the_registry(foreign: ForeignCluster, demo_run: DemoRun) -> None:
    """Operator, stand-in and sessions run images that came by the registry and no other way."""
    ours = [pod for pod in demo_run.pods if pod["metadata"]["namespace"] in (NAMESPACE, OPERATOR_NAMESPACE)]
    images = {container["image"] for pod in ours for container in pod["spec"]["containers"]}

    assert 3 == len(images), images
    assert all(image.startswith(f"{foreign.registry}/whatsapp-") for image in images), images


def test_the_operators_leave_each_other_alone(demo_run: DemoRun) -> None:
    """Neither writes anything of the other's, and their session is as it was."""
    theirs = [
        str(entry)
        for entry in demo_run.requests[OPERATOR_ACCOUNT]
        if changes(entry) and entry.namespace in (NAMESPACE, OPERATOR_NAMESPACE)
    ]
    own = {(NAMESPACE, ""), (OPERATOR_NAMESPACE, ""), ("", QUOTA)}
    ours = [
        str(entry)
        for entry in demo_run.requests[DEMO_OPERATOR]
        if changes(entry) and not {(entry.namespace, ""), (entry.namespace, entry.name)} & own
    ]

    assert [] == theirs
    assert [] == ours
    assert any(changes(entry) for entry in demo_run.requests[DEMO_OPERATOR])
    assert demo_run.shop == demo_run.shop_after


def test_no_request_of_the_second_operator_was_refused(demo_run: DemoRun) -> None:
    """Its overlay gives it all that it needs."""
    refused = [str(entry) for entry in demo_run.requests[DEMO_OPERATOR] if entry.code in (401, 403)]

    assert [] == refused


def test_demo_down_removes_what_the_demo_made_and_nothing_else(
    foreign: ForeignCluster, demo_run: DemoRun, removed: subprocess.CompletedProcess[str]
) -> None:
    """Afterwards the cluster has what it had before, and their operator still does its work."""
    assert 0 == removed.returncode, removed.stdout
    assert demo_run.before == foreign.everything()

    foreign.kubectl.apply(their_session("support"))
    until("their operator sees a new session", lambda: foreign.session("support"), waits)
    foreign.kubectl("delete", "was", "support", f"--namespace={SHOP}")


def test_demo_down_again_is_harmless(foreign: ForeignCluster, removed: subprocess.CompletedProcess[str]) -> None:
    """There is nothing of the demo left, and nothing else is touched."""
    assert 0 == removed.returncode
    before = foreign.everything()

    again = foreign.make("demo-down")

    assert 0 == again.returncode, again.stdout
    assert before == foreign.everything()


def changes(entry: Entry) -> bool:
    """Whether a request was carried out and changed something."""
    return entry.verb not in READS and entry.code < 300
