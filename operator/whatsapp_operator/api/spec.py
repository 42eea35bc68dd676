"""What a person writes about a session: `spec`, block by block, with the rules that the API server holds it to.

Each default here is the one in effect. Those marked STORED_DEFAULT the API server writes into the object; the others
the operator fills in when it reads (see `base`).
"""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from whatsapp_operator.api.base import STORED_DEFAULT, Delay, Duration, Int32, SpecModel, VolumeSize
from whatsapp_operator.api.constants import MAX_QUOTA_NAME_LENGTH
from whatsapp_operator.api.pod_options import PodOptions, name_of
from whatsapp_operator.api.quantities import GI
from whatsapp_operator.api.resources import ResourcesSpec
from whatsapp_operator.api.rules import Rule, validations

DEFAULT_PROFILE_SIZE: Final = GI


class OperatingMode(StrEnum):
    """Whether the session should have a pod."""

    RUNNING = "Running"
    SUSPENDED = "Suspended"


class AccessMode(StrEnum):
    """Who may mount the profile at the same time."""

    READ_WRITE_ONCE_POD = "ReadWriteOncePod"
    READ_WRITE_ONCE = "ReadWriteOnce"


class Retention(StrEnum):
    """What happens to the profile when its session is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class LinkMethod(StrEnum):
    """How a phone is linked."""

    QR = "QR"
    PAIRING_CODE = "PairingCode"


class OnLogout(StrEnum):
    """What happens after the phone logged the session out."""

    RELINK = "Relink"
    WAIT = "Wait"


_EXCLUSIVE = Rule(
    "!has(self.existingClaim) || (!has(self.size) && !has(self.storageClassName))",
    "size and storageClassName are for a claim that the operator makes: remove them, or remove existingClaim",
    field=".existingClaim",
)
_NOT_OURS = Rule(
    "!has(self.existingClaim) || !has(self.retention) || self.retention != 'Delete'",
    "an existing claim is never deleted by the operator: remove retention, or remove existingClaim",
    field=".retention",
)


class ProfileSpec(SpecModel):
    """The volume with the browser's profile, which holds the login."""

    model_config = ConfigDict(json_schema_extra=validations(_EXCLUSIVE, _NOT_OURS))

    size: VolumeSize | None = None
    """The size of the volume; it may only grow, where the storage can. Default: 1Gi. Not together with
    existingClaim."""
    storage_class_name: Annotated[str, Field(max_length=253)] | None = None
    """The StorageClass that makes the volume; cannot be changed. Default: the cluster's default class. Empty means
    no class: a volume that somebody made by hand. Not together with existingClaim."""
    access_mode: AccessMode = AccessMode.READ_WRITE_ONCE_POD
    """ReadWriteOncePod, so that two browsers can never share a profile; ReadWriteOnce for storage drivers that do not
    know it. Cannot be changed. Means nothing with existingClaim."""
    retention: Retention = Retention.RETAIN
    """What happens to the volume claim when the session is deleted: Retain keeps it, and a session of the same name
    gets its login back; Delete deletes it with the session."""
    existing_claim: Annotated[str, name_of("a PersistentVolumeClaim")] | None = None
    """The name of a PersistentVolumeClaim in the same namespace to use instead of one that the operator makes. Cannot
    be changed."""

    @property
    def wanted_size(self) -> Decimal | None:
        """Bytes of the claim to make, or None when there is none to make."""
        if self.existing_claim is not None:
            return None
        return DEFAULT_PROFILE_SIZE if self.size is None else self.size


class LinkSpec(SpecModel):
    """How the session is linked to a phone."""

    method: LinkMethod = LinkMethod.QR
    """QR shows a code to scan; PairingCode is to show a code to type, and shows the QR code with a message until it
    is built."""
    max_rounds: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})] = 5
    """How many rounds of QR codes are shown before the session waits, in state LinkExpired, until somebody asks for a
    new link with the annotation wasession.dev/relink-at."""
    on_logout: OnLogout = OnLogout.RELINK
    """After a logout from the phone: Relink shows a new QR code, Wait does so only when somebody asks. After a ban or
    a locked account it always waits."""


class RecoverySpec(SpecModel):
    """What happens when the runner fails. A pod that is deleted, evicted or lost with its node is replaced at once."""

    max_attempts: Annotated[int, Field(ge=1, le=100, json_schema_extra={"format": "int32"})] = 5
    """How many failures in a row are answered with a new pod; the next one stalls the session until somebody asks for
    a restart with the annotation wasession.dev/restart-at, or changes the spec."""
    base_delay: Delay = timedelta(seconds=5)
    """How long to wait after the first failure, at most 5m; each further one doubles it, up to 5m."""
    healthy_after: Duration = timedelta(minutes=10)
    """After a pod has run this long without a break, linked or not, its failures are forgotten."""


class TimeoutsSpec(SpecModel):
    """How long the runner waits for the browser and the page before it gives up."""

    startup: Duration = timedelta(seconds=60)
    """From the container's start until the runner serves."""
    launch: Duration = timedelta(seconds=30)
    """For the browser to start."""
    protocol: Duration = timedelta(seconds=60)
    """For one command to the browser to be answered."""
    connection_check: Duration = timedelta(seconds=30)
    """For the page to tell its connection's state."""
    health_check: Duration = timedelta(seconds=45)
    """For a page that died or hangs to be noticed."""


def _given(owner: str, field: str) -> str:
    """CEL: this field of the profile is written."""
    return f"has({owner}.profile) && has({owner}.profile.{field})"


def _unchanged(field: str) -> str:
    """CEL: this field of the profile is as it was: neither added nor dropped nor changed."""
    new, old = _given("self", field), _given("oldSelf", field)
    return f"({new}) == ({old}) && (!({new}) || self.profile.{field} == oldSelf.profile.{field})"


def _in_effect(owner: str, field: str, default: str) -> str:
    """CEL: this field of the profile as a text, or its default; `orValue` would cost without bound."""
    return f"({_given(owner, field)} ? string({owner}.profile.{field}) : '{default}')"


_SIZE, _OLD_SIZE = (_in_effect(owner, "size", "1Gi") for owner in ("self", "oldSelf"))
_SHARED, _OLD_SHARED = (
    f"({_given(owner, 'accessMode')} && {owner}.profile.accessMode != 'ReadWriteOncePod')"
    for owner in ("self", "oldSelf")
)
_IMMUTABLE = (
    Rule(
        _unchanged("storageClassName"),
        "storageClassName cannot be changed: make a new session, or write back the old value",
        field=".profile.storageClassName",
    ),
    Rule(
        f"{_SHARED} == {_OLD_SHARED}",
        "accessMode cannot be changed: make a new session, or write back the old value",
        field=".profile.accessMode",
    ),
    Rule(
        _unchanged("existingClaim"),
        "existingClaim cannot be changed: make a new session, or write back the old value",
        field=".profile.existingClaim",
    ),
    Rule(
        f"!isQuantity({_SIZE}) || !isQuantity({_OLD_SIZE}) || quantity({_SIZE}).compareTo(quantity({_OLD_SIZE})) >= 0",
        "size may only grow: a volume cannot shrink",
        field=".profile.size",
        computed=f"'size may only grow: a volume cannot shrink, so write ' + {_OLD_SIZE} + ' or more'",
    ),
)


_ONE = Rule("self == 1", "a session has exactly one pod: to stop it set spec.operatingMode to Suspended")


class SessionSpec(SpecModel):
    """What the session should be."""

    model_config = ConfigDict(json_schema_extra=validations(*_IMMUTABLE))

    operating_mode: Annotated[OperatingMode, STORED_DEFAULT] = OperatingMode.RUNNING
    """Running gives the session a pod; Suspended takes the pod away, keeps the profile, and frees its place in the
    quota."""
    replicas: Annotated[
        int, Field(ge=1, le=1, json_schema_extra={"format": "int32", **validations(_ONE)}), STORED_DEFAULT
    ] = 1
    """Always 1. It exists for the scale subresource, by which one PodDisruptionBudget can stand for all sessions; to
    stop a session set operatingMode to Suspended."""
    quota_name: Annotated[str, name_of("a WhatsAppSessionQuota", longest=MAX_QUOTA_NAME_LENGTH), STORED_DEFAULT] = (
        "default"
    )
    """The WhatsAppSessionQuota that the session counts against. Cannot be changed while the session is admitted:
    suspend it first."""
    priority: Annotated[Int32, STORED_DEFAULT] = 0
    """Higher comes first when sessions wait for a place in the quota."""
    resources: ResourcesSpec = ResourcesSpec()
    """Memory and CPU of the session's pod. A change reaches the pod when it is made anew."""
    profile: ProfileSpec = ProfileSpec()
    """The volume with the browser's profile, which holds the login."""
    link: LinkSpec = LinkSpec()
    """How the session is linked to a phone."""
    recovery: RecoverySpec = RecoverySpec()
    """What happens when the runner fails."""
    timeouts: TimeoutsSpec = TimeoutsSpec()
    """How long the runner waits for the browser and the page before it gives up. A change reaches the pod when it is
    made anew."""
    pod: PodOptions = PodOptions()
    """What else the pod should have. A change reaches the pod when it is made anew."""
