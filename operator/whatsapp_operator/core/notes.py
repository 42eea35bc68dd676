"""What people read in conditions: one sentence on what is the matter, one on what to do.

Nothing in a note may change while nothing happens, for every change is a write; so there are no ages and no counters
of seconds. No note holds a number, a code or a token: what comes from a runner or its container was redacted before.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from session_protocol.quantities import format_quantity
from session_protocol.states import Request, traits_of
from session_protocol.times import format_time

from whatsapp_operator.api.constants import RELINK_AT, RESTART_AT, SERVICE_NAME
from whatsapp_operator.api.session import LastFailure, Problem, Reason, RecoveryStatus
from whatsapp_operator.core.model import Blocked, PodFacts

LONGEST: Final = 1024
""" Characters of a message: the schedulers and webhooks that we quote are sometimes long-winded. """
RESTART: Final = f"set the annotation {RESTART_AT} to the current time"
RELINK: Final = f"set the annotation {RELINK_AT} to the current time"
_REASON: Final = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")
_COMING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
""" What the kubelet says of a container that is on its way. """


class Note(NamedTuple):
    """A condition's reason and message."""

    reason: str
    message: str


def note(reason: str, message: str, *, otherwise: str) -> Note:
    """Return a note from somebody else's words: cut to length, and with another reason where theirs is no word."""
    word = reason if len(reason) <= LONGEST and _REASON.fullmatch(reason) else otherwise
    return Note(word, message if len(message) <= LONGEST else message[: LONGEST - 1] + "…")


STARTING: Final = Note(
    Reason.POD_STARTING,
    "The pod is being made and started. If this lasts, the events of kubectl describe pod tell why: a volume that cannot "
    "be mounted, for example.",
)
RUNNER_STARTING: Final = Note(Reason.RUNNER_STARTING, "The pod runs; its runner has not answered yet.")
UNREACHABLE: Final = Note(
    Reason.RUNNER_UNREACHABLE,
    "The runner has not answered for 15 s. Its pod is left alone, because silence is no failure; if this lasts, look at "
    "the network between operator and pod (a NetworkPolicy?) and at the pod's log.",
)
WAITING_FOR_ADMISSION: Final = Note(Reason.WAITING_FOR_ADMISSION, "Waits to be counted against its quota.")
TERMINATING: Final = Note(Reason.POD_TERMINATING, "The pod is ending; a new one is made when it is gone.")
REPLACING: Final = Note(Reason.REPLACING_POD, "The pod is gone; a new one is being made.")
REQUESTED: Final = Note(Reason.RESTART_REQUESTED, "Somebody asked for a new pod; the present one ends cleanly first.")
SUSPENDED: Final = Note(
    Reason.SUSPENDED, "spec.operatingMode is Suspended: no pod runs, the profile is kept. Set it to Running to go on."
)
SUSPENDING: Final = Note(Reason.SUSPENDING, "spec.operatingMode is Suspended: the pod is ending, the profile is kept.")
PREVIOUS_POD: Final = Note(
    Reason.PREVIOUS_POD_TERMINATING, "The pod of a deleted session of this name is still ending; this one follows it."
)
CLAIM_TERMINATING: Final = Note(
    Reason.CLAIM_TERMINATING,
    "The volume claim is being deleted, with the profile on it. A new one is made when it is gone.",
)


def stopped(state: str, *, asked: bool) -> Note:
    """A person has to start the session again; `asked`: somebody did, and it is on its way."""
    hold = traits_of(state).hold
    if hold is None:
        raise ValueError(f"{state} waits for nobody")
    way_on = f"{hold.to_go_on}, {RELINK if traits_of(state).request is Request.RELINK else RESTART}"
    return Note(state, f"{hold.matter}: {'somebody has asked to go on, and a new pod follows' if asked else way_on}.")


def name_taken(kind: str, name: str) -> Note:
    """Somebody else's object has the name of one of ours."""
    return Note(
        Reason.NAME_TAKEN,
        f"There is a {kind} named {name} that is not this session's, and it is left as it is. Delete or rename it, or "
        "give the session another name.",
    )


SERVICE_TAKEN: Final = Note(
    Reason.NAME_TAKEN,
    f"There is a Service named {SERVICE_NAME} in this namespace that is not the operator's, and it is left as it is. "
    "Delete or rename it.",
)


def multiple_pods(pods: Iterable[PodFacts]) -> Note:
    """More pods than one are the session's."""
    listed = ", ".join(sorted(pod.name for pod in pods))
    return Note(
        Reason.MULTIPLE_PODS,
        f"Several pods have this session as their owner ({listed}), and the operator does not choose. Delete all but one.",
    )


def invalid(problems: Iterable[Problem]) -> Note:
    """The stored spec cannot be used."""
    return note(
        Reason.INVALID_OBJECT,
        f"The spec cannot be used, nothing is changed until it is mended. {'; '.join(map(str, problems))}.",
        otherwise=Reason.INVALID_OBJECT,
    )


def backing_off(recovery: RecoveryStatus) -> Note:
    """The next attempt is timed."""
    when = (
        ""
        if recovery.next_attempt_time is None
        else f" The next pod is made at {format_time(recovery.next_attempt_time)}."
    )
    return Note(Reason.BACKING_OFF, f"{_failed(recovery)}.{when}")


def exhausted(recovery: RecoveryStatus) -> Note:
    """No further attempt is made."""
    return Note(
        Reason.RECOVERY_EXHAUSTED,
        f"{_failed(recovery)}. Fix the cause (status.recovery.lastFailure, kubectl describe), then {RESTART}, or change "
        "the spec.",
    )


def lost(pod: PodFacts, *, why: str) -> Note:
    """The pod ended through no fault of its runner."""
    told = f": {pod.pod_message}" if pod.pod_message else ""
    return note(why, f"The pod was lost{told}", otherwise=Reason.REPLACING_POD)


def refused(blocked: Blocked) -> Note:
    """The API server did not let an object be made."""
    return note(blocked.reason, blocked.message, otherwise=Reason.POD_STARTING)


def resize_refused(told: str) -> Note:
    """The API server or the storage does not let the claim grow."""
    return note(
        Reason.CLAIM_RESIZE_REFUSED,
        f"The volume cannot be changed as spec.profile asks; the session runs on with what it has. {told}",
        otherwise=Reason.CLAIM_RESIZE_REFUSED,
    )


def admitted(quota: str, memory: Decimal | None) -> Note:
    """The session has its place."""
    taken = "" if memory is None else f" and {format_quantity(memory)} of memory"
    return Note(Reason.ADMITTED, f"Holds a place{taken} in the quota {quota}.")


def volume_not_bound(claim: str) -> Note:
    """The scheduler waits for the claim: without a word for minutes, and then with one about its own patience."""
    return Note(
        Reason.VOLUME_NOT_BOUND,
        f"The pod waits for a volume for its claim {claim}; the events of kubectl describe pvc tell why none comes: no "
        "provisioner for its storage class, for example.",
    )


def pending(pod: PodFacts, *, unbound: str | None, before: Note | None) -> Note:
    """Why the pod does not run yet.

    `unbound` is the claim that has had no volume for too long; `before` is what was told of the same pod last.

    A kubelet that cannot pull an image says ErrImagePull and ImagePullBackOff by turns: the second one is kept.
    """
    if unbound is not None and (pod.scheduled is None or pod.scheduled_reason == "SchedulerError"):
        return volume_not_bound(unbound)
    if pod.scheduled is False:
        return note(pod.scheduled_reason, pod.scheduled_message, otherwise="Unschedulable")
    if pod.waiting_reason in _COMING:
        return STARTING
    if before is not None and (pod.waiting_reason, before.reason) == ("ErrImagePull", "ImagePullBackOff"):
        return before
    return note(pod.waiting_reason, pod.waiting_message, otherwise=Reason.POD_STARTING)


def _failed(recovery: RecoveryStatus) -> str:
    failure = recovery.last_failure or LastFailure()
    times = "once" if recovery.consecutive_failures == 1 else f"{recovery.consecutive_failures} times in a row"
    code = "" if failure.exit_code is None else f", exit code {failure.exit_code}"
    return f"The session failed {times} (last: {failure.reason or Reason.RUNNER_EXITED}{code})"
