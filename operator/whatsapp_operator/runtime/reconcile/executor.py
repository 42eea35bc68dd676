"""Carries out the actions of a decision, one by one, and handles the API server's answers.

An earlier process may have carried out the same action and crashed before it received the answer. So "already exists"
and "not found" are no failures: the object is read and the session is decided again. All other errors are raised; the
reconciler records them (`failed_calls`), and the core turns them into a condition.
"""

import base64
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from whatsapp_operator.api.constants import SEAL_ANNOTATION
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.decision import (
    Action,
    CreateNetworkPolicy,
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    DeletePod,
    PatchNetworkPolicy,
    PatchPVC,
    ReadClaim,
)
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.secret import EXTRA_CA_KEY
from whatsapp_operator.core.objects.tokens import secret_entries
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import AlreadyExists, Conflict, KubeError, NotFound, Refused
from whatsapp_operator.runtime.kube.existing_claims import ExistingClaimReader
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.resources import (
    NETWORK_POLICIES,
    PODS,
    PVCS,
    SECRETS,
    SERVICES,
    Resource,
    uid_of,
)
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.keys import UnknownKey
from whatsapp_operator.runtime.process.seals import Seals

logger = logging.getLogger(__name__)


class Requeue(Exception):
    """The cluster has changed since the decision was made, and the store has the change: decide again."""

    def __init__(self, error: KubeError) -> None:
        super().__init__(str(error))
        self.error = error
        """ The API server's answer that showed it. """


@dataclass(frozen=True, kw_only=True)
class ActionContext:
    """The session that an action is for."""

    key: ObjectKey
    uid: SessionUID
    foreign_objects: ForeignObjects
    """ The objects that have our names and are not ours. """
    existing_claim: ExistingClaimReader


class Executor:
    """Sends the requests for actions."""

    def __init__(
        self,
        *,
        kube: Kube,
        store: Store,
        key: Callable[[KeyID], bytes],
        seals: Seals,
        creating: Callable[[Resource, Mapping[str, Any]], AbstractContextManager[None]],
        extra_ca: str,
    ) -> None:
        self._kube = kube
        self._store = store
        self._key = key
        """ Gives a key by its id. """
        self._seals = seals
        self._creating = creating
        """ Counts a pod or claim in its quota while its creation is under way. """
        self._extra_ca = extra_ca

    async def execute(self, action: Action, context: ActionContext) -> None:
        """Carry out one action.

        :raises Requeue: the cluster has changed since the decision was made.
        :raises KubeError: the request was refused or failed, or it is unknown whether it was carried out.
        """
        try:
            await self._do(action, context)
        except UnknownKey as error:
            # Of a pod whose Secrets nothing proves any more: status was lost, and so was the key.
            raise Refused(str(error), reason=type(error).__name__) from error

    async def _do(self, action: Action, context: ActionContext) -> None:
        match action:
            case ReadClaim():
                await context.existing_claim.read(context.key, action.name)
                return
            case CreateService():
                await self._create(SERVICES, action.manifest, context)
            case CreateNetworkPolicy():
                await self._create(NETWORK_POLICIES, action.manifest, context)
            case PatchNetworkPolicy():
                await self._patch(NETWORK_POLICIES, action, context)
            case CreatePVC():
                await self._create(PVCS, self._sealed(action.manifest, action.seal, SealedKind.PVC), context)
            case CreatePod():
                await self._create(PODS, self._sealed(action.manifest, action.seal, SealedKind.POD), context)
            case CreateSecret():
                await self._create_secret(action, context)
            case PatchPVC():
                await self._patch(PVCS, action, context)
            case DeletePod():
                await self._delete_pod(action, context)
        logger.info(
            "Action carried out",
            extra={
                **context.key.log_fields,
                "action": type(action).__name__,
                "object": _object(action),
                "why": _why(action),
            },
        )

    async def _create(self, resource: Resource, manifest: Mapping[str, Any], context: ActionContext) -> None:
        try:
            with self._creating(resource, manifest):
                self._store.put(resource, await self._kube.create(resource, manifest))
        except AlreadyExists as error:
            key = ObjectKey(context.key.namespace, manifest["metadata"]["name"])
            await context.foreign_objects.read(resource, key)
            raise Requeue(error) from error

    def _sealed(self, manifest: Mapping[str, Any], seal: Seal | None, kind: SealedKind) -> Mapping[str, Any]:
        return manifest if seal is None else self._seals.set(manifest, seal, kind=kind)

    async def _create_secret(self, action: CreateSecret, context: ActionContext) -> None:
        source = action.source
        data = secret_entries(
            self._key(source.key_id), session_uid=context.uid, renewal=source.renewal, purpose=action.purpose
        )
        if self._extra_ca and action.purpose is None:
            data[EXTRA_CA_KEY] = self._extra_ca
        encoded = {name: base64.b64encode(value.encode()).decode("ascii") for name, value in data.items()}
        try:
            await self._kube.create(SECRETS, {**action.manifest, "data": encoded})
        except AlreadyExists:
            # Its name holds the session's UID and a hash of key, renewal and CA: the same name has the same content.
            logger.debug("Secret exists already", extra=context.key.log_fields)

    async def _patch(self, resource: Resource, action: PatchPVC | PatchNetworkPolicy, context: ActionContext) -> None:
        key = ObjectKey(context.key.namespace, action.name)
        try:
            patch = action.patch
            if isinstance(action, PatchPVC) and action.seal is not None:
                named = {"metadata": {"namespace": key.namespace, "name": key.name}}
                sealed = self._seals.text(named, action.seal, kind=SealedKind.PVC)
                patch = ownership.with_annotation(patch, SEAL_ANNOTATION, sealed)
            patched = await self._kube.patch(resource, namespace=key.namespace, name=key.name, patch=patch)
        except (Conflict, NotFound) as error:
            await context.foreign_objects.read(resource, key)
            raise Requeue(error) from error
        self._store.put(resource, patched)

    async def _delete_pod(self, action: DeletePod, context: ActionContext) -> None:
        key = ObjectKey(context.key.namespace, action.name)
        grace = int(action.grace.total_seconds()) if action.grace is not None else None
        try:
            answer = await self._kube.delete(PODS, namespace=key.namespace, name=key.name, uid=action.uid, grace=grace)
        except (Conflict, NotFound) as error:  # it is gone, and maybe the name is another pod's; or a webhook said so
            await context.foreign_objects.read(PODS, key)
            found = self._store.get(PODS, key)
            if found is not None and uid_of(found) == action.uid:
                raise
            if isinstance(error, Conflict):
                raise Requeue(error) from error
            return
        if (answer.get("metadata") or {}).get("deletionGracePeriodSeconds"):
            self._store.put(PODS, answer)  # it exists until its grace period is over, with a deletion time
        else:
            await context.foreign_objects.read(PODS, key)


def _object(action: Action) -> str:
    match action:
        case CreateService() | CreateNetworkPolicy() | CreatePVC() | CreatePod() | CreateSecret():
            return str(action.manifest["metadata"]["name"])
        case PatchNetworkPolicy() | PatchPVC() | DeletePod():
            return action.name
        case _:
            return ""


def _why(action: Action) -> str:
    match action:
        case PatchNetworkPolicy():
            return "it differs from the operator's"
        case PatchPVC() | DeletePod():
            return action.reason
        case _:
            return ""
