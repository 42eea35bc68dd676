"""What holds for every manifest, whatever cluster it is for."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from manifests.rendering import HEADER, INSTALL, MANIFESTS, RENDERED, documents, install_yaml, render, sources
from session_devtools.images.definitions import IMAGES

ROOT = MANIFESTS.parent
WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet", "Job")


def every_object() -> list[tuple[str, dict[str, Any]]]:
    """All objects of all kustomizations and files, each with where it comes from."""
    rendered = [(name, document) for name in RENDERED for document in documents(render(name))]
    plain = [(path.name, document) for path in sources() for document in documents(path.read_text())]
    return rendered + plain


def images(found: dict[str, Any]) -> list[str]:
    """Every image that an object names, the runner's setting included."""
    pod = found["spec"]["template"]["spec"]
    containers = [*pod.get("initContainers", ()), *pod["containers"]]
    settings = [item["value"] for each in containers for item in each.get("env", ()) if item["name"] == "RUNNER_IMAGE"]
    return [each["image"] for each in containers] + settings


def test_install_yaml_is_the_base() -> None:
    """install.yaml is what `make generate` writes now: run it, and commit the result."""
    assert install_yaml() == INSTALL.read_text()


def test_install_yaml_says_that_it_is_generated() -> None:
    """Whoever opens it first reads where to change things."""
    assert INSTALL.read_text().startswith(HEADER)


def test_an_upgrade_never_resets_a_quota() -> None:
    """No quota is in anything that is applied again with each release."""
    kinds = [document["kind"] for name in ("base", "overlays/local") for document in documents(render(name))]

    assert "WhatsAppSessionQuota" not in kinds


def test_the_default_quota_is_the_one_sessions_name() -> None:
    """The file makes the quota that a session without `quotaName` counts against."""
    quota = yaml.safe_load((MANIFESTS / "quota" / "default.yaml").read_text())

    assert ("WhatsAppSessionQuota", "default") == (quota["kind"], quota["metadata"]["name"])


def test_no_rule_has_a_wildcard() -> None:
    """Rights are spelled out: group, resource and verb."""
    rules = [
        (where, found["metadata"]["name"], rule)
        for where, found in every_object()
        if found["kind"] in ("ClusterRole", "Role")
        for rule in found["rules"]
    ]

    wild = [(where, name) for where, name, rule in rules if "*" in yaml.safe_dump(rule)]
    assert len(rules) > 20
    assert [] == wild


def test_every_image_has_a_version() -> None:
    """No image floats: each has a tag that is not `latest`."""
    found = {image for _, item in every_object() if item["kind"] in WORKLOADS for image in images(item)}

    floating = {image for image in found if not re.search(r":[^/:]+$", image) or image.endswith(":latest")}
    assert {"whatsapp-operator:0.1.0", "localhost/whatsapp-runner:dev"} <= found
    assert set() == floating


@pytest.mark.parametrize("name", ["overlays/local", "examples/install"])
def test_an_overlay_replaces_every_image(name: str) -> None:
    """None of the base's images is left in an overlay that brings its own."""
    left = [
        image
        for found in documents(render(name))
        if found["kind"] in WORKLOADS
        for image in images(found)
        if "/" not in image
    ]

    assert [] == left


def test_the_base_has_the_projects_version() -> None:
    """A release's manifests start that release's images."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    found = [image for item in documents(render("base")) if item["kind"] in WORKLOADS for image in images(item)]

    labels = {item["metadata"]["labels"]["app.kubernetes.io/version"] for item in documents(render("base"))}

    expected = [f"whatsapp-operator:{version}", f"whatsapp-runner:{version}"]
    assert expected == found
    assert {version} == labels


@pytest.mark.parametrize("name", ["base", "overlays/instance-demo"])
def test_the_operators_namespace_is_restricted(name: str) -> None:
    """Pod Security is enforced in the namespace that holds the keys."""
    (namespace,) = [found for found in documents(render(name)) if found["kind"] == "Namespace"]

    labels = namespace["metadata"]["labels"]
    modes = {mode: labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "warn", "audit")}
    assert {"enforce": "restricted", "warn": "restricted", "audit": "restricted"} == modes
    assert re.fullmatch(r"v1\.\d+", labels["pod-security.kubernetes.io/enforce-version"])


def test_a_second_instance_shares_no_name() -> None:
    """Applying a second operator changes no object of the first."""
    first, second = (
        {
            (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
            for item in documents(render(name))
        }
        for name in ("base", "overlays/instance-demo")
    )

    assert len(second) > 8
    assert set() == first & second


def test_a_second_instance_has_the_rights_to_its_own_names() -> None:
    """The names in its Role are those that the operator makes from INSTANCE."""
    found = list(documents(render("overlays/instance-demo")))
    (role,) = [item for item in found if item["kind"] == "Role"]
    (deployment,) = [item for item in found if item["kind"] == "Deployment"]
    variables = {
        item["name"]: item.get("value") for item in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }

    assert "demo" == variables["INSTANCE"]
    assert [["whatsapp-operator-demo-keys"], ["whatsapp-operator-demo"]] == [
        rule["resourceNames"] for rule in role["rules"] if "resourceNames" in rule
    ]


def test_services_and_policies_find_their_pods() -> None:
    """Every selector in a kustomization matches a pod template of it, and every named port exists there."""
    for name in RENDERED:
        found = list(documents(render(name)))
        workloads = [item for item in found if item["kind"] in WORKLOADS]
        for item in found:
            if item["kind"] == "Service":
                selector, ports = item["spec"]["selector"], [port["targetPort"] for port in item["spec"]["ports"]]
            elif item["kind"] == "NetworkPolicy":
                selector = item["spec"]["podSelector"].get("matchLabels", {})
                ports = [port["port"] for rule in item["spec"].get("ingress", ()) for port in rule["ports"]]
            else:
                continue
            pods = [
                workload["spec"]["template"]
                for workload in workloads
                if workload["metadata"]["namespace"] == item["metadata"]["namespace"]
            ]
            matched = [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]
            named = {
                port["name"] for pod in matched for each in pod["spec"]["containers"] for port in each.get("ports", ())
            }
            assert 1 == len(matched), f"{name}: {item['kind']} {item['metadata']['name']}"
            assert set(ports) <= named


LABELS = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component", "part-of", "managed-by")}
VERSION = "app.kubernetes.io/version"
PEOPLES = ("session-minimal.yaml", "session-full.yaml", "session-webhooks.yaml", "tenant.yaml")
""" Examples of what is a team's own, and bears the labels that the team chooses. """


def labelled() -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    """All objects that are ours, each with where it comes from and its labels."""
    found = [(where, item) for where, item in every_object() if where not in PEOPLES]
    return [(where, item, item["metadata"].get("labels", {})) for where, item in found]


def test_every_object_has_the_recommended_labels() -> None:
    """One selector finds an installation; a dashboard that groups by these labels leaves nothing out."""
    lacking = {
        f"{where}: {item['kind']} {item['metadata']['name']}: {sorted(missing)}"
        for where, item, labels in labelled()
        if (missing := LABELS - labels.keys())
    }

    assert len(labelled()) > 70
    assert set() == lacking


def test_pods_have_them_too_but_for_the_version() -> None:
    """A pod's image tells its version; a label would roll the pod for a release that changes nothing in it."""
    templates = [item["spec"]["template"] for _, item, _ in labelled() if item["kind"] in WORKLOADS]

    assert len(templates) == len(RENDERED) + 1  # one each, two with the sandbox
    assert [] == [
        labels for pod in templates if LABELS - (labels := pod["metadata"]["labels"]).keys() or VERSION in labels
    ]


def test_nothing_here_looks_as_if_the_operator_had_made_it() -> None:
    """By managed-by it knows its own: it would list a Service of ours, and find the name taken by itself."""
    values = {labels["app.kubernetes.io/managed-by"] for _, _, labels in labelled()}

    assert {"kustomize", "kubectl"} == values


def test_selectors_are_the_ones_of_the_first_release() -> None:
    """A workload's selector can never be changed: with another one the next release could not be applied."""
    selectors = {
        (where, item["kind"]): item["spec"]["selector"]["matchLabels"]
        for where, item, _ in labelled()
        if item["kind"] in WORKLOADS
    }

    name = {"app.kubernetes.io/name": "whatsapp-session-operator"}
    expected = {(where, "Deployment"): name | {"app.kubernetes.io/component": "operator"} for where in RENDERED}
    expected["standin", "Deployment"] = {"app.kubernetes.io/name": "standin"}
    sandbox = ("components/browser-sandbox", "DaemonSet")
    expected[sandbox] = name | {"app.kubernetes.io/component": "seccomp-profiles"}
    assert expected == selectors


def test_the_labels_distinguish_instances() -> None:
    """A second operator is another instance, and what is the demo's says so."""
    found = {
        where: labels["app.kubernetes.io/instance"] for where, item, labels in labelled() if item["kind"] == "Service"
    }

    assert ("whatsapp-operator", "whatsapp-operator-demo", "standin") == (
        found["base"], found["overlays/instance-demo"], found["standin"]
    )  # fmt: skip


def test_images_have_the_names_they_are_built_with() -> None:
    """What `make images` builds is what the local overlay and the stand-in start."""
    found = {
        image.rpartition(":")[0]
        for name in ("overlays/local", "standin")
        for item in documents(render(name))
        if item["kind"] in WORKLOADS
        for image in images(item)
    }

    assert {image.repository for image in IMAGES.values()} == found


def test_no_workload_makes_pods_that_the_policies_refuse() -> None:
    """Labels and annotations below wasession.dev/ are the operator's word, and a controller is not the operator.

    The first pod of an installation may come before its policies; the next one would not come at all.
    """
    given = [
        (origin, found["metadata"]["name"], f"{key}={value}")
        for origin, found in every_object()
        if found["kind"] in WORKLOADS
        for marks in ("labels", "annotations")
        for key, value in found["spec"]["template"]["metadata"].get(marks, {}).items()
    ]
    reserved = ("wasession.dev/", "app.kubernetes.io/managed-by=whatsapp-session-operator")

    assert given
    assert [] == [one for one in given if one[2].startswith(reserved)]
