"""The kinds of objects the operator deals with, and their paths in the API.

One `Resource` per kind, used by the client for paths, by the store for keys and by the app for its watches.
"""

from typing import Any, Final, NamedTuple
from urllib.parse import quote

from whatsapp_operator.api.constants import GROUP, QUOTA_PLURAL, SESSION_PLURAL, VERSION
from whatsapp_operator.api.metadata import ObjectKey


class Resource(NamedTuple):
    """One kind of object."""

    group: str
    """ Empty for the core group. """
    version: str
    plural: str
    namespaced: bool = True

    def path(self, *, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the URL path of the collection, of one object, or of a part of it."""
        parts = ["", "apis", self.group, self.version] if self.group else ["", "api", self.version]
        if namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name is not None:
            parts.append(quote(name, safe=""))
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


SESSIONS: Final = Resource(GROUP, VERSION, SESSION_PLURAL)
QUOTAS: Final = Resource(GROUP, VERSION, QUOTA_PLURAL, namespaced=False)
PODS: Final = Resource("", "v1", "pods")
PVCS: Final = Resource("", "v1", "persistentvolumeclaims")
SERVICES: Final = Resource("", "v1", "services")
NETWORK_POLICIES: Final = Resource("networking.k8s.io", "v1", "networkpolicies")
SECRETS: Final = Resource("", "v1", "secrets")
NAMESPACES: Final = Resource("", "v1", "namespaces", namespaced=False)
EVENTS: Final = Resource("events.k8s.io", "v1", "events")
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases")

Json = dict[str, Any]
""" An object as the API server sends it. """


def key_of(obj: Json) -> ObjectKey:
    """Return which object this is."""
    metadata = obj["metadata"]
    return ObjectKey(metadata.get("namespace", ""), metadata["name"])


def uid_of(obj: Json) -> str:
    """Return the object's UID."""
    return str(obj["metadata"].get("uid", ""))


def version_of(obj: Json) -> int:
    """Return the object's resourceVersion as a number: the greater is the newer (see `store` for where that holds)."""
    return int(obj["metadata"].get("resourceVersion") or 0)
