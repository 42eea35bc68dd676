"""The demo's look at a cluster, what it brings and how it goes, on a real API server with its controllers.

A cluster of its own: the CRDs come and go here, and other tests need them. No kubelet is needed, so nothing runs.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from local_cluster.light import LightCluster, Programs
from session_demo import current, kube_context, preflight
from session_demo.current import INSTANCE, OVERLAY, Options
from session_demo.errors import DemoError
from session_demo.kube_context import KubeContext
from session_demo.manifests import quota, session
from session_demo.preflight import CrdOwner
from session_demo.report import Report
from session_devtools.installation import transformers
from session_devtools.installation.constants import CRDS, ROOT
from session_devtools.installation.transformers import namespace
from session_devtools.kubectl import Kubectl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("demo")]

KINDS = (
    "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,storageclasses,validatingadmissionpolicies,"
    "validatingadmissionpolicybindings"
)
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "slow", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/none",
}


@pytest.fixture(name="kubectl", scope="module")
def own_cluster(light_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """Kubectl as the administrator of a cluster that nobody else uses."""
    if light_programs.controller_manager is None:
        pytest.skip("KUBEBUILDER_ASSETS holds no kube-controller-manager; unset it to run the tests that need one")
    folder: Path = tmp_path_factory.mktemp("demo")
    with LightCluster.start(programs=light_programs, controllers=True, parent_folder=folder) as cluster:
        flags = (f"--kubeconfig={cluster.kubeconfig}", f"--cache-dir={folder / 'cache'}")
        kubectl = Kubectl(program=str(light_programs.kubectl), flags=flags)
        kubectl.apply(CLASS)
        yield kubectl


@pytest.fixture(name="context")
def empty_place(kubectl: Kubectl) -> Iterator[KubeContext]:
    """The cluster as the current context, without anything of ours."""
    yield kube_context.of(kubectl)
    made = (f"{kind}/{name}" for kind, name in preflight.OWN_OBJECTS)
    kubectl("delete", *made, "--ignore-not-found", "--timeout=60s", timeout=70)


def report() -> Report:
    """A report that nobody reads."""
    return Report(out=io.StringIO())


def everything(kubectl: Kubectl) -> set[str]:
    """All cluster-wide objects."""
    found = json.loads(kubectl("get", KINDS, "--output=json"))["items"]
    return {f"{item['kind']} {item['metadata']['name']}" for item in found}


def bring_all(kubectl: Kubectl) -> None:
    """What the demo makes before and while it runs."""
    current.install_crds(kubectl)
    overlay = transformers.parse_objects(kubectl("kustomize", str(OVERLAY)))
    kubectl.apply(*(item for item in overlay if item["kind"] == "Namespace"), namespace(INSTANCE))
    kubectl.apply(*overlay)
    kubectl.apply(quota(INSTANCE), session("sales", {"accessMode": "ReadWriteOnce"}))


def test_the_context_is_read_from_kubectl(context: KubeContext) -> None:
    """Its name, its address and the API server's version; from then on it is pinned."""
    assert context.version.startswith("v1.")
    assert context.server.startswith("https://127.0.0.1:")
    assert f"--context={context.name}" == context.kubectl.flags[-1]


def test_an_empty_cluster_is_fit(context: KubeContext) -> None:
    """It has a default class, and an administrator has every right."""
    found = preflight.inspect(context.kubectl)

    assert (CrdOwner.ABSENT, (), (), "slow") == (found.crds, found.operators, found.foreign, found.default_class)
    assert [] == preflight.problems(found, storage_class="")
    assert [] == kube_context.missing_rights(context.kubectl)


def test_somebody_without_rights_reads_all_that_is_missing(context: KubeContext) -> None:
    """Each kind, in the API server's own judgement."""
    nobody = replace(context.kubectl, flags=(*context.kubectl.flags, "--as=somebody"))

    missing = kube_context.missing_rights(nobody)

    assert list(kube_context.REQUIRED_RIGHTS) == [
        line.removeprefix("you may not create ").split()[0] for line in missing
    ]


def test_all_that_was_brought_goes(context: KubeContext) -> None:
    """Namespaces with sessions, quota, roles and CRDs; what the cluster had before is what it has afterwards."""
    before = everything(context.kubectl)
    bring_all(context.kubectl)
    assert before < everything(context.kubectl)

    current.remove(report(), context)

    assert before == everything(context.kubectl)


def test_another_demo_finds_its_own_objects(context: KubeContext) -> None:
    """What an earlier one left is not in its way."""
    bring_all(context.kubectl)

    found = preflight.inspect(context.kubectl)

    assert (CrdOwner.DEMO, (), ()) == (found.crds, found.foreign, found.operators)
    assert preflight.installs_crds(found)


def test_an_installations_crds_stay(context: KubeContext) -> None:
    """They are not the demo's, so neither bringing nor going touches them."""
    crds = transformers.parse_objects(context.kubectl("kustomize", str(ROOT / "crds")))
    context.kubectl.apply(*crds)

    found = preflight.inspect(context.kubectl)
    current.remove(report(), context)

    assert CrdOwner.OTHERS == found.crds
    assert not preflight.installs_crds(found)
    assert all(context.kubectl.find("crd", name) for name in CRDS)


def test_crds_that_an_installation_took_over_are_its_own(context: KubeContext) -> None:
    """Applied over the demo's, the demo's mark is gone, and with it the reason to remove them."""
    current.install_crds(context.kubectl)
    context.kubectl.apply(*transformers.parse_objects(context.kubectl("kustomize", str(ROOT / "crds"))))

    current.remove(report(), context)

    assert all(context.kubectl.find("crd", name) for name in CRDS)


def test_crds_with_somebody_elses_quota_stay(context: KubeContext) -> None:
    """Deleting them would delete it."""
    bring_all(context.kubectl)
    theirs = quota("")
    theirs["metadata"] = {"name": "team"}
    context.kubectl.apply(theirs)

    current.remove(report(), context)

    assert context.kubectl.find("whatsappsessionquota", "team") is not None
    assert context.kubectl.find("whatsappsessionquota", "demo") is None


def test_a_foreign_namespace_of_that_name_is_refused_and_stays(context: KubeContext) -> None:
    """Nothing is changed by looking, and demo-down leaves it."""
    mine = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "whatsapp-demo"}}
    context.kubectl.apply(mine)

    with pytest.raises(DemoError, match="namespace whatsapp-demo is there and was not made by this demo"):
        current.check(report(), Options(registry="registry.example.com/team"), context)
    current.remove(report(), context)

    assert context.kubectl.find("namespace", "whatsapp-demo") is not None
