"""What a change of an object calls for: which sessions are to be reconciled, and whether a round of admission is due.

The operator asks about each watch event, and about each correction by a resync.
"""

from collections.abc import Iterable

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.spec import OperatingMode
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.runtime.kube.owners import in_namespace
from whatsapp_operator.runtime.kube.resources import (
    NETWORK_POLICIES,
    PODS,
    PVCS,
    QUOTAS,
    SERVICES,
    SESSIONS,
    Json,
    Resource,
    key_of,
)
from whatsapp_operator.runtime.kube.store import Change, Store


def affected_sessions(store: Store, resource: Resource, change: Change) -> Iterable[ObjectKey]:
    """Return the sessions that a change may affect."""
    for obj in (change.before, change.after):
        if obj is None:
            continue
        key = key_of(obj)
        if resource is SESSIONS:
            yield key
        elif resource in (PODS, PVCS):
            yield from (ObjectKey(key.namespace, name) for name in ownership.possible_session_names(obj))
        elif (resource is SERVICES and (change.before is None or change.after is None)) or resource is NETWORK_POLICIES:
            yield from store.keys_by_index(SESSIONS, in_namespace(key.namespace))


def affects_admission(resource: Resource, change: Change) -> bool:
    """Whether a change may allow an admission, or may change a quota's status."""
    before, after = change
    if resource is QUOTAS:
        return (before is None) != (after is None) or _generation(before) != _generation(after)
    if resource in (PODS, PVCS):  # one that is gone gives back what it counted
        return after is None
    if resource is SESSIONS:
        # An edit may ask for less, or of another quota: whoever waits is not to wait for the next resync as well.
        is_edited = before is not None and after is not None and _generation(before) != _generation(after)
        is_leaving = _is_being_deleted(before) != _is_being_deleted(after)
        # What is written anew was counted in the round that gave it.
        frees = (reserved := _admission(before)) is not None and reserved != _admission(after)
        return is_edited or is_leaving or frees
    return False


def newcomer(resource: Resource, change: Change) -> Json | None:
    """Return a session that is new, wants to run and has no reservation: a round need not wait until its worker asks."""
    before, after = change
    if resource is not SESSIONS or before is not None or after is None:
        return None
    wants_to_run = (after.get("spec") or {}).get("operatingMode") != OperatingMode.SUSPENDED
    return after if wants_to_run and _admission(after) is None and not _is_being_deleted(after) else None


def _generation(obj: Json | None) -> int:
    return int(obj["metadata"].get("generation", 0)) if obj is not None else 0


def _admission(obj: Json | None) -> Json | None:
    admission: Json | None = ((obj or {}).get("status") or {}).get("admission")
    return admission


def _is_being_deleted(obj: Json | None) -> bool:
    return obj is not None and "deletionTimestamp" in obj["metadata"]
