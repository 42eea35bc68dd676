"""Carries out what was decided about one session, action by action, and learns from what the API server says.

Every action may have been carried out already, by a predecessor that died before it heard the answer; so "already
there" and "already gone" are never failures, they are news: the object is looked at and the session decided anew.
A refusal that a person has to resolve (rights, a namespace's ResourceQuota, a storage class that cannot grow) becomes
`RefusedAction`, which the core turns into a condition. Everything else is the caller's: back off and look again.
"""

import base64
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from session_protocol.vocabulary import TokenScope

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import (
    Action,
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    DeletePod,
    KeyID,
    PatchPVC,
    RefusedAction,
    SessionUID,
)
from whatsapp_operator.core.objects.secret import EXTRA_CA_KEY
from whatsapp_operator.core.objects.tokens import token
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import AlreadyExists, Conflict, Forbidden, NotFound, Unprocessable
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.resources import PODS, PVCS, SECRETS, SERVICES, Json, Resource, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock

logger = logging.getLogger(__name__)

RETRY_REFUSED: Final = timedelta(seconds=30)
""" A refused action is tried again after this time: what stands in the way is a person's to clear, and nothing tells
the operator when it is. """


class Requeue(Exception):
    """The cluster is not what the decision was made on; what is new is in the store. Decide again."""


@dataclass(frozen=True, kw_only=True)
class ActionContext:
    """The session an action is for."""

    key: ObjectKey
    uid: SessionUID
    foreign_objects: ForeignObjects
    """ The objects that have our names and are not ours. """


class Executor:
    """Carries out actions."""

    def __init__(self, *, kube: Kube, store: Store, clock: Clock, key: Callable[[KeyID], bytes], extra_ca: str) -> None:
        self._kube = kube
        self._store = store
        self._clock = clock
        self._key = key
        """ Gives a key by its id. """
        self._extra_ca = extra_ca

    async def execute(self, action: Action, context: ActionContext) -> RefusedAction | None:
        """Do it; return what stands in the way, if the API server said no for good.

        :raises Requeue: the decision was made on something that is no longer so.
        :raises KubeError: it could not be done now, or nobody knows whether it was.
        """
        try:
            await self._do(action, context)
        except (Forbidden, Unprocessable) as error:
            # The message is the API server's, about objects that we made up: no secret is in it.
            logger.warning(
                "Action was refused",
                extra={"session": str(context.key), "action": type(action).__name__, "error": error.message},
            )
            return RefusedAction(
                reason=error.reason or type(error).__name__,
                message=error.message,
                action=type(action),
                retry_at=self._clock.now() + RETRY_REFUSED,
            )
        return None

    async def _do(self, action: Action, context: ActionContext) -> None:
        match action:
            case CreateService():
                await self._create(SERVICES, action.manifest, context)
            case CreatePVC():
                await self._create(PVCS, action.manifest, context)
            case CreatePod():
                await self._create(PODS, action.manifest, context)
            case CreateSecret():
                await self._create_secret(action, context)
            case PatchPVC():
                await self._patch_pvc(action, context)
            case DeletePod():
                await self._delete_pod(action, context)
        logger.info("Action carried out", extra={"session": str(context.key), **_fields(action)})

    async def _create(self, resource: Resource, manifest: Mapping[str, Any], context: ActionContext) -> None:
        try:
            self._store.put(resource, await self._kube.create(resource, manifest))
        except AlreadyExists as error:
            key = ObjectKey(context.key.namespace, manifest["metadata"]["name"])
            await context.foreign_objects.read(resource, key)
            raise Requeue(error.message) from error

    async def _create_secret(self, action: CreateSecret, context: ActionContext) -> None:
        key = self._key(action.key_id)
        data = {str(scope): token(key, session_uid=context.uid, scope=scope) for scope in TokenScope}
        if self._extra_ca:
            data[EXTRA_CA_KEY] = self._extra_ca
        encoded = {name: base64.b64encode(value.encode()).decode("ascii") for name, value in data.items()}
        try:
            await self._kube.create(SECRETS, {**action.manifest, "data": encoded})
        except AlreadyExists:
            # Its name holds the session's UID, the key's id and a hash of the CA: the same name has the same content.
            logger.debug("Secret exists already", extra={"session": str(context.key)})

    async def _patch_pvc(self, action: PatchPVC, context: ActionContext) -> None:
        key = ObjectKey(context.key.namespace, action.name)
        try:
            patched = await self._kube.patch(PVCS, namespace=key.namespace, name=key.name, patch=action.patch)
        except (Conflict, NotFound) as error:
            await context.foreign_objects.read(PVCS, key)
            raise Requeue(error.message) from error
        self._store.put(PVCS, patched)

    async def _delete_pod(self, action: DeletePod, context: ActionContext) -> None:
        key = ObjectKey(context.key.namespace, action.name)
        known = self._store.get(PODS, key)
        grace = int(action.grace.total_seconds()) if action.grace is not None else None
        try:
            answer = await self._kube.delete(PODS, namespace=key.namespace, name=key.name, uid=action.uid, grace=grace)
        except NotFound:
            if known is not None:
                self._store.forget(PODS, key, version=version_of(known))
            return
        except Conflict as error:  # the name is another pod's by now
            await context.foreign_objects.read(PODS, key)
            raise Requeue(error.message) from error
        if (answer.get("metadata") or {}).get("deletionGracePeriodSeconds"):
            self._store.put(PODS, answer)  # it stays for its grace period, and is known to be going
        else:
            await context.foreign_objects.read(PODS, key)


def _fields(action: Action) -> Json:
    fields: Json = {"action": type(action).__name__}
    match action:
        case CreateService() | CreatePVC() | CreatePod() | CreateSecret():
            fields["object"] = action.manifest["metadata"]["name"]
        case PatchPVC() | DeletePod():
            fields |= {"object": action.name, "why": action.reason}
    return fields
