"""Reads what no watch reports: a claim that the session names itself, and what the kubelet tells in events alone.

What was known before holds if a read fails, which is recorded as a failed call (`failed_calls`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.core.decision import ReadClaim
from whatsapp_operator.core.kubelet import Eviction
from whatsapp_operator.core.model import Observation, PodFacts
from whatsapp_operator.core.recovery.probe_kill import may_be_probe_kill
from whatsapp_operator.core.recovery.refusal import may_be_refused_namespace
from whatsapp_operator.core.session.failed_calls import call_of
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.probe_kills import EVICTED
from whatsapp_operator.runtime.reconcile.session_cache import SessionCacheEntry

NO_CALLS: Final[frozenset[Call]] = frozenset()


async def refresh_claim(session: WhatsAppSession, entry: SessionCacheEntry) -> frozenset[Call]:
    """Read the existing claim again, if that is due; return the calls that this takes."""
    claim = entry.existing_claim
    name = session.spec.profile.existing_claim if not session.problems else None
    if name is None or not claim.is_due(session):
        await claim.refresh(session)
        return NO_CALLS
    call = call_of(ReadClaim(name=name))
    await _read(call, entry, lambda: claim.refresh(session))
    return frozenset({call})


async def with_events(observation: Observation, entry: SessionCacheEntry) -> tuple[Observation, frozenset[Call]]:
    """Add what only an event of the kubelet tells; return the calls that this takes as well.

    It is read for a pod that has waited too long, or was ended by the kubelet.
    """
    for pod in observation.pods:
        if pod.owner_uid != entry.uid:
            continue
        if may_be_probe_kill(pod, now=observation.now):
            return await _with_probe_kill(observation, pod, entry), NO_CALLS
        if may_be_refused_namespace(pod, now=observation.now):
            return await _with_refusal(observation, pod, entry)
    return observation, NO_CALLS


async def _with_probe_kill(observation: Observation, pod: PodFacts, entry: SessionCacheEntry) -> Observation:
    end = await entry.probe_kills.read(pod, namespace=entry.key.namespace)
    if not isinstance(end, Eviction):
        return replace(observation, probe_kill=end)
    evicted = replace(pod, pod_reason=EVICTED, pod_message=end.note)
    return replace(observation, pods=tuple(evicted if each is pod else each for each in observation.pods))


async def _with_refusal(
    observation: Observation, pod: PodFacts, entry: SessionCacheEntry
) -> tuple[Observation, frozenset[Call]]:
    call, refusals = Call(Verb.LIST, "Event", pod.name), entry.namespace_refusals
    await _read(call, entry, lambda: refusals.read(pod, namespace=entry.key.namespace))
    return replace(observation, namespace_refused=refusals.of(pod.uid)), frozenset({call})


async def _read(call: Call, entry: SessionCacheEntry, read: Callable[[], Awaitable[None]]) -> None:
    if entry.calls.own.wait(call):
        return
    try:
        await read()
    except KubeError as error:
        entry.calls.own.failed(call, error)
    else:
        entry.calls.own.succeeded(call)
