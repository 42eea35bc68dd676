"""Builds the observation for one decision, from the store and from what the runtime keeps in memory.

The reconciler calls it before each decision. It sends no request to the API server: a foreign object with our name,
which no watch reports, was read before.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import CallReason, FailedCall, Verb
from whatsapp_operator.core.model import (
    ExistingClaim,
    KeyID,
    Observation,
    PodFacts,
    PodTokens,
    PodUID,
    SealedKind,
    SessionUID,
)
from whatsapp_operator.core.objects import names, ownership
from whatsapp_operator.core.objects.facts import network_policy_facts, pod_facts, pvc_facts, service_facts
from whatsapp_operator.core.quota.reservations import limits_storage
from whatsapp_operator.core.session.renewal import renewal_time
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.foreign_objects import ForeignName, ForeignObjects
from whatsapp_operator.runtime.kube.owners import Owners
from whatsapp_operator.runtime.kube.resources import (
    NETWORK_POLICIES,
    PODS,
    PVCS,
    QUOTAS,
    SERVICES,
    Json,
    Resource,
    key_of,
)
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.reconcile.pod_history import PodHistory
from whatsapp_operator.runtime.reconcile.pod_times import PodTimes
from whatsapp_operator.runtime.runners.poller import RunnerPoller


def pod_index_keys(pod: Json) -> Iterable[str]:
    """Return the index keys of a pod: its namespace and the session that it names as its controller.

    The namespace keeps pods of other namespaces, which may name anybody, out of each look at a session.
    """
    owner = ownership.controller_uid(pod)
    return () if owner is None else (_index_key(key_of(pod).namespace, owner),)


def _index_key(namespace: str, uid: SessionUID) -> str:
    return f"{namespace}/{uid}"


def no_index_keys(_: Json) -> Iterable[str]:
    """Return no index keys, for kinds that are looked up by name alone."""
    return ()


def names_of(session: ObjectKey) -> tuple[ForeignName, ...]:
    """Return the names of a session's objects, which foreign ones may have."""
    namespace, name = session
    return (
        (PODS, session),
        (PVCS, ObjectKey(namespace, name + names.PVC_SUFFIX)),
        (SERVICES, ObjectKey(namespace, SERVICE_NAME)),
        (NETWORK_POLICIES, ObjectKey(namespace, NETWORK_POLICY_NAME)),
    )


def _is_own_write(failed: FailedCall) -> bool:
    """Whether it is the write of the status, which cannot say itself that it fails."""
    return failed.call.verb is Verb.UPDATE_STATUS and failed.reason != CallReason.FIELDS_DROPPED


class Observer:
    """Builds observations of sessions."""

    def __init__(
        self,
        *,
        store: Store,
        owners: Owners,
        keys: KeyRing,
        clock: Clock,
        runners: RunnerPoller,
        pod_history: PodHistory,
        pod_times: PodTimes,
        admission: Admission,
        foreign_objects: ForeignObjects,
        recovery_paused: Callable[[SessionUID], str | None],
        pod_security: Callable[[str], bool | None],
    ) -> None:
        self._store = store
        self._owners = owners
        self._keys = keys
        self._began = clock.now()
        self._clock = clock
        self._runners = runners
        self._pod_history = pod_history
        self._pod_times = pod_times
        self._admission = admission
        self._foreign_objects = foreign_objects
        self._recovery_paused = recovery_paused
        self._pod_security = pod_security

    def observe(
        self,
        session: WhatsAppSession,
        *,
        failed_calls: tuple[FailedCall, ...],
        existing_claim: ExistingClaim | None,
        secrets_made: frozenset[str],
        tokens_made: PodTokens | None,
        secrets_checked: PodUID | None,
    ) -> Observation:
        """Return the observation of a session as of now."""
        key, uid = session.key, SessionUID(session.metadata.uid)
        pods = self._pods(key, uid)
        pvc, service, policy = (self._find(*named) for named in names_of(key)[1:])
        key_id = _own_key(session, pods)
        verdict = self._admission.verdict(uid)
        # A foreign pod with our name does not make the last report of our own pod outdated.
        last = self._runners.last_report(key, pods=[pod.uid for pod in pods if pod.owner_uid == uid])
        return Observation(
            session=session,
            now=self._clock.now(),
            pods=pods,
            pods_since_status=self._pod_history.since(uid, session.status.pod_uid),
            unstarted=self._pod_history.unstarted(uid),
            pvc=pvc_facts(pvc, session=session) if pvc is not None else None,
            existing_claim=existing_claim,
            service=service_facts(service) if service is not None else None,
            network_policy=network_policy_facts(policy) if policy is not None else None,
            report=last.report,
            polling_since=last.since,
            rejection=last.rejection,
            assumed=verdict.assumed,
            refusal=verdict.refusal,
            failed_calls=tuple(each for each in failed_calls if not _is_own_write(each)),
            pod_security=self._pod_security(key.namespace),
            secrets_made=secrets_made,
            tokens_made=tokens_made,
            secrets_checked=secrets_checked,
            tokens_renewed=last.renewed,
            takes_settings=last.takes_settings,
            storage_limited=self._storage_limited(session),
            renew_at=self._renew_at(uid, key_id),
            lost_key=key_id if key_id is not None and self._keys.find(key_id) is None else None,
            recovery_paused=self._recovery_paused(uid),
        )

    def _find(self, resource: Resource, key: ObjectKey) -> Json | None:
        """Return the object of one of our names, whoever it belongs to."""
        return self._store.get(resource, key) or self._foreign_objects.get(resource, key)

    def _pods(self, key: ObjectKey, uid: SessionUID) -> tuple[PodFacts, ...]:
        found = {pod["metadata"]["name"]: pod for pod in self._store.by_index(PODS, _index_key(key.namespace, uid))}
        named = self._find(PODS, key)
        if named is not None:
            found[key.name] = named
        return tuple(self._pod_facts(pod) for pod in found.values())

    def _storage_limited(self, session: WhatsAppSession) -> bool:
        if session.problems:
            return False
        quota = self._store.get(QUOTAS, ObjectKey("", session.spec.quota_name))
        return quota is not None and limits_storage(WhatsAppSessionQuota.parse(quota))

    def _renew_at(self, uid: SessionUID, key_id: KeyID | None) -> datetime | None:
        if key_id is None or (last_day := self._keys.last_day(key_id)) is None:
            return None
        return renewal_time(uid, last_day=last_day, since=self._began)

    def _pod_facts(self, pod: Json) -> PodFacts:
        proof = self._owners.prove(pod, SealedKind.POD)
        facts = pod_facts(pod, seal=proof.seal if proof is not None else None)
        return self._pod_times.corrected(facts, now=self._clock.now())


def _own_key(session: WhatsAppSession, pods: tuple[PodFacts, ...]) -> KeyID | None:
    """Return the key of the pod that the operator made, which is the one with its name; None: there is none."""
    uid, name = names.session_uid(session), names.pod_name(session)
    return next((pod.key_id for pod in pods if (pod.owner_uid, pod.name) == (uid, name)), None)
