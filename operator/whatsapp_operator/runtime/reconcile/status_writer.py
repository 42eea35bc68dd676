"""Writes the status of a session: only the difference, not too often, and only if the session has not changed since.

The core decides what the status should be, `core.writes.write_limiter` when a change may be written. Each write carries
the resourceVersion of the session that was decided on, so the API server rejects it with a conflict if it is outdated.
Then the newer session is read at once, because its watch event may be late, and decided again.
"""

import logging
from datetime import datetime

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.model import Decision
from whatsapp_operator.core.writes.merge_patch import merge_patch
from whatsapp_operator.core.writes.write_limiter import WriteLimiter, is_urgent
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, KubeError, NotFound
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, Resource, key_of, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.executor import Requeue

logger = logging.getLogger(__name__)


class PendingWrite:
    """When the status of one session may be written, and whether a write is due."""

    def __init__(self) -> None:
        self.limiter = WriteLimiter()
        self.due: datetime | None = None
        """ When to write; None: nothing to write. """


class StatusWriter:
    """Writes the statuses of sessions."""

    def __init__(self, *, kube: Kube, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._kube = kube
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def write(
        self, observed: Json, stored: SessionStatus, decision: Decision, pending_write: PendingWrite
    ) -> bool:
        """Write the wanted status if a write is due; return whether it was written, and set `pending_write.due`.

        :raises Requeue: the session has changed since it was observed; the store has the newer one.
        """
        now = self._clock.now()
        patch = self._difference(observed, decision.status)
        urgent = bool(patch) and is_urgent(stored, decision.status)
        pending_write.limiter = pending_write.limiter.after_decision(now=now, differs=bool(patch), urgent=urgent)
        pending_write.due = pending_write.limiter.due(commit=decision.commit, delay_until=decision.delay_status_until)
        if pending_write.due is None or pending_write.due > now:
            return False
        self._store.put(SESSIONS, await self.patch(SESSIONS, observed, patch))
        pending_write.limiter, pending_write.due = pending_write.limiter.after_write(now=now), None
        return True

    async def patch(self, resource: Resource, observed: Json, patch: Json) -> Json:
        """Patch the status of the observed object; return the object as stored.

        :raises Requeue: the object has changed or is gone; a session was read again into the store.
        """
        try:
            written = await self._kube.patch_status(resource, observed=observed, patch=patch)
        except (Conflict, NotFound) as error:
            self._metrics.status_writes.labels(resource.plural, "conflict").inc()
            if resource is SESSIONS:
                await self._fetch(key_of(observed), observed)
            raise Requeue(error.message) from error
        except KubeError:
            self._metrics.status_writes.labels(resource.plural, "error").inc()
            raise
        self._metrics.status_writes.labels(resource.plural, "written").inc()
        return written

    async def _fetch(self, key: ObjectKey, observed: Json) -> None:
        try:
            found = await self._kube.get(SESSIONS, namespace=key.namespace, name=key.name)
        except NotFound:
            self._store.forget(SESSIONS, key, version=version_of(observed))
        else:
            self._kube.versions.read_again(SESSIONS, observed, found)
            self._store.put(SESSIONS, found)

    @staticmethod
    def _difference(observed: Json, wanted: SessionStatus) -> Json:
        # Compared with the stored JSON, not with its parsed form: so an invalid field is written again.
        return merge_patch(observed.get("status") or {}, wanted.to_dict())
