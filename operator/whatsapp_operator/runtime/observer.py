"""Gathers everything that one decision may look at, from the store and from what the runtime remembers.

Called by the reconciler before each decision. Nothing is asked of the API server here: what a decision needs and no
watch tells (a foreign object with our name) was read before.
"""

from collections.abc import Callable
from typing import Any

from whatsapp_operator.api.constants import SERVICE_NAME, SESSION_UID_LABEL
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core import names
from whatsapp_operator.core.facts import claim_facts, pod_facts, service_facts
from whatsapp_operator.core.model import Blocked, Observation, PodFacts, SessionUID
from whatsapp_operator.runtime.admission import Admission
from whatsapp_operator.runtime.arrivals import Arrivals
from whatsapp_operator.runtime.clock import Clock
from whatsapp_operator.runtime.foreign import Sightings
from whatsapp_operator.runtime.resources import CLAIMS, PODS, SERVICES, Json, Resource
from whatsapp_operator.runtime.runners import Runners
from whatsapp_operator.runtime.store import IndexKeys, Store


def pod_words(pod: Json) -> list[str]:
    """Under which words a pod is to be found: the UIDs of the sessions that it may belong to."""
    metadata: dict[str, Any] = pod["metadata"]
    label = (metadata.get("labels") or {}).get(SESSION_UID_LABEL)
    owners = [owner.get("uid") for owner in metadata.get("ownerReferences") or []]
    return [word for word in {label, *owners} if word]


def no_words(_: Json) -> list[str]:
    """Found by name alone."""
    return []


INDEX: dict[Resource, IndexKeys] = {PODS: pod_words}


class Observer:
    """Makes observations."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        runners: Runners,
        arrivals: Arrivals,
        admission: Admission,
        recovery_paused: Callable[[], str | None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._runners = runners
        self._arrivals = arrivals
        self._admission = admission
        self._recovery_paused = recovery_paused

    def observe(self, session: WhatsAppSession, *, blocked: Blocked | None, sightings: Sightings) -> Observation:
        """Return what is known about a session now."""
        key, uid = session.key, SessionUID(session.metadata.uid)
        pods = self._pods(key, uid, sightings)
        claim_key = ObjectKey(key.namespace, names.claim_name(session))
        claim = self._store.get(CLAIMS, claim_key) or sightings.get(CLAIMS, claim_key)
        service_key = ObjectKey(key.namespace, SERVICE_NAME)
        service = self._store.get(SERVICES, service_key) or sightings.get(SERVICES, service_key)
        verdict = self._admission.verdict(uid)
        # A stranger's pod of our name does not make the last word of our own one a word of before.
        heard = self._runners.heard(key, pods=[pod.uid for pod in pods if pod.owner_uid == uid])
        return Observation(
            session=session,
            now=self._clock.now(),
            pods=pods,
            came=self._arrivals.since(uid, session.status.pod_uid),
            claim=claim_facts(claim, session=session) if claim is not None else None,
            service=service_facts(service) if service is not None else None,
            report=heard.report,
            listening_since=heard.since,
            grant=verdict.grant,
            refusal=verdict.refusal,
            blocked=blocked,
            recovery_paused=self._recovery_paused(),
        )

    def _pods(self, key: ObjectKey, uid: SessionUID, sightings: Sightings) -> tuple[PodFacts, ...]:
        found = {pod["metadata"]["name"]: pod for pod in self._store.find(PODS, uid)}
        named = self._store.get(PODS, key) or sightings.get(PODS, key)
        if named is not None:
            found[key.name] = named
        return tuple(pod_facts(pod) for pod in found.values() if pod["metadata"]["namespace"] == key.namespace)
