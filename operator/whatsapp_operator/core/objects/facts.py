"""Reads what the core needs from the JSON of the API server: pods, PVCs, the Service.

The runtime calls this for each observation. Reading never fails: a field that is absent or has an unexpected shape is
an unknown fact, because one odd object must not prevent a decision about its session. The runner's own report is a
`RunnerReport`, which the runtime creates from a validated answer.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from whatsapp_operator.api.constants import (
    RELINK_AT,
    RESTART_AT,
    RUNNER_CONTAINER,
    TEMPLATE_HASH_ANNOTATION,
    TOKEN_VOLUME,
)
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import NetworkPolicyFacts, PodFacts, PodPhase, PodUID, PVCFacts, Seal, ServiceFacts
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.pod_memory import counted_memory
from whatsapp_operator.core.objects.reading import (
    Json,
    amount,
    free_text,
    identifier,
    items,
    part,
    redacted,
    text,
    time,
)
from whatsapp_operator.core.objects.service import SELECTOR

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
""" What the kubelet writes for a container that could not be started. """
STARTING_REASONS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
""" The kubelet's waiting reasons for a container that starts normally. """
_Enum = TypeVar("_Enum", bound=StrEnum)
_NODE_LOST: Final = frozenset({"NodeLost", "NodeNotReady", "NodeStatusUnknown", "NodeUnreachable"})
_LONGEST_GRACE: Final = timedelta(days=365)
_FINALIZERS: Final = 5
""" Finalizers of a pod that are told. """
_RESIZE_FAULTS: Final = frozenset({"ControllerResizeError", "NodeResizeError"})
""" Conditions of a PVC: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recovering-from-failure-when-expanding-volumes """


def pod_facts(pod: Json, *, seal: Seal | None = None) -> PodFacts:
    """Return the facts of a pod from its JSON, and from its seal, which was verified."""
    metadata, spec, status = part(pod, "metadata"), part(pod, "spec"), part(pod, "status")
    conditions = {condition.get("type"): condition for condition in items(status, "conditions")}
    scheduled, disrupted = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    container = _runner(status, "containerStatuses")
    state = part(container, "state")
    # The API server notes by when the pod has to be gone, and the grace that is in it.
    deletion, grace = time(metadata, "deletionTimestamp"), _seconds(metadata, "deletionGracePeriodSeconds")
    running, ended, waiting = part(state, "running"), part(state, "terminated"), _waiting(status, state)
    started = time(ended, "startedAt") if ended else time(running, "startedAt")
    owner_uid = ownership.controller_uid(pod)
    seal = seal if seal is not None and seal.session_uid == owner_uid else None
    return PodFacts(
        name=text(metadata, "name"),
        uid=PodUID(text(metadata, "uid")),
        owner_uid=owner_uid,
        phase=_enum_value(
            PodPhase, status.get("phase"), PodPhase.PENDING if not status.get("phase") else PodPhase.UNKNOWN
        ),
        created=time(metadata, "creationTimestamp") or _BEGINNING,
        deletion=deletion - grace if deletion is not None else None,
        grace=grace,
        ip=text(status, "podIP") or None,
        node=text(spec, "nodeName") or None,
        image=text(_runner(spec, "containers"), "image") or None,
        scheduled={"True": True, "False": False}.get(text(scheduled, "status")),
        scheduled_reason=identifier(scheduled, "reason"),
        scheduled_message=free_text(scheduled, "message", keep="start"),
        ready=conditions.get("Ready", {}).get("status") == "True",
        started=started if started != _BEGINNING else None,
        ran=_ran(status, container, started=started),
        finished=time(ended, "finishedAt") or (_last_moment(status, metadata) if ended else None),
        exit_code=code if isinstance(code := ended.get("exitCode"), int) else None,
        exit_reason=identifier(ended, "reason"),
        termination_message=free_text(ended, "message"),
        waiting_reason=identifier(waiting, "reason"),
        waiting_message=free_text(waiting, "message", keep="start"),
        pod_reason=identifier(status, "reason"),
        pod_message=free_text(status, "message"),
        host_users=spec.get("hostUsers") is not False,
        seccomp_profile=_seccomp_profile(spec),
        memory=counted_memory(pod, seal) if seal is not None else 0,
        disrupted=disrupted.get("status") == "True",
        disruption=identifier(disrupted, "reason"),
        unready_by_node=_unready_by_node(conditions),
        finalizers=_finalizers(metadata),
        restart_at=ownership.annotation(pod, RESTART_AT) or None,
        relink_at=ownership.annotation(pod, RELINK_AT) or None,
        key_id=seal.key_id if seal is not None else ownership.key_id(pod),
        seal=seal,
        managed=ownership.is_managed(pod),
        secret_name=_token_secret(spec),
        renewal=ownership.token_renewal(pod),
        template_hash=ownership.annotation(pod, TEMPLATE_HASH_ANNOTATION),
    )


def has_run(pod: Json) -> bool:
    """Whether the runner's container has started, even if it has ended since; cheap, for each change of each pod.

    Not `PodFacts.ran`, which is true in doubt: a pod that a node refused has failed and never ran.
    """
    state = part(_runner(part(pod, "status"), "containerStatuses"), "state")
    return any(time(part(state, name), "startedAt") not in (None, _BEGINNING) for name in ("running", "terminated"))


def _runner(obj: Json, name: str) -> Json:
    """Return what a list has of the runner's container; empty: nothing."""
    return next((found for found in items(obj, name) if found.get("name") == RUNNER_CONTAINER), {})


def _unready_by_node(conditions: Mapping[object, Json]) -> bool:
    """Whether the node controller, and not the kubelet, has set the pod's Ready condition.

    When a node does not report any more, the controller changes the condition's status alone. A kubelet always gives a
    reason, and takes the readiness of the containers away with it.
    """
    ready, containers = conditions.get("Ready", {}), conditions.get("ContainersReady", {})
    status, reason = ready.get("status"), text(ready, "reason")
    if status == "Unknown" or (status == "False" and reason in _NODE_LOST):
        return True
    return status == "False" and not reason and containers.get("status") == "True"


def _finalizers(metadata: Json) -> tuple[str, ...]:
    found = metadata.get("finalizers")
    names = [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
    return tuple(redacted(name, keep="start") for name in names[:_FINALIZERS])


def pvc_facts(pvc: Json, *, session: WhatsAppSession) -> PVCFacts:
    """Return the facts of the PVC that has the derived name, which may not belong to this session."""
    metadata, status = part(pvc, "metadata"), part(pvc, "status")
    return PVCFacts(
        name=text(metadata, "name"),
        ours=ownership.is_managed_for(pvc, session.metadata.name),
        owners=ownership.owner_references(pvc),
        resource_version=text(metadata, "resourceVersion"),
        requested=requested_storage(pvc),
        deletion=time(metadata, "deletionTimestamp"),
        phase=text(status, "phase"),
        resize_fault=_resize_fault(status),
        resizing=_resizing(status),
        stop_mark=ownership.stop_mark(pvc),
    )


def requested_storage(pvc: Json) -> int:
    """Return the size that a PVC asks for, in bytes."""
    return amount(part(part(part(pvc, "spec"), "resources"), "requests"), "storage") or 0


def _resize_fault(pvc_status: Json) -> str:
    """Return the storage's error about a failed resize, by controller or node, or that it has given up; empty: none."""
    for condition in items(pvc_status, "conditions"):
        if condition.get("type") in _RESIZE_FAULTS and condition.get("status") == "True":
            return free_text(condition, "message", keep="start") or text(condition, "type")
    resize_status = identifier(part(pvc_status, "allocatedResourceStatuses"), "storage")
    return resize_status if resize_status.endswith("ResizeInfeasible") else ""


def _resizing(pvc_status: Json) -> bool:
    conditions = items(pvc_status, "conditions")
    return "storage" in part(pvc_status, "allocatedResourceStatuses") or any(
        condition.get("type") == "Resizing" and condition.get("status") == "True" for condition in conditions
    )


def service_facts(service: Json) -> ServiceFacts:
    """Return whether the Service with our name is ours: labelled so, headless, and leading to the sessions' pods.

    It belongs to a namespace and not to a session, so no owner proves it; but one that does just what ours does is as
    good as ours, whoever made it.
    """
    spec = part(service, "spec")
    leads_to_sessions = spec.get("clusterIP") == "None" and dict(part(spec, "selector")) == SELECTOR
    return ServiceFacts(ours=ownership.is_managed(service) and leads_to_sessions)


def network_policy_facts(policy: Json) -> NetworkPolicyFacts:
    """Return whether the NetworkPolicy with our name is ours, and what it says."""
    return NetworkPolicyFacts(
        ours=ownership.is_managed(policy),
        spec=part(policy, "spec"),
        resource_version=text(part(policy, "metadata"), "resourceVersion"),
    )


def _seccomp_profile(spec: Json) -> str | None:
    return (
        text(part(part(_runner(spec, "containers"), "securityContext"), "seccompProfile"), "localhostProfile") or None
    )


def _ran(pod_status: Json, container: Json, *, started: datetime | None) -> bool:
    """Whether the runner ever ran in this pod: it does, it did, or the kubelet does not say that it never did."""
    before = part(part(container, "lastState"), "terminated")
    restarts = container.get("restartCount")
    return (
        (started is not None and started != _BEGINNING)
        or bool(before)
        or (isinstance(restarts, int) and restarts > 0)
        or text(pod_status, "phase") not in ("", PodPhase.PENDING)
    )


def _waiting(pod_status: Json, state: Json) -> Json:
    """Return what the runner waits for; while that is an init container, what this one waits for."""
    waiting = part(state, "waiting")
    if text(waiting, "reason") not in STARTING_REASONS:
        return waiting
    others = (part(part(found, "state"), "waiting") for found in items(pod_status, "initContainerStatuses"))
    return next((other for other in others if text(other, "reason") not in STARTING_REASONS), waiting)


def _token_secret(spec: Json) -> str | None:
    for volume in items(spec, "volumes"):
        if volume.get("name") == TOKEN_VOLUME:
            return text(part(volume, "secret"), "secretName") or None
    return None


def _last_moment(status: Json, metadata: Json) -> datetime:
    """Return a substitute for the end of a container when the kubelet reports no time: one that does not change."""
    return time(status, "startTime") or time(metadata, "creationTimestamp") or _BEGINNING


def _seconds(part: Json, name: str) -> timedelta:
    found = part.get(name)
    usable = isinstance(found, int) and 0 <= found <= _LONGEST_GRACE.total_seconds()
    return timedelta(seconds=found) if isinstance(found, int) and usable else timedelta()


def _enum_value(enum: type[_Enum], value: object, fallback: _Enum) -> _Enum:
    try:
        return enum(str(value))
    except ValueError:
        return fallback
