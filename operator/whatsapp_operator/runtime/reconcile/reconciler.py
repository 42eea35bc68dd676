"""Reconciles sessions: each from its present state until nothing is left to be done at once.

The workers call it with the key of a session that may have changed. What has changed does not matter: the `Observation`
holds everything that is known of the session, the core decides, and a `Reconciliation` carries the decisions out.
Here is what outlives it: the cache of what is remembered of each session.
"""

from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, uid_of
from whatsapp_operator.runtime.reconcile.observer import names_of
from whatsapp_operator.runtime.reconcile.reconciliation import ReconcilerDeps, Reconciliation
from whatsapp_operator.runtime.reconcile.session_cache import SessionCacheEntry

MAX_DECISIONS: Final = 16
""" Decisions in one reconciliation at most. A session needs four until its pod is created, and thirteen where its status is
lost, and with it which of its five Secrets of tokens there are; many more mean that somebody undoes what the operator does,
and the back-off limits that. """


class NotConverged(Exception):
    """The session still changed after MAX_DECISIONS decisions."""


class Reconciler:
    """Reconciles sessions."""

    def __init__(self, deps: ReconcilerDeps) -> None:
        self._deps = deps
        self._cache: dict[ObjectKey, SessionCacheEntry] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Reconcile a session; return the seconds until the next time, None: not before something happens.

        :raises KubeError: it is not known whose the namespace is; retry after the back-off.
        :raises NotConverged: somebody undoes what the operator does; retry after the back-off.
        """
        if not await self._deps.instance.serves(key.namespace):
            self.forget(key)
            return None
        await self._deps.foreign_objects.refresh(names_of(key))
        reconciliation: Reconciliation | None = None
        for _ in range(MAX_DECISIONS):
            observed = self._deps.store.get(SESSIONS, key)
            if observed is None:
                self.forget(key)
                return None
            entry = self._cache_entry(key, observed)
            if reconciliation is None or reconciliation.entry is not entry:
                reconciliation = Reconciliation(self._deps, entry)
            decision, again = await reconciliation.step(observed)
            if not again:
                reconciliation.decline(observed, decision)
                return reconciliation.requeue_after(decision)
        raise NotConverged(f"{key} was not settled after {MAX_DECISIONS} decisions")

    def forget(self, key: ObjectKey) -> None:
        """Drop a session that is gone or is another operator's: its memory, its polling and its reservation."""
        entry = self._cache.pop(key, None)
        self._deps.runners.forget(key)
        if entry is not None:
            self._deps.admission.forget(entry.uid)

    def call_ended(self, session: ObjectKey, call: Call, error: KubeError | None) -> None:
        """Take note of how a call about a session went that something else than its reconciliation made."""
        if (entry := self._cache.get(session)) is None:
            return
        if error is None:
            entry.calls.own.succeeded(call)
        else:
            entry.calls.own.failed(call, error)

    def _cache_entry(self, key: ObjectKey, observed: Json) -> SessionCacheEntry:
        uid = SessionUID(uid_of(observed))
        entry = self._cache.get(key)
        if entry is not None and entry.uid != uid:  # deleted and created again: nothing of the old one is valid
            self.forget(key)
            entry = None
        if entry is None:
            entry = self._cache[key] = SessionCacheEntry(
                key,
                uid,
                self._deps.calls.of(key),
                self._deps.existing_claim(),
                self._deps.namespace_refusals(),
                self._deps.probe_kills(),
            )
        return entry
