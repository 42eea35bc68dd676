"""Deletes the headless Service of a namespace after the namespace's last session.

A session's decision creates it, like the other objects, but a deleted session is not decided on any more. So this is
called whenever a session is found to be gone, and after each resync, for deletions that no watch reported.
"""

import logging

from whatsapp_operator.api.constants import SERVICE_NAME
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.objects.facts import service_facts
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, NotFound
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.owners import in_namespace
from whatsapp_operator.runtime.kube.resources import SERVICES, SESSIONS, uid_of, version_of
from whatsapp_operator.runtime.kube.store import Store

logger = logging.getLogger(__name__)


class ServiceCleanup:
    """Deletes the Services that no session needs."""

    def __init__(self, *, kube: Kube, store: Store, instance: Instance) -> None:
        self._kube = kube
        self._store = store
        self._instance = instance

    async def delete_unneeded(self, namespace: str) -> None:
        """Delete the namespace's Service if it is ours and the namespace has no session.

        :raises KubeError: the request failed.
        """
        key = ObjectKey(namespace, SERVICE_NAME)
        service = self._store.get(SERVICES, key)
        if (
            service is None
            or not service_facts(service).ours
            or self._store.keys_by_index(SESSIONS, in_namespace(namespace))
        ):
            return
        if not await self._instance.serves(namespace):
            return
        try:
            await self._kube.delete(SERVICES, namespace=namespace, name=SERVICE_NAME, uid=uid_of(service))
        except NotFound:
            logger.debug("Service was gone already", extra={"namespace": namespace})
        except Conflict:
            return  # another Service has the name by now; its event or the next resync will report it
        else:
            logger.info("Service deleted with its last session", extra={"namespace": namespace})
        self._store.forget(SERVICES, key, version=version_of(service))

    async def delete_all_unneeded(self) -> None:
        """Do the same in all namespaces that have our Service."""
        for key in self._store.keys(SERVICES):
            await self.delete_unneeded(key.namespace)
