"""One observation, understood: which pod is the session's, what its runner's silence means, what counts against it.

`take_snapshot` is the first half of a decision; the second (`rules`) reads it and never looks at raw facts twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.conditions import ConditionType, find_condition
from whatsapp_operator.api.session import HandledRequests, OperatingMode, RecoveryStatus, WhatsAppSession
from whatsapp_operator.core.model import Defaults, Observation, PodFacts, PodPhase, PodUID, PVCFacts, RunnerReport
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.recovery.attempts import (
    is_recorded,
    stored_recovery,
    while_request_pending,
    with_active_pod,
    with_failure,
    with_loss,
)
from whatsapp_operator.core.recovery.failure import failure_of, has_ended, loss_reason
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.holds import (
    active_hold,
    handled_requests,
    request_pending,
    status_hold,
    stored_hold,
)
from whatsapp_operator.core.session.messages import ReasonMessage

SILENCE: Final = timedelta(seconds=15)
""" No answer for this long: the runner counts as unreachable, and nothing else follows. """

VOLUME_PATIENCE: Final = timedelta(minutes=1)
""" Provisioning a volume takes a cloud up to half a minute; within this time its absence is not reported. """


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """An observation, understood. An unusable spec is replaced by the defaults, and nothing is done by it (`rules`)."""

    observation: Observation
    defaults: Defaults
    pod: PodFacts | None
    """ The session's pod: the one with its owner reference. """
    pods_since_status: tuple[PodUID, ...]
    """ The pods that are not in status yet, oldest first, with the present one if it is one of them. """
    duplicate_pods: tuple[PodFacts, ...]
    """ More pods with its owner reference. The operator makes one, so a person made the others. """
    foreign_pod: PodFacts | None
    """ Somebody else's pod that has the name. """
    report: RunnerReport | None
    """ The last report of the pod's runner; of the last pod's runner while there is no pod. """
    responding: bool
    """ The pod's runner has answered within SILENCE. """
    silent_since: datetime | None
    """ Since when the pod's runner has been polled in vain; None: it answers, or nobody has polled it. """
    hold: str | None
    """ Why a person has to start it again; None also while what the person asked for is on its way. """
    status_hold: str | None
    """ The hold that status keeps until it has ended. """
    handled_requests: HandledRequests
    recovery: RecoveryStatus
    """ What counts now. """

    @property
    def session(self) -> WhatsAppSession:
        """The session, with the status it has."""
        return self.observation.session

    @property
    def now(self) -> datetime:
        """The time of the observation."""
        return self.observation.now

    @property
    def silent(self) -> bool:
        """Whether the runner counts as unreachable."""
        return self.silent_since is not None and self.now - self.silent_since >= SILENCE

    @property
    def request_pending(self) -> bool:
        """Whether a person asked for another pod than the present one."""
        return request_pending(self.session, self.handled_requests)

    @property
    def pod_active(self) -> bool:
        """Whether the present pod is to go on: nobody asked it to end, and it has not."""
        pod = self.pod
        return (
            pod is not None
            and pod.deletion is None
            and not has_ended(pod)
            and not self.pod_failed
            and not self.request_pending
        )

    @property
    def suspended(self) -> bool:
        """Whether a person put the session to rest."""
        return self.session.spec.operating_mode is OperatingMode.SUSPENDED

    @property
    def pending_message(self) -> ReasonMessage:
        """Why the pod does not run yet."""
        if self.pod is None:
            return messages.STARTING
        status = self.session.status
        stored = find_condition(status.conditions, ConditionType.POD_READY) if status.pod_uid == self.pod.uid else None
        before = None if stored is None else ReasonMessage(stored.reason, stored.message)
        return messages.pending(self.pod, unbound_pvc=self._unbound_pvc, before=before)

    @property
    def pvc(self) -> PVCFacts | None:
        """The PVC that we created for the profile; None too when the person brings one, or one only has the name."""
        pvc = self.observation.pvc
        theirs = self.session.spec.profile.existing_claim is not None
        return None if pvc is None or theirs or not pvc.ours else pvc

    @property
    def volume_deadline(self) -> datetime | None:
        """When a PVC without a volume is reported; None when it has one, or the pod its node."""
        pvc, pod = self.pvc, self.pod
        if pvc is None or pvc.phase != "Pending" or pod is None or pod.node is not None:
            return None
        return pod.created + VOLUME_PATIENCE

    @property
    def _unbound_pvc(self) -> str | None:
        due = self.volume_deadline
        return self.pvc.name if self.pvc is not None and due is not None and due <= self.now else None

    @property
    def pod_failed(self) -> bool:
        """Whether the present pod has failed and it is recorded, here or before."""
        return self.pod is not None and is_recorded(self.recovery, self.pod)

    @property
    def status_recovery(self) -> RecoveryStatus:
        """What status keeps of `recovery`."""
        return while_request_pending(self.recovery, self.session) if self.request_pending else self.recovery

    @property
    def has_unstored_facts(self) -> bool:
        """Whether something was learned that must be in status before anything is done, or may get lost."""
        before = self.session.status.recovery or RecoveryStatus()
        failure_is_new = self.recovery.last_failure != before.last_failure
        waiting = self.recovery.next_attempt_time is not None
        return (
            failure_is_new
            or (waiting and self.recovery.next_attempt_time != before.next_attempt_time)
            or self._hold_is_new
        )

    @property
    def _hold_is_new(self) -> bool:
        return self.status_hold is not None and self.status_hold != stored_hold(self.session.status)


def take_snapshot(observation: Observation, defaults: Defaults) -> Snapshot:
    """Understand an observation; a spec to compute with must be there."""
    session = observation.session
    owned = sorted(
        (pod for pod in observation.pods if pod.owner_uid == session.metadata.uid),
        # One that is being deleted is no duplicate of the one that stays.
        key=lambda pod: (pod.deletion is not None, pod.name != names.pod_name(session), pod.created, pod.uid),
    )
    pod = owned[0] if owned else None
    pods_since_status = _pods_since_status(observation, pod)
    report = _report(observation, pod, pods_since_status)
    responding = (
        pod is not None and report is not None and not has_ended(pod) and observation.now - report.received < SILENCE
    )
    runs = session.spec.operating_mode is OperatingMode.RUNNING
    hold = active_hold(session, pod=pod, report=report) if runs else None
    # Suspending is an answer to a hold, too: who suspends a session and resumes it has decided. It counts when it is
    # complete, for only that stands in status, and the runner must forget by the same sign.
    kept_hold = status_hold(session, pod=pod, report=report) if runs or pod is not None else None
    recovery = _recovery(observation, pod, report, pods_since_status=pods_since_status, responding=responding)
    runs = runs and hold is None
    return Snapshot(
        observation=observation,
        defaults=defaults,
        pod=pod,
        pods_since_status=pods_since_status,
        duplicate_pods=tuple(duplicate for duplicate in owned[1:] if duplicate.deletion is None),
        foreign_pod=next(
            (other for other in observation.pods if other.name == names.pod_name(session) and other not in owned), None
        ),
        report=report,
        responding=responding,
        silent_since=_silent_since(observation, pod, report) if not responding else None,
        hold=hold,
        status_hold=kept_hold,
        handled_requests=handled_requests(session, pod),
        recovery=recovery if runs else recovery.model_copy(update={"next_attempt_time": None}),
    )


def _pods_since_status(observation: Observation, pod: PodFacts | None) -> tuple[PodUID, ...]:
    """Return the pods that are new to the status. One that a person made is among them only as the present one."""
    stored = observation.session.status.pod_uid
    if pod is None:
        return observation.pods_since_status
    if pod.uid == stored:
        return ()
    return (*(uid for uid in observation.pods_since_status if uid != pod.uid), pod.uid)


def _report(
    observation: Observation, pod: PodFacts | None, pods_since_status: tuple[PodUID, ...]
) -> RunnerReport | None:
    """Return the report if it is of the pod that counts.

    A pod that existed at the last write, or was created after it, and is gone now may have sent a last report; once its
    end is in status, that report is outdated.
    """
    if observation.report is None or observation.report.session_uid != observation.session.metadata.uid:
        return None
    before = observation.session.status
    last = pods_since_status[-1] if pods_since_status else before.pod_uid if before.replicas else None
    uid = pod.uid if pod is not None else last
    return observation.report if observation.report.pod_uid == uid else None


def _silent_since(observation: Observation, pod: PodFacts | None, report: RunnerReport | None) -> datetime | None:
    if pod is None or pod.phase is not PodPhase.RUNNING or has_ended(pod):
        return None
    received = report.received if report is not None else None
    return max((moment for moment in (observation.polling_since, received) if moment is not None), default=None)


def _recovery(
    observation: Observation,
    pod: PodFacts | None,
    report: RunnerReport | None,
    *,
    pods_since_status: tuple[PodUID, ...],
    responding: bool,
) -> RecoveryStatus:
    """Return the record as it is to be: with the pod's failure or loss in it, or without what is forgiven."""
    session, now = observation.session, observation.now
    recovery, spec = stored_recovery(session), session.spec.recovery
    restarts = len(pods_since_status) - (
        session.status.pod_uid is None and bool(pods_since_status)
    )  # the first pod of all is none
    if restarts:
        recovery = recovery.model_copy(update={"restarts": recovery.restarts + restarts})
    if pod is None or is_recorded(recovery, pod):
        return recovery
    if loss_reason(pod) is not None or (pod.deletion is not None and pod.disrupted):
        return with_loss(recovery, pod, spec=spec, now=now)
    # While recovery is paused a runner that only reports that its page is dead is left alone: it may end by itself.
    report_counts = responding and observation.recovery_paused is None
    failure = failure_of(pod, report=report, responding=report_counts, timeouts=session.spec.timeouts, now=now)
    if failure is not None:
        return with_failure(recovery, failure, pod=pod, spec=spec)
    return (
        recovery if pod.deletion is not None or has_ended(pod) else with_active_pod(recovery, pod, spec=spec, now=now)
    )
