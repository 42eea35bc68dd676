"""Renews the seals of claims: a claim outlives pods, sessions and keys, and counts only with a seal that verifies.

Called after each resync. A claim gets its seal when it is made and when it grows; here it gets the one of the current
key after a rotation, and an older operator's claim gets its first (`core.quota.storage.due_seal`). Only a few are
written at a time: a key that was retired holds for weeks. Where one is refused, its namespace's wait for a while.
"""

import asyncio
from typing import Final

from whatsapp_operator.api.constants import SEAL_ANNOTATION
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.core.model import Seal, SealedKind
from whatsapp_operator.core.objects import names, ownership
from whatsapp_operator.core.quota.storage import due_seal
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, KubeError, NotFound
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.owners import Owners
from whatsapp_operator.runtime.kube.resources import PODS, PVCS, SESSIONS, Json, key_of, uid_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.seals import Seals
from whatsapp_operator.runtime.reconcile.failed_calls import CallRecords

BATCH: Final = 50
""" Claims sealed after one resync: 10,000 take three hours. """
SLICE: Final = 500
""" Claims looked at before others get the loop. """


class ClaimSeals:
    """Writes the seals that are due."""

    def __init__(
        self,
        *,
        kube: Kube,
        store: Store,
        instance: Instance,
        keys: KeyRing,
        seals: Seals,
        owners: Owners,
        records: CallRecords,
    ) -> None:
        self._kube = kube
        self._store = store
        self._instance = instance
        self._keys = keys
        self._seals = seals
        self._owners = owners
        self._records = records

    async def renew(self) -> None:
        """Seal the claims whose seals are due, a batch of them."""
        written = 0
        for position, claim in enumerate(list(self._store.all(PVCS))):
            if position % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if self._instance.known(key_of(claim).namespace) and (seal := self._due(claim)) is not None:
                written += await self._write(claim, seal)
                if written == BATCH:
                    return

    def _due(self, claim: Json) -> Seal | None:
        """Return the seal that a claim should get; None: it has it. A session is parsed only for one that is due."""
        seal = self._seals.read(claim, SealedKind.PVC)
        observed = self._session_of(claim)
        if seal is None:
            # An older operator's: its session must have got a pod since, and so have been admitted.
            pod = self._store.get(PODS, key_of(observed)) if observed is not None else None
            proof = self._owners.prove(pod, SealedKind.POD) if pod is not None else None
            if proof is None or proof.seal is None:
                return None
        elif seal.key_id == self._keys.current and (observed is None or _is_of(seal, observed)):
            return None
        session = WhatsAppSession.parse(observed) if observed is not None else None
        due = due_seal(claim, seal=seal, session=session, key_id=self._keys.current)
        return None if due == seal else due

    def _session_of(self, claim: Json) -> Json | None:
        """Return the session that the claim has its name from."""
        namespace, name = key_of(claim)
        found = self._store.get(SESSIONS, ObjectKey(namespace, name.removesuffix(names.PVC_SUFFIX)))
        return found if name.endswith(names.PVC_SUFFIX) else None

    async def _write(self, claim: Json, seal: Seal) -> bool:
        """Write a seal; return whether that was tried: where one was refused, its namespace waits and others do not."""
        key = key_of(claim)
        call = Call(Verb.PATCH, PVCS.plural, key.namespace)
        if self._records.wait(call):
            return False
        text = self._seals.text(claim, seal, kind=SealedKind.PVC)
        patch = ownership.with_annotation(
            {"metadata": {"resourceVersion": claim["metadata"]["resourceVersion"]}}, SEAL_ANNOTATION, text
        )
        try:
            self._store.put(PVCS, await self._kube.patch(PVCS, namespace=key.namespace, name=key.name, patch=patch))
        except (Conflict, NotFound):
            pass  # changed or gone; the next resync looks again
        except KubeError as error:
            self._records.failed(call, error)
        else:
            self._records.succeeded(call)
        return True


def _is_of(seal: Seal, session: Json) -> bool:
    """Whether the seal is this session's, in the quota that it is admitted to, if it is."""
    admission = (session.get("status") or {}).get("admission")
    return not admission or (seal.session_uid, seal.quota) == (uid_of(session), admission.get("quotaName"))
