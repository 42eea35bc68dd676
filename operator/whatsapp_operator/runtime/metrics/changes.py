"""Counts and times what happens to sessions: by what has changed from one stored status to the next.

The store tells of each change of a session, own writes included, in the order in which they were stored. A session that
is seen for the first time tells nothing: what its status has was counted by whoever wrote it. So no failure is counted
twice over a restart, and what began before this process has no duration here.

Durations are of this process's monotonic clock, but for the wait for admission, which begins at a stored time. One that
a person has to end (a suspension, a session that is Stalled or not linked any more, a state that `needs_person`) says
nothing about the operator, and is left out.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from session_protocol.states import OperatorState, needs_person
from session_protocol.vocabulary import RunnerState

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType
from whatsapp_operator.api.session import OperatingMode
from whatsapp_operator.core.objects.reading import Json, items, number, part, text, time
from whatsapp_operator.runtime.kube.resources import uid_of
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.metrics.labels import REASON_VOCABULARY, bounded_label
from whatsapp_operator.runtime.metrics.session_facts import last_failure
from whatsapp_operator.runtime.process.metrics import Metrics

FIRST: Final = "First"
""" The reason for a session's first pod. """
AGAIN: Final = "Again"
""" For the pod of a session that had none to recover: it was suspended, or waited for its turn. """


class SessionChanges:
    """Remembers of a session when it was admitted and when it was not ready any more, until that is over."""

    def __init__(self, *, metrics: Metrics, monotonic: Callable[[], float], is_ours: Callable[[str], bool]) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        self._is_ours = is_ours
        """ Whether a namespace is this operator's. """
        self._admitted: dict[str, float] = {}
        self._unready: dict[str, float] = {}
        """ By the session's UID, monotonic seconds. """

    def on_session_changed(self, change: Change) -> None:
        """Take note of a session that changed in the store."""
        before, after = change
        if before is None:
            return
        uid = uid_of(before)
        if after is None or uid_of(after) != uid or not self._is_ours(after["metadata"]["namespace"]):
            self._forget(uid)
            return
        old, new = part(before, "status"), part(after, "status")
        if old == new:
            return
        self._count_failure(old, new)
        self._count_pods(old, new)
        self._time_admission(before, old, new)
        if _is_put_aside(after):
            self._forget(uid)
            return
        self._time_start(uid, old, new)
        self._time_recovery(uid, old, new)

    def _forget(self, uid: str) -> None:
        self._admitted.pop(uid, None)
        self._unready.pop(uid, None)

    def _count_failure(self, old: Json, new: Json) -> None:
        before, after = (part(part(status, "recovery"), "lastFailure") for status in (old, new))
        failure = last_failure(new)
        if failure is not None and (before.get("podUID"), before.get("time")) != (
            after.get("podUID"),
            after.get("time"),
        ):
            self._metrics.failures.labels(failure).inc()

    def _count_pods(self, old: Json, new: Json) -> None:
        if not text(old, "podUID") and text(new, "podUID"):
            self._metrics.pods_created.labels(FIRST).inc()
        restarts = _restarts(new) - _restarts(old)
        if restarts > 0:
            conditions = (
                _condition(status, ConditionType.RECOVERING) for status in (old, new)
            )  # before or after the pod
            recovering = next(filter(_is_true, conditions), None)
            reason = AGAIN if recovering is None else bounded_label(recovering.get("reason"), REASON_VOCABULARY)
            self._metrics.pods_created.labels(reason).inc(restarts)

    def _time_admission(self, session: Json, old: Json, new: Json) -> None:
        reserved_at = _reserved_at(new)
        if reserved_at is None or _reserved_at(old) is not None:
            return
        if text(old, "state") == OperatorState.QUEUED:
            since = time(old, "stateTransitionTime")
        else:  # one that is admitted with its first state has waited since its creation
            since = None if text(old, "state") else time(part(session, "metadata"), "creationTimestamp")
        if since is not None:
            # The creation's time is the API server's, whose clock may be ahead.
            self._metrics.admission_wait.observe(max(0.0, (reserved_at - since).total_seconds()))

    def _time_start(self, uid: str, old: Json, new: Json) -> None:
        if _reserved_at(new) is None:
            self._admitted.pop(uid, None)
        elif _reserved_at(old) is None and old.get("replicas") != 1:
            self._admitted[uid] = self._monotonic()
        state = text(new, "state")
        up = state == RunnerState.CONNECTED or needs_person(state)
        if up and (admitted := self._admitted.pop(uid, None)) is not None:
            self._metrics.session_start.observe(self._monotonic() - admitted)

    def _time_recovery(self, uid: str, old: Json, new: Json) -> None:
        was_ready, is_ready = (_is_true(_condition(status, ConditionType.READY)) for status in (old, new))
        if was_ready and not is_ready:
            self._unready[uid] = self._monotonic()
        unlinked = _condition(new, ConditionType.LINKED).get("status") == ConditionStatus.FALSE
        if unlinked or (needs_person(text(new, "state")) and not is_ready):
            self._unready.pop(uid, None)
        if is_ready and (unready := self._unready.pop(uid, None)) is not None:
            self._metrics.session_recovery.observe(self._monotonic() - unready)


def _is_put_aside(session: Json) -> bool:
    """Whether it is suspended or Stalled: only a person gives it a pod again."""
    status = part(session, "status")
    return part(session, "spec").get("operatingMode") == OperatingMode.SUSPENDED or _is_true(
        _condition(status, ConditionType.STALLED)
    )


def _condition(status: Json, kind: ConditionType) -> Mapping[str, object]:
    return next((found for found in items(status, "conditions") if text(found, "type") == kind), {})


def _is_true(condition: Mapping[str, object]) -> bool:
    return condition.get("status") == ConditionStatus.TRUE


def _reserved_at(status: Json) -> datetime | None:
    return time(part(status, "admission"), "reservedAt")


def _restarts(status: Json) -> int:
    return number(part(status, "recovery"), "restarts") or 0
