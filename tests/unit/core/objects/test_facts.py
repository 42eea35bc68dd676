"""Reading the API server's JSON: each fact from its place, and nothing odd ever stops a decision."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from strategies import json_values
from unit.core.fake_cluster import FakeCluster, running
from unit.core.fake_objects import NAMESPACE
from unit.core.seals import sealed
from whatsapp_operator.core.model import KeyID, PodPhase, Seal, SealedKind, ServiceFacts
from whatsapp_operator.core.objects.facts import pod_facts, pvc_facts, service_facts

MOMENT = datetime(2026, 11, 22, 18, 0, 5, tzinfo=UTC)


def running_pod() -> dict[str, Any]:
    """Return the JSON of a running pod of ours."""
    return copy.deepcopy(running().pods["sales"])


def test_a_running_pod_is_read_whole() -> None:
    """Identity, owner, place, image, start, readiness, and what it was made under."""
    cluster = running()
    pod = cluster.pods["sales"]
    pod["metadata"]["annotations"] |= {"wasession.dev/restart-at": "now", "wasession.dev/relink-at": "then"}

    facts = pod_facts(pod, seal=sealed(pod, SealedKind.POD))

    assert ("sales", pod["metadata"]["uid"]) == (facts.name, facts.uid)
    assert cluster.sessions["sales"]["metadata"]["uid"] == facts.owner_uid
    assert (PodPhase.RUNNING, "10.0.0.7", "node-1") == (facts.phase, facts.ip, facts.node)
    assert "registry.example/runner:1" == facts.image
    assert (True, True, True) == (facts.scheduled, facts.ready, facts.managed)
    assert facts.started is not None
    assert facts.finished is None
    assert ("now", "then") == (facts.restart_at, facts.relink_at)
    owner = cluster.sessions["sales"]["metadata"]["uid"]
    assert KeyID("key-1") == facts.key_id
    assert Seal(key_id=KeyID("key-1"), session_uid=owner, quota="default", memory=768 * 2**20) == facts.seal
    assert pod["spec"]["volumes"][1]["secret"]["secretName"] == facts.secret_name
    assert "" == facts.renewal
    assert 16 == len(facts.template_hash)


def test_a_pod_that_was_just_made_knows_little() -> None:
    """Nothing has looked at it yet."""
    facts = pod_facts({"metadata": {"name": "a", "uid": "1", "creationTimestamp": "2026-11-22T18:00:05Z"}, "spec": {}})

    assert (PodPhase.PENDING, MOMENT) == (facts.phase, facts.created)
    assert (None, None, None, None) == (facts.scheduled, facts.owner_uid, facts.started, facts.node)
    assert not facts.ready


def test_an_unschedulable_pod_has_the_schedulers_message() -> None:
    """Reason and message as they are."""
    pod = running_pod()
    pod["status"] = {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
        ],
    }

    facts = pod_facts(pod)

    assert (False, "Unschedulable", "0/1 nodes are available") == (
        facts.scheduled,
        facts.scheduled_reason,
        facts.scheduled_message,
    )


def test_a_waiting_container_has_a_reason() -> None:
    """The kubelet's reason and message."""
    cluster = running()
    cluster.wait(reason="ImagePullBackOff", message='Back-off pulling image "x"')

    facts = pod_facts(cluster.pods["sales"])

    assert ("ImagePullBackOff", 'Back-off pulling image "x"') == (facts.waiting_reason, facts.waiting_message)
    assert facts.started is None


def test_an_ended_container_has_code_reason_and_redacted_message() -> None:
    """The last words may hold anything, for with FallbackToLogsOnError they are the log's end."""
    cluster = running()
    cluster.tick(60)
    cluster.end(code=33, reason="OOMKilled", message="OutOfMemory for +49 170 1234567\n")

    facts = pod_facts(cluster.pods["sales"])

    assert (PodPhase.FAILED, 33, "OOMKilled") == (facts.phase, facts.exit_code, facts.exit_reason)
    assert "OutOfMemory for [number]" == facts.termination_message
    assert cluster.now == facts.finished
    assert facts.started == cluster.now - timedelta(seconds=65)


def test_a_container_that_never_could_start_did_not_start() -> None:
    """The kubelet then writes the beginning of time."""
    cluster = running()
    cluster.end(code=128, reason="StartError")
    ended = cluster.pods["sales"]["status"]["containerStatuses"][0]["state"]["terminated"]
    ended["startedAt"] = "1970-01-01T00:00:00Z"

    assert pod_facts(cluster.pods["sales"]).started is None


def test_a_container_without_an_end_time_still_has_ended() -> None:
    """A time that never changes takes its place: the same facts give the same decision."""
    pod = running_pod()
    pod["status"]["containerStatuses"][0]["state"] = {
        "terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}
    }

    facts = pod_facts(pod)

    assert facts.created == facts.finished


def test_only_the_runners_container_counts() -> None:
    """A sidecar that somebody's webhook adds ends and waits as it likes."""
    pod = running_pod()
    pod["status"]["containerStatuses"].insert(0, {"name": "proxy", "state": {"terminated": {"exitCode": 1}}})
    pod["spec"]["containers"].insert(
        0, {"name": "proxy", "image": "proxy:1", "resources": {"limits": {"memory": "32Mi"}}}
    )

    facts = pod_facts(pod)

    assert (None, "registry.example/runner:1") == (facts.exit_code, facts.image)


def test_only_the_controller_owns() -> None:
    """Another owner reference makes nobody the pod's session."""
    pod = running_pod()
    ours = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSession"}
    pod["metadata"]["ownerReferences"] = [ours | {"uid": "other"}, ours | {"uid": "mine", "controller": True}]

    assert "mine" == pod_facts(pod).owner_uid


@pytest.mark.parametrize("phase", ["Running", "Succeeded", "Failed", "Pending", "Unknown"])
def test_every_phase_is_known(phase: str) -> None:
    """And a phase of a later Kubernetes is Unknown."""
    assert PodPhase(phase) == pod_facts({"status": {"phase": phase}}).phase
    assert PodPhase.UNKNOWN == pod_facts({"status": {"phase": "Hibernating"}}).phase


def test_an_evicted_pod_is_disrupted() -> None:
    """By its reason and by the condition."""
    cluster = running()
    cluster.evict()

    facts = pod_facts(cluster.pods["sales"])

    assert ("Evicted", True) == (facts.pod_reason, facts.disrupted)
    assert "The node was low on resource: memory." == facts.pod_message


def test_a_claim_is_read_whole() -> None:
    """Whose it is, how large it was asked for, and its version for the patch."""
    cluster = running(spec={"profile": {"size": "2Gi", "retention": "Delete"}})
    pvc = cluster.pvcs["sales-profile"]
    pvc["status"] = {"phase": "Bound"}

    facts = pvc_facts(pvc, session=cluster.session())

    assert ("sales-profile", True, 2 * 2**30, "Bound") == (facts.name, facts.ours, facts.requested, facts.phase)
    assert [cluster.sessions["sales"]["metadata"]["uid"]] == [owner["uid"] for owner in facts.owners]
    assert pvc["metadata"]["resourceVersion"] == facts.resource_version
    assert facts.deletion is None


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (
            {"conditions": [{"type": "ControllerResizeError", "status": "True", "message": "pool is full"}]},
            "pool is full",
        ),
        ({"conditions": [{"type": "NodeResizeError", "status": "True"}]}, "NodeResizeError"),
        ({"conditions": [{"type": "NodeResizeError", "status": "False", "message": "was"}]}, ""),
        ({"conditions": [{"type": "Resizing", "status": "True", "message": "on its way"}]}, ""),
        ({"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}, "ControllerResizeInfeasible"),
        ({"allocatedResourceStatuses": {"storage": "NodeResizePending"}}, ""),
        ({"conditions": "odd", "allocatedResourceStatuses": 1}, ""),
    ],
)
def test_why_a_claim_did_not_grow(status: dict[str, Any], fault: str) -> None:
    """The storage's own words, or its word for having given up; growing takes its time and is no fault."""
    cluster = running()
    pvc = cluster.pvcs["sales-profile"] | {"status": {"phase": "Bound"} | status}

    assert fault == pvc_facts(pvc, session=cluster.session()).resize_fault


@pytest.mark.parametrize(
    ("status", "resizing"),
    [
        ({}, False),
        ({"conditions": [{"type": "Resizing", "status": "True"}]}, True),
        ({"allocatedResourceStatuses": {"storage": "NodeResizePending"}}, True),
        ({"conditions": [{"type": "Resizing", "status": "False"}], "allocatedResourceStatuses": {}}, False),
    ],
)
def test_whether_a_claim_is_being_grown(status: dict[str, Any], *, resizing: bool) -> None:
    """From the moment the storage begins until it is done."""
    cluster = running()
    pvc = cluster.pvcs["sales-profile"] | {"status": {"phase": "Bound"} | status}

    assert resizing == pvc_facts(pvc, session=cluster.session()).resizing


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"wasession.dev/session": "sales"},
        {"app.kubernetes.io/managed-by": "whatsapp-session-operator"},
        {"app.kubernetes.io/managed-by": "whatsapp-session-operator", "wasession.dev/session": "other"},
    ],
)
def test_a_claim_without_both_labels_is_not_ours(labels: dict[str, str]) -> None:
    """It only has the name."""
    cluster = FakeCluster()
    cluster.apply()

    assert not pvc_facts({"metadata": {"name": "sales-profile", "labels": labels}}, session=cluster.session()).ours


def test_a_claim_of_a_former_session_of_the_name_is_ours() -> None:
    """Labels tell, not UIDs: a deleted and re-applied session gets its login back."""
    cluster = running()
    cluster.delete_session()
    cluster.apply(uid="another")

    assert pvc_facts(cluster.pvcs["sales-profile"], session=cluster.session()).ours


def test_a_service_is_ours_by_its_label() -> None:
    """Its name alone says nothing."""
    service = next(iter(running().services.values()))

    assert ServiceFacts(ours=True) == service_facts(service)
    assert ServiceFacts(ours=False) == service_facts(
        {"metadata": {"name": "whatsapp-sessions", "namespace": NAMESPACE}}
    )


@pytest.mark.parametrize("change", [{"selector": {"app": "theirs"}}, {"clusterIP": "10.0.0.9"}, {"selector": None}])
def test_a_service_in_our_colours_that_leads_elsewhere_is_not_ours(change: dict[str, Any]) -> None:
    """The label is anybody's; whoever asks for a session by its name must not be led to a stranger."""
    service = copy.deepcopy(next(iter(running().services.values())))
    service["spec"] |= change

    assert ServiceFacts(ours=False) == service_facts(service)


@given(json_values())
def test_reading_never_fails(odd: Any) -> None:
    """Whatever stands in whatever place."""
    cluster = FakeCluster()
    cluster.apply()
    pod = {"metadata": odd, "spec": odd, "status": odd}
    for part in ("conditions", "containerStatuses", "phase", "reason"):
        pod_facts({"metadata": {"annotations": odd, "ownerReferences": odd}, "status": {part: odd}})
    pod_facts({"spec": {"containers": odd, "volumes": odd}})
    pod_facts({"spec": {"containers": [odd, {"name": "runner", "image": odd, "resources": odd}]}})
    pod_facts({"status": {"containerStatuses": [{"name": "runner", "state": odd}, odd]}})
    pod_facts({"status": {"containerStatuses": [{"name": "runner", "state": {"terminated": odd}}]}})
    pvc_facts({"metadata": odd, "spec": {"resources": {"requests": odd}}}, session=cluster.session())

    assert pod_facts(pod).owner_uid is None or isinstance(pod_facts(pod).owner_uid, str)
    assert isinstance(service_facts({"metadata": {"labels": odd}, "spec": odd}).ours, bool)


def test_what_a_pod_is_to_be_held_in_by_is_read() -> None:
    """From the runner's container and the pod; absent, it is the cluster's default."""
    pod = running_pod()
    before = pod_facts(pod)
    pod["spec"]["hostUsers"] = False
    pod["spec"]["containers"][0]["securityContext"] = {
        "seccompProfile": {"type": "Localhost", "localhostProfile": "a/b.json"}
    }
    after = pod_facts(pod)

    assert (True, None) == (before.host_users, before.seccomp_profile)
    assert (False, "a/b.json") == (after.host_users, after.seccomp_profile)
