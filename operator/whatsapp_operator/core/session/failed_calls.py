"""What failed calls mean for a session: which actions wait, what its conditions say, which events tell of it.

`decide` asks once. A call counts only while the decision still wants it made: one that nobody needs any more has
failed for nobody.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.calls import PATIENCE, Call, FailedCall, Verb
from whatsapp_operator.core.decision import (
    Action,
    CreateNetworkPolicy,
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    DeletePod,
    Event,
    PatchNetworkPolicy,
    PatchPVC,
    ReadClaim,
)
from whatsapp_operator.core.model import Observation
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.messages import ReasonMessage

_KINDS: dict[type[Action], tuple[Verb, str]] = {
    ReadClaim: (Verb.GET, "PersistentVolumeClaim"),
    CreateService: (Verb.CREATE, "Service"),
    CreateNetworkPolicy: (Verb.CREATE, "NetworkPolicy"),
    PatchNetworkPolicy: (Verb.PATCH, "NetworkPolicy"),
    CreatePVC: (Verb.CREATE, "PersistentVolumeClaim"),
    PatchPVC: (Verb.PATCH, "PersistentVolumeClaim"),
    CreateSecret: (Verb.CREATE, "Secret"),
    CreatePod: (Verb.CREATE, "Pod"),
    DeletePod: (Verb.DELETE, "Pod"),
}
_REPORTS: dict[Verb, tuple[str, str]] = {
    Verb.CREATE: ("FailedCreate", "Creating"),
    Verb.PATCH: ("FailedUpdate", "Updating"),
    Verb.DELETE: ("FailedDelete", "Deleting"),
    Verb.GET: ("FailedGet", "Reading"),
    Verb.LIST: ("FailedList", "Reading"),
    Verb.UPDATE_STATUS: ("FailedUpdateStatus", "UpdatingStatus"),
}
""" Reasons as those of Kubernetes' own controllers, and actions. """


@dataclass(frozen=True, kw_only=True)
class CallReview:
    """What the failed calls mean for one decision."""

    actions: tuple[Action, ...]
    """ Those that may be carried out now. """
    wanted: frozenset[Call]
    """ The calls that the session needs, those that wait included. """
    condition: tuple[ConditionStatus, ReasonMessage] | None
    """ The value of CallFailed; None, and so removed, while no call fails. """
    events: tuple[Event, ...]
    moments: tuple[datetime, ...]
    """ When a call is to be tried again, or is to be shown. """
    obstacle: ReasonMessage | None
    """ Why the pod cannot be made. """
    refused_growth: str | None
    """ In whose words the PVC may not grow. """
    holds_tokens: bool
    """ Some of the Secrets with tokens wait. """
    refused_renewal: ReasonMessage | None
    """ Why a running pod does not get its new tokens. """


def call_of(action: Action) -> Call:
    """Return the call that an action makes."""
    verb, kind = _KINDS[type(action)]
    match action:
        case CreateService() | CreateNetworkPolicy() | CreatePVC() | CreateSecret() | CreatePod():
            name = str(action.manifest["metadata"]["name"])
        case ReadClaim() | PatchNetworkPolicy() | PatchPVC() | DeletePod():
            name = action.name
    return Call(verb, kind, name)


def review_calls(
    observation: Observation,
    actions: tuple[Action, ...],
    *,
    chained: bool,
    patches: tuple[Action, ...] = (),
    token_secrets: tuple[CreateSecret, ...] = (),
) -> CallReview:
    """Return what the failed calls mean for a session.

    :param actions: those of the step.
    :param chained: each of them relies on those before it.
    :param patches: of the PVC; nothing relies on them.
    :param token_secrets: for people; nothing relies on them either, and if one is refused, so are the others.
    """
    ordered = _retried(actions, observation)
    needed = {call_of(action): action for action in (*ordered, *patches, *token_secrets)}
    failed = [each for each in observation.failed_calls if each.call in needed or not _is_an_action(each.call)]
    waiting = {each.call for each in failed if each.waits}
    shown = [each for each in failed if each.is_shown]
    of_step = {call_of(action) for action in ordered} if chained or _reads(ordered) else set()
    of_renewal = {call_of(secret) for secret in token_secrets}
    # All of them wait with one: those that are made are not in the store, so each proposal would make them again.
    secrets = () if of_renewal & waiting else token_secrets
    now = observation.now
    return CallReview(
        # What nothing relies on comes last: it keeps back no pod if it is refused.
        actions=(
            *_due(ordered, waiting, chained=chained),
            *_due(patches, waiting, chained=False),
            *secrets,
        ),
        holds_tokens=len(secrets) < len(token_secrets),
        wanted=frozenset(needed),
        condition=_condition(shown),
        events=tuple(_events(observation.session.status, shown)),
        moments=tuple(moment for each in failed for moment in _moments(each, now)),
        obstacle=next((messages.refused(each) for each in shown if each.call in of_step), None),
        refused_growth=next((each.message for each in shown if each.refused and _grows(needed.get(each.call))), None),
        refused_renewal=next((messages.refused(each) for each in shown if each.call in of_renewal), None),
    )


def _moments(failed: FailedCall, now: datetime) -> Iterator[datetime]:
    yield now + failed.retry_in
    if not failed.refused and failed.failures > 1:
        yield now + PATIENCE - failed.lasted


def _retried(actions: tuple[Action, ...], observation: Observation) -> tuple[Action, ...]:
    """Return the actions in the order of a retry: a pod that was refused after its Secrets were made comes before them.

    So one call tells whether it still is. The Secrets follow it, because somebody may have deleted them meanwhile; the
    kubelet waits for them.
    """
    secrets = tuple(action for action in actions if isinstance(action, CreateSecret))
    has_failed = any((each.call.verb, each.call.kind) == _KINDS[CreatePod] for each in observation.failed_calls)
    if not has_failed or not {call_of(secret).name for secret in secrets} <= observation.secrets_made:
        return actions
    return (*(action for action in actions if not isinstance(action, CreateSecret)), *secrets)


def _due(actions: Iterable[Action], waiting: Collection[Call], *, chained: bool) -> tuple[Action, ...]:
    """Return the actions that may be carried out now, without those that wait after a failure.

    Chained ones after one that waits, wait as well. Secrets wait with the pod that they are for: they are not in the
    store, so each proposal would create them anew.
    """
    found, pod_waits = [], False
    for action in actions:
        if call_of(action) not in waiting:
            found.append(action)
            continue
        pod_waits = pod_waits or isinstance(action, CreatePod)
        if chained:
            break
    return tuple(action for action in found if not (pod_waits and isinstance(action, CreateSecret)))


def _condition(shown: list[FailedCall]) -> tuple[ConditionStatus, ReasonMessage] | None:
    if not shown:
        return None
    share = messages.MAX_LENGTH // len(shown) - 1
    message = " ".join(messages.cut(messages.refused(each).message, share) for each in shown)
    reason, _ = _REPORTS[shown[0].call.verb]
    return ConditionStatus.TRUE, messages.reason_message(reason, message, fallback=reason)


def status_event(failed: FailedCall) -> Event:
    """Return the event about a status that cannot be written."""
    return _event(failed)


def _events(before: SessionStatus, shown: Iterable[FailedCall]) -> Iterator[Event]:
    """Return an event for each failure that the stored condition does not name yet."""
    stored = messages.stored_message(before, ConditionType.CALL_FAILED, only=ConditionStatus.TRUE)
    for each in shown:
        is_stored = stored is not None and messages.cannot(each.call) in stored.message
        # One about events would fail as well; about a LIST of everything there would be as many as there are sessions.
        if not is_stored and each.call.kind != "Event" and each.call.name:
            yield _event(each)


def _event(failed: FailedCall) -> Event:
    verb, kind, name = failed.call
    reason, action = _REPORTS[verb]
    return Event(
        type="Warning",
        action=action if verb is Verb.UPDATE_STATUS else f"{action}{kind}",
        reason=reason,
        message=messages.refused(failed).message,
        pod=name if kind == "Pod" else None,
    )


def _is_an_action(call: Call) -> bool:
    return (call.verb, call.kind) in _KINDS.values() and call.verb is not Verb.GET


def _reads(actions: Iterable[Action]) -> bool:
    return any(isinstance(action, ReadClaim) for action in actions)


def _grows(action: Action | None) -> bool:
    return isinstance(action, PatchPVC) and "spec" in action.patch
