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
from session_demo import context, current, installation, survey
from session_demo.cast import CRDS, namespace, quota, session
from session_demo.context import Context
from session_demo.current import INSTANCE, OVERLAY, Wish
from session_demo.errors import DemoError
from session_demo.setup import ROOT
from session_demo.story import Story
from session_demo.survey import Crds
from session_devtools.kubectl import Kubectl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

KINDS = "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,storageclasses"
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


@pytest.fixture(name="place")
def empty_place(kubectl: Kubectl) -> Iterator[Context]:
    """The cluster as the current context, without anything of ours."""
    yield context.of(kubectl)
    made = (f"{kind}/{name}" for kind, name in survey.NAMED)
    kubectl("delete", *made, "--ignore-not-found", "--timeout=60s", timeout=70)


def story() -> Story:
    """A story that nobody reads."""
    return Story(out=io.StringIO())


def everything(kubectl: Kubectl) -> set[str]:
    """All cluster-wide objects."""
    found = json.loads(kubectl("get", KINDS, "--output=json"))["items"]
    return {f"{item['kind']} {item['metadata']['name']}" for item in found}


def bring_all(kubectl: Kubectl) -> None:
    """What the demo makes before and while it plays."""
    current.install_crds(kubectl)
    overlay = installation.objects(kubectl("kustomize", str(OVERLAY)))
    kubectl.apply(*(item for item in overlay if item["kind"] == "Namespace"))
    kubectl.apply(*overlay)
    kubectl.apply(namespace(INSTANCE), quota(INSTANCE), session("sales", {"accessMode": "ReadWriteOnce"}))


def test_the_context_is_read_from_kubectl(place: Context) -> None:
    """Its name, its address and the API server's version; from then on it is pinned."""
    assert place.version.startswith("v1.")
    assert place.server.startswith("https://127.0.0.1:")
    assert f"--context={place.name}" == place.kubectl.flags[-1]


def test_an_empty_cluster_is_fit(place: Context) -> None:
    """It has a default class, and an administrator has every right."""
    found = survey.look(place.kubectl)

    assert (Crds.ABSENT, (), (), "slow") == (found.crds, found.operators, found.foreign, found.default_class)
    assert [] == survey.obstacles(found, storage_class="")
    assert [] == context.missing_rights(place.kubectl)


def test_somebody_without_rights_reads_all_that_is_missing(place: Context) -> None:
    """Each kind, in the API server's own judgement."""
    nobody = replace(place.kubectl, flags=(*place.kubectl.flags, "--as=somebody"))

    missing = context.missing_rights(nobody)

    assert list(context.NEEDED) == [line.removeprefix("you may not create ").split()[0] for line in missing]


def test_all_that_was_brought_goes(place: Context) -> None:
    """Namespaces with sessions, quota, roles and CRDs; what the cluster had before is what it has afterwards."""
    before = everything(place.kubectl)
    bring_all(place.kubectl)
    assert before < everything(place.kubectl)

    current.clear(story(), place)

    assert before == everything(place.kubectl)


def test_another_demo_finds_its_own_objects(place: Context) -> None:
    """What an earlier one left is not in its way."""
    bring_all(place.kubectl)

    found = survey.look(place.kubectl)

    assert (Crds.DEMO, (), ()) == (found.crds, found.foreign, found.operators)
    assert survey.brings_crds(found)


def test_an_installations_crds_stay(place: Context) -> None:
    """They are not the demo's, so neither bringing nor going touches them."""
    crds = installation.objects(place.kubectl("kustomize", str(ROOT / "crds")))
    place.kubectl.apply(*crds)

    found = survey.look(place.kubectl)
    current.clear(story(), place)

    assert Crds.OTHERS == found.crds
    assert not survey.brings_crds(found)
    assert all(place.kubectl.find("crd", name) for name in CRDS)


def test_crds_that_an_installation_took_over_are_its_own(place: Context) -> None:
    """Applied over the demo's, the demo's mark is gone, and with it the reason to remove them."""
    current.install_crds(place.kubectl)
    place.kubectl.apply(*installation.objects(place.kubectl("kustomize", str(ROOT / "crds"))))

    current.clear(story(), place)

    assert all(place.kubectl.find("crd", name) for name in CRDS)


def test_crds_with_somebody_elses_quota_stay(place: Context) -> None:
    """Deleting them would delete it."""
    bring_all(place.kubectl)
    theirs = quota("")
    theirs["metadata"] = {"name": "team"}
    place.kubectl.apply(theirs)

    current.clear(story(), place)

    assert place.kubectl.find("whatsappsessionquota", "team") is not None
    assert place.kubectl.find("whatsappsessionquota", "demo") is None


def test_a_foreign_namespace_of_that_name_is_refused_and_stays(place: Context) -> None:
    """Nothing is changed by looking, and demo-down leaves it."""
    mine = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "whatsapp-demo"}}
    place.kubectl.apply(mine)

    with pytest.raises(DemoError, match="namespace whatsapp-demo is there and was not made by this demo"):
        current.look(story(), Wish(registry="registry.example.com/team"), place)
    current.clear(story(), place)

    assert place.kubectl.find("namespace", "whatsapp-demo") is not None
