"""The messages of conditions: one sentence says what is wrong, one says what to do.

A message changes only when something happens, because every change is a write; so it has no ages and no countdowns.
No message holds a phone number, a code or a token: whatever text is not ours went through
`objects.reading.redacted`, and what the API server says through `kube.errors`, before.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from session_protocol.logouts import explanation
from session_protocol.quantities import format_quantity
from session_protocol.states import Request, traits_of
from session_protocol.times import format_time

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.constants import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NETWORK_POLICY_NAME,
    POD_SECURITY_LABEL,
    PROFILE_LABEL,
    RELINK_AT,
    RESTART_AT,
    SERVICE_NAME,
    SESSION_LABEL,
)
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import LastFailure, Problem, Reason, RecoveryStatus, SessionStatus
from whatsapp_operator.core.calls import Call, FailedCall
from whatsapp_operator.core.model import PodFacts, Rejection
from whatsapp_operator.core.objects.reading import redacted
from whatsapp_operator.core.recovery.browser_failure import LONGEST, browser_account
from whatsapp_operator.core.recovery.cause import Cause, Counted, Evidence
from whatsapp_operator.core.recovery.causes import DELETED_BEFORE_START, NODE_LOST, cause_of_end
from whatsapp_operator.core.recovery.failure import Loss
from whatsapp_operator.core.recovery.lost_node import Doubt

MAX_LENGTH: Final = 1024
""" Characters of a message; the schedulers and webhooks that we quote sometimes write more. """
_THE_SESSION: Final = "was NAME -n NAMESPACE"
RESTART: Final = f"run: kubectl annotate --overwrite {_THE_SESSION} {RESTART_AT}=$(date -u +%FT%TZ)"
RELINK: Final = f"run: kubectl annotate --overwrite {_THE_SESSION} {RELINK_AT}=$(date -u +%FT%TZ)"
""" Commands to be pasted, so each ends its message; `about` puts the session's name in. """
_NEXT_POD: Final = " The next pod is created at "
_WITHOUT_CAUSE: Final = frozenset(
    {
        Reason.BACKING_OFF, Reason.POD_TERMINATING, Reason.RECOVERY_PAUSED, Reason.REPLACING_POD, Reason.RESTART_REQUESTED,
        DELETED_BEFORE_START.name,
    }
)  # fmt: skip
""" Reasons of Recovering that do not say why the last pod ended. """
_REASON: Final = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")


class ReasonMessage(NamedTuple):
    """A condition's reason and message."""

    reason: str
    message: str


UNEXPECTED_ACCOUNT: Final = ReasonMessage(
    Reason.UNEXPECTED_ACCOUNT,
    "A phone is linked, of another account than the one whose number is in the Secret of spec.link.phoneNumberSecretName. "
    "Correct the Secret, or log the session out on the phone and link the right one.",
)


def about(message: str, session: ObjectKey) -> str:
    """Return the message with the session's name in its command."""
    return message.replace(_THE_SESSION, f"was {session.name} -n {session.namespace}")


def cut(text: str, length: int) -> str:
    """Return a text of at most so many characters, with an ellipsis for what is missing at its end."""
    return text if len(text) <= length else text[: length - 1] + "…"


def reason_message(reason: str, message: str, *, fallback: str) -> ReasonMessage:
    """Return a foreign reason and message: the message cut to length, an invalid reason replaced by the fallback."""
    usable = reason if len(reason) <= MAX_LENGTH and _REASON.fullmatch(reason) else fallback
    return ReasonMessage(usable, cut(message, MAX_LENGTH))


def stored_message(
    status: SessionStatus, kind: ConditionType, *, only: ConditionStatus | None = None
) -> ReasonMessage | None:
    """Return reason and message of a stored condition, or None; with `only`, just if it has this status."""
    found = find_condition(status.conditions, kind)
    if found is None or (only is not None and found.status != only):
        return None
    return ReasonMessage(found.reason, found.message)


def stored_recovering(status: SessionStatus) -> ReasonMessage | None:
    """Return what status has of Recovering while it is True."""
    return stored_message(status, ConditionType.RECOVERING, only=ConditionStatus.TRUE)


STARTING: Final = ReasonMessage(
    Reason.POD_STARTING,
    "The pod is being created and started. If this takes long, see the events of kubectl describe pod: for example a "
    "volume that cannot be mounted.",
)
RUNNER_STARTING: Final = ReasonMessage(Reason.RUNNER_STARTING, "The pod is running; its runner has not answered yet.")
UNREACHABLE: Final = ReasonMessage(
    Reason.RUNNER_UNREACHABLE,
    "The runner has not answered for 15 s. Its pod keeps running, because silence is not a failure. If this takes long, "
    "check the network between operator and pod (for example a NetworkPolicy) and the pod's log.",
)
_REJECTED: Final = {
    Rejection.TOO_LARGE: "they are too large or come in too many pieces",
    Rejection.INVALID_HTTP: "they are not HTTP",
    Rejection.STATUS: "it refuses the request",
    Rejection.INVALID_STATE: "they have no state",
    Rejection.UNSIGNED: "they are not signed for this pod, which a runner of an earlier release cannot do",
    Rejection.OTHER_POD: "they are another pod's",
}
TOKENS_RENEWED: Final = ReasonMessage(
    Reason.TOKENS_RENEWED,
    "The runner takes the tokens of the Secrets that are named here; older ones end in two minutes.",
)
TOKENS_RENEWING: Final = ReasonMessage(
    Reason.TOKENS_RENEWING, "The runner is being told of new tokens; until then the old ones are valid."
)
TOKENS_WAIT_FOR_POD: Final = ReasonMessage(Reason.NO_POD, "There is no pod; the next one gets the new tokens.")
TOKENS_NOT_RENEWABLE: Final = ReasonMessage(
    Reason.RUNNER_OUTDATED,
    "The pod was made by an earlier release, or its image is of one, which cannot renew tokens. The next pod gets new ones; to "
    f"have it now, {RESTART}",
)
SETTINGS_PENDING: Final = ReasonMessage(
    Reason.RUNNER_OUTDATED,
    "The runner in the pod is older than some of the session's settings: of webhooks, messaging, calls and presence it goes by "
    f"what it knows, or by what it went by before. All of them take effect with the next pod: to replace it now, {RESTART}",
)
WAITING_FOR_ADMISSION: Final = ReasonMessage(
    Reason.WAITING_FOR_ADMISSION, "The session waits to be admitted by its quota."
)
TERMINATING: Final = ReasonMessage(
    Reason.POD_TERMINATING, "The pod is terminating; a new one is created when it is gone."
)
REPLACING: Final = ReasonMessage(Reason.REPLACING_POD, "The pod is gone; a new one is being created.")
REQUESTED: Final = ReasonMessage(
    Reason.RESTART_REQUESTED, "A new pod was requested; the present one stops cleanly first."
)
KEY_ENDS: Final = ReasonMessage(
    Reason.REPLACING_POD,
    "The key that the pod's tokens come from was retired and ends soon; a new pod with new tokens follows this one.",
)
SUSPENDED: Final = ReasonMessage(
    Reason.SUSPENDED, "spec.operatingMode is Suspended: no pod runs, the profile is kept. Set it to Running to resume."
)
SUSPENDING: Final = ReasonMessage(
    Reason.SUSPENDING, "spec.operatingMode is Suspended: the pod is terminating, the profile is kept."
)
PREVIOUS_POD: Final = ReasonMessage(
    Reason.PREVIOUS_POD_TERMINATING,
    "The pod of a deleted session with this name is still terminating; a new one is created when it is gone.",
)
POD_OUTDATED: Final = ReasonMessage(
    Reason.POD_OUTDATED,
    "The pod was made before the last edit and has never run: a new one is made, as spec and settings are now.",
)
CLAIM_GOES: Final = ReasonMessage(
    Reason.CLAIM_TERMINATING,
    "The PersistentVolumeClaim is being deleted, and the pod has never run: the pod is deleted, so that the claim can go, "
    "and both are made anew.",
)
CLAIM_GONE: Final = ReasonMessage(
    Reason.CLAIM_NOT_FOUND,
    "The PersistentVolumeClaim was deleted, and the pod has never run: both are made anew.",
)
CLAIM_TERMINATING: Final = ReasonMessage(
    Reason.CLAIM_TERMINATING,
    "The PersistentVolumeClaim is being deleted, with the profile on it. A new one is created when it is gone.",
)


def unreachable(rejection: Rejection | None) -> ReasonMessage:
    """Return the message for a runner that is silent, or whose answers do not count."""
    if rejection is None:
        return UNREACHABLE
    return ReasonMessage(
        Reason.RUNNER_UNREACHABLE,
        f"The runner's answers do not count: {_REJECTED[rejection]}. Its pod is left alone; look at its log, and whether "
        "spec.pod.image is the runner's and of a version that goes with the operator's.",
    )


def key_lost(key_id: str, *, replaced_at: datetime | None) -> ReasonMessage:
    """Return the message for a pod whose tokens come from a key that is gone."""
    until = f"at {format_time(replaced_at)}" if replaced_at is not None else "soon"
    return ReasonMessage(
        Reason.RUNNER_UNREACHABLE,
        f"The pod's tokens come from the key {key_id}, which was lost, so the operator cannot ask its runner; the session "
        f"itself goes on. A new pod with new tokens follows {until}, one session after the other. If a backup has "
        f"that key, put it back into the operator's key Secret; else, to have the pod now, {RESTART}",
    )


def held(state: str, *, requested: bool) -> ReasonMessage:
    """Return the message of a hold: a person has to act or, with `requested`, has done so and a new pod follows.

    :raises ValueError: the state is no hold.
    """
    hold = traits_of(state).hold
    if hold is None:
        raise ValueError(f"{state} is not a state that holds a session")
    remedy = f"{hold.to_go_on}, {RELINK if traits_of(state).request is Request.RELINK else RESTART}"
    follows = "a new pod was requested and is being created."
    return ReasonMessage(state, f"{hold.matter}: {follows if requested else remedy}")


def logged_out(reason: str, *, at: datetime) -> ReasonMessage:
    """Return why no phone is linked any more: the runner's word for it, and when that was."""
    message = f"No phone is linked. The session was logged out at {format_time(at)} {explanation(reason)}."
    return reason_message(reason, message, fallback=Reason.LOGGED_OUT)


def link_gone(*, at: datetime) -> ReasonMessage:
    """Return why no phone is linked any more although no runner has seen a logout."""
    return ReasonMessage(
        Reason.NOT_LINKED,
        f"No phone is linked any more, as was seen at {format_time(at)}. The runner knows of no logout: the profile is another "
        "one, or the runner is too old to tell.",
    )


def pod_taken(name: str) -> ReasonMessage:
    """Return the message for a pod with our name that is not ours, as far as its owner reference tells."""
    return ReasonMessage(
        Reason.NAME_TAKEN,
        f"The pod named {name} does not belong to this session, so the operator does not change it. Delete or rename it, or "
        "give the session another name. If the operator made it, somebody, or a webhook, has taken its owner reference away.",
    )


def claim_taken(name: str, *, session: ObjectKey) -> ReasonMessage:
    """Return the message for a claim with our name and without our labels, which may be a profile that lost them."""
    return ReasonMessage(
        Reason.NAME_TAKEN,
        f"The PersistentVolumeClaim named {name} has not the labels of this session's profile, so the operator does not "
        "touch it. If it is not the profile, delete it, or give the session another name; if it is, put them back: "
        f"kubectl label pvc {name} -n {session.namespace} {MANAGED_BY_LABEL}={MANAGED_BY} {SESSION_LABEL}={session.name}",
    )


POLICY_TAKEN: Final = ReasonMessage(
    Reason.NAME_TAKEN,
    f"There is a NetworkPolicy named {NETWORK_POLICY_NAME} in this namespace that is not the operator's, and it is left as "
    "it is. Delete or rename it.",
)
SERVICE_TAKEN: Final = ReasonMessage(
    Reason.NAME_TAKEN,
    f"The Service named {SERVICE_NAME} in this namespace does not belong to the operator, so the operator does not "
    "change it. Delete or rename it.",
)


def multiple_pods(pods: Iterable[PodFacts]) -> ReasonMessage:
    """Return the message for a session that owns several pods."""
    listed = ", ".join(sorted(pod.name for pod in pods))
    return ReasonMessage(
        Reason.MULTIPLE_PODS,
        f"Several pods have this session as their owner ({listed}), and the operator does not choose one. Delete all but one.",
    )


def invalid(problems: Iterable[Problem]) -> ReasonMessage:
    """Return the message for an invalid spec, with all its problems."""
    listed = redacted(f"{'; '.join(map(str, problems))}.", keep="start")  # fields and values are as somebody wrote them
    return reason_message(
        Reason.INVALID_OBJECT,
        f"The spec is invalid, and nothing is changed until it is corrected. {listed}",
        fallback=Reason.INVALID_OBJECT,
    )


def not_allowed(problems: Iterable[Problem]) -> ReasonMessage:
    """Return the message for a spec that asks for what the operator's settings do not allow."""
    return reason_message(
        Reason.NOT_ALLOWED,
        f"The operator's settings do not allow this session's pod, and none is made. {'; '.join(map(str, problems))}. "
        "Change the spec, or ask whoever runs the operator to allow it.",
        fallback=Reason.NOT_ALLOWED,
    )


def claim_not_found(name: str) -> ReasonMessage:
    """Return the message for an existing claim that does not exist."""
    return ReasonMessage(
        Reason.CLAIM_NOT_FOUND,
        f"There is no volume claim named {name}, which spec.profile.existingClaim asks for. Make it, and label it with "
        f"{PROFILE_LABEL}=true.",
    )


def claim_terminating(name: str) -> ReasonMessage:
    """Return the message for an existing claim that is being deleted."""
    return ReasonMessage(
        Reason.CLAIM_TERMINATING,
        f"The volume claim {name}, which spec.profile.existingClaim names, is being deleted, so no pod is made with it. Make "
        "another one of that name when it is gone, or name another one.",
    )


def claim_not_released(name: str, *, namespace: str) -> ReasonMessage:
    """Return the message for an existing claim that its owner has not released to sessions."""
    return ReasonMessage(
        Reason.NOT_ALLOWED,
        f"The volume claim {name}, which spec.profile.existingClaim names, is not released to sessions, so no pod is "
        f"made. If it is for this session: kubectl label persistentvolumeclaim {name} --namespace {namespace} "
        f"{PROFILE_LABEL}=true",
    )


def claim_of_another(name: str, *, owner: str) -> ReasonMessage:
    """Return the message for an existing claim that the operator made for another session."""
    return ReasonMessage(
        Reason.NOT_ALLOWED,
        f"The volume claim {name}, which spec.profile.existingClaim names, was made for the session {owner} and is "
        "another session's login: no pod is made. Name a claim of your own, or make the session under that name.",
    )


def pod_security_not_enforced(namespace: str) -> ReasonMessage:
    """Return the message for a namespace in which anybody's pod may reach the node, and with it every profile there."""
    return ReasonMessage(
        Reason.NAMESPACE_NOT_LABELLED,
        f"The namespace {namespace} enforces no Pod Security by its labels: a pod in it may take over the node, and with "
        f"it this session. Sessions pass the strictest: kubectl label namespace {namespace} "
        f"{POD_SECURITY_LABEL}=restricted",
    )


def backing_off(recovery: RecoveryStatus) -> ReasonMessage:
    """Return the message for a wait after a failure, with the time of the next attempt."""
    return reason_message(Reason.BACKING_OFF, f"{_failed(recovery)}{_next_pod(recovery)}", fallback=Reason.BACKING_OFF)


def exhausted(recovery: RecoveryStatus) -> ReasonMessage:
    """Return the message for a session that failed too often and is not tried again."""
    return ReasonMessage(
        Reason.RECOVERY_EXHAUSTED,
        f"{_failed(recovery)} Fix the cause (status.recovery.lastFailure, kubectl describe), then change the spec, or "
        f"{RESTART}",
    )


def lost(loss: Loss, recovery: RecoveryStatus) -> ReasonMessage:
    """Return the message for a pod that ended through no fault of its session, with the time of the next one."""
    return reason_message(loss.reason, f"{loss.message}.{_next_pod(recovery)}", fallback=loss.cause.name)


def waiting_after_loss(recovery: RecoveryStatus, *, before: ReasonMessage | None) -> ReasonMessage:
    """Return the message while the next pod waits after a start that did not come up; the cause stays as it was told.

    :param before: what status has; the pod that showed the cause is gone.
    """
    if before is None or not is_cause(before):
        times = "" if (recovery.failed_starts or 0) < 2 else f", {recovery.failed_starts} times in a row"
        message = (
            f"{DELETED_BEFORE_START.message}{times}. See who deletes it, for example in the API server's audit log."
        )
        return ReasonMessage(DELETED_BEFORE_START.name, f"{message}{_next_pod(recovery)}")
    return reason_message(
        before.reason, f"{before.message.partition(_NEXT_POD)[0]}{_next_pod(recovery)}", fallback=Reason.REPLACING_POD
    )


def is_cause(shown: ReasonMessage | None) -> bool:
    """Whether this reason of Recovering says why the last pod ended."""
    return shown is not None and shown.reason not in _WITHOUT_CAUSE


def terminating(pod: PodFacts) -> ReasonMessage:
    """Return the message for a pod that is being deleted, with the cause where the cluster tells one."""
    if not pod.disrupted:
        return TERMINATING
    cause = cause_of_end(Evidence(pod=pod)).cause
    return ReasonMessage(Reason.POD_TERMINATING, f"{cause.message}; a new one is created when it is gone.")


def in_doubt(pod: PodFacts, doubt: Doubt) -> ReasonMessage:
    """Return why a session waits for a pod whose end is not known or not over, and what a person can do."""
    if doubt is Doubt.KEPT_BY_FINALIZERS:
        return ReasonMessage(
            Reason.POD_TERMINATING,
            f"The pod has ended, and finalizers keep its object: {', '.join(pod.finalizers)}. A new one is created when "
            "whoever set them has removed them.",
        )
    node = pod.node or ""
    since = (
        f"The node {node} does not report to the cluster any more, so nobody knows whether the pod still runs there"
        if doubt is Doubt.NODE_SILENT
        else f"The node {node} has not confirmed that the pod has ended: it is down, or its kubelet hangs"
    )
    return ReasonMessage(
        NODE_LOST.name,
        f"{since}. None is made beside it, because two would write to one profile. It goes on by itself when the node is "
        "back or its Node object is deleted. If the machine is off for good: kubectl taint nodes "
        f"{node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
    )


def cannot(call: Call) -> str:
    """Return the beginning of the message about a call that failed."""
    return f"Cannot {call}:"


def fields_dropped(fields: Iterable[str]) -> str:
    """Return what to say of a status that the API server does not keep whole."""
    return (
        f"the API server does not keep {', '.join(fields)}. Apply the CustomResourceDefinitions of this release; until then "
        "the operator knows these for as long as it runs."
    )


def refused(failed: FailedCall) -> ReasonMessage:
    """Return the API server's reason and message for a call that failed, and which call it is."""
    return reason_message(failed.reason, f"{cannot(failed.call)} {failed.message}", fallback=Reason.POD_STARTING)


def resize_refused(message: str) -> ReasonMessage:
    """Return the message for a PVC that the API server or the storage refuses to change."""
    return reason_message(
        Reason.CLAIM_RESIZE_REFUSED,
        f"The volume cannot be changed to match spec.profile; the session keeps running with what it has. {message}",
        fallback=Reason.CLAIM_RESIZE_REFUSED,
    )


def admitted(quota: str, memory: Decimal | None) -> ReasonMessage:
    """Return the message for a session that has its reservation."""
    taken = "" if memory is None else f" with {format_quantity(memory)} of memory"
    return ReasonMessage(Reason.ADMITTED, f"Admitted by the quota {quota}{taken}.")


def volume_not_bound(pvc: str) -> ReasonMessage:
    """Return the message for a PVC without a volume.

    The scheduler waits for it without giving a reason, and after minutes only reports its own timeout.
    """
    return ReasonMessage(
        Reason.VOLUME_NOT_BOUND,
        f"The pod waits for the volume of its PersistentVolumeClaim {pvc}. See the events of kubectl describe pvc: for "
        "example, its storage class has no provisioner.",
    )


def pending(
    pod: PodFacts, *, cause: Cause | None, unbound_pvc: str | None, before: ReasonMessage | None
) -> ReasonMessage:
    """Return why the pod does not run yet.

    A kubelet that cannot pull an image alternates between ErrImagePull and ImagePullBackOff: the second one is kept.

    :param cause: why it waits; None: it is on its way.
    :param unbound_pvc: name of the PVC that has had no volume for too long.
    :param before: what status has for the same pod.
    """
    if unbound_pvc is not None and (pod.scheduled is None or pod.scheduled_reason == "SchedulerError"):
        return volume_not_bound(unbound_pvc)
    if pod.scheduled is False:
        return reason_message(pod.scheduled_reason, pod.scheduled_message, fallback="Unschedulable")
    if cause is None or cause.counted is not Counted.WAITS:
        return STARTING
    if before is not None and (pod.waiting_reason, before.reason) == ("ErrImagePull", "ImagePullBackOff"):
        return before
    message = pod.waiting_message or f"{cause.message}: {pod.waiting_reason}."
    return reason_message(pod.waiting_reason, message, fallback=Reason.POD_STARTING)


def _failed(recovery: RecoveryStatus) -> str:
    failure = recovery.last_failure or LastFailure()
    times = "once" if recovery.consecutive_failures == 1 else f"{recovery.consecutive_failures} times in a row"
    code = "" if failure.exit_code is None else f", exit code {failure.exit_code}"
    count = f"The session failed {times} (last: {failure.reason or Reason.RUNNER_EXITED}{code})."
    return f"{count}{browser_account(failure) or _quote(failure)}"


def _quote(failure: LastFailure) -> str:
    # A runner's last words begin with the reason.
    message = (failure.message or "").removeprefix(f"{failure.reason}: ").strip().rstrip(".")
    return f" {cut(message, LONGEST)}." if message else ""


def _next_pod(recovery: RecoveryStatus) -> str:
    due = recovery.next_attempt_time
    return "" if due is None else f"{_NEXT_POD}{format_time(due)}."
