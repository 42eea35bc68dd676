"""The words that the pure core and the runtime share: what was observed, what is to be done.

The runtime fills an `Observation` from its store and calls `decide`; what comes back is a `Decision`, which the
runtime carries out. Nothing here does I/O or reads a clock: times are aware UTC datetimes that the caller gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

from session_protocol.hosts import WHATSAPP_HOSTS, WHATSAPP_WEB_URL

from whatsapp_operator.api.session import SessionStatus, WhatsAppSession

SessionUID = NewType("SessionUID", str)
PodUID = NewType("PodUID", str)
KeyID = NewType("KeyID", str)
Manifest = NewType("Manifest", dict[str, Any])
""" A Kubernetes object as JSON, ready to be sent. """


class PodPhase(StrEnum):
    """A pod's phase, in the API server's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, kw_only=True)
class PodFacts:
    """What the core needs to know of a pod. Made from its JSON by `core.objects.facts.pod_facts`."""

    name: str
    uid: PodUID
    owner_uid: SessionUID | None
    """ UID of the controller owner reference; None: nobody's. """
    phase: PodPhase
    created: datetime
    deletion: datetime | None = None
    """ Deletion was asked for; the object is still there. """
    ip: str | None = None
    node: str | None = None
    image: str | None = None
    scheduled: bool | None = None
    """ The PodScheduled condition: None while the scheduler has not spoken. """
    scheduled_reason: str = ""
    scheduled_message: str = ""
    ready: bool = False
    started: datetime | None = None
    """ When the runner's container started (also when it ended since). None: it never did. """
    finished: datetime | None = None
    exit_code: int | None = None
    exit_reason: str = ""
    """ The kubelet's word for the container's end: OOMKilled, Error, Completed … """
    termination_message: str = ""
    """ The termination message, redacted. """
    waiting_reason: str = ""
    """ Why the container waits: ImagePullBackOff, CreateContainerConfigError … """
    waiting_message: str = ""
    pod_reason: str = ""
    """ status.reason of the pod: Evicted, Preempting, NodeLost … """
    pod_message: str = ""
    disrupted: bool = False
    """ The DisruptionTarget condition is true. """
    restart_at: str | None = None
    """ The restart request this pod was made under (its annotation). """
    relink_at: str | None = None
    key_id: KeyID | None = None
    memory: int = 0
    """ Sum of the containers' memory limits, bytes. """
    quota: str | None = None
    managed: bool = False
    """ It carries the operator's managed-by label. """
    secret_name: str | None = None
    """ The Secret its tokens come from. """
    template_hash: str = ""
    """ The hash of the manifest it was created from (`core.objects.pod.template_hash`). """

    @property
    def ended(self) -> bool:
        """Whether the runner's container will never run (again) in this pod."""
        return self.phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) or self.finished is not None


@dataclass(frozen=True, kw_only=True)
class PVCFacts:
    """What the core needs to know of a PersistentVolumeClaim for a profile."""

    name: str
    ours: bool
    """ It carries our labels for this session; else it only has the name. """
    owners: tuple[Mapping[str, Any], ...] = ()
    """ Its owner references, whole: a patch replaces the list, and others' references must stay in it. """
    resource_version: str = ""
    """ Goes into the patch, so that nobody's change in between is undone. """
    requested: int = 0
    """ spec.resources.requests.storage, bytes. """
    deletion: datetime | None = None
    phase: str = ""
    """ Pending until a volume is found or made for it, then Bound; Lost when its volume is gone. """
    resize_fault: str = ""
    """ Why the storage did not grow it, after the API server let the new size pass; empty: no fault. """
    resizing: bool = False
    """ The storage is at it, maybe after a fault that it tells no more. """


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """What the core needs to know of the namespace's Service."""

    ours: bool


@dataclass(frozen=True, kw_only=True)
class RunnerReport:
    """The last valid answer of the runner of one pod. `state` is any word of the pattern, known or not."""

    session_uid: SessionUID
    pod_uid: PodUID
    revision: int
    state: str
    reason: str
    message: str
    since: datetime | None
    linked_time: datetime | None
    durable_time: datetime | None
    round: int
    linked: bool | None = None
    """ Whether a phone is linked, by the runner's own answer; None: it does not say. """
    received: datetime
    """ When the operator had this answer, by its own clock. """


@dataclass(frozen=True, kw_only=True)
class AssumedReservation:
    """The admission round admits this session: a reservation held in memory until it is in status (kube-scheduler's assume)."""

    session_uid: SessionUID
    quota_name: str
    memory: int
    """ Bytes: the pod's memory limit. """
    reserved_at: datetime


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why the last admission round did not admit this session."""

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class RefusedAction:
    """An action that the API server refused, for a cause outside the session (Forbidden, a namespace's ResourceQuota …).

    The runtime makes it from the API server's refusal of the last action; it ends with the next success.
    """

    reason: str
    message: str
    action: "type[Action] | None" = None
    """ Its kind: CreatePod, PatchPVC … """
    retry_at: datetime | None = None
    """ The same kind of action is not proposed again before this time; None: at once. """


@dataclass(frozen=True, kw_only=True)
class Observation:
    """Everything one decision may look at."""

    session: WhatsAppSession
    now: datetime
    pods: tuple[PodFacts, ...] = ()
    """ Pods of this namespace that carry the session's UID as owner, its UID label, or its pod's name. """
    pods_since_status: tuple[PodUID, ...] = ()
    """ The session's pods that were created after the one in status, oldest first, deleted since or not: as far as
    this operator has seen. Two of them may be created and deleted between two writes of status. """
    pvc: PVCFacts | None = None
    """ The PVC of the derived name, ours or not. None also when `existingClaim` is used. """
    service: ServiceFacts | None = None
    report: RunnerReport | None = None
    """ The last answer of the current pod's runner, or of the last one's while no new pod exists: its last word counts
    also when the pod is gone before anybody could write it, or the pod itself, down. """
    polling_since: datetime | None = None
    """ When this operator began to poll the current pod's runner; None: not yet. Silence counts from the latest of
    this, the container's start and the last answer, so that an operator's own restart looks like nobody's silence. """
    assumed: AssumedReservation | None = None
    refusal: Refusal | None = None
    refused_action: RefusedAction | None = None
    recovery_paused: str | None = None
    """ Why recovery is paused for all sessions; None: it is not. """


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What the operator's settings say about every session's pod."""

    runner_image: str
    page_url: str = WHATSAPP_WEB_URL
    allowed_hosts: str = WHATSAPP_HOSTS
    key_id: KeyID = KeyID("")
    """ The key that tokens of pods made now come from. """
    extra_ca: str = ""
    """ PEM text; empty: none. """
    image_pull_policy: str = "IfNotPresent"
    log_level: str = "info"
    run_as_user: int = 10001


# --- actions, in the order the runtime carries them out ---------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CreateService:
    """Create the namespace's headless Service. "Already exists" is success."""

    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class CreatePVC:
    """Create the profile's PVC."""

    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class PatchPVC:
    """Merge-patch the PVC (size, owner references). A refusal by the storage becomes `RefusedAction`."""

    name: str
    patch: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, kw_only=True)
class CreateSecret:
    """Create the Secret with the session's tokens; the runtime fills in the bytes. "Already exists" is success.

    `manifest` has no data: the core never sees a key. The runtime adds one entry per scope and `extra-ca.crt`.
    """

    manifest: Manifest
    key_id: KeyID


@dataclass(frozen=True, kw_only=True)
class CreatePod:
    """Create the session's pod. "Already exists" means look again."""

    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class DeletePod:
    """Delete one pod gracefully, with its UID as precondition. "Not found" is success."""

    name: str
    uid: PodUID
    reason: str
    grace: timedelta | None = None
    """ None: the pod's own terminationGracePeriodSeconds. Never 0: the operator does not force. """


Action = CreateService | CreatePVC | PatchPVC | CreateSecret | CreatePod | DeletePod


@dataclass(frozen=True, kw_only=True)
class Event:
    """A Kubernetes event to write once the status that tells the same is written."""

    type: str
    """ Normal or Warning. """
    action: str
    """ What was done or tried, as events name it: `Scheduling`. """
    reason: str
    """ How it came out: `Unschedulable`. """
    message: str
    pod: str | None = None
    """ The name of the pod that it is about as well. """


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do about one session now."""

    status: SessionStatus
    """ The whole wanted status. The runtime writes the difference from the observed one. """
    commit: bool = False
    """ This status must be in the API server before anything else happens: write at once, unpaced. """
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    wants_admission: bool = False
    """ It wants a slot and has none: the admission round considers it. """
    poll: PodUID | None = None
    """ The pod whose runner is to be listened to; None: nobody. """
    requeue_at: datetime | None = None
    """ When time alone may change the decision. """
    delay_status_until: datetime | None = None
    """ No uncommitted status write before this time (the pod is on its way to Running). """
    details: Mapping[str, str] = field(default_factory=dict)
    """ Constant-keyed fields for the log line. """
