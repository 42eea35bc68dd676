"""What a session's own series say, read from its JSON: all of it stands in metadata, spec and status.

So the series outlive the pod and the operator's process. A process that has just started tells after its first full
list what the one before it told, with the same times. What is not there, or is not what it should be, is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType
from whatsapp_operator.api.session import OperatingMode
from whatsapp_operator.api.status import NOT_OBSERVED
from whatsapp_operator.core.objects.reading import Json, items, number, part, text, time
from whatsapp_operator.core.recovery.failure_class import failure_class
from whatsapp_operator.runtime.metrics.labels import REASON_VOCABULARY, bounded_label, state_label

_MODES = frozenset(OperatingMode)
_BOOLEANS: Mapping[str, float] = {ConditionStatus.TRUE: 1.0, ConditionStatus.FALSE: 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One session. Times are in seconds since 1970; conditions are 1, 0, or None where nobody knows."""

    namespace: str
    name: str
    uid: str
    created: float | None
    generation: float | None
    observed_generation: float | None
    quota: str
    """ As its spec names it; whether there is such a quota is another matter. """
    operating_mode: str
    state: str
    state_since: float | None
    ready: float | None
    """ 0 also for Unknown: a runner that is not heard is not ready. """
    ready_since: float | None
    linked: float | None
    stalled: float | None
    stalled_reason: str | None
    """ None while it is not stalled, as is the next one. """
    stalled_since: float | None
    restarts: float | None
    consecutive_failures: float | None
    failure: str | None
    """ The class of its last failure; None: it never failed. """
    failure_time: float | None


def session_facts(session: Json) -> SessionFacts:
    """Return what is known of a session."""
    metadata, spec, status = part(session, "metadata"), part(session, "spec"), part(session, "status")
    if number(status, "observedGeneration") == NOT_OBSERVED:  # the API server's default, and nobody's word
        status = {}
    conditions = {text(condition, "type"): condition for condition in items(status, "conditions")}
    ready, linked, stalled = (
        conditions.get(kind, {}) for kind in (ConditionType.READY, ConditionType.LINKED, ConditionType.STALLED)
    )
    recovery, failure = part(status, "recovery"), last_failure(status)
    is_stalled = _BOOLEANS.get(text(stalled, "status"))
    return SessionFacts(
        namespace=text(metadata, "namespace"),
        name=text(metadata, "name"),
        uid=text(metadata, "uid"),
        created=_seconds(metadata, "creationTimestamp"),
        generation=number(metadata, "generation"),
        observed_generation=number(status, "observedGeneration"),
        quota=text(spec, "quotaName"),
        operating_mode=bounded_label(spec.get("operatingMode", OperatingMode.RUNNING), _MODES),
        state=state_label(status.get("state")),
        state_since=_seconds(status, "stateTransitionTime"),
        ready=_BOOLEANS.get(text(ready, "status"), 0.0 if ready else None),
        ready_since=_seconds(ready, "lastTransitionTime"),
        linked=_BOOLEANS.get(text(linked, "status")),
        stalled=is_stalled,
        stalled_reason=bounded_label(stalled.get("reason"), REASON_VOCABULARY) if is_stalled else None,
        stalled_since=_seconds(stalled, "lastTransitionTime") if is_stalled else None,
        restarts=_count(status, recovery, "restarts"),
        consecutive_failures=_count(status, recovery, "consecutiveFailures"),
        failure=failure,
        failure_time=_seconds(part(recovery, "lastFailure"), "time"),
    )


def last_failure(status: Json) -> str | None:
    """Return the class of the last failure in a status; None: there is none."""
    failure = part(part(status, "recovery"), "lastFailure")
    if not failure:
        return None
    return failure_class(text(failure, "reason"), number(failure, "exitCode"))


def _seconds(obj: Json, name: str) -> float | None:
    moment: datetime | None = time(obj, name)
    return None if moment is None else moment.timestamp()


def _count(status: Json, recovery: Json, name: str) -> float | None:
    """Return a count of the recovery, which is 0 in a status without one, and unknown without a status."""
    return number(recovery, name) if recovery else 0.0 if status else None
