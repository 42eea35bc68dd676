"""What the core tells the runtime to do: actions, in the order in which they are carried out, events and the decision.

`core.session.decide` returns a `Decision` for an `Observation` of `core.model`.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from session_protocol.vocabulary import TokenPurpose

from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.calls import Call
from whatsapp_operator.core.model import Manifest, PodTokens, PodUID, Seal, TokenSource


@dataclass(frozen=True, kw_only=True)
class ReadClaim:
    """Read the claim that `existingClaim` names: no watch reports it. What is read comes with the next observation."""

    name: str


@dataclass(frozen=True, kw_only=True)
class CreateService:
    """Create the namespace's headless Service. "Already exists" is success."""

    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class CreateNetworkPolicy:
    """Create the namespace's NetworkPolicy. "Already exists" is success."""

    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class PatchNetworkPolicy:
    """Merge-patch the namespace's NetworkPolicy: somebody changed it, or the settings have changed."""

    name: str
    patch: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CreatePVC:
    """Create the profile's PVC."""

    manifest: Manifest
    seal: Seal | None = None
    """ As a pod's. """


@dataclass(frozen=True, kw_only=True)
class PatchPVC:
    """Merge-patch the PVC (size, owner references)."""

    name: str
    patch: Mapping[str, Any]
    reason: str
    seal: Seal | None = None
    """ To be set on it by the runtime: its size is another. """


@dataclass(frozen=True, kw_only=True)
class CreateSecret:
    """Create one of the session's Secrets; the runtime fills in the bytes. "Already exists" is success.

    `manifest` has no data: the core never sees a key. `core.objects.tokens` tells what the runtime adds.
    """

    manifest: Manifest
    source: TokenSource
    purpose: TokenPurpose | None
    """ Whom its tokens are for; None: it is the one that the pod mounts. """


@dataclass(frozen=True, kw_only=True)
class CreatePod:
    """Create the session's pod. "Already exists" means: read it and decide again."""

    manifest: Manifest
    seal: Seal | None = None
    """ To be set on it by the runtime, which has the key. """


@dataclass(frozen=True, kw_only=True)
class DeletePod:
    """Delete one pod gracefully, with its UID as precondition. "Not found" is success."""

    name: str
    uid: PodUID
    reason: str
    grace: timedelta | None = None
    """ None: the pod's own terminationGracePeriodSeconds. Never 0: the operator does not force. """
    clears_loss: bool = False  # it is lost already; else its end is the operator's own decision


Action = (
    ReadClaim
    | CreateService
    | CreateNetworkPolicy
    | PatchNetworkPolicy
    | CreatePVC
    | PatchPVC
    | CreateSecret
    | CreatePod
    | DeletePod
)


_CREATED_TOGETHER = (CreateService, CreateNetworkPolicy, CreatePVC, CreateSecret)


def before_pod(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return the creations of what a pod needs, which come before it; none if they wait for something else."""
    return tuple(itertools.takewhile(lambda action: isinstance(action, _CREATED_TOGETHER), actions))


def batches(actions: Iterable[Action]) -> list[tuple[Action, ...]]:
    """Group actions, in their order, by what may be asked for at once: objects that a pod needs, and that need no other one.

    Anything else, the pod itself above all, is for itself, after all that stands before it. So is the first Secret for
    people: where it is refused, so are the others, and one call tells.
    """
    return [
        batch
        for together, found in itertools.groupby(actions, key=lambda action: isinstance(action, _CREATED_TOGETHER))
        for batch in (_together(tuple(found)) if together else [(action,) for action in found])
    ]


def _together(actions: tuple[Action, ...]) -> list[tuple[Action, ...]]:
    for_people = [
        place for place, one in enumerate(actions) if isinstance(one, CreateSecret) and one.purpose is not None
    ]
    cuts = [for_people[0], for_people[0] + 1] if for_people else []
    return [
        some for some in (actions[start:end] for start, end in itertools.pairwise([0, *cuts, len(actions)])) if some
    ]


@dataclass(frozen=True, kw_only=True)
class Event:
    """A Kubernetes event, to be recorded after the status that it describes is written."""

    type: str
    """ Normal or Warning. """
    action: str
    """ What was done or tried, such as `Scheduling`. """
    reason: str
    """ The outcome, such as `Unschedulable`. """
    message: str
    pod: str | None = None
    """ The name of a pod that the event also concerns. """


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do about one session now."""

    status: SessionStatus
    """ The whole wanted status; the runtime writes its difference from the observed one. """
    commit: bool = False
    """ This status must be stored before anything else is done: write it at once, past the write limiter. """
    actions: tuple[Action, ...] = ()
    alongside: tuple[Action, ...] = ()
    """ What may be done while a reservation is being stored: the objects that the pod needs, which need no reservation
    themselves. """
    events: tuple[Event, ...] = ()
    causes: tuple[str, ...] = ()  # names of `core.recovery.causes`: what this status is the first to tell
    wants_admission: bool = False
    """ It needs a reservation and has none, so an admission round must consider it. """
    declines_admission: bool = False
    """ It can use no place now. """
    poll: PodUID | None = None
    """ The pod whose runner to poll; None: none. """
    makes_tokens: PodTokens | None = None
    """ The Secrets with tokens that are among the actions: they exist once all of these are carried out. """
    renew_tokens: TokenSource | None = None
    """ The tokens that this runner is to be told of; None: it has the right ones, or they are not in Secrets yet. """
    requeue_at: datetime | None = None
    """ When to decide again although nothing happens, because time changes the decision. """
    wanted_calls: frozenset[Call] = frozenset()
    """ The calls that the session needs, those that wait after a failure included. """
    delay_status_until: datetime | None = None
    """ No uncommitted status write before this time (the pod is on its way to Running). """
    details: Mapping[str, str] = field(default_factory=dict)
    """ Fields for the log line; the keys are constant. """
