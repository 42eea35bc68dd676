"""The namespace's NetworkPolicy beside the Service: there before the pod, and put back while it runs."""

from dataclasses import replace

from unit.core.fake_cluster import DEFAULTS, FakeCluster
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME
from whatsapp_operator.core.decision import CreateNetworkPolicy, PatchNetworkPolicy
from whatsapp_operator.core.network import RunnerNetwork

ENFORCED = replace(DEFAULTS, network=RunnerNetwork(operator_namespace="ops"))


def cluster(*, settled: bool = True) -> FakeCluster:
    """Return a cluster with a session, and an operator that makes policies."""
    made = FakeCluster(defaults=ENFORCED)
    made.set_quota()
    made.apply()
    if settled:
        made.settle()
    return made


def test_it_is_made_before_the_pod() -> None:
    """The pod never runs without it."""
    before = ["CreateService", "CreateNetworkPolicy", "CreatePVC", "CreateSecret", "CreatePod"]
    assert before == cluster().kinds_done[: len(before)]


def test_one_is_enough_for_a_namespace() -> None:
    """A second session finds it there."""
    both = cluster()
    both.apply("second")
    both.settle()

    assert 1 == both.kinds_done.count("CreateNetworkPolicy")
    assert 2 == both.kinds_done.count("CreatePod")


def test_no_pod_where_it_is_refused() -> None:
    """The condition has the API server's words; it goes on when the right is there."""
    refused = cluster(settled=False)
    refused.refuse = {CreateNetworkPolicy}
    refused.settle()
    assert {} == refused.pods
    assert ("False", "Forbidden") == refused.says("Ready")

    refused.refuse.clear()
    refused.tick(30)
    refused.settle()
    assert {"sales"} == refused.pods.keys()


def test_a_deleted_one_is_made_again_for_a_pod_that_runs() -> None:
    """Somebody deleted it."""
    running = cluster()
    running.policies.clear()
    running.look()

    assert CreateNetworkPolicy is type(running.done[-1])
    assert {NETWORK_POLICY_NAME} == running.policies.keys()


def test_a_changed_one_is_put_back_once() -> None:
    """Somebody opened it; at rest nothing is written."""
    running = cluster()
    wanted = running.policies[NETWORK_POLICY_NAME]["spec"]
    running.policies[NETWORK_POLICY_NAME]["spec"] = dict(wanted) | {"egress": [{}]}
    running.look()
    running.look()

    assert 1 == running.kinds_done.count("PatchNetworkPolicy")
    assert wanted == running.policies[NETWORK_POLICY_NAME]["spec"]


def test_a_refused_repair_is_not_asked_for_again_and_again() -> None:
    """The session comes to rest, and half a minute later it is tried again."""
    running = cluster()
    running.refuse = {PatchNetworkPolicy}
    running.policies[NETWORK_POLICY_NAME]["spec"] = {}
    running.look()
    assert () == running.decide().actions

    running.refuse.clear()
    running.tick(31)
    running.look()
    assert PatchNetworkPolicy is type(running.done[-1])


def test_a_foreign_one_of_our_name_is_reported_and_left_alone() -> None:
    """No pod with somebody else's rules; it goes on by itself when that policy is gone."""
    taken = cluster(settled=False)
    theirs = {"metadata": {"name": NETWORK_POLICY_NAME, "namespace": "shop", "uid": "foreign"}, "spec": {}}
    taken.policies[NETWORK_POLICY_NAME] = theirs
    taken.settle()

    assert ("True", "NameTaken") == taken.says("Stalled")
    assert NETWORK_POLICY_NAME in taken.condition("Stalled").message
    assert [] == taken.done

    taken.policies.clear()
    taken.settle()
    assert "CreatePod" in taken.kinds_done


def test_a_foreign_one_matters_to_nobody_where_policies_are_switched_off() -> None:
    """The name is not ours then."""
    off = cluster(settled=False)
    off.defaults = DEFAULTS
    off.policies[NETWORK_POLICY_NAME] = {"metadata": {"name": NETWORK_POLICY_NAME, "namespace": "shop"}, "spec": {}}
    off.settle()

    assert "CreatePod" in off.kinds_done
    assert "CreateNetworkPolicy" not in off.kinds_done
