"""Writes the status of a session: only the difference, not too often, and only if the session has not changed since.

The core decides what the status should be, `core.writes.write_limiter` when a change may be written. Each write carries
the resourceVersion of the session that was decided on, so the API server rejects it with a conflict if it is outdated.
Then the newer session is read at once, because its watch event may be late, and decided again.

What comes back is compared with what was written (`core.writes.kept`). A field that the API server does not keep is
remembered and not written again; one that it calls invalid is left out, so that the rest is written all the same. Now
and then, and after each write that shows that a field is kept by now, it is tried again: somebody may have applied the
newer CustomResourceDefinition.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.decision import Decision
from whatsapp_operator.core.writes.kept import Path, field_names, missing, overlaid, without
from whatsapp_operator.core.writes.merge_patch import merge_patch
from whatsapp_operator.core.writes.write_limiter import WriteLimiter, is_edited, is_turned, is_urgent
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, KubeError, NotFound, Unprocessable
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, key_of, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.executor import Requeue

logger = logging.getLogger(__name__)

TRY_AGAIN: Final = 600.0
""" Seconds after which one session's write tries whether the API server keeps by now what it did not keep. """
MAX_REFUSALS: Final = 4
""" Attempts to write a status without the fields that the API server calls invalid. """


@dataclass
class PendingWrite:
    """When the status of one session may be written, and what of the last one was not kept."""

    limiter: WriteLimiter = field(default_factory=WriteLimiter)
    due: datetime | None = None
    """ When to write; None: nothing to write. """
    gaps: dict[Path, Any] = field(default_factory=dict)
    """ What the API server did not keep of the status as it was written last. """
    generation: int = 0
    """ Of the writer, as `gaps` were found. """

    def laid_over(self, observed: Json) -> Json:
        """Return the session as it would be if all of its status had been kept."""
        if not self.gaps:
            return observed
        return {**observed, "status": overlaid(observed.get("status") or {}, self.gaps)}


class StatusWriter:
    """Writes the statuses of sessions."""

    def __init__(self, *, kube: Kube, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._kube = kube
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._dropped: frozenset[str] = frozenset()
        """ The fields that the API server does not keep. """
        self._generation = 0
        """ Grows when it keeps one of them. """
        self._tried_at = 0.0

    def refresh(self, pending_write: PendingWrite) -> None:
        """Forget what was not kept, if it may be by now: then it is written again."""
        if not pending_write.gaps:
            return
        now = self._clock.monotonic()
        if pending_write.generation != self._generation:
            pending_write.gaps = {}
        elif now - self._tried_at >= TRY_AGAIN:
            self._tried_at = now
            pending_write.gaps = {}

    async def write(
        self, observed: Json, stored: SessionStatus, decision: Decision, pending_write: PendingWrite
    ) -> bool:
        """Write the wanted status if a write is due; return whether it was written, and set `pending_write.due`.

        :raises Requeue: the session has changed since it was observed; the store has the newer one.
        :raises KubeError: it could not be written.
        """
        now = self._clock.now()
        wanted = decision.status.to_dict()
        # Compared with the stored JSON, not with its parsed form: so an invalid field is written again.
        patch = merge_patch(pending_write.laid_over(observed).get("status") or {}, wanted)
        urgent, edited = bool(patch) and is_urgent(stored, decision.status), is_edited(stored, decision.status)
        pending_write.limiter = pending_write.limiter.after_decision(
            now=now,
            differs=bool(patch),
            urgent=urgent,
            edited=bool(patch) and edited,
            turned=bool(patch) and is_turned(stored, decision.status),
        )
        pending_write.due = pending_write.limiter.due(commit=decision.commit, delay_until=decision.delay_status_until)
        if pending_write.due is None or pending_write.due > now:
            return False
        answer = await self._patch(observed, patch)
        self._store.put(SESSIONS, answer)
        self._compare(key_of(observed), wanted, answer.get("status") or {}, pending_write)
        pending_write.limiter, pending_write.due = pending_write.limiter.after_write(now=now), None
        return True

    async def _patch(self, observed: Json, patch: Json) -> Json:
        """Patch the status of the observed session; return the session as stored.

        :raises Requeue: it has changed or is gone; it was read again into the store.
        """
        writes = self._metrics.status_writes
        try:
            written = await self._patch_valid(observed, patch)
        except (Conflict, NotFound) as error:
            writes.labels(SESSIONS.plural, "conflict").inc()
            await self.read_again(observed)
            raise Requeue(error) from error
        except KubeError:
            writes.labels(SESSIONS.plural, "error").inc()
            raise
        writes.labels(SESSIONS.plural, "written").inc()
        return written

    async def _patch_valid(self, observed: Json, patch: Json) -> Json:
        """Patch, and where the API server calls fields invalid, patch the rest."""
        for _ in range(MAX_REFUSALS):
            try:
                return await self._kube.patch_status(SESSIONS, observed=observed, patch=patch)
            except Unprocessable as error:
                rest = without(patch, error.fields, stored=observed.get("status") or {})
                if not rest or rest == patch:
                    raise
                patch = rest
        return await self._kube.patch_status(SESSIONS, observed=observed, patch=patch)

    def _compare(self, key: ObjectKey, wanted: Json, stored: Mapping[str, Any], pending_write: PendingWrite) -> None:
        """Find what was not kept, and log what is new of it."""
        pending_write.gaps = missing(wanted, stored)
        names = frozenset(field_names(pending_write.gaps))
        kept = {name for name in self._dropped - names if _has(wanted, name)}
        if kept:
            self._generation += 1
            logger.info("The API server keeps fields of statuses by now", extra={"fields": sorted(kept)})
        if names - self._dropped:
            logger.warning(
                "The API server does not keep fields of a status: apply the CRDs of this release",
                extra={**key.log_fields, "fields": sorted(names)},
            )
            self._tried_at = self._clock.monotonic()
        self._dropped = self._dropped - kept | names
        self._metrics.status_fields_dropped.set(len(self._dropped))
        pending_write.generation = self._generation

    async def read_again(self, observed: Json) -> bool:
        """Read a session into the store, for its watch event may be late; return whether it is as it was observed.

        :raises KubeError: it could not be read.
        """
        key = key_of(observed)
        try:
            found = await self._kube.get(SESSIONS, namespace=key.namespace, name=key.name)
        except NotFound:
            self._store.forget(SESSIONS, key, version=version_of(observed))
            return False
        self._kube.versions.read_again(SESSIONS, observed, found)
        self._store.put(SESSIONS, found)
        return version_of(found) == version_of(observed)


def _has(status: Mapping[str, Any], name: str) -> bool:
    """Whether a status has a field of that name, as `field_names` writes it."""
    value: Any = status
    for step in name.removeprefix("status.").replace("[]", "").split("."):
        if isinstance(value, list):
            value = next((item for item in value if step in item), None)
        value = value.get(step) if isinstance(value, Mapping) else None
    return value is not None
