"""The demo's overlay for somebody else's cluster: it is all marked, in one place, and `demo-down` knows each kind."""

from typing import Any

import pytest
from manifests.rendering import documents, render
from session_demo.current import INSTANCE
from session_demo.preflight import OPERATOR_NAMESPACE, OPERATOR_OBJECTS
from session_devtools.installation.constants import NAMESPACE, PART_OF
from session_devtools.installation.transformers import namespace

OVERLAY = "overlays/demo-current"


@pytest.fixture(name="found", scope="module")
def rendered() -> list[dict[str, Any]]:
    """All objects of the overlay."""
    return list(documents(render(OVERLAY)))


def test_every_object_is_marked_as_the_demos(found: list[dict[str, Any]]) -> None:
    """Without the mark the demo would take its own object for somebody else's."""
    assert {PART_OF} == {item["metadata"]["labels"]["app.kubernetes.io/part-of"] for item in found}


def test_the_marks_do_not_reach_selectors(found: list[dict[str, Any]]) -> None:
    """A Deployment's selector can never be changed; the mark is for `demo-down` alone."""
    (deployment,) = [item for item in found if item["kind"] == "Deployment"]

    assert "app.kubernetes.io/part-of" not in deployment["spec"]["selector"]["matchLabels"]


def test_demo_down_knows_each_cluster_wide_object(found: list[dict[str, Any]]) -> None:
    """A kind that is added to the base and not to `demo-down` would be left behind."""
    cluster_wide = {(item["kind"], item["metadata"]["name"]) for item in found if "namespace" not in item["metadata"]}

    assert set(OPERATOR_OBJECTS) == {(kind.lower(), name) for kind, name in cluster_wide}


def test_the_rest_goes_with_the_namespace(found: list[dict[str, Any]]) -> None:
    """Every other object is in one of those that `demo-down` removes."""
    namespaces = {item["metadata"]["namespace"] for item in found if "namespace" in item["metadata"]}

    assert {OPERATOR_NAMESPACE, NAMESPACE} == namespaces


def test_it_watches_the_demos_namespace_alone(found: list[dict[str, Any]]) -> None:
    """By the list of namespaces and by the instance that the demo's namespace is labelled with."""
    (deployment,) = [item for item in found if item["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    variables = {item["name"]: item.get("value") for item in container["env"]}

    assert NAMESPACE == variables["WATCH_NAMESPACES"]
    assert INSTANCE == variables["INSTANCE"]
    assert INSTANCE == namespace(INSTANCE)["metadata"]["labels"]["wasession.dev/instance"]


def test_it_brings_no_crd_and_no_roles_of_people(found: list[dict[str, Any]]) -> None:
    """Those are an installation's: the demo brings CRDs by itself where there are none."""
    kinds = {item["kind"] for item in found}

    assert "CustomResourceDefinition" not in kinds
    assert not [item for item in found if "sessions-view" in item["metadata"]["name"]]
