"""The condition Sandboxed: what the runner reports, what the settings ask for, and what a node refuses."""

from dataclasses import replace
from typing import Any

import pytest
from unit.core.fake_cluster import DEFAULTS, FakeCluster, running
from whatsapp_operator.api.conditions import find_condition
from whatsapp_operator.core.decision import DeletePod

BOTH = replace(DEFAULTS, browser_sandbox=True, browser_seccomp_profile="a/b.json", user_namespaces=True)
NO_PROFILE = (
    'failed to generate seccomp security options: cannot load seccomp profile "/var/lib/kubelet/seccomp/a/b.json"'
)


def say(cluster: FakeCluster, **parts: Any) -> None:
    """The runner reports what holds the page in, and the operator looks."""
    cluster.say("Connected", **parts)
    cluster.tick(1)
    cluster.resync()


@pytest.mark.parametrize(
    ("defaults", "parts", "expected"),
    [
        (DEFAULTS, {"browser_sandbox": False, "user_namespace": False}, ("False", "SandboxOff")),
        (DEFAULTS, {"browser_sandbox": False, "user_namespace": True}, ("True", "Sandboxed")),
        (BOTH, {"browser_sandbox": True, "user_namespace": True}, ("True", "Sandboxed")),
        (BOTH, {"browser_sandbox": True, "user_namespace": False}, ("False", "SandboxIncomplete")),
        (BOTH, {"browser_sandbox": False, "user_namespace": True}, ("False", "SandboxIncomplete")),
        (BOTH, {"browser_sandbox": None, "user_namespace": True}, ("False", "SandboxIncomplete")),
    ],
)
def test_it_is_true_when_all_that_is_asked_for_is_there(
    defaults: Any, parts: dict[str, bool | None], expected: tuple[str, str]
) -> None:
    """The runner reports what is there, the settings what should be."""
    cluster = running()
    cluster.defaults = defaults
    say(cluster, **parts)

    assert expected == cluster.says("Sandboxed")


def test_what_is_missing_is_named_with_the_way_out() -> None:
    """A pod that was made before the setting needs another; the message says how to ask for one."""
    cluster = running()
    cluster.defaults = BOTH
    say(cluster, browser_sandbox=False, user_namespace=False)
    message = cluster.condition("Sandboxed").message

    assert message.startswith("BROWSER_SANDBOX and USER_NAMESPACES are on")
    assert "wasession.dev/restart-at" in message


def test_a_runner_that_reports_nothing_has_no_condition() -> None:
    """One of an older release, or one whose browser is not open."""
    cluster = running()
    say(cluster)

    assert find_condition(cluster.status().conditions, "Sandboxed") is None


def test_it_stays_over_a_restart_of_the_operator_and_goes_with_the_pod() -> None:
    """Nothing is said of a pod that nobody has looked into, and at rest nothing is written."""
    cluster = running()
    say(cluster, browser_sandbox=False, user_namespace=False)
    writes = cluster.status_writes
    cluster.keep_answering()
    cluster.resync()
    cluster.restart_operator()
    cluster.look_once()
    kept = cluster.says("Sandboxed")
    assert writes == cluster.status_writes
    cluster.delete_pod()
    cluster.gone()
    cluster.resync()

    assert ("False", "SandboxOff") == kept
    assert find_condition(cluster.status().conditions, "Sandboxed") is None


def test_the_default_is_no_event() -> None:
    """Off is what everybody has at first; half a sandbox is worth a warning."""
    cluster = running()
    say(cluster, browser_sandbox=False, user_namespace=False)
    quiet = [event.reason for event in cluster.events]
    cluster.defaults = BOTH
    say(cluster, browser_sandbox=True, user_namespace=False)
    warnings = [event.type for event in cluster.events if event.reason == "SandboxIncomplete"]

    assert "SandboxOff" not in quiet
    assert ["Warning"] == warnings


def refused() -> FakeCluster:
    """A session whose pod's node has no profile, a minute later."""
    cluster = FakeCluster(defaults=BOTH)
    cluster.apply()
    cluster.set_quota()
    cluster.resync()
    cluster.schedule()
    cluster.wait(reason="CreateContainerError", message=NO_PROFILE)
    cluster.tick(59)
    cluster.resync()
    assert not any(isinstance(action, DeletePod) for action in cluster.done)
    cluster.tick(1)
    cluster.resync()
    return cluster


def test_a_node_without_the_profile_ends_the_pod_and_is_reported() -> None:
    """The pod does not hang: it is lost, nothing is counted, and the reason stands in the condition until a pod starts."""
    cluster = refused()
    deleted = [action for action in cluster.done if isinstance(action, DeletePod)]
    recorded = cluster.status().recovery
    cluster.gone()
    cluster.tick(10)
    cluster.resync()
    waiting = cluster.says("Sandboxed")
    cluster.run()
    say(cluster, browser_sandbox=True, user_namespace=True)

    assert 1 == len(deleted)
    assert recorded is not None
    assert (0, None) == (recorded.consecutive_failures, recorded.last_failure)
    assert ("False", "SeccompProfileUnusable") == waiting
    assert ("True", "Sandboxed") == cluster.says("Sandboxed")


def test_it_is_looked_at_when_the_minute_is_over() -> None:
    """Nothing else may happen to the pod."""
    cluster = FakeCluster(defaults=BOTH)
    cluster.apply()
    cluster.set_quota()
    cluster.resync()
    cluster.schedule()
    cluster.wait(reason="ContainerCreating")
    due = cluster.decide().requeue_at

    assert due is not None
    assert 60 >= (due - cluster.now).total_seconds() > 0


def test_a_kernel_that_refuses_the_browser_is_reported_the_same_way() -> None:
    """The runner tries, and ends with a code of its own: its words stand in the condition over each further try."""
    cluster = FakeCluster(defaults=BOTH)
    cluster.set_quota()
    cluster.apply()
    cluster.settle()
    shown = []
    for _ in range(2):
        cluster.tick(5)
        cluster.end(code=22, message="SandboxRefused: The browser did not start: its sandbox needs namespaces.")
        cluster.resync()
        shown.append(cluster.says("Sandboxed"))
        cluster.gone()
        cluster.tick(60)
        cluster.resync()
        shown.append(cluster.says("Sandboxed"))
        cluster.run()
        cluster.tick(10)
        cluster.resync()
        shown.append(cluster.says("Sandboxed"))

    assert [("False", "SandboxRefused")] * 6 == shown
    assert "namespaces" in cluster.condition("Sandboxed").message


def test_nodes_that_refuse_pause_nobodys_recovery() -> None:
    """It is no fault of the runners, however many meet it."""
    cluster = FakeCluster(defaults=BOTH)
    cluster.set_quota()
    names = ("a", "b", "c")
    for name in names:
        cluster.apply(name)
    cluster.settle()
    cluster.tick(5)
    for name in names:
        cluster.end(name, code=22)
    cluster.resync()

    assert not cluster.memory.pauses.paused_namespaces
