"""What keeps the pod of an admitted session from running, and whether it must be replaced for that. Part of the snapshot.

A pod that never ran may be replaced for an edit of the spec: no browser was open, nothing is on the profile that was not
there before. The same where its claim goes away under it. A pod that has run is left alone for either.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from whatsapp_operator.api.session import Reason
from whatsapp_operator.core.calls import FailedCall, Verb
from whatsapp_operator.core.model import Defaults, Observation, PodFacts, PVCFacts
from whatsapp_operator.core.objects.facts import STARTING_REASONS
from whatsapp_operator.core.quota.requeue import Place, Startup, place_of
from whatsapp_operator.core.recovery.attempts import Attempts
from whatsapp_operator.core.recovery.cause import Cause, Counted
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.messages import ReasonMessage

SECRETS_PATIENCE: Final = timedelta(minutes=1)
""" A pod that has a node and does not start for so long, in silence, may miss a Secret: the operator may not read them, but
what it makes once more is either there or made. """

_NEEDED: Final = frozenset({"Service", "NetworkPolicy", "PersistentVolumeClaim", "Secret", "Pod"})
""" The kinds without which there is no pod. """
REPLACED_FOR: Final = frozenset({str(Reason.POD_OUTDATED), str(Reason.CLAIM_TERMINATING), str(Reason.CLAIM_NOT_FOUND)})
""" The reasons of Recovering that tell why a pod that never ran is replaced. """


class StartupReview(NamedTuple):
    """What is known of a pod that does not run, and of its session's place."""

    replaced_for: ReasonMessage | None
    """ Why this pod cannot become what the session needs. """
    place: Place
    secrets_due: datetime | None
    """ When to make sure that the pod's Secrets are there; None: that was done, or it is no use. """


def review_startup(
    observation: Observation,
    defaults: Defaults,
    *,
    pod: PodFacts | None,
    pvc: PVCFacts | None,
    pvc_will_be_deleted: bool,
    attempts: Attempts,
    cause: Cause | None,
    pending: ReasonMessage,
    template: Callable[[], str],
    holds_place: bool,
) -> StartupReview:
    """Return what keeps the pod from running.

    :param pvc: the claim that the operator made for the session.
    :param cause: what keeps the pod from running, as far as scheduler or kubelet say it.
    :param pending: why the pod does not run yet.
    :param template: gives the hash of the template that a pod would be made from now.
    :param holds_place: the reservation in status is enough for the pod that the spec asks for.
    """
    session = observation.session
    # It can still become one that runs, and it never did.
    waiting = pod if pod is not None and not pod.ran and not pod.ended and pod.deletion is None else None
    startup = None
    if waiting is not None:
        startup = Startup(waiting.created, _is_explained(waiting, pvc, cause), *pending)
    elif pod is None and (failed := _failed_creation(observation)) is not None:
        startup = Startup(None, True, *messages.refused(failed))
    elif pod is None and _no_pod_lasts(observation, attempts):
        startup = Startup(None, True, *(messages.stored_recovering(session.status) or messages.REPLACING))
    place = place_of(session, startup if holds_place else None, timeout=defaults.pod_start_timeout, now=observation.now)
    replaced_for = None
    if waiting is not None and waiting.template_hash:  # without a hash it is not the operator's
        replaced_for = _claim_fault(observation, pvc_will_be_deleted=pvc_will_be_deleted)
        if replaced_for is None and not session.problems and waiting.template_hash != template():
            replaced_for = messages.POD_OUTDATED
    secrets_due = None
    if waiting is not None and waiting.node and waiting.waiting_reason in STARTING_REASONS:  # in silence
        secrets_due = waiting.created + SECRETS_PATIENCE if observation.secrets_checked != waiting.uid else None
    return StartupReview(replaced_for, place, secrets_due)


def _is_explained(pod: PodFacts, pvc: PVCFacts | None, cause: Cause | None) -> bool:
    """Whether scheduler or kubelet say why the pod cannot run. A volume that is being made is not that."""
    waits_for_volume = pvc is not None and pvc.phase == "Pending" and pod.scheduled_reason == "SchedulerError"
    return cause is not None and cause.counted is Counted.WAITS and not waits_for_volume


def _failed_creation(observation: Observation) -> FailedCall | None:
    """Return the call that keeps a pod from being made."""
    return next(
        (
            failed
            for failed in observation.failed_calls
            if failed.is_shown and failed.call.verb in (Verb.CREATE, Verb.PATCH) and failed.call.kind in _NEEDED
        ),
        None,
    )


def _no_pod_lasts(observation: Observation, attempts: Attempts) -> bool:
    """Whether the session waits for its next attempt although no pod of it has failed: each is gone before it runs."""
    due = attempts.recovery.next_attempt_time
    return due is not None and due > observation.now and not attempts.after_failure


def _claim_fault(observation: Observation, *, pvc_will_be_deleted: bool) -> ReasonMessage | None:
    """Return why the pod will never have its profile, or must let go of it."""
    name, existing = observation.session.spec.profile.existing_claim, observation.existing_claim
    if name is not None:
        if existing is None or existing.name != name:
            return None
        if not existing.exists:
            return messages.claim_not_found(name)
        return messages.claim_terminating(name) if existing.terminating else None
    if observation.pvc is None:
        return messages.CLAIM_GONE
    return messages.CLAIM_GOES if pvc_will_be_deleted else None
