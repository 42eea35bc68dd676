"""WhatsAppSession: the object as the operator holds it. The other modules import from here, not from the parts.

    session = WhatsAppSession.parse(stored)     # never fails on what the API server stored
    session.metadata, session.status            # always there; a status field that cannot be used counts as absent
    session.spec                                # raises InvalidObject when a spec field cannot be used
    session.problems                            # those fields, each with its reason; empty for a usable spec

The operator checks `problems` before it decides anything by the spec, and turns them into the condition Stalled. What
it holds of such a session (a pod, a reservation) still counts, because metadata and status are there.

In tests and code: `WhatsAppSession(metadata=ObjectMeta(name="sales", namespace="shop", uid="…"), spec=SessionSpec())`;
`session.with_status(…)` gives a copy.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, Field, ValidationError
from session_protocol.states import OperatorState
from session_protocol.vocabulary import LinkMethod, OnLogout

from whatsapp_operator.api.base import ApiModel
from whatsapp_operator.api.conditions import Condition, ConditionStatus, ConditionType, Reason
from whatsapp_operator.api.constants import API_VERSION, MAX_NAME_LENGTH, SESSION_KIND
from whatsapp_operator.api.invalid import InvalidObject, Problem, problems_of
from whatsapp_operator.api.metadata import ObjectKey, ObjectMeta, OwnerReference
from whatsapp_operator.api.pod_options import ImagePullSecret, PodOptions
from whatsapp_operator.api.profile import AccessMode, ProfileSpec, Retention
from whatsapp_operator.api.proxy import BrowserSpec, ProxySpec
from whatsapp_operator.api.requests import HandledRequests
from whatsapp_operator.api.resources import ResourceLimits, ResourceRequests, ResourcesSpec
from whatsapp_operator.api.rules import Rule, validations
from whatsapp_operator.api.spec import (
    LinkSpec,
    OperatingMode,
    RecoverySpec,
    SessionSpec,
    TimeoutsSpec,
)
from whatsapp_operator.api.status import (
    AdmissionStatus,
    LastFailure,
    LinkStatus,
    RecoveryStatus,
    RequeueStatus,
    SessionStatus,
    TokenSecrets,
)

_NAME = Rule(
    f"self.metadata.name.size() <= {MAX_NAME_LENGTH} && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    f"must be a DNS label of at most {MAX_NAME_LENGTH} characters: lower case letters, digits and '-', "
    "beginning and ending with a letter or digit, because it becomes a host name",
    field=".metadata.name",
)
_QUOTA = Rule(
    "!has(oldSelf.status) || !has(oldSelf.status.admission) || self.spec.quotaName == oldSelf.spec.quotaName",
    "quotaName cannot be changed while the session is admitted: set operatingMode to Suspended, wait until "
    "status.admission is gone, change it, and set operatingMode to Running",
    field=".spec.quotaName",
)


class WhatsAppSession(ApiModel):
    """One WhatsApp Web session, linked to a phone: a browser in a pod of its own, driven by a program, the runner."""

    model_config = ConfigDict(json_schema_extra=validations(_NAME, _QUOTA))

    metadata: ObjectMeta = ObjectMeta()
    stored_spec: SessionSpec | None = Field(alias="spec", default=SessionSpec(), exclude=True)
    """None when a field of it cannot be used; `problems` then says which. Read `spec`."""
    status: SessionStatus = SessionStatus()
    problems: tuple[Problem, ...] = ()

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Self:
        """Read an object of the API server; it never fails, see the module's docstring."""
        spec: SessionSpec | None = None
        problems: tuple[Problem, ...] = ()
        try:
            spec = SessionSpec.model_validate(stored.get("spec") or {})
        except ValidationError as error:
            problems = problems_of(error, under="spec")
        return cls(
            metadata=ObjectMeta.from_stored(stored.get("metadata")),
            spec=spec,
            status=SessionStatus.from_stored(stored.get("status")),
            problems=problems,
        )

    @property
    def spec(self) -> SessionSpec:
        """What the session should be.

        :raises InvalidObject: a field of the stored spec cannot be used.
        """
        if self.stored_spec is None:
            raise InvalidObject(self.problems)
        return self.stored_spec

    @property
    def key(self) -> ObjectKey:
        """Namespace and name; identity is `metadata.uid`."""
        return self.metadata.key

    @property
    def is_edited(self) -> bool:
        """Whether the spec was changed since the status was written."""
        return self.status.observed_generation not in (None, self.metadata.generation)

    def with_status(self, status: SessionStatus) -> Self:
        """Return the same session with another status."""
        return self.model_copy(update={"status": status})

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest, with the defaults in effect written out; an unusable spec is left out."""
        manifest: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": SESSION_KIND,
            "metadata": self.metadata.to_dict(),
        }
        if self.stored_spec is not None:
            manifest["spec"] = self.stored_spec.to_dict()
        return manifest | {"status": self.status.to_dict()}


__all__ = [
    "AccessMode",
    "AdmissionStatus",
    "BrowserSpec",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "HandledRequests",
    "ImagePullSecret",
    "InvalidObject",
    "LastFailure",
    "LinkMethod",
    "LinkSpec",
    "LinkStatus",
    "ObjectKey",
    "ObjectMeta",
    "OnLogout",
    "OperatingMode",
    "OperatorState",
    "OwnerReference",
    "PodOptions",
    "Problem",
    "ProfileSpec",
    "ProxySpec",
    "Reason",
    "RecoverySpec",
    "RecoveryStatus",
    "RequeueStatus",
    "ResourceLimits",
    "ResourceRequests",
    "ResourcesSpec",
    "Retention",
    "SessionSpec",
    "SessionStatus",
    "TimeoutsSpec",
    "TokenSecrets",
    "WhatsAppSession",
]
