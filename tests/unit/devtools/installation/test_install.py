"""Operator and stand-in on a cluster that answers: what is applied in which order, what an earlier run left, what is waited for."""

import contextlib
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from session_devtools.errors import CommandError, InstallError, WaitTimeout
from session_devtools.installation import install
from session_devtools.installation.constants import CRDS
from session_devtools.installation.install import InstallOptions
from session_devtools.installation.transformers import CA_HASH_ANNOTATION, Images
from session_devtools.progress import NoProgress
from support.fake_kubectl import MINE, Cluster, kubectl, thing, volume

IMAGES = Images(operator="r/operator:1", runner="r/runner:2", standin="r/standin:3")


class RecordedProgress(NoProgress):
    """Remembers the steps that came to their end."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @contextlib.contextmanager
    def step(self, text: str, *, status: Callable[[], str] | None = None) -> Iterator[None]:
        """Remember it."""
        del status
        yield
        self.done.append(text)


def rendered(name: str, container: str, namespace: str, *before: dict[str, Any]) -> str:
    """What kustomize gives for a folder with one Deployment."""
    pod = {"spec": {"containers": [{"name": container, "image": "dev"}]}}
    deployment = thing("Deployment", name, namespace=namespace, spec={"template": pod})
    return yaml.safe_dump_all([*before, deployment])


OPERATOR = rendered("whatsapp-operator-x", "operator", "ops", thing("Namespace", "ops"))
STANDIN = rendered("standin", "standin", "whatsapp-demo")


def prepared() -> Cluster:
    """A cluster whose kubectl renders both folders and knows the stand-in's pod."""
    folders: dict[tuple[str, ...], str | CommandError] = {
        ("kustomize", "--load-restrictor=LoadRestrictionsNone"): OPERATOR,
        ("kustomize",): STANDIN,
        ("get", "pods"): json.dumps({"items": [{"metadata": {"name": "standin-1"}}]}),
    }
    return Cluster(answers=folders)


@pytest.fixture(name="_certificates")
def ready_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates without the time they take."""

    def make(folder: Path, hosts: str) -> None:
        folder.mkdir()
        for name in ("ca.crt", "tls.crt", "tls.key"):
            (folder / name).write_text(f"{name} of {hosts}")

    monkeypatch.setattr(install, "make_certificates", make)


@pytest.mark.usefixtures("_certificates")
def test_both_are_installed() -> None:
    """Stand-in and operator run this run's images, and the phone is the stand-in's."""
    cluster = prepared()

    phone = install.install(kubectl(cluster), IMAGES, InstallOptions(instance="blue"), progress=NoProgress())

    assert {"r/operator:1", "r/standin:3"} == {
        item["spec"]["template"]["spec"]["containers"][0]["image"]
        for item in cluster.objects
        if item["kind"] == "Deployment"
    }
    assert ("standin-1", 9080, "whatsapp-demo") == (phone.pod, phone.port, phone.namespace)


@pytest.mark.usefixtures("_certificates")
def test_the_phones_token_is_new_each_time() -> None:
    """It opens the accounts of all sessions, and is in no file."""
    first = install.install(kubectl(prepared()), IMAGES, InstallOptions(), progress=NoProgress())
    second = install.install(kubectl(prepared()), IMAGES, InstallOptions(), progress=NoProgress())

    assert len(first.token) >= 32
    assert first.token != second.token


@pytest.mark.usefixtures("_certificates")
def test_the_operator_starts_with_the_authority_it_needs() -> None:
    """Namespace first, then the ConfigMap that its pod mounts, then the rest, which carries the authority's stamp."""
    cluster = prepared()

    install.install(kubectl(cluster), IMAGES, InstallOptions(), progress=NoProgress())

    kinds = [item["kind"] for item in cluster.objects]
    (deployment,) = [item for item in cluster.objects if item["metadata"]["name"] == "whatsapp-operator-x"]
    assert kinds.index("ConfigMap") < kinds.index("Deployment", kinds.index("ConfigMap"))
    assert ("ConfigMap", "ops") in [(item["kind"], item["metadata"].get("namespace")) for item in cluster.objects]
    assert CA_HASH_ANNOTATION in deployment["spec"]["template"]["metadata"]["annotations"]


@pytest.mark.usefixtures("_certificates")
def test_both_deployments_are_waited_for() -> None:
    """As long as the person's line may need."""
    cluster = prepared()

    install.install(kubectl(cluster), IMAGES, InstallOptions(startup_timeout=240), progress=NoProgress())

    assert [
        ("rollout", "status", "deployment/standin", "--namespace=whatsapp-demo", "--timeout=240s"),
        ("rollout", "status", "deployment/whatsapp-operator-x", "--namespace=ops", "--timeout=240s"),
    ] == cluster.commands_of("rollout")


@pytest.mark.usefixtures("_certificates")
def test_both_start_side_by_side() -> None:
    """Nothing is waited for before both are applied."""
    cluster = prepared()

    install.install(kubectl(cluster), IMAGES, InstallOptions(), progress=NoProgress())

    verbs = [arguments[0] for arguments in cluster.commands if arguments[0] in {"apply", "rollout"}]
    assert ["rollout", "rollout"] == verbs[-2:]
    assert "rollout" not in verbs[:-2]


@pytest.mark.usefixtures("_certificates")
def test_an_operator_that_does_not_start_ends_the_set_up() -> None:
    """With kubectl's words; nothing is told as done."""
    progress = RecordedProgress()
    cluster = prepared()
    cluster.answers["rollout", "status", "deployment/whatsapp-operator-x"] = CommandError(
        ["kubectl"], 1, "timed out waiting"
    )

    with pytest.raises(CommandError, match="timed out waiting"):
        install.install(kubectl(cluster), IMAGES, InstallOptions(), progress=progress)

    assert "the operator" not in progress.done
    assert "the stand-in for WhatsApp Web, with its phone" in progress.done


@pytest.mark.usefixtures("_certificates")
@pytest.mark.parametrize("mode", ["legacy", "modern"])
def test_the_stand_in_plays_the_chosen_page(mode: str) -> None:
    """Legacy unless asked otherwise."""
    cluster = prepared()

    install.install(kubectl(cluster), IMAGES, InstallOptions(mode=mode), progress=NoProgress())

    (standin,) = [item for item in cluster.objects if item["metadata"]["name"] == "standin"]
    assert [f"--mode={mode}"] == standin["spec"]["template"]["spec"]["containers"][0]["args"]


@pytest.mark.parametrize(("instance", "expected"), [("", None), ("blue", "blue")])
@pytest.mark.usefixtures("_certificates")
def test_the_namespace_belongs_to_the_operators_instance(instance: str, expected: str | None) -> None:
    """Before anything is in it, so that no other operator takes it."""
    cluster = prepared()

    install.install_standin(kubectl(cluster), IMAGES, token="t", options=InstallOptions(instance=instance))

    first = cluster.objects[0]
    assert ("Namespace", "whatsapp-demo") == (first["kind"], first["metadata"]["name"])
    assert expected == first["metadata"]["labels"].get("wasession.dev/instance")
    assert first["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_leftovers_go() -> None:
    """Sessions, pods, claims and the quota; the namespace stays for the next play, and so does what is elsewhere."""
    cluster = Cluster(
        objects=[
            thing("Namespace", "whatsapp-demo", labels=MINE),
            *(thing("CustomResourceDefinition", name) for name in CRDS),
            *(
                thing(kind, "sales", namespace=namespace)
                for kind in ("WhatsAppSession", "Pod", "PersistentVolumeClaim", "Deployment")
                for namespace in ("whatsapp-demo", "shop")
            ),
            thing("WhatsAppSessionQuota", "demo", labels=MINE),
            thing("WhatsAppSessionQuota", "default"),
        ]
    )

    install.remove_leftovers(kubectl(cluster))

    assert {"shop"} == {item["metadata"]["namespace"] for item in cluster.objects if "namespace" in item["metadata"]}
    assert ["whatsapp-demo"] == cluster.names("Namespace")
    assert ["default"] == cluster.names("WhatsAppSessionQuota")


def test_what_would_make_pods_anew_goes_before_them() -> None:
    """The stand-in's Deployment and the sessions; then pods and claims."""
    cluster = Cluster(objects=[thing("Namespace", "whatsapp-demo"), thing("CustomResourceDefinition", CRDS[0])])

    install.remove_leftovers(kubectl(cluster))

    assert ["deployments,whatsappsessions", "pods,persistentvolumeclaims"] == [
        arguments[1] for arguments in cluster.commands_of("delete")
    ]


def test_a_namespace_on_its_way_out_is_waited_for() -> None:
    """An interrupted removal: nothing can be made in it any more."""
    going = thing("Namespace", "whatsapp-demo")
    going["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
    cluster = Cluster(objects=[going])

    install.remove_leftovers(kubectl(cluster))

    assert [("delete", "namespace", "whatsapp-demo", "--ignore-not-found", "--timeout=180s")] == (
        cluster.commands_of("delete")
    )


def test_on_a_new_cluster_there_is_nothing_to_remove() -> None:
    """The first demo does not fail on a kind that nobody knows."""
    cluster = Cluster()

    install.remove_leftovers(kubectl(cluster))

    assert [] == cluster.commands_of("delete")


def test_volumes_that_do_not_go_are_named() -> None:
    """Their storage is at fault; playing on would mix two demos' profiles."""
    cluster = Cluster(objects=[volume("pv-1", "whatsapp-demo", "Delete"), volume("pv-2", "shop", "Delete")])

    with pytest.raises(WaitTimeout, match=r"not within 0 s; last seen: \['pv-1'\]$"):
        install.remove_leftovers(kubectl(cluster), within=0)


def test_volumes_that_their_storage_keeps_are_not_waited_for() -> None:
    """Reclaim policy Retain: they would stay for ever."""
    cluster = Cluster(objects=[volume("pv-1", "whatsapp-demo", "Retain")])

    install.remove_leftovers(kubectl(cluster), within=0)

    assert ["pv-1"] == cluster.names("PersistentVolume")


def test_the_pod_that_stays_is_the_one_to_talk_to() -> None:
    """After a change the old one may still be on its way out."""
    going = {"metadata": {"name": "standin-1", "deletionTimestamp": "2026-11-22T12:00:00Z"}}
    cluster = Cluster(answers={("get", "pods"): json.dumps({"items": [going, {"metadata": {"name": "standin-2"}}]})})

    assert "standin-2" == install.pod_of(kubectl(cluster), "standin")


def test_no_pod_is_a_message() -> None:
    """It names what is missing, and where."""
    cluster = Cluster(answers={("get", "pods"): json.dumps({"items": []})})

    with pytest.raises(InstallError, match="there is no pod of standin in namespace whatsapp-demo"):
        install.pod_of(kubectl(cluster), "standin")


def test_certificates_are_made_for_the_hosts(tmp_path: Path) -> None:
    """A real authority and a certificate that a browser would take for these names."""
    install.make_certificates(tmp_path / "tls", "a.example.svc,b.example.svc")

    trusted = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.crt"))
    assert trusted.cert_store_stats()["x509_ca"] == 1
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
        tmp_path / "tls" / "tls.crt", tmp_path / "tls" / "tls.key"
    )


def test_certificates_that_cannot_be_made_are_a_message(tmp_path: Path) -> None:
    """With the program's own words."""
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match="standin certificates"):
        install.make_certificates(tmp_path / "file" / "tls", "a.example.svc")
