"""Several operators in one cluster: which namespaces and quotas belong to this one.

The label `wasession.dev/instance` on a namespace or a quota gives it to the operator of that INSTANCE; without the
label it belongs to the operator without one. So a second operator can watch a namespace of its own while the
cluster's operator leaves that namespace alone, and neither writes what the other wrote. WATCH_NAMESPACES narrows this
further.

A namespace's labels are read when a session is first seen in it and again at each resync. They rarely change, and a watch
on all namespaces would need one more right and one more stream.
"""

from collections.abc import Collection

from whatsapp_operator.core.objects import ownership
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import NotFound
from whatsapp_operator.runtime.kube.resources import NAMESPACES, Json


class Instance:
    """This operator's part of the cluster."""

    def __init__(self, *, kube: Kube, name: str, namespaces: Collection[str]) -> None:
        self._kube = kube
        self._name = name
        """ Empty: the operator without an instance name. """
        self.namespaces = tuple(sorted(namespaces))
        """ Empty: all. """
        self._ours: dict[str, bool] = {}
        self._enforces: dict[str, bool] = {}
        """ Whether a namespace enforces a Pod Security Standard. """

    @property
    def scopes(self) -> tuple[str | None, ...]:
        """Where to list namespaced objects: each namespace, or None for the whole cluster."""
        return self.namespaces or (None,)

    def owns(self, obj: Json) -> bool:
        """Whether a labelled object (a namespace, a quota) is this operator's."""
        return ownership.instance(obj) == self._name

    async def serves(self, namespace: str) -> bool:
        """Whether the sessions of a namespace are this operator's."""
        if self.namespaces and namespace not in self.namespaces:
            return False
        if namespace not in self._ours:
            try:
                found = await self._kube.get(NAMESPACES, namespace=None, name=namespace)
            except NotFound:  # it is being deleted, and its sessions with it
                return False
            self._ours[namespace] = self.owns(found)
            self._enforces[namespace] = ownership.enforces_pod_security(found)
        return self._ours[namespace]

    def known(self, namespace: str) -> bool:
        """Whether the namespace is known to be this operator's, without a request."""
        return self._ours.get(namespace, False)

    def enforces_pod_security(self, namespace: str) -> bool | None:
        """Whether the namespace enforces a Pod Security Standard, as of the last look; None: it was not looked at."""
        return self._enforces.get(namespace)

    async def refresh(self) -> None:
        """Read all namespaces' labels again."""
        listing = await self._kube.list(NAMESPACES)
        self._ours = {obj["metadata"]["name"]: self.owns(obj) for obj in listing.objects}
        self._enforces = {
            obj["metadata"]["name"]: ownership.enforces_pod_security(obj)
            for obj in listing.objects
            if self._ours[obj["metadata"]["name"]]
        }
        if self.namespaces:
            self._ours = {name: ours and name in self.namespaces for name, ours in self._ours.items()}
