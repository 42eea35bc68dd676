"""WhatsAppSessionQuota: how many sessions may run, and how much memory they may take. Cluster-scoped.

Reading it follows the same promises as a session's (see `session`): `parse` never fails, `spec` raises InvalidObject
for a stored value that cannot be used. Nobody is admitted by a quota that cannot be read.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, ValidationError

from whatsapp_operator.api.base import ApiModel, SpecModel, StatusModel
from whatsapp_operator.api.constants import API_VERSION, MAX_QUOTA_NAME_LENGTH, QUOTA_KIND
from whatsapp_operator.api.fields import Count, QuotaMemory, QuotaStorage, StoredMemory, StoredStorage, Time
from whatsapp_operator.api.invalid import InvalidObject, Problem, problems_of
from whatsapp_operator.api.metadata import ObjectMeta
from whatsapp_operator.api.rules import Rule, validations
from whatsapp_operator.api.status import ConditionedStatus

MOST_NOT_RUNNING: Final = 10
""" Sessions that a quota's status names. """
_NAME = Rule(
    f"self.metadata.name.size() <= {MAX_QUOTA_NAME_LENGTH}",
    f"must have at most {MAX_QUOTA_NAME_LENGTH} characters, because it becomes the value of a label: choose a shorter one",
    field=".metadata.name",
)


class QuotaSpec(SpecModel):
    """How much the sessions that name this quota may take together. Lowering a limit stops no admitted session."""

    sessions: Count | None = None
    """How many sessions may be admitted at the same time. 0 admits none; absent is unlimited."""
    memory: QuotaMemory | None = None
    """The sum of the pods' memory limits, at least 256Mi, containers that a mesh or a webhook adds to them included. Absent is
    unlimited."""
    storage: QuotaStorage | None = None
    """The sum of the sizes of the volume claims that the operator makes, including those of sessions that were suspended or
    deleted: delete such a claim to free its share. Absent is unlimited."""
    sessions_per_namespace: Count | None = None
    """How many sessions of one namespace may be admitted at the same time. 0 admits none; absent is unlimited."""


class NotRunningSession(StatusModel):
    """An admitted session without a running pod."""

    namespace: str = ""
    """Its namespace."""
    name: str = ""
    """Its name."""
    since: Time | None = None
    """Since when it has been admitted without a running pod."""
    reason: Annotated[str, Field(max_length=1024)] | None = None
    """Why, in one word: the reason of its condition Ready."""


class QuotaStatus(ConditionedStatus):
    """What the sessions that name this quota take now."""

    admitted: Count = 0
    """Admitted sessions, including those whose pod is still terminating."""
    waiting: Count = 0
    """Sessions that wait to be admitted, including those that wait because their pod did not run."""
    memory_reserved: StoredMemory | None = None
    """The sum of what the admitted sessions reserve: their pods' memory limits, and what others added to their pods."""
    storage_reserved: StoredStorage | None = None
    """The sum of the sizes of the volume claims that count; only where spec.storage is set."""
    not_running: Count | None = None
    """How many admitted sessions have had no running pod for more than a minute; absent while all run."""
    not_running_sessions: Annotated[
        tuple[NotRunningSession, ...] | None,
        Field(max_length=MOST_NOT_RUNNING, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = None
    """Those of them that have been so for longest, ten at most."""


class WhatsAppSessionQuota(ApiModel):
    """How many WhatsApp Web sessions may run, and how much memory they may take."""

    model_config = ConfigDict(json_schema_extra=validations(_NAME))

    metadata: ObjectMeta = ObjectMeta()
    stored_spec: QuotaSpec | None = Field(alias="spec", default=QuotaSpec(), exclude=True)
    """None when a field of it cannot be used; `problems` then says which. Read `spec`."""
    status: QuotaStatus = QuotaStatus()
    problems: tuple[Problem, ...] = ()

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Self:
        """Read an object of the API server; it never fails, see `session`."""
        spec: QuotaSpec | None = None
        problems: tuple[Problem, ...] = ()
        try:
            spec = QuotaSpec.model_validate(stored.get("spec") or {})
        except ValidationError as error:
            problems = problems_of(error, under="spec")
        return cls(
            metadata=ObjectMeta.from_stored(stored.get("metadata")),
            spec=spec,
            status=QuotaStatus.from_stored(stored.get("status")),
            problems=problems,
        )

    @property
    def spec(self) -> QuotaSpec:
        """The limits.

        :raises InvalidObject: a field of the stored spec cannot be used.
        """
        if self.stored_spec is None:
            raise InvalidObject(self.problems)
        return self.stored_spec

    @property
    def name(self) -> str:
        """The quota's name; it has no namespace."""
        return self.metadata.name

    def with_status(self, status: QuotaStatus) -> Self:
        """Return the same quota with another status."""
        return self.model_copy(update={"status": status})

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest; an unusable spec is left out."""
        manifest: dict[str, Any] = {"apiVersion": API_VERSION, "kind": QUOTA_KIND, "metadata": self.metadata.to_dict()}
        if self.stored_spec is not None:
            manifest["spec"] = self.stored_spec.to_dict()
        return manifest | {"status": self.status.to_dict()}


__all__ = ["InvalidObject", "QuotaSpec", "QuotaStatus", "WhatsAppSessionQuota"]
