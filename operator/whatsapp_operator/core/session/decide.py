"""One decision about one session: from an observation to status, actions and the time to look again.

Called by the runtime's worker for a session's key, again and again, whatever happened; it asks what *is*, never what
happened. Two promises make a crash at any point harmless:

* Status first. What an action relies on, or destroys the proof of, stands in the *observed* status before the action
  is returned; until then the decision is that status alone, marked `commit`.
* The same observation gives the same decision, and at rest its status is the observed one and its actions are none.
"""

from dataclasses import replace
from datetime import datetime

from session_protocol.states import traits_of

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType
from whatsapp_operator.api.session import SessionSpec, SessionStatus, WhatsAppSession
from whatsapp_operator.core.model import (
    Action,
    Decision,
    Defaults,
    DeletePod,
    Observation,
    PatchPVC,
    PodPhase,
    PodUID,
)
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.create import Step
from whatsapp_operator.core.session.events import events
from whatsapp_operator.core.session.rules import next_step
from whatsapp_operator.core.session.snapshot import SILENCE, Snapshot, take_snapshot
from whatsapp_operator.core.session.status import build_status
from whatsapp_operator.core.writes.write_limiter import MAX_DELAY


def decide(observation: Observation, defaults: Defaults) -> Decision:
    """Decide the session's status and the actions for it now."""
    session = observation.session
    if session.metadata.deletion_timestamp is not None:
        return _decide_deletion(observation)
    snapshot = take_snapshot(_with_usable_spec(observation), defaults)
    step = next_step(snapshot)
    wanted = build_status(snapshot, step)
    stored = messages.stored_message(session.status, ConditionType.RECOVERING, only=ConditionStatus.TRUE)
    reserves = step.admission is not None
    status_first = step.status_first and stored != step.recovering
    commit = snapshot.has_unstored_facts or reserves or status_first
    return Decision(
        status=wanted,
        commit=commit,
        actions=() if commit else (*step.actions, *_pvc_patches(snapshot)),
        events=events(session.status, wanted),
        wants_admission=step.not_admitted is not None,
        poll=_poll(snapshot),
        requeue_at=_requeue_at(snapshot, step),
        delay_status_until=_delay_status_until(snapshot, step),
        details={"step": step.ready.reason, "state": wanted.state or ""},
    )


def _with_usable_spec(observation: Observation) -> Observation:
    """Return the observation with a spec to compute with. For an unusable one nothing is done, only facts are reported."""
    if not observation.session.problems:
        return observation
    session: WhatsAppSession = observation.session.model_copy(update={"stored_spec": SessionSpec()})
    return replace(observation, session=session)


def _decide_deletion(observation: Observation) -> Decision:
    """The session is being deleted and something holds it back: its pods end cleanly, nothing more is said."""
    pods = (
        pod for pod in observation.pods if pod.owner_uid == observation.session.metadata.uid and pod.deletion is None
    )
    actions: tuple[Action, ...] = tuple(DeletePod(name=pod.name, uid=pod.uid, reason="SessionDeleted") for pod in pods)
    written: SessionStatus = observation.session.status
    return Decision(status=written, actions=actions, details={"step": "Deleting"})


def _pvc_patches(snapshot: Snapshot) -> tuple[PatchPVC, ...]:
    """The PVC follows the spec at any time; after all else, for a refusal must not keep a pod from being created."""
    retry_at = snapshot.refused_patch.retry_at if snapshot.refused_patch is not None else None
    if snapshot.pvc_patch is None or (retry_at is not None and retry_at > snapshot.now):
        return ()
    return (snapshot.pvc_patch,)


def _poll(snapshot: Snapshot) -> PodUID | None:
    pod = snapshot.pod
    if pod is None or pod.phase is not PodPhase.RUNNING or pod.ip is None or pod.ended:
        return None
    return pod.uid


def _requeue_at(snapshot: Snapshot, step: Step) -> datetime | None:
    """Return the next moment at which time alone may change the decision."""
    pod, report, spec = snapshot.pod, snapshot.report, snapshot.session.spec
    moments = [step.requeue_at]
    if snapshot.pod_active and snapshot.responding and report is not None:
        moments.append(report.received + SILENCE)
        if traits_of(report.state).fatal and report.since is not None:
            moments.append(report.since + spec.timeouts.health_check)
    if snapshot.pod_active and snapshot.silent_since is not None:
        moments.append(snapshot.silent_since + SILENCE)
    if snapshot.pod_active and pod is not None and snapshot.attempts.recovery.consecutive_failures > 0:
        moments.append(snapshot.attempts.healthy_at)
    moments.append(snapshot.volume_deadline)
    if snapshot.observation.refused_action is not None:
        moments.append(snapshot.observation.refused_action.retry_at)
    return min((moment for moment in moments if moment is not None and moment > snapshot.now), default=None)


def _delay_status_until(snapshot: Snapshot, step: Step) -> datetime | None:
    """Return until when status writes are delayed: the way to a running pod is one write, not five."""
    pod = snapshot.pod
    if pod is not None and snapshot.pod_active and pod.phase is PodPhase.PENDING and step.stalled is None:
        until = pod.created + MAX_DELAY
    elif (
        step.not_admitted is not None
        and snapshot.observation.refusal is None
        and not snapshot.session.status.conditions
    ):
        until = (
            snapshot.now + MAX_DELAY
        )  # the first round answers in a moment; the write limiter caps this at MAX_DELAY
    else:
        return None
    return until if until > snapshot.now else None
