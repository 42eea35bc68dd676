"""Builds the observation for one decision, from the store and from what the runtime keeps in memory.

The reconciler calls it before each decision. It sends no request to the API server: a foreign object with our name,
which no watch reports, was read before.
"""

from collections.abc import Callable, Iterable

from whatsapp_operator.api.constants import SERVICE_NAME
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Observation, PodFacts, RefusedAction, SessionUID
from whatsapp_operator.core.objects import names, ownership
from whatsapp_operator.core.objects.facts import pod_facts, pvc_facts, service_facts
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.resources import PODS, PVCS, SERVICES, Json
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.reconcile.pod_history import PodHistory
from whatsapp_operator.runtime.runners.poller import RunnerPoller


def pod_index_keys(pod: Json) -> Iterable[str]:
    """Return the index keys of a pod: the UIDs of the sessions that it may belong to."""
    return ownership.possible_session_uids(pod)


def no_index_keys(_: Json) -> Iterable[str]:
    """Return no index keys, for kinds that are looked up by name alone."""
    return ()


class Observer:
    """Builds observations of sessions."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        runners: RunnerPoller,
        pod_history: PodHistory,
        admission: Admission,
        recovery_paused: Callable[[], str | None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._runners = runners
        self._pod_history = pod_history
        self._admission = admission
        self._recovery_paused = recovery_paused

    def observe(
        self, session: WhatsAppSession, *, refused_action: RefusedAction | None, foreign_objects: ForeignObjects
    ) -> Observation:
        """Return the observation of a session as of now."""
        key, uid = session.key, SessionUID(session.metadata.uid)
        pods = self._pods(key, uid, foreign_objects)
        pvc_key = ObjectKey(key.namespace, names.pvc_name(session))
        pvc = self._store.get(PVCS, pvc_key) or foreign_objects.get(PVCS, pvc_key)
        service_key = ObjectKey(key.namespace, SERVICE_NAME)
        service = self._store.get(SERVICES, service_key) or foreign_objects.get(SERVICES, service_key)
        verdict = self._admission.verdict(uid)
        # A foreign pod with our name does not make the last report of our own pod outdated.
        last = self._runners.last_report(key, pods=[pod.uid for pod in pods if pod.owner_uid == uid])
        return Observation(
            session=session,
            now=self._clock.now(),
            pods=pods,
            pods_since_status=self._pod_history.since(uid, session.status.pod_uid),
            pvc=pvc_facts(pvc, session=session) if pvc is not None else None,
            service=service_facts(service) if service is not None else None,
            report=last.report,
            polling_since=last.since,
            rejection=last.rejection,
            assumed=verdict.assumed,
            refusal=verdict.refusal,
            refused_action=refused_action,
            recovery_paused=self._recovery_paused(),
        )

    def _pods(self, key: ObjectKey, uid: SessionUID, foreign_objects: ForeignObjects) -> tuple[PodFacts, ...]:
        found = {pod["metadata"]["name"]: pod for pod in self._store.by_index(PODS, uid)}
        named = self._store.get(PODS, key) or foreign_objects.get(PODS, key)
        if named is not None:
            found[key.name] = named
        return tuple(pod_facts(pod) for pod in found.values() if pod["metadata"]["namespace"] == key.namespace)
