"""From the API server's JSON to what the core wants to know: pods, PVCs, the Service.

Called by the runtime for each observation, with objects as they came. Reading never fails: a field that is absent or
of another shape than expected is an unknown fact, because one odd object must not stop a decision about its session.
What the runner says of itself is `RunnerReport`, which the runtime makes from a validated answer.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from session_protocol.quantities import BadQuantity, parse_quantity
from session_protocol.redaction import redact
from session_protocol.times import parse_time

from whatsapp_operator.api.constants import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    QUOTA_LABEL,
    RELINK_AT,
    RESTART_AT,
    SESSION_LABEL,
)
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import KeyID, PodFacts, PodPhase, PodUID, PVCFacts, ServiceFacts, SessionUID
from whatsapp_operator.core.objects import names

Json = Mapping[str, Any]

RUNNER_CONTAINER: Final = "runner"
TOKEN_VOLUME: Final = "tokens"  # noqa: S105 -- the volume's name
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
""" What the kubelet writes for a container that could not be started. """
_Enum = TypeVar("_Enum", bound=StrEnum)
_RESIZE_FAULTS: Final = frozenset({"ControllerResizeError", "NodeResizeError"})
""" Conditions of a PVC: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recovering-from-failure-when-expanding-volumes """


def pod_facts(pod: Json) -> PodFacts:
    """Return what a pod's JSON tells."""
    metadata, spec, status = _part(pod, "metadata"), _part(pod, "spec"), _part(pod, "status")
    annotations, labels = _part(metadata, "annotations"), _part(metadata, "labels")
    conditions = {condition.get("type"): condition for condition in _items(status, "conditions")}
    scheduled, disrupted = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    container = next(
        (found for found in _items(status, "containerStatuses") if found.get("name") == RUNNER_CONTAINER), {}
    )
    state = _part(container, "state")
    running, ended, waiting = _part(state, "running"), _part(state, "terminated"), _part(state, "waiting")
    started = _time(ended, "startedAt") if ended else _time(running, "startedAt")
    return PodFacts(
        name=_text(metadata, "name"),
        uid=PodUID(_text(metadata, "uid")),
        owner_uid=_controller(metadata),
        phase=_enum_value(
            PodPhase, status.get("phase"), PodPhase.PENDING if not status.get("phase") else PodPhase.UNKNOWN
        ),
        created=_time(metadata, "creationTimestamp") or _BEGINNING,
        deletion=_time(metadata, "deletionTimestamp"),
        ip=_text(status, "podIP") or None,
        node=_text(spec, "nodeName") or None,
        image=_runner_image(spec),
        scheduled={"True": True, "False": False}.get(_text(scheduled, "status")),
        scheduled_reason=_text(scheduled, "reason"),
        scheduled_message=_text(scheduled, "message"),
        ready=conditions.get("Ready", {}).get("status") == "True",
        started=started if started != _BEGINNING else None,
        finished=_time(ended, "finishedAt") or (_last_moment(status, metadata) if ended else None),
        exit_code=code if isinstance(code := ended.get("exitCode"), int) else None,
        exit_reason=_text(ended, "reason"),
        termination_message=redact(_text(ended, "message")),
        waiting_reason=_text(waiting, "reason"),
        waiting_message=_text(waiting, "message"),
        pod_reason=_text(status, "reason"),
        pod_message=_text(status, "message"),
        disrupted=disrupted.get("status") == "True",
        restart_at=_text(annotations, RESTART_AT) or None,
        relink_at=_text(annotations, RELINK_AT) or None,
        key_id=KeyID(key) if (key := _text(labels, names.KEY_ID_LABEL)) else None,
        memory=memory_limits(spec),
        quota=_text(annotations, names.QUOTA_ANNOTATION) or _text(labels, QUOTA_LABEL) or None,
        managed=labels.get(MANAGED_BY_LABEL) == MANAGED_BY,
        secret_name=_token_secret(spec),
        template_hash=_text(annotations, names.TEMPLATE_HASH_ANNOTATION),
    )


def memory_limits(spec: Json) -> int:
    """Return the sum of the containers' memory limits in bytes; a pod's spec is given."""
    return sum(
        _bytes(_part(_part(container, "resources"), "limits").get("memory")) for container in _items(spec, "containers")
    )


def pvc_facts(pvc: Json, *, session: WhatsAppSession) -> PVCFacts:
    """Return what the JSON of the PVC of the derived name tells about it and this session."""
    metadata, spec = _part(pvc, "metadata"), _part(pvc, "spec")
    labels, status = _part(metadata, "labels"), _part(pvc, "status")
    return PVCFacts(
        name=_text(metadata, "name"),
        ours=labels.get(MANAGED_BY_LABEL) == MANAGED_BY and labels.get(SESSION_LABEL) == session.metadata.name,
        owners=tuple(_items(metadata, "ownerReferences")),
        resource_version=_text(metadata, "resourceVersion"),
        requested=_bytes(_part(_part(spec, "resources"), "requests").get("storage")),
        deletion=_time(metadata, "deletionTimestamp"),
        phase=_text(status, "phase"),
        resize_fault=_resize_fault(status),
        resizing=_resizing(status),
    )


def _resize_fault(pvc_status: Json) -> str:
    """Return what the storage says of a resize that failed: its controller's or its node's fault, or that it gave up."""
    for condition in _items(pvc_status, "conditions"):
        if condition.get("type") in _RESIZE_FAULTS and condition.get("status") == "True":
            return _text(condition, "message") or _text(condition, "type")
    resize_status = _text(_part(pvc_status, "allocatedResourceStatuses"), "storage")
    return resize_status if resize_status.endswith("ResizeInfeasible") else ""


def _resizing(pvc_status: Json) -> bool:
    conditions = _items(pvc_status, "conditions")
    return "storage" in _part(pvc_status, "allocatedResourceStatuses") or any(
        condition.get("type") == "Resizing" and condition.get("status") == "True" for condition in conditions
    )


def service_facts(service: Json) -> ServiceFacts:
    """Return whose the Service of our name is."""
    return ServiceFacts(ours=_part(_part(service, "metadata"), "labels").get(MANAGED_BY_LABEL) == MANAGED_BY)


def _controller(metadata: Json) -> SessionUID | None:
    for owner in _items(metadata, "ownerReferences"):
        if owner.get("controller") is True:
            return SessionUID(_text(owner, "uid"))
    return None


def _runner_image(spec: Json) -> str | None:
    for container in _items(spec, "containers"):
        if container.get("name") == RUNNER_CONTAINER:
            return _text(container, "image") or None
    return None


def _token_secret(spec: Json) -> str | None:
    for volume in _items(spec, "volumes"):
        if volume.get("name") == TOKEN_VOLUME:
            return _text(_part(volume, "secret"), "secretName") or None
    return None


def _last_moment(status: Json, metadata: Json) -> datetime:
    """Return when a container ended of which the kubelet knows no time: some moment that does not change."""
    return _time(status, "startTime") or _time(metadata, "creationTimestamp") or _BEGINNING


def _bytes(quantity: object) -> int:
    try:
        return int(parse_quantity(quantity if isinstance(quantity, int) else str(quantity)))
    except BadQuantity:
        return 0


def _time(part: Json, name: str) -> datetime | None:
    try:
        return parse_time(_text(part, name))
    except ValueError:
        return None


def _text(part: Json, name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _enum_value(enum: type[_Enum], value: object, fallback: _Enum) -> _Enum:
    try:
        return enum(str(value))
    except ValueError:
        return fallback


def _part(part: Json, name: str) -> Json:
    value = part.get(name)
    return value if isinstance(value, Mapping) else {}


def _items(part: Json, name: str) -> Iterator[Json]:
    value = part.get(name)
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())
