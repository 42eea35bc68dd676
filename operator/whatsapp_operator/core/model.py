"""The types that the pure core and the runtime share: what is known of a session.

The runtime fills an `Observation` from its store and calls `decide`, which returns a `Decision` (`core.decision`); the
runtime carries it out. Nothing here does I/O or reads a clock: times are aware UTC datetimes that the caller passes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

from session_protocol.hosts import WHATSAPP_HOSTS, WHATSAPP_WEB_URL
from session_protocol.vocabulary import TokenPurpose

from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import FailedCall
from whatsapp_operator.core.kubelet import ProbeKill
from whatsapp_operator.core.network import Egress, RunnerNetwork

SessionUID = NewType("SessionUID", str)
PodUID = NewType("PodUID", str)
KeyID = NewType("KeyID", str)
Manifest = NewType("Manifest", dict[str, Any])
""" A Kubernetes object as JSON, ready to be sent. """


@dataclass(frozen=True, kw_only=True)
class TokenSource:
    """What a session's tokens are made from, beside its UID."""

    key_id: KeyID
    renewal: str = ""
    """ The renewal that a person asked for; empty: none. """


@dataclass(frozen=True, kw_only=True)
class PodTokens:
    """Secrets with the tokens that a pod's runner takes, or is to take."""

    pod_uid: PodUID
    source: TokenSource
    purposes: frozenset[TokenPurpose] = frozenset(TokenPurpose)

    def together(self, before: "PodTokens | None") -> "PodTokens":
        """Return these, and those of the same tokens that were made before."""
        if before is None or (before.pod_uid, before.source) != (self.pod_uid, self.source):
            return self
        return replace(self, purposes=self.purposes | before.purposes)


class SealedKind(StrEnum):
    """The kinds of objects that bear a seal, because they may outlive their session."""

    POD = "Pod"
    PVC = "PersistentVolumeClaim"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What the operator set down about an object when it made it; `core.objects.seal` makes it unforgeable."""

    key_id: KeyID
    """ The key that it is made with; with that key it ends. """
    session_uid: SessionUID
    quota: str
    memory: int = 0
    """ Bytes: the pod's memory limit; of a claim 0. """
    storage: int = 0
    """ Bytes: the claim's size; of a pod 0. """


class PodPhase(StrEnum):
    """A pod's phase, spelled as in the API."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, kw_only=True)
class PodFacts:
    """What the core needs to know of a pod; `core.objects.facts.pod_facts` reads it from the JSON."""

    name: str
    uid: PodUID
    owner_uid: SessionUID | None
    """ UID of the session that is its controller; None: it has no controller, or another kind of one. """
    phase: PodPhase
    created: datetime
    deletion: datetime | None = None
    """ When it was deleted, while the object still exists. """
    grace: timedelta = timedelta()  # to end, after its deletion
    ip: str | None = None
    node: str | None = None
    image: str | None = None
    scheduled: bool | None = None
    """ The PodScheduled condition; None: the scheduler has not set it yet. """
    scheduled_reason: str = ""
    scheduled_message: str = ""
    ready: bool = False
    started: datetime | None = None
    """ When the runner's container started, even if it has ended since; None: it never did. """
    ran: bool = False
    """ The runner ran in this pod at some time, or may have. """
    finished: datetime | None = None
    exit_code: int | None = None
    exit_reason: str = ""
    """ The kubelet's reason for the container's end: OOMKilled, Error, Completed … """
    termination_message: str = ""
    """ The termination message, redacted. """
    waiting_reason: str = ""
    """ Why the container waits: ImagePullBackOff, CreateContainerConfigError … """
    waiting_message: str = ""
    pod_reason: str = ""
    """ status.reason of the pod: Evicted, Preempting, NodeLost … """
    pod_message: str = ""
    host_users: bool = True
    """ False: it is to have a user namespace of its own. """
    seccomp_profile: str | None = None
    """ The file on the node that the runner's container is to run under. """
    memory: int = 0
    """ Bytes that it counts in its quota (`core.objects.pod_memory`); 0 without a seal. """
    disrupted: bool = False
    """ The DisruptionTarget condition is true. """
    disruption: str = ""  # its reason
    unready_by_node: bool = False  # the node controller has taken its readiness away
    finalizers: tuple[str, ...] = ()
    restart_at: str | None = None
    """ The restart request that this pod was created for (its annotation). """
    relink_at: str | None = None
    key_id: KeyID | None = None
    seal: Seal | None = None
    """ What its seal says of it, if that names its owner; None: the operator did not make it, or an older one did. """
    managed: bool = False
    """ It carries the operator's managed-by label. """
    secret_name: str | None = None
    """ The Secret that it mounts. """
    renewal: str | None = None
    """ The renewal that this Secret is of, empty for none; None: it holds plain tokens, as those did before. """
    template_hash: str = ""
    """ The hash of the manifest it was created from (`core.objects.pod.template_hash`). """

    @property
    def ended(self) -> bool:
        """Whether the runner's container has ended, or never will start in this pod."""
        return self.phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) or self.finished is not None


@dataclass(frozen=True, kw_only=True)
class PVCFacts:
    """What the core needs to know of a PersistentVolumeClaim for a profile."""

    name: str
    ours: bool
    """ It carries our labels for this session; else it only has the same name. """
    owners: tuple[Mapping[str, Any], ...] = ()
    """ Its owner references, whole: a patch replaces the list, and others' references must stay in it. """
    resource_version: str = ""
    """ Sent with the patch, so that the API server rejects it if somebody changed the PVC meanwhile. """
    requested: int = 0
    """ spec.resources.requests.storage, bytes. """
    deletion: datetime | None = None
    phase: str = ""
    """ Pending until a volume is found or provisioned, then Bound; Lost when its volume is gone. """
    resize_fault: str = ""
    """ Why the storage did not grow it although the API server accepted the new size; empty: no error. """
    resizing: bool = False
    """ A resize is under way, maybe a retry after an error that is not reported any more. """
    stop_mark: str = ""
    """ Under what recovery of its session has stopped (`core.session.marked_stop`); empty: it has not. """


@dataclass(frozen=True, kw_only=True)
class ExistingClaim:
    """What the core needs to know of the claim that `spec.profile.existingClaim` names."""

    name: str
    exists: bool
    released: bool = False
    """ Its owner has labelled it for sessions. """
    made_for: str | None = None
    """ The session that the operator made it for; None: somebody else made it. """
    terminating: bool = False


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """What the core needs to know of the namespace's Service."""

    ours: bool


@dataclass(frozen=True, kw_only=True)
class NetworkPolicyFacts:
    """What the core needs to know of the namespace's NetworkPolicy."""

    ours: bool
    spec: Mapping[str, Any] = field(default_factory=dict)
    resource_version: str = ""
    """ Sent with a patch, so that the API server rejects it if somebody changed the policy meanwhile. """


@dataclass(frozen=True, kw_only=True)
class AccountHash:
    """Whose account is linked, in a form that tells nobody the number (`core.objects.account_hash`)."""

    key_id: KeyID
    """ The key that it is made with: only hashes of one key can be compared. """
    digest: str


@dataclass(frozen=True, kw_only=True)
class RunnerReport:
    """The last valid answer of a pod's runner. `state` may be one that this version does not know."""

    session_uid: SessionUID
    pod_uid: PodUID
    revision: int
    state: str
    reason: str
    message: str
    since: datetime | None
    """ Since when the operator has heard this state, by its own clock; None: the runner does not say since when it is. """
    linked_time: datetime | None
    durable_time: datetime | None
    round: int
    linked: bool | None = None
    """ Whether a phone is linked, as the runner reports it; None: it does not. """
    logout_time: datetime | None = None
    """ When the last link ended; None: it has not, or it is not known. """
    logout_reason: str | None = None
    """ Why it ended, in one word (`session_protocol.logouts`). """
    browser_sandbox: bool | None = None
    """ Whether the page's process is in a sandbox of its own, as the runner reports it; None: it does not (yet). """
    user_namespace: bool | None = None
    """ Whether the pod has a user namespace of its own; None: the runner does not report it (yet). """
    browser_version: str | None = None
    """ The version of its browser; None: it does not report it (yet). """
    account: AccountHash | None = None
    """ The linked account; None: it is not known, or there is none. """
    account_expected: bool | None = None
    """ Whether it is the one that the session's Secret names, as the runner reports it; None: it names none, say. """
    received: datetime
    """ When the operator received this answer, by its own clock. """


class Rejection(StrEnum):
    """Why an answer of a runner does not count; a metric's label values."""

    TOO_LARGE = "too_large"
    INVALID_HTTP = "invalid_http"
    STATUS = "status"
    INVALID_STATE = "invalid_state"
    UNSIGNED = "unsigned"
    OTHER_POD = "other_pod"


@dataclass(frozen=True, kw_only=True)
class AssumedReservation:
    """A reservation given by an admission round and kept in memory until it is in status (kube-scheduler's assume)."""

    session_uid: SessionUID
    quota_name: str
    memory: int
    """ Bytes: the pod's memory limit. """
    storage: int | None = None
    """ Bytes: the claim's size; None: the quota does not limit storage. """
    reserved_at: datetime


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why the last admission round did not admit this session."""

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Observation:
    """Everything one decision may look at."""

    session: WhatsAppSession
    now: datetime
    pods: tuple[PodFacts, ...] = ()
    """ Pods of this namespace that carry the session's UID as owner, its UID label, or its pod's name. """
    pods_since_status: tuple[PodUID, ...] = ()
    """ The session's pods that were created after the one in status, oldest first, even if deleted since; only those
    that this operator has seen. Two may be created and deleted between two writes of status. """
    unstarted: Mapping[PodUID, datetime] = field(default_factory=dict)
    """ Those of the last pods that were not seen to run and not ended by us, with the times at which they were seen. """
    pvc: PVCFacts | None = None
    """ The PVC of the derived name, ours or not. None also when `existingClaim` is used. """
    existing_claim: ExistingClaim | None = None
    """ The claim that `existingClaim` names; None also before it was read. """
    service: ServiceFacts | None = None
    network_policy: NetworkPolicyFacts | None = None
    report: RunnerReport | None = None
    """ The last answer of the current pod's runner or, while there is no pod, of the last one's. It counts even if the
    pod was gone before the answer, or the pod itself, was stored in status. """
    polling_since: datetime | None = None
    """ When this operator began to poll the current pod's runner; None: not yet. Silence is counted from this or, if
    later, from the last answer, so that a restart of the operator does not look like a silent runner. """
    rejection: Rejection | None = None
    """ Why the runner's answers do not count, if it answers and none of them does. """
    assumed: AssumedReservation | None = None
    refusal: Refusal | None = None
    failed_calls: tuple[FailedCall, ...] = ()
    """ The calls for this session, and for what it shares with its namespace, that failed and have not succeeded since. """
    pod_security: bool | None = None
    """ Whether the namespace enforces a Pod Security Standard; None: not known. """
    secrets_made: frozenset[str] = frozenset()
    """ The names of the Secrets that this process has created for the session. """
    tokens_made: PodTokens | None = None
    """ The Secrets with tokens that this process has created last. """
    secrets_checked: PodUID | None = None  # this process has made its Secrets once more, because it did not start
    tokens_renewed: TokenSource | None = None
    """ This process has told the current pod's runner of these tokens, and it takes them. """
    takes_settings: bool | None = None
    """ Whether the current pod's runner goes by all of the session's settings, once brought; None: not known yet. """
    storage_limited: bool = False
    """ The session's quota limits storage. """
    renew_at: datetime | None = None
    """ When the pod is to be replaced because its key ends; None: its key is the current one. """
    lost_key: KeyID | None = None
    """ The key of the pod's tokens, if it is gone: nobody can ask that runner any more. """
    namespace_refused: bool = False
    """ The kubelet's events say that the present pod cannot have a user namespace. """
    probe_kill: ProbeKill | None = None
    """ What its events say of a container that it ended. """
    recovery_paused: str | None = None
    """ Why recovery is paused for this session; None: it is not. """


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What people may choose for a pod, by the operator's settings. Empty: what `core.objects.allowed` says."""

    images: tuple[str, ...] = ()
    priority_classes: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    """ Keys, or beginnings of keys that end with '/'; they count for labels of an injector, too. """


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """The operator's settings that apply to every session's pod."""

    runner_image: str
    page_url: str = WHATSAPP_WEB_URL
    allowed_hosts: str = WHATSAPP_HOSTS
    key_id: KeyID = KeyID("")
    """ The key from which the tokens of new pods are derived. """
    extra_ca: str = ""
    """ PEM text; empty: none. """
    image_pull_policy: str = "IfNotPresent"
    log_level: str = "info"
    run_as_user: int = 10001
    allowed: Allowed = Allowed()
    metrics_need_token: bool = False
    """ Whether a runner's metrics need a token. """
    network: RunnerNetwork | None = None
    """ What each namespace's NetworkPolicy allows; None: the operator makes none. """
    webhook_destinations: tuple[Egress, ...] = ()
    """ Where webhooks may go beside public addresses on port 443. """
    browser_sandbox: bool = False
    """ Chromium's own sandbox, with the seccomp profile below. """
    browser_seccomp_profile: str = ""
    """ Its path below the seccomp folder of the kubelet. """
    user_namespaces: bool = False
    """ Pods have user namespaces of their own. """
    pod_start_timeout: timedelta = timedelta(minutes=10)
    """ After this time in which a pod was told why it cannot run, its session gives its reservation back. """
