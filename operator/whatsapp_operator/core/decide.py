"""One decision about one session: from an observation to status, actions and the time to look again.

Called by the runtime's worker for a session's key, again and again, whatever happened; it asks what *is*, never what
happened. Two promises make a crash at any point harmless:

* Status first. What an action relies on, or destroys the proof of, stands in the *observed* status before the action
  is returned; until then the decision is that status alone, marked `commit`.
* The same observation gives the same decision, and at rest its status is the observed one and its actions are none.
"""

from datetime import datetime

from session_protocol.states import traits_of

from whatsapp_operator.api.session import SessionSpec, SessionStatus, WhatsAppSession
from whatsapp_operator.core.claim import claim_patch
from whatsapp_operator.core.events import events
from whatsapp_operator.core.failure import has_ended
from whatsapp_operator.core.making import Step
from whatsapp_operator.core.model import (
    Action,
    Decision,
    Defaults,
    DeletePod,
    Observation,
    PatchClaim,
    PodPhase,
    PodUID,
)
from whatsapp_operator.core.pacing import LONGEST_WAIT
from whatsapp_operator.core.recovery import healthy_at
from whatsapp_operator.core.said import status, stored_recovering
from whatsapp_operator.core.situation import SILENCE, Situation, situation
from whatsapp_operator.core.steps import next_step


def decide(seen: Observation, defaults: Defaults) -> Decision:
    """Decide what is to be said and done about the session now."""
    session = seen.session
    if session.metadata.deletion_timestamp is not None:
        return _goes(seen)
    case = situation(_usable(seen), defaults)
    step = next_step(case)
    wanted = status(case, step)
    grants = step.admission is not None
    tells_first = step.tell_first and stored_recovering(session.status) != step.recovering
    commit = case.unrecorded or grants or tells_first
    return Decision(
        status=wanted,
        commit=commit,
        actions=() if commit else (*step.actions, *_claim_patches(case)),
        events=events(session.status, wanted),
        wants_admission=step.waits is not None,
        poll=_poll(case),
        wake_at=_wake_at(case, step),
        hold_until=_hold_until(case, step),
        details={"step": step.said.reason, "state": wanted.state or ""},
    )


def _usable(seen: Observation) -> Observation:
    """Return the observation with a spec to compute with. For an unusable one nothing is done, only facts are told."""
    if not seen.session.problems:
        return seen
    session: WhatsAppSession = seen.session.model_copy(update={"stored_spec": SessionSpec()})
    return Observation(**{**seen.__dict__, "session": session})


def _goes(seen: Observation) -> Decision:
    """The session is being deleted and something holds it back: its pods end cleanly, nothing more is said."""
    pods = (pod for pod in seen.pods if pod.owner_uid == seen.session.metadata.uid and pod.deletion is None)
    actions: tuple[Action, ...] = tuple(DeletePod(name=pod.name, uid=pod.uid, why="SessionDeleted") for pod in pods)
    written: SessionStatus = seen.session.status
    return Decision(status=written, actions=actions, details={"step": "Deleting"})


def _claim_patches(case: Situation) -> tuple[PatchClaim, ...]:
    """The claim follows the spec at any time; after all else, for a refusal must not keep a pod from being made."""
    claim, blocked = case.seen.claim, case.seen.blocked
    if claim is None or case.session.problems:
        return ()
    refused = blocked is not None and blocked.action == PatchClaim.__name__ and blocked.retry_at is not None
    if refused and blocked is not None and blocked.retry_at is not None and blocked.retry_at > case.now:
        return ()
    patch = claim_patch(case.session, claim)
    return () if patch is None else (patch,)


def _poll(case: Situation) -> PodUID | None:
    pod = case.pod
    if pod is None or pod.phase is not PodPhase.RUNNING or pod.ip is None or has_ended(pod):
        return None
    return pod.uid


def _wake_at(case: Situation, step: Step) -> datetime | None:
    """Return the next moment at which time alone may change the decision."""
    pod, report, spec = case.pod, case.report, case.session.spec
    moments = [step.wake_at]
    if case.lives and case.answers and report is not None:
        moments.append(report.heard + SILENCE)
        if traits_of(report.state).fatal and report.since is not None:
            moments.append(report.since + spec.timeouts.health_check)
    if case.lives and case.silent_since is not None:
        moments.append(case.silent_since + SILENCE)
    if case.lives and pod is not None and case.recovery.consecutive_failures > 0:
        moments.append(healthy_at(pod, spec=spec.recovery))
    moments.append(case.volume_due)
    if case.seen.blocked is not None:
        moments.append(case.seen.blocked.retry_at)
    return min((moment for moment in moments if moment is not None and moment > case.now), default=None)


def _hold_until(case: Situation, step: Step) -> datetime | None:
    """Return until when writes are held back: the way to a running pod is told in one write, not in five."""
    pod = case.pod
    if pod is not None and case.lives and pod.phase is PodPhase.PENDING and step.stalled is None:
        until = pod.created + LONGEST_WAIT
    elif step.waits is not None and case.seen.refusal is None and not case.session.status.conditions:
        until = case.now + LONGEST_WAIT  # the first round answers in a moment; pacing limits this to LONGEST_WAIT
    else:
        return None
    return until if until > case.now else None
