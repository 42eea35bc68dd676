"""Which changes of a status become Kubernetes events: those that a person wants to see in `kubectl describe`.

Events depend on the old and the new status alone, and the runtime records them after the new one is written, so none
is recorded twice. Like Kubernetes' own, each has an action (what was done or tried) and a reason (the outcome); an
event about a pod names it.
"""

from collections.abc import Iterator
from dataclasses import replace

from session_protocol.vocabulary import RunnerState

from whatsapp_operator.api.conditions import Condition, ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import LinkStatus, Reason, SessionStatus
from whatsapp_operator.core.decision import Event
from whatsapp_operator.core.session import messages

NORMAL = "Normal"
WARNING = "Warning"


def events(session: ObjectKey, before: SessionStatus, after: SessionStatus) -> tuple[Event, ...]:
    """Return the events for the change of a session from one status to the other."""
    return tuple(replace(event, message=messages.about(event.message, session)) for event in _events(before, after))


def _events(before: SessionStatus, after: SessionStatus) -> Iterator[Event]:
    yield from _failure(before, after)
    yield from _pod(before, after)
    yield from _link(before, after)
    for kind, to, usual, action in _TRANSITIONS:
        old, new = find_condition(before.conditions, kind), find_condition(after.conditions, kind)
        if new is None or new.status != to or _same(old, new):
            continue
        pod = after.pod_name if kind is ConditionType.POD_SCHEDULED else None
        type_ = WARNING if new.reason == Reason.UNEXPECTED_ACCOUNT else usual
        yield Event(type=type_, action=action, reason=_event_reason(kind, new), message=new.message, pod=pod)
    for name in ("restart_at", "relink_at", "renew_tokens_at"):
        value = getattr(after.handled_requests, name)
        if value is not None and value != getattr(before.handled_requests, name):
            request = name.replace("_", "-")
            message = f"The request {request} was carried out."
            yield Event(type=NORMAL, action="HandlingRequest", reason="RequestHandled", message=message)


_TRANSITIONS = (
    (ConditionType.ADMITTED, ConditionStatus.TRUE, NORMAL, "Admitting"),
    (ConditionType.ADMITTED, ConditionStatus.FALSE, WARNING, "Admitting"),
    (ConditionType.LINKED, ConditionStatus.TRUE, NORMAL, "Linking"),
    (ConditionType.READY, ConditionStatus.TRUE, NORMAL, "Connecting"),
    (ConditionType.READY, ConditionStatus.UNKNOWN, WARNING, "Connecting"),
    (ConditionType.POD_SCHEDULED, ConditionStatus.FALSE, WARNING, "Scheduling"),
    (ConditionType.SUSPENDED, ConditionStatus.TRUE, NORMAL, "Suspending"),
    (ConditionType.STALLED, ConditionStatus.TRUE, WARNING, "Reconciling"),
    (ConditionType.RECOVERING, ConditionStatus.TRUE, NORMAL, "Recovering"),
    (ConditionType.SANDBOXED, ConditionStatus.FALSE, WARNING, "Sandboxing"),
    (ConditionType.WEBHOOK_CLOSED, ConditionStatus.TRUE, WARNING, "Connecting"),
    (ConditionType.SETTINGS_PENDING, ConditionStatus.TRUE, WARNING, "Connecting"),
)
_NOT_REPORTED = frozenset({str(Reason.WAITING_FOR_ADMISSION), str(Reason.SLOT_RELEASED), str(Reason.SANDBOX_OFF)})


def _same(old: Condition | None, new: Condition) -> bool:
    if new.reason in _NOT_REPORTED:
        return True
    return old is not None and (old.status, old.reason) == (new.status, new.reason)


def _event_reason(kind: ConditionType, condition: Condition) -> str:
    """Return the event's reason: the condition's own, which is more specific than its type."""
    return str(kind) if condition.reason == kind else condition.reason


def _failure(before: SessionStatus, after: SessionStatus) -> Iterator[Event]:
    old = before.recovery and before.recovery.last_failure
    new = after.recovery and after.recovery.last_failure
    if not new or new == old:
        return
    code = "" if new.exit_code is None else f" (exit code {new.exit_code})"
    details = f": {new.message}" if new.message else ""
    yield Event(
        type=WARNING,
        action="Running",
        reason=new.reason or Reason.RUNNER_EXITED,
        message=f"The runner failed{code}{details}",
        pod=before.pod_name,
    )


def _pod(before: SessionStatus, after: SessionStatus) -> Iterator[Event]:
    if after.pod_uid is None or after.pod_uid == before.pod_uid:
        return
    kind = "A new pod" if before.pod_uid is not None else "The pod"
    message = f"{kind} {after.pod_name} was created."
    yield Event(type=NORMAL, action="CreatingPod", reason="PodCreated", message=message, pod=after.pod_name)


def _link(before: SessionStatus, after: SessionStatus) -> Iterator[Event]:
    """Return the events of a logout and of used-up QR codes: one of each, for their conditions and states stay for long."""
    old, new = before.link or LinkStatus(), after.link or LinkStatus()
    linked = find_condition(after.conditions, ConditionType.LINKED)
    if linked is not None and new.logout_time is not None and new.logout_time != old.logout_time:
        type_ = NORMAL if linked.reason == Reason.NOT_LINKED else WARNING
        yield Event(type=type_, action="Linking", reason=linked.reason, message=linked.message)
    if new.expired_time is not None and old.expired_time is None:
        expired = messages.held(RunnerState.LINK_EXPIRED, requested=False)
        yield Event(type=WARNING, action="Linking", reason=expired.reason, message=expired.message)
