"""Sessions and quotas as the store has them, for the tests of what is told of them."""

from typing import Any

from whatsapp_operator.runtime.metrics.fleet import Fleet, FleetSeries

Json = dict[str, Any]
Series = dict[tuple[str, ...], float]

THEN = "2026-11-22T18:00:00Z"
THEN_SECONDS = 1795370400.0


def condition(kind: str, status: str, reason: str = "AsExpected", *, since: str = THEN) -> Json:
    """A condition."""
    return {"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": since}


def session(
    name: str = "sales",
    namespace: str = "shop",
    *,
    status: Json | None = None,
    created: str = THEN,
    uid: str | None = None,
    **spec: Any,
) -> Json:
    """A session; without `status` nobody has looked at it yet, and it has the one that the API server gives it."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{namespace}-{name}" if uid is None else uid,
        "generation": 3,
        "creationTimestamp": created,
    }
    found: Json = {"metadata": metadata, "spec": {"operatingMode": "Running", "quotaName": "default", **spec}}
    return found | {"status": {"observedGeneration": -1} if status is None else status}


def connected(**more: Any) -> Json:
    """The status of a session that is well."""
    conditions = [condition("Ready", "True"), condition("Linked", "True"), condition("Stalled", "False")]
    return {
        "state": "Connected",
        "stateTransitionTime": THEN,
        "observedGeneration": 3,
        "conditions": conditions,
        "recovery": {"restarts": 0, "consecutiveFailures": 0},
        "replicas": 1,
        "podUID": "pod-1",
        "admission": {"quotaName": "default", "reservedAt": THEN},
        **more,
    }


def quota(name: str = "default", *, spec: Json | None = None, status: Json | None = None) -> Json:
    """A quota; without `status` no round has written it yet."""
    found: Json = {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": spec or {}}
    return found if status is None else found | {"status": status}


def fleet(*sessions: Json, quotas: tuple[Json, ...] = ()) -> Fleet:
    """What an operator knows."""
    return Fleet(sessions=sessions, quotas=quotas)


def series(shown: Fleet | None, *, limit: int = 1000) -> Series:
    """The series that are made of a fleet, by name and the values of their labels, in the order of the rows."""
    collector = FleetSeries(limit=limit)
    collector.show(shown)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }
