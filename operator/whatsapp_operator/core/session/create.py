"""What a step is, and the step that creates the pod with the objects it needs.

`rules` calls this for a session whose pod is created or replaced.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from session_protocol.vocabulary import RunnerState

from whatsapp_operator.api.conditions import ConditionType, is_true
from whatsapp_operator.api.session import AdmissionStatus, OperatorState, RequeueStatus
from whatsapp_operator.core.decision import Action, CreatePod, CreateService
from whatsapp_operator.core.model import Seal
from whatsapp_operator.core.objects.network_policy import policy_actions
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.core.objects.pvc import create_pvc
from whatsapp_operator.core.objects.secret import create_mounted_secret
from whatsapp_operator.core.objects.service import service_manifest
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.messages import ReasonMessage
from whatsapp_operator.core.session.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Step:
    """The actions to take, and what status shows while no runner reports."""

    state: OperatorState | RunnerState
    ready: ReasonMessage
    """ Reason and message of Ready. """
    stalled: ReasonMessage | None = None
    recovering: ReasonMessage | None = None
    actions: tuple[Action, ...] = ()
    admission: AdmissionStatus | None = None
    """ A reservation that must be in status before the pod is created. """
    not_admitted: ReasonMessage | None = None
    """ Why it is not admitted. """
    releases_reservation: bool = False
    """ It must not run: its reservation is released once it has no pod. """
    creates_objects: bool = False
    """ The objects are about to be created; status names them. """
    requeue: RequeueStatus | None = None
    """ When it asks for a place again, and why it gave this one back. """
    status_first: bool = False
    """ `recovering` must be in status before the actions, which delete the pod that it describes. """
    requeue_at: datetime | None = None


def recovering(message: ReasonMessage, *, actions: tuple[Action, ...] = (), requeue_at: datetime | None = None) -> Step:
    """Return the step of a session whose pod is being replaced."""
    return Step(
        state=OperatorState.RECOVERING, ready=message, recovering=message, actions=actions, requeue_at=requeue_at
    )


def create_step(snapshot: Snapshot) -> Step:
    """Return the step that creates the pod, be it the first one or a replacement.

    All objects are proposed each time; those that exist are not created again.
    """
    before, actions = snapshot.session.status, create_actions(snapshot)
    if before.replicas == 0 and not is_true(before.conditions, ConditionType.RECOVERING):
        return Step(state=OperatorState.PENDING, ready=messages.STARTING, creates_objects=True, actions=actions)
    failed = snapshot.attempts.after_failure
    message = messages.backing_off(snapshot.attempts.recovery) if failed else messages.REPLACING
    return replace(recovering(message, actions=actions), creates_objects=True)


def create_actions(snapshot: Snapshot) -> tuple[Action, ...]:
    """Return the actions that create the pod and, before it, what it needs: Service, NetworkPolicy, PVC and its Secret.

    The Secrets with tokens are for people, so they come after it (`token_secrets`).
    """
    session, defaults = snapshot.session, snapshot.defaults
    actions: list[Action] = []
    if snapshot.observation.service is None:
        actions.append(CreateService(manifest=service_manifest(session.metadata.namespace)))
    # Before the pod: it never runs without the policy, and where that is refused, it does not run.
    actions += policy_actions(
        snapshot.observation.network_policy, namespace=session.metadata.namespace, defaults=defaults
    )
    if snapshot.observation.pvc is None and (create := create_pvc(session, key_id=defaults.key_id)) is not None:
        actions.append(create)
    actions.append(create_mounted_secret(session, defaults))
    actions.append(CreatePod(manifest=pod_manifest(session, defaults), seal=_pod_seal(snapshot)))
    return tuple(actions)


def _pod_seal(snapshot: Snapshot) -> Seal:
    wanted = snapshot.need.wanted
    return Seal(
        key_id=snapshot.defaults.key_id,
        session_uid=wanted.session_uid,
        quota=wanted.quota,
        memory=wanted.memory,
    )
