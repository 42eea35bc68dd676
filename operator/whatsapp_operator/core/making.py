"""What a step is, and the step of making a pod: which objects, under which grant, in whose place.

`steps` asks the questions that lead here.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from whatsapp_operator.api.conditions import ConditionType, is_true
from whatsapp_operator.api.session import AdmissionStatus, OperatorState
from whatsapp_operator.core import notes
from whatsapp_operator.core.claim import claim_manifest
from whatsapp_operator.core.model import Action, CreateClaim, CreatePod, CreateSecret, CreateService, Grant
from whatsapp_operator.core.notes import Note
from whatsapp_operator.core.pod import pod_manifest
from whatsapp_operator.core.quota import wanted_place
from whatsapp_operator.core.recovery import is_after_failure
from whatsapp_operator.core.secret import secret_manifest
from whatsapp_operator.core.service import service_manifest
from whatsapp_operator.core.situation import Situation


@dataclass(frozen=True, kw_only=True)
class Step:
    """What to do, and what to say while no runner speaks for itself."""

    state: OperatorState
    said: Note
    """ Reason and message of Ready. """
    stalled: Note | None = None
    recovering: Note | None = None
    actions: tuple[Action, ...] = ()
    admission: AdmissionStatus | None = None
    """ A reservation that must be in status before the pod is made. """
    waits: Note | None = None
    """ Why it is not admitted. """
    releases: bool = False
    """ It shall not run: its place is given back once no pod is left. """
    making: bool = False
    """ The objects are about to be made; their names are told. """
    tell_first: bool = False
    """ `recovering` must be in status before the actions: they remove what it is about. """
    wake_at: datetime | None = None


def recovering(said: Note, *, actions: tuple[Action, ...] = (), wake_at: datetime | None = None) -> Step:
    """Return the step of a session whose pod is being replaced."""
    return Step(state=OperatorState.RECOVERING, said=said, recovering=said, actions=actions, wake_at=wake_at)


def making(case: Situation) -> Step:
    """Return the step of a pod to be made: the first one, or one in the place of another."""
    before = case.session.status
    if before.replicas == 0 and not is_true(before.conditions, ConditionType.RECOVERING):
        return Step(state=OperatorState.PENDING, said=notes.STARTING, making=True)
    failed = is_after_failure(case.session, case.recovery)
    said = notes.backing_off(case.recovery) if failed else notes.REPLACING
    return replace(recovering(said), making=True)


def valid_grant(case: Situation) -> Grant | None:
    """Return the grant if it is one for the pod that the spec asks for now."""
    grant, wanted = case.seen.grant, wanted_place(case.session)
    fits = grant is not None and (grant.quota_name, grant.memory) == (wanted.quota, wanted.memory)
    return grant if fits else None


def creations(case: Situation) -> tuple[Action, ...]:
    """Return what makes the pod and all it needs, in this order; objects that are there are not made again."""
    session, defaults = case.session, case.defaults
    actions: list[Action] = []
    if case.seen.service is None:
        actions.append(CreateService(manifest=service_manifest(session.metadata.namespace)))
    if case.seen.claim is None and (claim := claim_manifest(session)) is not None:
        actions.append(CreateClaim(manifest=claim))
    actions.append(CreateSecret(manifest=secret_manifest(session, defaults), key_id=defaults.key_id))
    actions.append(CreatePod(manifest=pod_manifest(session, defaults)))
    return tuple(actions)
