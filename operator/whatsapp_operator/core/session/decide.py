"""One decision about one session: takes an observation, returns the status, the actions and the time of the next look.

The reconciler calls it for a session's key whenever something may have changed. The decision is level-triggered: it
depends on the present state alone, not on which event led to the call. Two promises make a crash at any point harmless:

* Status first. What an action relies on, or removes the proof of, must be in the *observed* status before the action
  is returned; until then the decision is that status alone, marked `commit`. Only what a pod needs besides, and what
  proves nothing, may be made meanwhile (`alongside`).
* The same observation gives the same decision; when there is nothing to do, its status equals the observed one and it
  has no actions.
"""

from dataclasses import replace
from datetime import datetime

from whatsapp_operator.api.session import OperatorState, SessionSpec, SessionStatus, WhatsAppSession
from whatsapp_operator.core.decision import Action, CreatePVC, Decision, DeletePod, before_pod
from whatsapp_operator.core.model import Defaults, Observation, PodPhase, PodUID
from whatsapp_operator.core.objects.secret import create_token_secrets
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.create import Step
from whatsapp_operator.core.session.events import events
from whatsapp_operator.core.session.failed_calls import CallReview, review_calls
from whatsapp_operator.core.session.new_causes import new_causes
from whatsapp_operator.core.session.rules import next_step
from whatsapp_operator.core.session.runner_contact import SILENCE
from whatsapp_operator.core.session.snapshot import Snapshot, take_snapshot
from whatsapp_operator.core.session.status import build_status
from whatsapp_operator.core.session.token_secrets import plan_tokens
from whatsapp_operator.core.writes.write_limiter import MAX_DELAY


def decide(observation: Observation, defaults: Defaults) -> Decision:
    """Return the status that the session should have, and the actions to carry out now."""
    session = observation.session
    if session.metadata.deletion_timestamp is not None:
        return _decide_deletion(observation)
    snapshot = take_snapshot(_with_usable_spec(observation), defaults)
    step = next_step(snapshot)
    polled = _poll(snapshot)
    tokens = plan_tokens(snapshot, polled=polled is not None)
    secrets = create_token_secrets(session, tokens.makes) if tokens.makes is not None else ()
    patches = (snapshot.pvc_patch,) if snapshot.pvc_patch is not None else ()
    calls = review_calls(
        observation, step.actions, chained=step.creates_objects, patches=patches, token_secrets=secrets
    )
    if calls.obstacle is not None:
        step = replace(step, state=OperatorState.PENDING, ready=calls.obstacle, recovering=None)
    wanted = build_status(snapshot, step, tokens.named, calls)
    stored = messages.stored_recovering(session.status)
    reserves = step.admission is not None
    status_first = step.status_first and stored != step.recovering
    commit = snapshot.has_unstored_facts or reserves or status_first or tokens.status_first
    wants_admission = step.not_admitted is not None and not step.releases_reservation
    return Decision(
        status=wanted,
        commit=commit,
        actions=() if commit else calls.actions,
        alongside=_alongside(observation, calls.actions) if reserves and step.creates_objects else (),
        events=(*events(session.key, session.status, wanted), *calls.events),
        causes=new_causes(snapshot, wanted),
        wants_admission=wants_admission,
        declines_admission=not wants_admission and wanted.admission is None and snapshot.pod is None,
        poll=polled,
        makes_tokens=None if commit or calls.holds_tokens else tokens.makes,
        renew_tokens=tokens.renews,
        requeue_at=_requeue_at(snapshot, step, calls),
        wanted_calls=calls.wanted,
        delay_status_until=_delay_status_until(snapshot, step),
        details={"step": step.ready.reason, "state": wanted.state or ""},
    )


def _alongside(observation: Observation, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return what is made beside the reservation: no claim that counts, for the reservation may turn out to be withdrawn."""
    return tuple(
        each for each in before_pod(actions) if not (observation.storage_limited and isinstance(each, CreatePVC))
    )


def _with_usable_spec(observation: Observation) -> Observation:
    """Replace an invalid spec by the defaults: the status can be computed then, and `rules` takes no action for it."""
    if not observation.session.problems:
        return observation
    session: WhatsAppSession = observation.session.model_copy(update={"stored_spec": SessionSpec()})
    return replace(observation, session=session)


def _decide_deletion(observation: Observation) -> Decision:
    """Delete the pods of a session that is being deleted (a finalizer keeps the object); leave its status as it is."""
    own = [pod for pod in observation.pods if pod.owner_uid == observation.session.metadata.uid]
    actions: tuple[Action, ...] = tuple(
        DeletePod(name=pod.name, uid=pod.uid, reason="SessionDeleted") for pod in own if pod.deletion is None
    )
    written: SessionStatus = observation.session.status
    calls = review_calls(observation, actions, chained=False)
    return Decision(
        status=written,
        actions=calls.actions,
        declines_admission=not own,
        wanted_calls=calls.wanted,
        requeue_at=min((moment for moment in calls.moments if moment > observation.now), default=None),
        details={"step": "Deleting"},
    )


def _poll(snapshot: Snapshot) -> PodUID | None:
    pod = snapshot.pod
    if pod is None or pod.phase is not PodPhase.RUNNING or pod.ip is None or pod.ended:
        return None
    return pod.uid


def _requeue_at(snapshot: Snapshot, step: Step, calls: CallReview) -> datetime | None:
    """Return when to decide again although nothing happens: the earliest deadline in the future."""
    pod, report = snapshot.pod, snapshot.report
    moments = [step.requeue_at]
    if snapshot.pod_active and snapshot.responding and report is not None:
        moments.append(report.received + SILENCE)
    if snapshot.pod_active and snapshot.silent_since is not None:
        moments.append(snapshot.silent_since + SILENCE)
    counted = snapshot.attempts.recovery.consecutive_failures or snapshot.attempts.recovery.failed_starts
    if snapshot.pod_active and pod is not None and counted:
        moments.append(snapshot.attempts.healthy_at)
    moments += [
        snapshot.termination.deadline,
        snapshot.volume_deadline,
        snapshot.outcome_deadline,
        snapshot.observation.renew_at,
        snapshot.startup.place.give_back_at,
        snapshot.startup.secrets_due,
        *calls.moments,
    ]
    return min((moment for moment in moments if moment is not None and moment > snapshot.now), default=None)


def _delay_status_until(snapshot: Snapshot, step: Step) -> datetime | None:
    """Return until when to delay status writes, so that the start of a pod takes one write and not five."""
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
        )  # the first round usually answers within a second; the write limiter caps this at MAX_DELAY
    else:
        return None
    return until if until > snapshot.now else None
