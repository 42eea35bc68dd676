"""Admission rounds of a few lines: the sessions, pods, claims and quotas that they are made of."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from support.facts import T0
from unit.core.seals import seal, sealed
from whatsapp_operator.api.conditions import Condition, ConditionStatus
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import (
    AdmissionStatus,
    ObjectMeta,
    RequeueStatus,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.model import AssumedReservation, KeyID, Seal, SessionUID
from whatsapp_operator.core.quota.admit import AdmissionResult, admit

MI = 2**20
NOW = T0 + timedelta(minutes=5)


def session(
    name: str,
    *,
    namespace: str = "shop",
    age: float = 60,
    reserved: int | None = None,
    stalled: str | None = None,
    memory: int = 768,
    **spec: Any,
) -> WhatsAppSession:
    """Return a session; `reserved` and `memory` in Mi."""
    admission = None
    if reserved is not None:
        admission = AdmissionStatus(
            quota_name=spec.get("quotaName", "default"), reserved_at=T0, memory=Decimal(reserved * MI)
        )
    conditions = (Condition(type="Stalled", status=ConditionStatus.TRUE, reason=stalled),) if stalled else ()
    return WhatsAppSession(
        metadata=ObjectMeta(
            name=name, namespace=namespace, uid=name, generation=1, creation_timestamp=NOW - timedelta(seconds=age)
        ),
        spec=SessionSpec.model_validate({"resources": {"limits": {"memory": f"{memory}Mi"}}} | spec),
        status=SessionStatus(observed_generation=1, admission=admission, conditions=conditions),
    )


def requeued(name: str, *, at: float, age: float = 600, **more: Any) -> WhatsAppSession:
    """Return a session that gave its place back and asks again so many seconds from now."""
    made = session(name, age=age, **more)
    record = RequeueStatus(
        count=1, requeue_at=NOW + timedelta(seconds=at), reason="ImagePullBackOff", message="no image"
    )
    return made.with_status(made.status.model_copy(update={"requeue": record}))


def pod(uid: str, *, memory: int = 768, quota: str = "default", namespace: str = "shop", phase: str = "Running") -> Any:
    """Return a pod that the operator made for a session, which is there or not."""
    made = {"metadata": {"name": uid, "namespace": namespace}, "status": {"phase": phase}}
    return seal(made, Seal(key_id=KeyID("key-1"), session_uid=SessionUID(uid), quota=quota, memory=memory * MI))


def foreign_pod(uid: str, *, name: str = "", namespace: str = "shop", owner: bool = False, **metadata: Any) -> Any:
    """Return a pod that a person made in the operator's colours, as large as can be."""
    reference = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSession", "name": uid, "uid": uid}
    return {
        "metadata": {
            "name": name or uid,
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "whatsapp-session-operator",
                "wasession.dev/session": uid,
                "wasession.dev/session-uid": uid,
                "wasession.dev/quota": "default",
            },
            "annotations": {"wasession.dev/quota": "default"},
            "ownerReferences": [reference | {"controller": True}] if owner else [],
        }
        | metadata,
        "spec": {"containers": [{"name": "runner", "resources": {"limits": {"memory": "8Ei"}}}]},
    }


def quota(name: str = "default", **spec: Any) -> WhatsAppSessionQuota:
    """Return a quota."""
    return WhatsAppSessionQuota.parse({"metadata": {"name": name}, "spec": spec})


def assume(uid: str, *, memory: int = 768, quota_name: str = "default") -> AssumedReservation:
    """Return an open assume."""
    return AssumedReservation(session_uid=SessionUID(uid), quota_name=quota_name, memory=memory * MI, reserved_at=T0)


def round_(
    *sessions: WhatsAppSession,
    pods: tuple[Any, ...] = (),
    quotas: tuple[WhatsAppSessionQuota, ...] | None = None,
    assumed: tuple[AssumedReservation, ...] = (),
    pvcs: Sequence[Any] = (),
    declined: Collection[str] = (),
) -> AdmissionResult:
    """Make one round."""
    return admit(
        sessions=sessions,
        pods=pods,
        quotas=(quota(),) if quotas is None else quotas,
        assumed_reservations=assumed,
        pvcs=pvcs,
        read_seal=sealed,
        declined={SessionUID(uid) for uid in declined},
        now=NOW,
    )


def let_in(result: AdmissionResult) -> list[str]:
    """Return who got a assume, in order."""
    return [str(found.session_uid) for found in result.assumed_reservations]
