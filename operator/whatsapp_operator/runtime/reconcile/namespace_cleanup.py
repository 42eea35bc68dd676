"""Deletes what all sessions of a namespace share, after the namespace's last session: Service and NetworkPolicy.

A session's decision creates them, like the other objects, but a deleted session is not decided on any more. So this is
called whenever a session is found to be gone, and after each resync, for deletions that no watch reported. A policy
stays as long as a pod does, which may end minutes after its session; without network policies it goes at once.

A deletion that is refused or fails is tried again less and less often, and keeps no other from being made.
"""

import logging
from collections.abc import Callable
from typing import Final

from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.core.objects.facts import network_policy_facts, service_facts
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, KubeError, NotFound
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.owners import in_namespace
from whatsapp_operator.runtime.kube.resources import (
    NETWORK_POLICIES,
    PODS,
    SERVICES,
    SESSIONS,
    Json,
    Resource,
    uid_of,
    version_of,
)
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.reconcile.failed_calls import CallRecords

logger = logging.getLogger(__name__)

_IS_OURS: Final[dict[Resource, Callable[[Json], bool]]] = {
    SERVICES: lambda service: service_facts(service).ours,
    NETWORK_POLICIES: lambda policy: network_policy_facts(policy).ours,
}


class NamespaceCleanup:
    """Deletes the Services and NetworkPolicies that no session needs."""

    def __init__(
        self, *, kube: Kube, store: Store, instance: Instance, records: CallRecords, network_policies: bool
    ) -> None:
        self._kube = kube
        self._store = store
        self._instance = instance
        self._records = records
        self._network_policies = network_policies
        """ Whether the operator makes policies; if not, those that it made before are needed by nobody. """

    async def delete_unneeded(self, namespace: str) -> None:
        """Delete the namespace's Service and NetworkPolicy if they are ours and not needed."""
        if not self._store.keys_by_index(SESSIONS, in_namespace(namespace)):
            await self._delete(SERVICES, ObjectKey(namespace, SERVICE_NAME))
            if not any(found.namespace == namespace for found in self._store.keys(PODS)):
                await self._delete(NETWORK_POLICIES, ObjectKey(namespace, NETWORK_POLICY_NAME))
        if not self._network_policies:
            await self._delete(NETWORK_POLICIES, ObjectKey(namespace, NETWORK_POLICY_NAME))

    async def delete_all_unneeded(self) -> None:
        """Delete those that are not needed, in all namespaces that have one of ours."""
        keys = [*self._store.keys(SERVICES), *self._store.keys(NETWORK_POLICIES)]
        for namespace in sorted({key.namespace for key in keys}):
            await self.delete_unneeded(namespace)

    async def _delete(self, resource: Resource, key: ObjectKey) -> None:
        found = self._store.get(resource, key)
        if found is None or not _IS_OURS[resource](found) or not await self._instance.serves(key.namespace):
            return
        call = Call(Verb.DELETE, resource.plural, str(key))
        if self._records.wait(call):
            return
        try:
            await self._kube.delete(resource, namespace=key.namespace, name=key.name, uid=uid_of(found))
        except NotFound:
            logger.debug("It was gone already", extra={"namespace": key.namespace, "kind": resource.plural})
        except Conflict:
            return  # another object has the name by now; its event or the next resync will report it
        except KubeError as error:
            self._records.failed(call, error)
            return
        else:
            logger.info("Deleted, no longer needed", extra={"namespace": key.namespace, "kind": resource.plural})
        self._records.succeeded(call)
        self._store.forget(resource, key, version=version_of(found))
