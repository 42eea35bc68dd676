"""One observation, understood: which pod is the session's, what its runner's silence means, what counts against it.

`situation` is the first half of a decision; the second (`steps`) asks it questions and never looks at raw facts twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.conditions import ConditionType, find_condition
from whatsapp_operator.api.session import HandledRequests, OperatingMode, RecoveryStatus, WhatsAppSession
from whatsapp_operator.core import names, notes
from whatsapp_operator.core.failure import failure_of, has_ended, loss_of
from whatsapp_operator.core.model import ClaimFacts, Defaults, Observation, PodFacts, PodPhase, PodUID, RunnerReport
from whatsapp_operator.core.notes import Note
from whatsapp_operator.core.recovery import (
    is_recorded,
    recovery_before,
    while_asked,
    with_failure,
    with_loss,
    with_pod,
)
from whatsapp_operator.core.stops import current_stop, handled_by, recorded_stop, request_pending, told_stop

SILENCE: Final = timedelta(seconds=15)
""" No answer for this long: the runner counts as unreachable, and nothing else follows. """

VOLUME_PATIENCE: Final = timedelta(minutes=1)
""" Making a volume takes a cloud up to half a minute; within this time its absence is no news. """


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is the case. In the place of an unusable spec stand the defaults, and nothing is done by it (`steps`)."""

    seen: Observation
    defaults: Defaults
    pod: PodFacts | None
    """ The session's pod: the one with its owner reference. """
    came: tuple[PodUID, ...]
    """ The pods that the status does not tell of yet, oldest first, with the present one if it is one of them. """
    rivals: tuple[PodFacts, ...]
    """ More pods with its owner reference. The operator makes one, so a person made the others. """
    squatter: PodFacts | None
    """ Somebody else's pod that has the name. """
    report: RunnerReport | None
    """ The last word of the pod's runner; of the last pod's runner while there is none. """
    answers: bool
    """ The pod's runner has spoken within SILENCE. """
    silent_since: datetime | None
    """ Since when the pod's runner has been listened to in vain; None: it answers, or nobody has listened. """
    stop: str | None
    """ Why a person has to start it again; None also while what the person asked for is on its way. """
    told_stop: str | None
    """ The stop that status keeps until it has ended. """
    handled: HandledRequests
    recovery: RecoveryStatus
    """ What counts now. """

    @property
    def session(self) -> WhatsAppSession:
        """The session, with the status it has."""
        return self.seen.session

    @property
    def now(self) -> datetime:
        """The time of the observation."""
        return self.seen.now

    @property
    def silent(self) -> bool:
        """Whether the runner counts as unreachable."""
        return self.silent_since is not None and self.now - self.silent_since >= SILENCE

    @property
    def asked_anew(self) -> bool:
        """Whether a person asked for another pod than the present one."""
        return request_pending(self.session, self.handled)

    @property
    def lives(self) -> bool:
        """Whether the present pod is to go on: nobody asked it to end, and it has not."""
        pod = self.pod
        return (
            pod is not None and pod.deletion is None and not has_ended(pod) and not self.failed and not self.asked_anew
        )

    @property
    def suspended(self) -> bool:
        """Whether a person put the session to rest."""
        return self.session.spec.operating_mode is OperatingMode.SUSPENDED

    @property
    def pending(self) -> Note:
        """Why the pod does not run yet."""
        if self.pod is None:
            return notes.STARTING
        status = self.session.status
        told = find_condition(status.conditions, ConditionType.POD_READY) if status.pod_uid == self.pod.uid else None
        before = None if told is None else Note(told.reason, told.message)
        return notes.pending(self.pod, unbound=self._unbound, before=before)

    @property
    def claim(self) -> ClaimFacts | None:
        """The claim that we made for the profile; None too when the person brings one, or one only has the name."""
        claim = self.seen.claim
        theirs = self.session.spec.profile.existing_claim is not None
        return None if claim is None or theirs or not claim.ours else claim

    @property
    def volume_due(self) -> datetime | None:
        """When a claim without a volume is worth a word; None when it has one, or the pod its node."""
        claim, pod = self.claim, self.pod
        if claim is None or claim.phase != "Pending" or pod is None or pod.node is not None:
            return None
        return pod.created + VOLUME_PATIENCE

    @property
    def _unbound(self) -> str | None:
        due = self.volume_due
        return self.claim.name if self.claim is not None and due is not None and due <= self.now else None

    @property
    def failed(self) -> bool:
        """Whether the present pod has failed and it is recorded, here or before."""
        return self.pod is not None and is_recorded(self.recovery, self.pod)

    @property
    def told_recovery(self) -> RecoveryStatus:
        """What status keeps of `recovery`."""
        return while_asked(self.recovery, self.session) if self.asked_anew else self.recovery

    @property
    def unrecorded(self) -> bool:
        """Whether something was learned that must be in status before anything is done, or may get lost."""
        before = self.session.status.recovery or RecoveryStatus()
        learned = self.recovery.last_failure != before.last_failure
        waits = self.recovery.next_attempt_time is not None
        return learned or (waits and self.recovery.next_attempt_time != before.next_attempt_time) or self._new_stop

    @property
    def _new_stop(self) -> bool:
        return self.told_stop is not None and self.told_stop != recorded_stop(self.session.status)


def situation(seen: Observation, defaults: Defaults) -> Situation:
    """Understand an observation; a spec to compute with must be there."""
    session = seen.session
    owned = sorted(
        (pod for pod in seen.pods if pod.owner_uid == session.metadata.uid),
        # One that is going is no rival of the one that stays.
        key=lambda pod: (pod.deletion is not None, pod.name != names.pod_name(session), pod.created, pod.uid),
    )
    pod = owned[0] if owned else None
    came = _came(seen, pod)
    report = _report(seen, pod, came)
    answers = pod is not None and report is not None and not has_ended(pod) and seen.now - report.heard < SILENCE
    goes_on = session.spec.operating_mode is OperatingMode.RUNNING
    stop = current_stop(session, pod=pod, report=report) if goes_on else None
    # Suspending is an answer to a stop, too: who puts a session to rest and wakes it has decided. It counts when it is
    # complete, for only that stands in status, and the runner must forget by the same sign.
    told = told_stop(session, pod=pod, report=report) if goes_on or pod is not None else None
    recovery = _recovery(seen, pod, report, came=came, answers=answers)
    goes_on = goes_on and stop is None
    return Situation(
        seen=seen,
        defaults=defaults,
        pod=pod,
        came=came,
        rivals=tuple(rival for rival in owned[1:] if rival.deletion is None),
        squatter=next(
            (other for other in seen.pods if other.name == names.pod_name(session) and other not in owned), None
        ),
        report=report,
        answers=answers,
        silent_since=_silent_since(seen, pod, report) if not answers else None,
        stop=stop,
        told_stop=told,
        handled=handled_by(session, pod),
        recovery=recovery if goes_on else recovery.model_copy(update={"next_attempt_time": None}),
    )


def _came(seen: Observation, pod: PodFacts | None) -> tuple[PodUID, ...]:
    """Return the pods that are new to the status. One that a person made is among them only as the present one."""
    told = seen.session.status.pod_uid
    if pod is None:
        return seen.came
    if pod.uid == told:
        return ()
    return (*(uid for uid in seen.came if uid != pod.uid), pod.uid)


def _report(seen: Observation, pod: PodFacts | None, came: tuple[PodUID, ...]) -> RunnerReport | None:
    """Return the report if it is of the pod that counts.

    A pod that was there at the last write, or came after it, and is not there now may have had a last word; once its
    end is in status, its word is of before.
    """
    if seen.report is None or seen.report.session_uid != seen.session.metadata.uid:
        return None
    before = seen.session.status
    last = came[-1] if came else before.pod_uid if before.replicas else None
    uid = pod.uid if pod is not None else last
    return seen.report if seen.report.pod_uid == uid else None


def _silent_since(seen: Observation, pod: PodFacts | None, report: RunnerReport | None) -> datetime | None:
    if pod is None or pod.phase is not PodPhase.RUNNING or has_ended(pod):
        return None
    heard = report.heard if report is not None else None
    return max((moment for moment in (seen.listening_since, heard) if moment is not None), default=None)


def _recovery(
    seen: Observation, pod: PodFacts | None, report: RunnerReport | None, *, came: tuple[PodUID, ...], answers: bool
) -> RecoveryStatus:
    """Return the record as it is to be: with the pod's failure or loss in it, or without what is forgiven."""
    session, now = seen.session, seen.now
    recovery, spec = recovery_before(session), session.spec.recovery
    restarts = len(came) - (session.status.pod_uid is None and bool(came))  # the first pod of all is none
    if restarts:
        recovery = recovery.model_copy(update={"restarts": recovery.restarts + restarts})
    if pod is None or is_recorded(recovery, pod):
        return recovery
    if loss_of(pod) is not None or (pod.deletion is not None and pod.disrupted):
        return with_loss(recovery, pod, spec=spec, now=now)
    # While recovery is paused a runner that only says that its page is dead is left alone: it may end by itself.
    word_counts = answers and seen.recovery_paused is None
    failure = failure_of(pod, report=report, answers=word_counts, timeouts=session.spec.timeouts, now=now)
    if failure is not None:
        return with_failure(recovery, failure, pod=pod, spec=spec)
    return recovery if pod.deletion is not None or has_ended(pod) else with_pod(recovery, pod, spec=spec, now=now)
