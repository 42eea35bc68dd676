"""The manifests on a real API server: they are taken as they are, twice, and mean what they say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_cluster.light import LightCluster, Programs
from manifests.people import Ask, Person
from manifests.rendering import INSTALL, MANIFESTS, documents, render, sources

STRICT = "--validate=strict"


def test_a_second_apply_changes_nothing(installed: LightCluster) -> None:
    """What is applied again with each release is stable: no object is configured anew."""
    lines = installed.kubectl("apply", "--filename", str(INSTALL), STRICT).splitlines()

    assert len(lines) == len(list(documents(INSTALL.read_text())))
    assert [] == [line for line in lines if not line.endswith(" unchanged")]


def test_server_side_apply_finds_no_conflict(installed: LightCluster) -> None:
    """Whoever applies from the server's side, as GitOps tools do, gets the same objects."""
    output = installed.kubectl(
        "apply", "--server-side", "--dry-run=server", "--filename", str(INSTALL), STRICT, "--field-manager=kubectl-client-side-apply"
    )  # fmt: skip

    assert len(list(documents(INSTALL.read_text()))) == output.count(" serverside-applied (server dry run)\n")


ADDED = {f"app.kubernetes.io/{name}" for name in ("instance", "managed-by", "version")}


def first_release() -> str:
    """install.yaml as of the first release: part-of on the operator's objects, name and component where a selector is."""
    found = list(documents(INSTALL.read_text()))
    for item in found:
        selected = item["kind"] in ("Deployment", "Service")
        for metadata in (item["metadata"], item.get("spec", {}).get("template", {}).get("metadata", {})):
            labels = metadata.get("labels", {})
            gone = ADDED if selected else ADDED | {"app.kubernetes.io/name", "app.kubernetes.io/component"}
            metadata["labels"] = {name: value for name, value in labels.items() if name not in gone}
    return yaml.safe_dump_all(found)


@pytest.fixture
def fresh(light_programs: Programs) -> Iterator[LightCluster]:
    """A cluster of the test's own: without controllers a deleted namespace would never be gone."""
    with LightCluster.start(programs=light_programs) as cluster:
        yield cluster


@pytest.mark.parametrize("how", [[], ["--server-side"]], ids=["apply", "server-side apply"])
def test_it_goes_over_an_installation_without_the_labels(fresh: LightCluster, how: list[str]) -> None:
    """The first release had few labels: the next one is applied over it, either way, and all of them are there then."""
    fresh.kubectl("apply", "--filename=-", *how, input=first_release())

    output = fresh.kubectl("apply", "--filename", str(INSTALL), STRICT, *how)

    wanted = list(documents(INSTALL.read_text()))
    kinds = (
        "namespace,deployment,service,serviceaccount,role,rolebinding,networkpolicy,clusterrole,clusterrolebinding,crd,"
        "validatingadmissionpolicy,validatingadmissionpolicybinding"
    )
    labelled = fresh.kubectl(
        "get", kinds, "--all-namespaces", "--output=name",
        "--selector=app.kubernetes.io/part-of=whatsapp-session-operator,app.kubernetes.io/instance=whatsapp-operator,"
        "app.kubernetes.io/managed-by=kustomize,app.kubernetes.io/version,app.kubernetes.io/component",
    )  # fmt: skip
    assert len(wanted) == len(output.splitlines()) == len(labelled.splitlines())


def test_install_yaml_needs_nothing_before_it() -> None:
    """The namespace comes first in the file, then the CRDs: one `kubectl apply` is enough."""
    order = [item["kind"] for item in documents(INSTALL.read_text())]

    assert ["Namespace", "CustomResourceDefinition", "CustomResourceDefinition"] == order[:3]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_examples_are_taken(installed: LightCluster, make_shop: str, path: Path) -> None:
    """Each example is accepted by the API server's own validation, our rules included."""
    objects = [item | {"metadata": item["metadata"] | ({"namespace": make_shop} if "namespace" in item["metadata"] else {})} for item in documents(path.read_text())]  # fmt: skip
    text = yaml.safe_dump_all(objects)

    lines = installed.kubectl("apply", "--dry-run=server", STRICT, "--filename=-", input=text).splitlines()

    assert len(objects) == len([line for line in lines if line.endswith("(server dry run)")])


@pytest.fixture
def make_shop(installed: LightCluster, make_namespace: Any) -> str:
    """A namespace to put examples into."""
    return str(make_namespace(installed))


def test_the_operators_pod_is_restricted(installed: LightCluster) -> None:
    """The pod of the Deployment passes the Pod Security that its namespace enforces, without a warning."""
    (deployment,) = [item for item in documents(render("base")) if item["kind"] == "Deployment"]

    output = as_pod(installed, deployment["spec"]["template"])

    assert "pod/probe created (server dry run)\n" == output


def test_anything_less_is_refused(installed: LightCluster) -> None:
    """Enforced means enforced: a pod with one right more does not get into the operator's namespace."""
    (deployment,) = [item for item in documents(render("base")) if item["kind"] == "Deployment"]
    template = deployment["spec"]["template"]
    template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True

    output = as_pod(installed, template)

    assert 'violates PodSecurity "restricted:v1.35": allowPrivilegeEscalation != false' in output


def as_pod(cluster: LightCluster, template: dict[str, Any]) -> str:
    """Ask the API server for a pod of this template; returns all that it says, warnings and refusals too."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": "whatsapp-operator"},
        "spec": template["spec"],
    }
    return cluster.kubectl("create", "--dry-run=server", "--filename=-", input=json.dumps(pod), check=False)


def test_a_quota_survives_an_upgrade(installed: LightCluster) -> None:
    """A limit that somebody chose is theirs after install.yaml is applied again."""
    quota = MANIFESTS / "quota" / "default.yaml"
    installed.kubectl("apply", "--filename", str(quota))
    installed.kubectl("patch", "wasq", "default", "--type=merge", '--patch={"spec": {"sessions": 77}}')

    installed.kubectl("apply", "--filename", str(INSTALL))

    kept = installed.kubectl("get", "wasq", "default", "--output=jsonpath={.spec.sessions}")
    installed.kubectl("delete", "--filename", str(quota))
    assert "77" == kept


def test_a_stranger_reads_no_quota(tenant: Person) -> None:
    """How many sessions others run is not for everybody who can log in."""
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete")

    assert [] == tenant.verbs(verbs, "whatsappsessionquotas", group="wasession.dev")


def test_a_stranger_sees_no_session(tenant: Person) -> None:
    """Nothing comes with a login."""
    assert [False] == tenant.may(Ask("get", "whatsappsessions", "wasession.dev"))
