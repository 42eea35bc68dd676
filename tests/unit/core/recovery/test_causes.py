"""The table of causes: every spelling of the kubelet's, every row of the table, and what no row knows."""

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.vocabulary import ExitCode
from support.facts import T0, pod_facts, runner_report
from whatsapp_operator.core.kubelet import Probe
from whatsapp_operator.core.model import PodFacts, PodPhase, RunnerReport
from whatsapp_operator.core.recovery.cause import Cause, Counted, Evidence, Sign
from whatsapp_operator.core.recovery.causes import CAUSES, ENDS, REPORTED, WAITS, cause_of_end, cause_of_wait
from whatsapp_operator.core.recovery.failure import Outcome, outcome_of

NOW = T0 + timedelta(seconds=60)
RAN = pod_facts(phase=PodPhase.FAILED, started=T0 + timedelta(seconds=2), node="node-1")
""" A pod whose container has run. """
NEVER_RAN = dataclasses.replace(RAN, started=None)


def report(state: str, reason: str) -> RunnerReport:
    """Return a runner's last word."""
    return runner_report(state, reason=reason, received=NOW)


def ended(*, ran: bool = True, **facts: Any) -> PodFacts:
    """Return a pod that has ended."""
    return dataclasses.replace(RAN if ran else NEVER_RAN, **facts)


def evicted(message: str, **facts: Any) -> PodFacts:
    """Return a pod that the kubelet evicted with these words, as it leaves it: the runner was killed, too."""
    return ended(pod_reason="Evicted", pod_message=message, exit_code=137, exit_reason="Error", finished=NOW, **facts)


def outcome(pod: PodFacts, **more: Any) -> Outcome:
    """Return the pod's outcome."""
    return outcome_of(pod, **{"report": None, "responding": False, "now": NOW} | more)


# --- the kubelet's spellings, written down by hand ---------------------------------------------------------------------

OWN_LIMITS = (
    'Usage of EmptyDir volume "cache" exceeds the limit "1Gi". ',
    "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. ",
    'Container runner exceeded its local ephemeral storage limit "2Gi". ',
    # before Kubernetes 1.13
    "pod ephemeral local storage usage exceeds the total limit of containers 2Gi",
    'usage of EmptyDir volume "cache" exceeds the limit "1Gi"',
    'container runner exceeded its local ephemeral storage limit "2Gi"',
    # a container that somebody injected
    'Container istio-proxy exceeded its local ephemeral storage limit "50Mi". ',
)
NODE_PRESSURE = (
    "The node was low on resource: memory. ",
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. Container runner was using 900Mi. ",
    "The node was low on resource: ephemeral-storage. Container runner was using 1Gi, request is 128Mi, has larger use. ",
    "The node was low on resource: ephemeral-storage. Container runner was using 30Ki, which exceeds its request of 0. ",
    "The node was low on resource: ephemeral-storage. Pod sales was using 3Gi, request is 1Gi, has larger use. ",
    "The node was low on resource: inodes. ",
    "The node was low on resource: pids. ",
    "The node was low on resource: [DiskPressure]. ",
    "The node had condition: [MemoryPressure]. ",
    "The node had condition: [DiskPressure PIDPressure]. ",
    "Pod The node had condition: [DiskPressure]. ",
)


@pytest.mark.parametrize("message", OWN_LIMITS)
def test_the_pods_own_limit_counts_with_the_kubelets_message(message: str) -> None:
    """Whether the kubelet's word or the runner's exit code comes with it: 137, or a clean stop within the second."""
    for code in (137, 0, 40):
        found = outcome(dataclasses.replace(evicted(message), exit_code=code))

        assert found.loss is None
        assert found.failure is not None
        assert found.cause is not None
        assert ("EphemeralStorageLimit", "Evicted", message.strip()) == (
            found.cause.name,
            found.failure.reason,
            (found.failure.message or "").strip(),
        )


@pytest.mark.parametrize("message", NODE_PRESSURE)
@pytest.mark.parametrize("disrupted", [True, False])
def test_the_nodes_pressure_does_not(message: str, *, disrupted: bool) -> None:
    """With the condition DisruptionTarget, which old kubelets do not set, and without; also of a pod refused at its start."""
    for pod in (evicted(message, disrupted=disrupted), ended(ran=False, pod_reason="Evicted", pod_message=message)):
        found = outcome(pod)

        assert found.failure is None
        assert found.loss is not None
        assert ("NodePressure", "Evicted") == (found.loss.cause.name, found.loss.reason)
        assert message.strip().rstrip(".") in found.loss.message


REFUSED = {
    "OutOfcpu": "Pod was rejected: Node didn't have enough resource: cpu, requested: 100, used: 1950, capacity: 2000",
    "OutOfmemory": "Pod was rejected: Node didn't have enough resource: memory, requested: 1, used: 2, capacity: 2",
    "OutOfpods": "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110",
    "OutOfephemeral-storage": "Pod was rejected: Node didn't have enough resource: ephemeral-storage, requested: 1",
    "OutOfnvidia.com/gpu": "Pod was rejected: Node didn't have enough resource: nvidia.com/gpu, requested: 1",
    "UnexpectedAdmissionError": "Pod was rejected: Allocate failed due to device plugin GetPreferredAllocation rpc failed, which is unexpected",
    "TopologyAffinityError": "Pod was rejected: Resources cannot be allocated with Topology locality",
    "SMTAlignmentError": "Pod was rejected: SMT Alignment Error: requested 1 cpus not multiple cpus per core = 2",
    "NodeAffinity": "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    "NodePorts": "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    "NodeName": "Pod was rejected: Predicate NodeName failed: node(s) didn't match the requested node name",
    "NodeUnschedulable": "Pod was rejected: Predicate NodeUnschedulable failed: node(s) were unschedulable",
    "TaintToleration": "Pod was rejected: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    "MatchNodeSelector": "Predicate MatchNodeSelector failed",
    "AppArmor": "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host",
    "SysctlForbidden": "Pod was rejected: forbidden sysctl",
    "PodOSNotSupported": "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
    "SupplementalGroupsPolicyNotSupported": "Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node",
    "PodFeatureUnsupported": "Pod was rejected: Pod requires node features that are not available: X",
    "InvalidNodeInfo": "Pod was rejected: Kubelet cannot get node info.",
    "UnknownReason": "Pod was rejected: GeneralPredicates failed due to unknown reason, which is unexpected.",
    "SomethingThatComesWithANewKubelet": "Pod was rejected: for reasons of its own",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_node_that_refuses_the_pod_does_not_count(reason: str) -> None:
    """Under whatever name, also one that comes with a later kubelet: nothing of the pod has ever run."""
    found = outcome(ended(ran=False, pod_reason=reason, pod_message=REFUSED[reason]))

    assert found.failure is None
    assert found.loss is not None
    assert ("NodeRefused", reason) == (found.loss.cause.name, found.loss.reason)
    assert f"The node refused the pod: {REFUSED[reason]}".rstrip(".") == found.loss.message


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"pod_reason": "Preempting", "pod_message": "Preempted in order to admit critical pod"}, "Preempted"),
        ({"disrupted": True, "disruption": "PreemptionByScheduler"}, "Preempted"),
        ({"disrupted": True, "disruption": "PreemptionByKubeScheduler"}, "Preempted"),
        ({"pod_reason": "Terminated", "pod_message": "Pod was terminated in response to imminent node shutdown."}, "NodeShutdown"),
        ({"pod_reason": "NodeShutdown", "pod_message": "Pod was rejected as the node is shutting down."}, "NodeShutdown"),
        ({"pod_reason": "Shutdown", "pod_message": "Node is shutting, evicting pods"}, "NodeShutdown"),
        ({"pod_reason": "NodeLost", "pod_message": "Node n1 which was running pod sales is unresponsive"}, "NodeLost"),
        ({"exit_reason": "ContainerStatusUnknown", "exit_code": 137}, "NodeLost"),
        ({"exit_reason": "Unknown", "exit_code": 255}, "NodeLost"),
        ({"disrupted": True, "disruption": "DeletionByPodGC"}, "NodeLost"),
        ({"disrupted": True, "disruption": "EvictionByEvictionAPI", "exit_code": 0}, "Drained"),
        ({"disrupted": True, "disruption": "DeletionByTaintManager", "exit_code": 0}, "Drained"),
        ({"disrupted": True, "disruption": "SomethingNew", "exit_code": 0}, "Disrupted"),
        ({"disrupted": True}, "Disrupted"),
        ({"pod_reason": "DeadlineExceeded", "pod_message": "Pod was active on the node longer than the specified deadline"}, "Deadline"),
        ({"pod_reason": "Evicted"}, "Evicted"),
        ({"pod_reason": "Evicted", "pod_message": "for a reason of a later kubelet"}, "Evicted"),
        ({"exit_code": 22, "exit_reason": "Error"}, "SandboxRefused"),
        ({"exit_code": 12, "exit_reason": "Error"}, "ProfileUnusable"),
    ],
)  # fmt: skip
def test_what_comes_from_outside_does_not_count(facts: dict[str, Any], cause: str) -> None:
    """Nodes that are lost, drained, shut down or need the room for others."""
    found = outcome(ended(finished=NOW, **facts))

    assert found.failure is None
    assert found.loss is not None
    assert cause == found.loss.cause.name


def test_an_unfit_profile_is_called_what_its_runner_calls_it() -> None:
    """Room, size and what to do are in the condition; and it is tried again, paced, for as long as it takes."""
    found = outcome(
        ended(
            exit_code=12, finished=NOW, termination_message="ProfileUnusable: The profile volume is full: 0Mi of 54Mi."
        )
    )

    assert found.loss is not None
    assert "The profile is not fit for a browser: The profile volume is full: 0Mi of 54Mi" == found.loss.message
    assert Counted.NO_PACED is found.loss.cause.counted


@pytest.mark.parametrize(
    ("facts", "cause", "reason"),
    [
        ({"exit_code": 33, "exit_reason": "OOMKilled"}, "OutOfMemory", "OutOfMemory"),
        ({"exit_code": 137, "exit_reason": "OOMKilled"}, "OOMKilled", "OOMKilled"),
        ({"exit_code": 128, "exit_reason": "StartError"}, "ImageUnusable", "StartError"),
        ({"exit_code": 127, "exit_reason": "ContainerCannotRun"}, "ImageUnusable", "ContainerCannotRun"),
        ({"exit_code": 127, "exit_reason": "Error"}, "ImageUnusable", "ExitCode127"),
        ({"exit_code": 139, "exit_reason": "Error"}, "Signal", "Signal11"),
        ({"exit_code": 137, "exit_reason": "Error"}, "Signal", "Signal9"),
        ({"exit_code": 0, "exit_reason": "Completed"}, "Stopped", "Stopped"),
        ({"exit_code": 21, "exit_reason": "Error"}, "LoadFailed", "LoadFailed"),
    ],
)
def test_what_comes_from_inside_counts(facts: dict[str, Any], cause: str, reason: str) -> None:
    """Its own memory, its own image, its page; there are always words, also where nobody reported any."""
    found = outcome(ended(finished=NOW, **facts))

    assert found.loss is None
    assert found.failure is not None
    assert found.cause is not None
    assert (cause, reason) == (found.cause.name, found.failure.reason)
    assert found.failure.message


@pytest.mark.parametrize(
    ("message", "last"),
    [
        ("", report("LoadError", "NavigationFailed")),
        ("", report("LoadError", "CertificateNotTrusted")),
        ("LoadFailed: The page could not be fetched (net::ERR_NAME_NOT_RESOLVED); check WHATSAPP_WEB_URL.", None),
        ("LoadFailed: The page's certificate is not trusted (net::ERR_CERT_AUTHORITY_INVALID).", None),
        ("LoadFailed: The page answered with HTTP 503; check WHATSAPP_WEB_URL.", None),
    ],
)
def test_an_older_runner_that_could_not_fetch_its_page_does_not_count(message: str, last: RunnerReport | None) -> None:
    """By its last report, or by its last words; one whose page came and did not boot does count."""
    pod = ended(exit_code=21, exit_reason="Error", termination_message=message, finished=NOW)

    assert "PageNotFetched" == getattr(outcome(pod, report=last).loss, "reason", "").replace(
        "LoadFailed", "PageNotFetched"
    )
    assert outcome(pod, report=report("LoadError", "NotBooted")).failure is not None or message


def test_an_end_that_no_row_knows_counts_with_its_facts() -> None:
    """Reason and message hold what is known."""
    pod = ended(pod_reason="Bewitched", pod_message="by a spell", exit_code=77, exit_reason="Error", finished=NOW)

    found = outcome(pod)

    assert found.cause is not None
    assert found.failure is not None
    assert ("Unknown", "ExitCode77") == (found.cause.name, found.failure.reason)
    assert (
        "The pod ended for a cause that the operator does not know (phase Failed, reason Bewitched, message by a spell, "
        "exit code 77)." == found.failure.message
    )


# --- the rows themselves --------------------------------------------------------------------------------------------------


def seen(sign: Sign) -> Evidence:
    """Return just what the sign asks for."""
    facts: dict[str, Any] = {
        name: patterns[0].replace("*", "x")
        for name in ("pod_reason", "pod_message", "disruption", "exit_reason", "termination_message", "waiting_reason")
        if (patterns := getattr(sign, name))
    }
    if sign.disruption:
        facts["disrupted"] = True
    if sign.exit_code:
        facts["exit_code"] = int(sign.exit_code[0])
    if sign.unschedulable:
        facts["scheduled"] = False
    reported = sign.report[0].replace("*", "x").split("/") if sign.report else None
    pod = ended(ran=not sign.never_started, **facts)
    return Evidence(pod=pod, report=report(*reported) if reported else None, probe=sign.probe)


SIGNS = [(cause, sign) for cause in ENDS for sign in cause.signs]


@pytest.mark.parametrize(("cause", "sign"), SIGNS, ids=[f"{cause.name}-{n}" for n, (cause, _) in enumerate(SIGNS)])
def test_every_sign_of_every_row_leads_to_it(cause: Cause, sign: Sign) -> None:
    """No row is hidden behind an earlier one."""
    assert cause is cause_of_end(seen(sign)).cause


@pytest.mark.parametrize("cause", WAITS[:-1], ids=lambda cause: cause.name)
def test_every_reason_to_wait_is_found(cause: Cause) -> None:
    """By the scheduler's condition or the kubelet's waiting reason."""
    assert [cause] * len(cause.signs) == [cause_of_wait(seen(sign)) for sign in cause.signs]


@pytest.mark.parametrize(("reason", "cause"), [("", None), ("ContainerCreating", None), ("Bewitched", "UnknownWait")])
def test_a_pod_on_its_way_has_no_cause_and_a_new_reason_is_unknown(reason: str, cause: str | None) -> None:
    """The kubelet's own words for a normal start are no trouble."""
    found = cause_of_wait(Evidence(pod=dataclasses.replace(NEVER_RAN, waiting_reason=reason)))

    assert cause == (found.name if found is not None else None)


def test_the_names_are_unique() -> None:
    """They are the values of a metric's label."""
    names = [cause.name for cause in CAUSES]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in names)
    assert {code.reason for code in ExitCode} <= set(names)
    assert set(REPORTED) <= set(names)


REASON_TEXTS = st.sampled_from(["", "Evicted", "OutOfcpu", "NodeLost", "Error", "OOMKilled", "Completed", "Bewitched"])


@given(
    reason=REASON_TEXTS,
    message=st.one_of(st.text(max_size=80), st.sampled_from(OWN_LIMITS + NODE_PRESSURE)),
    exit_reason=REASON_TEXTS,
    code=st.one_of(st.none(), st.integers(-1, 300)),
    ran=st.booleans(),
    disrupted=st.booleans(),
    deleted=st.booleans(),
    probe=st.sampled_from([None, *Probe]),
)
def test_every_end_is_either_lost_or_failed_or_asked_for(
    reason: str,
    message: str,
    exit_reason: str,
    code: int | None,
    *,
    ran: bool,
    disrupted: bool,
    deleted: bool,
    probe: Probe | None,
) -> None:
    """Never both, always with words; only a deleted pod may have neither, and it never fails."""
    pod = ended(
        ran=ran, pod_reason=reason, pod_message=message, exit_reason=exit_reason, exit_code=code, disrupted=disrupted,
        deletion=NOW if deleted else None, finished=NOW,
    )  # fmt: skip
    found = outcome(pod)

    assert (found.loss is None) or (found.failure is None)
    assert deleted or found.loss is not None or found.failure is not None
    assert not (deleted and found.failure)
    if found.loss is not None:
        assert found.loss.message
        assert found.loss.reason
    if found.failure is not None:
        assert found.failure.message
        assert found.failure.reason
    assert cause_of_end(Evidence(pod=pod, probe=probe)).cause in ENDS
