"""The snapshot of a session: which pod is its own, whether the runner responds, which failures and requests count.

`take_snapshot` is the first half of a decision. It computes each value once, from the observation; the second half
(`rules`, then `status`) reads the snapshot and does not look at raw facts again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.invalid import Problem
from whatsapp_operator.api.session import OperatingMode, WhatsAppSession
from whatsapp_operator.core.decision import PatchPVC
from whatsapp_operator.core.model import Defaults, Observation, PodFacts, PodUID, PVCFacts, RunnerReport
from whatsapp_operator.core.objects.allowed import not_allowed
from whatsapp_operator.core.objects.pod import template_hash
from whatsapp_operator.core.objects.pvc import PVCReview, review_pvc
from whatsapp_operator.core.quota.reservations import Claimed, Need, needs_of
from whatsapp_operator.core.recovery.attempts import Attempts, count_attempts
from whatsapp_operator.core.recovery.cause import Cause, Evidence
from whatsapp_operator.core.recovery.causes import cause_of_wait
from whatsapp_operator.core.recovery.failed_starts import Starts
from whatsapp_operator.core.recovery.failure import Loss, Outcome, outcome_of
from whatsapp_operator.core.recovery.lost_node import Termination, termination_of
from whatsapp_operator.core.recovery.mended import is_mended
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.holds import Holds, find_holds
from whatsapp_operator.core.session.marked_stop import with_mark, with_marked_stop
from whatsapp_operator.core.session.messages import ReasonMessage
from whatsapp_operator.core.session.pods import find_pods
from whatsapp_operator.core.session.requests import Requests, read_requests
from whatsapp_operator.core.session.runner_contact import RunnerContact, check_contact
from whatsapp_operator.core.session.startup import StartupReview, review_startup
from whatsapp_operator.core.session.stored_times import with_sensible_times
from whatsapp_operator.core.session.token_renewal import Renewal, find_renewal

VOLUME_PATIENCE: Final = timedelta(minutes=1)
""" A missing volume is reported after this time; a cloud takes up to half a minute to provision one. """


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that `rules` and `status` read. For an invalid spec `session` has the default spec (see `decide`)."""

    observation: Observation
    session: WhatsAppSession
    now: datetime
    defaults: Defaults
    template: Callable[[], str]
    """ Gives the hash of the template that a pod would be made from now; computed once, if it is asked for. """
    suspended: bool
    """ A person suspended the session. """
    pod: PodFacts | None
    """ The session's pod: the one with its owner reference. """
    pod_active: bool
    """ The pod shall go on: it has not ended or failed, and nobody deleted it or asked for another. """
    loss: Loss | None
    """ Why the pod counts as lost. """
    termination: Termination
    """ Whether the pod's end is in doubt. """
    in_doubt: ReasonMessage | None
    """ Why it is; None: nothing is unusual about it. """
    cause: Cause | None
    """ The row of the table of causes for the pod's end, or for why it does not run yet. """
    pods_since_status: tuple[PodUID, ...]
    """ The pods that are not in status yet, oldest first, with the present one if it is one of them. """
    duplicate_pods: tuple[PodFacts, ...]
    """ More pods with its owner reference. The operator makes one, so a person made the others. """
    foreign_pod: PodFacts | None
    """ A pod with the session's name that is not its own. """
    pending_message: ReasonMessage
    """ Why the pod does not run yet. """
    report: RunnerReport | None
    """ The last report of the pod's runner; of the last pod's runner while there is no pod. """
    responding: bool
    """ The pod's runner has answered within SILENCE. """
    silent_since: datetime | None
    """ Since when the pod's runner has been polled without an answer; None: it answers, or is not polled yet. """
    silent: bool
    """ The runner counts as unreachable. """
    requests: Requests
    renewal: Renewal
    hold: str | None
    """ The hold that forbids a new pod; None also while a person's request is pending. """
    status_hold: str | None
    """ The hold that status keeps until it has ended. """
    startup: StartupReview
    """ What keeps the pod from running, and whether its place is kept for that. """
    attempts: Attempts
    """ Failures in a row, and when the next pod is due. """
    pvc: PVCFacts | None
    """ The PVC that we created for the profile; None also with `existingClaim`, or when a foreign PVC has the name. """
    pvc_will_be_deleted: bool
    """ The PVC with the name, ours or foreign, is being deleted or soon will be. """
    pvc_patch: PatchPVC | None
    """ What makes the PVC match the spec. """
    volume_deadline: datetime | None
    """ When to report that the PVC has no volume; None when it has one, or the pod has a node. """
    outcome_deadline: datetime | None
    """ When to judge the pod, though nothing happens to it: its node may refuse it something, or may tell more of its end. """
    not_allowed: tuple[Problem, ...]
    """ What the spec asks for and the operator's settings do not allow. """
    need: Need
    """ What its pod needs of its quota. """
    growth_waits: bool
    """ The PVC is smaller than the spec asks, and the quota has to count the difference first: with the next pod. """
    has_unstored_facts: bool
    """ There is a fact that must be stored in status before any action, or it may be lost. """


def take_snapshot(observation: Observation, defaults: Defaults) -> Snapshot:
    """Compute the snapshot of an observation, whose spec must be valid."""
    now = observation.now
    pvc = _own_pvc(observation)
    pods = find_pods(observation)
    pod, given = pods.own, observation.session
    template = cache(lambda: template_hash(given, defaults))  # of what only status is changed of below
    session = with_sensible_times(observation.session, now=now)
    session = with_marked_stop(session, pvc, template, has_pod=pod is not None)
    observation = replace(observation, session=session)
    contact = check_contact(observation, pods)
    runs = session.spec.operating_mode is OperatingMode.RUNNING
    requests = read_requests(session, pod)
    # A suspension ends a hold, too: whoever suspends a session and resumes it has decided. It does so when the pod is
    # gone, because only that shows in status, and the runner goes by the same sign.
    holds = find_holds(session.status, requests, contact.report) if runs or pod is not None else _NO_HOLDS
    hold = holds.active if runs else None
    outcome = _outcome(observation, pod, contact)
    cause = outcome.cause or _cause_of_wait(pod)
    termination = termination_of(pod, now=now) if pod is not None else Termination()
    attempts = count_attempts(
        session,
        requests=requests,
        pod=pod,
        outcome=outcome,
        # The first pod of all is no restart.
        restarts=len(pods.since_status) - (session.status.pod_uid is None and bool(pods.since_status)),
        starts=Starts(since_status=pods.since_status, unstarted=observation.unstarted),
        timed=runs and hold is None,
        mended=is_mended(session, template),
        now=now,
    )
    stops = pod is None or pod.deletion is not None or pod.ended or attempts.pod_failed or requests.pending
    need, grows = needs_of(
        session,
        assumed=observation.assumed,
        claimed=Claimed(limited=observation.storage_limited, existing=pvc.requested if pvc is not None else 0),
    )
    review = (
        review_pvc(session, observation.pvc, may_grow=grows, key_id=defaults.key_id)
        if observation.pvc is not None
        else PVCReview(False, None)
    )
    patch = review.patch
    if pvc is not None and runs and attempts.exhausted and attempts.pod_failed:  # while the failed pod is still there
        patch = with_mark(patch, pvc, session, template)
    volume_deadline = _volume_deadline(pvc, pod)
    pending_message = _pending_message(observation, pod, cause, pvc, volume_deadline)
    return Snapshot(
        observation=observation,
        session=session,
        now=now,
        defaults=defaults,
        template=template,
        suspended=session.spec.operating_mode is OperatingMode.SUSPENDED,
        pod=pod,
        pod_active=not stops,
        loss=outcome.loss,
        termination=termination,
        in_doubt=messages.in_doubt(pod, termination.doubt)
        if pod is not None and termination.doubt is not None
        else None,
        cause=cause,
        pods_since_status=pods.since_status,
        duplicate_pods=pods.duplicates,
        foreign_pod=pods.foreign,
        pending_message=pending_message,
        report=contact.report,
        responding=contact.responding,
        silent_since=contact.silent_since,
        silent=contact.silent,
        requests=requests,
        renewal=find_renewal(observation, pod, defaults),
        hold=hold,
        status_hold=holds.status,
        startup=review_startup(
            observation,
            defaults,
            pod=pod,
            pvc=pvc,
            pvc_will_be_deleted=review.will_be_deleted,
            attempts=attempts,
            cause=cause,
            pending=pending_message,
            template=template,
            holds_place=session.status.admission is not None and need.missing is None,
        ),
        attempts=attempts,
        pvc=pvc,
        pvc_will_be_deleted=review.will_be_deleted,
        pvc_patch=None if session.problems else patch,
        volume_deadline=volume_deadline,
        outcome_deadline=outcome.deadline,
        not_allowed=not_allowed(session.spec, defaults),
        need=need,
        growth_waits=pvc is not None and not grows and pvc.requested < (session.spec.profile.wanted_size or 0),
        has_unstored_facts=attempts.is_new or holds.is_new,
    )


_NO_HOLDS: Final = Holds(active=None, status=None, is_new=False)


def _outcome(observation: Observation, pod: PodFacts | None, contact: RunnerContact) -> Outcome:
    if pod is None:
        return Outcome()
    # While recovery is paused, a reported dead page does not count as a failure: the runner may still end by itself.
    report_counts = contact.responding and observation.recovery_paused is None
    return outcome_of(
        pod,
        report=contact.report,
        responding=report_counts,
        namespace_refused=observation.namespace_refused,
        probe_kill=observation.probe_kill,
        now=observation.now,
    )


def _cause_of_wait(pod: PodFacts | None) -> Cause | None:
    if pod is None or pod.started is not None or pod.ended or pod.deletion is not None:
        return None
    return cause_of_wait(Evidence(pod=pod))


def _own_pvc(observation: Observation) -> PVCFacts | None:
    pvc = observation.pvc
    theirs = observation.session.spec.profile.existing_claim is not None
    return None if pvc is None or theirs or not pvc.ours else pvc


def _volume_deadline(pvc: PVCFacts | None, pod: PodFacts | None) -> datetime | None:
    if pvc is None or pvc.phase != "Pending" or pod is None or pod.node is not None:
        return None
    return pod.created + VOLUME_PATIENCE


def _pending_message(
    observation: Observation,
    pod: PodFacts | None,
    cause: Cause | None,
    pvc: PVCFacts | None,
    volume_deadline: datetime | None,
) -> ReasonMessage:
    if pod is None:
        return messages.STARTING
    status = observation.session.status
    before = messages.stored_message(status, ConditionType.POD_READY) if status.pod_uid == pod.uid else None
    overdue = volume_deadline is not None and volume_deadline <= observation.now
    return messages.pending(
        pod, cause=cause, unbound_pvc=pvc.name if pvc is not None and overdue else None, before=before
    )
