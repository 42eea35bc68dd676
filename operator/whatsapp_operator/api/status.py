"""What the operator reports about a session: `status`. People and tools read it; only the operator writes it.

Read back with `SessionStatus.from_stored`, it never fails: a field that cannot be used counts as absent. The QR code
and the phone number are never in it, and neither is any text that could have them.
"""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from session_protocol.answers import BROWSER_VERSION
from session_protocol.phone_number_id import PHONE_NUMBER_ID
from session_protocol.states import STATES, OperatorState, Phase
from session_protocol.vocabulary import CAMEL_CASE

from whatsapp_operator.api.base import DEFAULT_KEY, STORED, StatusModel
from whatsapp_operator.api.conditions import Condition, Conditions
from whatsapp_operator.api.fields import Count, Int64, StoredMemory, StoredStorage, Time
from whatsapp_operator.api.requests import HandledRequests

NOT_OBSERVED: Final = -1
""" The observed generation of what nobody has observed, by a convention of kstatus; read, it counts as absent. """

ConditionList = Annotated[
    Conditions,
    Field(
        max_length=32,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


class ConditionedStatus(StatusModel):
    """What the status of both kinds has."""

    observed_generation: Int64 | None = None
    """The metadata.generation that this status answers."""
    conditions: ConditionList = ()
    """What holds and what does not, each with its reason."""

    @field_validator("conditions", mode="before")
    @classmethod
    def _usable(cls, value: object, info: ValidationInfo) -> object:
        if info.context != STORED or not isinstance(value, list):
            return value
        return tuple(condition for item in value if (condition := _condition(item)) is not None)


def _condition(item: object) -> Condition | None:
    try:
        return Condition.model_validate(item, context=STORED)
    except ValidationError:  # a condition without type or status says nothing; the operator writes it anew
        return None


def _state_description() -> str:
    """Return what `kubectl explain` shows of the state: all values, as the table of states has them now."""
    connected = " or ".join(state for state, traits in STATES.items() if traits.phase is Phase.CONNECTED)
    return (
        f"What the session is doing, in one word. Reported by the runner: {', '.join(STATES)}. By the operator, while no "
        f"runner answers: {', '.join(OperatorState)}. More may be added; any but {connected} means not connected."
    )


class LinkStatus(StatusModel):
    """How the session is linked. Never the QR code, never the number."""

    linked_time: Time | None = None
    """When the phone was linked."""
    durable_time: Time | None = None
    """From when on the login is safe on the volume, so that a lost pod comes back without a new QR code: a minute
    after linking, which is known in advance, or at a clean stop before that."""
    round: Count | None = None
    """Which round of QR codes is or was shown, from 1; spec.link.maxRounds is the last."""
    account_hash: Annotated[str | None, Field(pattern="^[0-9a-f]{16}$")] = None
    """Whose account is linked, as a keyed hash: equal for equal accounts in all namespaces of one operator, as long as
    accountKeyID is equal, too. The number itself is shown by `kubectl whatsapp account`."""
    account_key_id: Annotated[str | None, Field(max_length=253)] = None
    """The operator's key that the hash was made with. After a rotation a session that runs gets another hash within a
    minute, one that does not run keeps its own until it does."""
    logout_time: Time | None = None
    """When the session was logged out last; the condition Linked says why. Both stay until a phone is linked again."""
    expired_time: Time | None = None
    """When all rounds of QR codes had passed unused. From then on the session has neither pod nor reservation, until a person
    asks by the annotation wasession.dev/relink-at, or suspends and resumes it; then this is absent again."""


class AdmissionStatus(StatusModel):
    """The session's reservation in its quota, written before the pod is created and removed when the pod is gone."""

    quota_name: Annotated[str, Field(max_length=253, pattern="^[a-z0-9][-.a-z0-9]*$")]
    """The WhatsAppSessionQuota that it counts against."""
    reserved_at: Time | None = None
    """When it was reserved."""
    memory: StoredMemory | None = None
    """The memory reserved: the pod's memory limit, and once there is a pod all that it may take, with what a mesh or a
    webhook added to it."""
    storage: StoredStorage | None = None
    """The storage reserved: the size of the volume claim. Absent where the quota does not limit storage."""


class RequeueStatus(StatusModel):
    """Why the session waits outside of its quota: its pod never ran. Absent once a pod runs, and after an edit."""

    count: Count = 0
    """How many times in a row it gave its reservation back because its pod did not run."""
    requeue_at: Time | None = None
    """From when on it may be admitted again. In the order of admission it counts instead of the time of creation."""
    reason: Annotated[str, Field(max_length=1024)] | None = None
    """Why the last pod did not run, in one word for programs, such as ImagePullBackOff or Unschedulable."""
    message: Annotated[str, Field(max_length=32768)] | None = None
    """Why the last pod did not run, in the words of the scheduler, the kubelet or the API server."""
    requests: HandledRequests | None = None
    """The requests by annotation at that time; a new one ends the wait."""


class LastFailure(StatusModel):
    """How the last pod failed."""

    reason: str | None = None
    """Why, in one word for programs: the runner's own reason such as PageCrashed, or the kubelet's such as OOMKilled."""
    pod_uid: str | None = None
    """The UID of the pod that failed; by it a failure is counted once."""
    exit_code: Annotated[int, Field(json_schema_extra={"format": "int32"})] | None = None
    """The runner's exit code, if its container ended."""
    time: Time | None = None
    """When the container ended, or the runner reported that its page was dead."""
    message: Annotated[str, Field(max_length=32768)] | None = None
    """The runner's termination message, without secrets and numbers."""
    image: str | None = None
    """The runner's image in the pod that failed."""
    template_hash: Annotated[str, Field(max_length=64)] | None = None
    """What the pod was made from, as a hash. When the next pod is made from something else, such as another image,
    failures are counted anew."""


class RecoveryStatus(StatusModel):
    """What failed and what comes next."""

    consecutive_failures: Count = 0
    """Failures in a row, as they count for spec.recovery.maxAttempts."""
    failed_starts: Count | None = None
    """Pods in a row that ended before they ever ran, through no fault of the session: refused by a node, deleted by
    somebody, or ended by a profile or a sandbox with which no browser may run. The wait for the next one grows with it;
    it never stalls the session."""
    last_failure: LastFailure | None = None
    """How the last pod failed; kept after a recovery."""
    next_attempt_time: Time | None = None
    """When the next pod is created, while the session waits for it."""
    restarts: Count = 0
    """Pods created after the first, for whatever reason."""


class TokenSecrets(StatusModel):
    """The Secrets with the tokens for more than observing; absent for a pod whose one Secret holds all tokens."""

    linking: str | None = None
    """The Secret with the tokens of the scopes link and state: whoever may read it can link a phone."""
    messaging: str | None = None
    """The Secret with the token of the scope send, for programs that send and receive messages. Absent until the session's
    next pod, or the next renewal of its tokens, where an older operator made its pod."""
    reading: str | None = None
    """The Secret with the token of the scope read, for programs that read chats, contacts, messages and events, and change
    nothing. Absent until the session's next pod, or the next renewal of its tokens, where an older operator made its pod."""
    administering: str | None = None
    """The Secret with the token of the scope admin, which opens every route for clients."""


class SessionStatus(ConditionedStatus):
    """What the session is."""

    # The API server writes this until the operator does: what reads statuses (kstatus, Flux, kubectl wait) takes an object
    # without a status for done, and expressions about one find no `status` at all.
    model_config = ConfigDict(json_schema_extra={DEFAULT_KEY: True, "default": {"observedGeneration": NOT_OBSERVED}})

    observed_generation: Annotated[Int64 | None, Field(json_schema_extra={"minimum": NOT_OBSERVED})] = None
    """The metadata.generation that this status answers; -1 before the operator has seen the session."""
    state: Annotated[
        Annotated[str, Field(pattern=CAMEL_CASE)] | None,
        Field(json_schema_extra=lambda schema: schema.update(description=_state_description())),
    ] = None
    state_transition_time: Time | None = None
    """When the state became what it is; absent where an older operator wrote the state."""
    pod_name: str | None = None
    """The session's pod; it has the session's name."""
    pod_uid: str | None = None
    """The UID of the session's pod, or of the last one when replicas is 0."""
    pvc_name: str | None = None
    """The PersistentVolumeClaim with the browser's profile."""
    node_name: str | None = None
    """The node that the pod runs on."""
    image: str | None = None
    """The runner's image in the pod."""
    browser_version: Annotated[str, Field(pattern=BROWSER_VERSION)] | None = None
    """The version of the browser in the pod, as its runner reports it."""
    token_secret_name: str | None = None
    """The Secret for observing: its key state is the token that reads the session's state from the runner's API."""
    token_secrets: TokenSecrets | None = None
    """The Secrets with tokens for more than observing. All names change when the tokens do."""
    endpoint: str | None = None
    """The address of the runner's API inside the cluster; its routes need a token."""
    phone_number_id: Annotated[str, Field(pattern=PHONE_NUMBER_ID)] | None = None
    """The id by which clients of the Cloud API name the session: 15 digits of a hash of its namespace and name, and no phone
    number."""
    replicas: Count = 0
    """1 while a pod object exists, else 0; for the scale subresource."""
    selector: str | None = None
    """The label selector of the session's pod; for the scale subresource."""
    link: LinkStatus | None = None
    """How the session is linked."""
    admission: AdmissionStatus | None = None
    """The session's reservation in its quota."""
    requeue: RequeueStatus | None = None
    """Why it gave its reservation back without ever having run, and when it may be admitted again."""
    recovery: RecoveryStatus | None = None
    """What failed and what comes next."""
    handled_requests: HandledRequests = HandledRequests()
    """Which requests by annotation were carried out, by their values."""
