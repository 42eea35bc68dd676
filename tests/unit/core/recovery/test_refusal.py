"""A node that cannot give a pod its sandbox: recognized from what the kubelet says, and a loss after a minute."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.facts import T0, pod_facts
from whatsapp_operator.core.model import PodFacts, PodPhase
from whatsapp_operator.core.recovery.failure import outcome_of
from whatsapp_operator.core.recovery.refusal import (
    PATIENCE,
    find_refusal,
    is_about_namespaces,
    may_be_refused_namespace,
)

NO_PROFILE = (
    'failed to generate security options for container "runner": failed to generate seccomp security options for '
    'container: cannot load seccomp profile "/var/lib/kubelet/seccomp/a/b.json": open: no such file or directory'
)
POD = pod_facts(
    phase=PodPhase.PENDING,
    node="node-1",
    waiting_reason="CreateContainerError",
    waiting_message=NO_PROFILE,
    seccomp_profile="a/b.json",
)
LATE = T0 + PATIENCE


def pod(**facts: Any) -> PodFacts:
    """Return the pod that waits for its profile, with other facts."""
    return dataclasses.replace(POD, **facts)


def plain(**facts: Any) -> PodFacts:
    """Return a pod with a user namespace that the kubelet is still making."""
    before = {
        "waiting_reason": "ContainerCreating",
        "waiting_message": "",
        "seccomp_profile": None,
        "host_users": False,
    }
    return pod(**before | facts)


def reason(of: PodFacts, *, namespace_refused: bool, now: datetime) -> str | None:
    """Return the name of the refusal that has lasted; None: there is none."""
    cause = find_refusal(of, namespace_refused=namespace_refused, now=now).cause
    return cause.name if cause is not None else None


def test_a_profile_that_is_not_there_is_a_loss_after_a_minute() -> None:
    """The message names the profile and says what to do; it is the node's matter, so nothing is counted."""
    outcome = outcome_of(POD, report=None, responding=False, now=LATE)

    assert outcome.loss is not None
    assert outcome.failure is None
    assert "SeccompProfileUnusable" == outcome.loss.reason
    assert "a/b.json" in outcome.loss.message
    assert "manifests/components/browser-sandbox" in outcome.loss.message


def test_it_may_still_arrive_within_the_minute() -> None:
    """A new node's DaemonSet needs a moment, and the kubelet tries again by itself."""
    assert reason(POD, namespace_refused=False, now=LATE - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"seccomp_profile": None},
        {"waiting_message": "failed to create containerd task: no space left on device"},
        {"waiting_reason": "ImagePullBackOff"},
        {"waiting_reason": "ContainerCreating"},
        {"node": None},
        {"started": T0},
        {"deletion": T0},
        {"phase": PodPhase.FAILED},
    ],
)
def test_another_trouble_is_none_of_this(facts: dict[str, Any]) -> None:
    """Without the setting, for another cause, before it has a node, or when it started or ends: as before."""
    assert reason(pod(**facts), namespace_refused=False, now=LATE) is None


def test_a_refused_user_namespace_is_a_loss_after_a_minute() -> None:
    """By the kubelet's event, or by the error of a runtime that tried."""
    tried = plain(waiting_reason="CreateContainerError", waiting_message="failed to set MOUNT_ATTR_IDMAP on /var/lib/x")

    assert ["UserNamespaceRefused"] * 2 == [
        reason(plain(), namespace_refused=True, now=LATE),
        reason(tried, namespace_refused=False, now=LATE),
    ]
    assert reason(plain(), namespace_refused=False, now=LATE) is None
    assert reason(plain(), namespace_refused=True, now=T0) is None
    assert reason(plain(host_users=True), namespace_refused=True, now=LATE) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces",
            True,
        ),
        ('can\'t set `spec.hostUsers: false`, RuntimeClass handler "x" does not support user namespaces', True),
        ("can't set spec.hostUsers: false, runtime does not support user namespaces", True),
        ('the feature gate "UserNamespacesSupport" is disabled: can\'t set spec.HostUsers', True),
        ("OCI runtime create failed: cannot set up ID-mapped mounts: idmap not supported by this filesystem", True),
        ('plugin type="calico" failed (add): networkPlugin cni failed to set up pod', False),
        ("x" * 5000 + "hostUsers", False),
        ("", False),
    ],
)
def test_the_kubelets_messages_are_recognized(text: str, expected: bool) -> None:  # noqa: FBT001 -- a table
    """Those of several releases, in any case; of a long text the beginning alone is looked at."""
    assert expected is is_about_namespaces(text)


def test_events_are_asked_for_late_and_only_where_they_can_help() -> None:
    """A pod that starts in time costs no request; one without a user namespace never does."""
    early = LATE - timedelta(seconds=1)

    assert [False, True] == [may_be_refused_namespace(plain(), now=now) for now in (early, LATE)]
    assert not may_be_refused_namespace(POD, now=LATE)
    assert not may_be_refused_namespace(plain(started=T0), now=LATE)


def test_it_is_looked_at_again() -> None:
    """When the minute is over, and each minute after it; not a pod of the default settings."""
    plain_pod = pod(seccomp_profile=None)
    slow = plain()

    assert [LATE, LATE + PATIENCE] == [
        find_refusal(slow, namespace_refused=False, now=now).deadline for now in (T0, LATE)
    ]
    assert find_refusal(plain_pod, namespace_refused=False, now=T0).deadline is None
    assert find_refusal(pod(started=T0), namespace_refused=False, now=T0).deadline is None
