"""What a pod may take: its own container, what a mesh or a webhook added, each of it once."""

from typing import Any

import pytest
from whatsapp_operator.core.model import KeyID, Seal, SessionUID
from whatsapp_operator.core.objects.pod_memory import MOST_ADDED, counted_memory, pod_memory

MI = 2**20
GI = 2**30


def container(name: str, limit: str | None = None, *, request: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a container of a pod's spec."""
    resources = {
        field: {"memory": value} for field, value in (("limits", limit), ("requests", request)) if value is not None
    }
    return {"name": name, "resources": resources} | more


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **spec: Any) -> dict[str, Any]:
    """Return a pod with the runner and whatever others added."""
    return {
        "metadata": {"name": "sales", "namespace": "shop"},
        "spec": {"containers": [container("runner", "768Mi"), *containers], "initContainers": list(init)} | spec,
        "status": {},
    }


STAYS = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pod(), 768 * MI),
        (pod(container("proxy", "1Gi")), 1792 * MI),
        (pod(init=(container("proxy", "1Gi", **STAYS),)), 1792 * MI),
        (pod(container("a", "1Gi"), init=(container("b", "512Mi", **STAYS),)), 2304 * MI),
        (pod(init=(container("setup", "512Mi"),)), 768 * MI),
        (pod(init=(container("setup", "2Gi"),)), 2 * GI),
        (pod(init=(container("setup", "2Gi"), container("proxy", "1Gi", **STAYS))), 2 * GI),
        (pod(init=(container("proxy", "1Gi", **STAYS), container("setup", "2Gi"))), 3 * GI),
        (pod(init=(container("a", "1Gi", **STAYS), container("b", "1Gi", **STAYS))), 2816 * MI),
        (pod(overhead={"memory": "120Mi"}), 888 * MI),
        (pod(container("proxy", "1Gi"), resources={"limits": {"memory": "1200Mi"}}), 1200 * MI),
        (pod(resources={"limits": {"memory": "1200Mi"}}, overhead={"memory": "100Mi"}), 1300 * MI),
        (pod(resources={"limits": {"cpu": "1"}}), 768 * MI),
        (pod(container("proxy", request="128Mi")), 896 * MI),
        (pod(container("proxy")), 768 * MI),
        (pod(container("proxy", "1e9")), 768 * MI + 10**9),
    ],
    ids=[
        "alone",
        "a proxy beside it",
        "a proxy as an init container that stays",
        "both kinds",
        "a small setup before it",
        "a large setup before it",
        "a large setup before the proxy starts",
        "a large setup after the proxy was started",
        "two that stay",
        "the overhead of its runtime class",
        "a limit of the whole pod",
        "a limit of the whole pod, and overhead",
        "a limit of the whole pod that is about CPU",
        "without a limit: what is set aside for it",
        "with nothing",
        "in another spelling",
    ],
)
def test_the_rules_are_kubernetes_own(made: dict[str, Any], expected: int) -> None:
    """As `PodLimits` of k8s.io/component-helpers adds up, with the request where there is no limit."""
    assert expected == pod_memory(made)


@pytest.mark.parametrize("amount", ["many", "", "-1Gi", None, [], {"Gi": 1}, "9" * 1000, True])
def test_what_is_no_amount_counts_nothing(amount: Any) -> None:
    """One odd object stops no round."""
    assert 768 * MI == pod_memory(pod({"name": "proxy", "resources": {"limits": {"memory": amount}}}))


@pytest.mark.parametrize(
    "spec", [None, [], {"containers": {}}, {"containers": ["x"], "initContainers": "y", "overhead": 3, "resources": []}]
)
def test_any_shape_of_a_pod_can_be_read(spec: Any) -> None:
    """Nothing in it is nothing."""
    assert 0 == pod_memory({"spec": spec, "status": None})


@pytest.mark.parametrize(
    ("wanted", "actual", "conditions", "expected"),
    [
        ("2Gi", "768Mi", [], 2 * GI),
        ("512Mi", "768Mi", [], 768 * MI),
        ("64Gi", "768Mi", [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}], 768 * MI),
        ("2Gi", "768Mi", [{"type": "PodResizePending", "status": "True", "reason": "Deferred"}], 2 * GI),
    ],
    ids=["grows", "shrinks", "never can", "waits for room"],
)
def test_a_resize_counts_as_far_as_it_may_come(
    wanted: str, actual: str, conditions: list[dict[str, str]], expected: int
) -> None:
    """A container is resized in place: the larger of both until it is done, and nothing that the node refuses for good."""
    resized = pod()
    resized["spec"]["containers"][0]["resources"] = {"limits": {"memory": wanted}}
    resized["status"] = {
        "conditions": conditions,
        "containerStatuses": [{"name": "runner", "resources": {"limits": {"memory": actual}}}],
    }

    assert expected == pod_memory(resized)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pod(), 768 * MI),
        (pod(container("proxy", "1Gi")), 1792 * MI),
        ({"spec": {"containers": [container("runner", "64Mi")]}}, 768 * MI),
        ({"spec": {"containers": [container("runner", "64Mi"), container("proxy", "128Mi")]}}, 768 * MI),
        ({}, 768 * MI),
        (pod(container("proxy", "8Ei")), 768 * MI + MOST_ADDED),
    ],
    ids=["as made", "a proxy", "a webhook lowered it", "lowered, and a proxy", "unreadable", "more than anybody needs"],
)
def test_a_sealed_pod_counts_no_less_than_it_was_made_with(made: dict[str, Any], expected: int) -> None:
    """What others take away is not given away, what they add counts up to a bound."""
    seal = Seal(key_id=KeyID("key-1"), session_uid=SessionUID("a"), quota="default", memory=768 * MI)

    assert expected == counted_memory(made, seal)
