"""The part of an object's metadata that the operator looks at."""

from typing import NamedTuple

from pydantic import Field

from whatsapp_operator.api.base import StatusModel
from whatsapp_operator.api.fields import Int64, Time


class ObjectKey(NamedTuple):
    """Namespace and name of an object. A name may be used again after a deletion, so identity is the UID, never this."""

    namespace: str
    """Empty for a cluster-scoped object."""
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def log_fields(self) -> dict[str, str]:
        """The fields of a log line about a session of this key."""
        return {"session": self.name, "namespace": self.namespace}


class OwnerReference(StatusModel):
    """An object that this one goes with."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(StatusModel):
    """Metadata as the API server serves it; what a test leaves out has an empty value."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: Int64 = 0
    resource_version: str = ""
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.namespace, self.name)
