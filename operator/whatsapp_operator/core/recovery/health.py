"""What one session says about the health of all: read from its JSON, for `pauses`.

Everything stands in the session itself, most of it in status. So the first list of sessions is enough for a new process
to know which pauses are on, and nothing has to be read or counted for it.
"""

from dataclasses import dataclass
from datetime import datetime

from session_protocol.times import parse_time

from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.session import LastFailure, Reason
from whatsapp_operator.core.objects.reading import Json, items, part, text
from whatsapp_operator.core.recovery.failure import is_runner_failure


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of a runner."""

    time: datetime
    pod_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHealth:
    """What counts of a session."""

    namespace: str
    created: datetime | None = None
    has_pod: bool = False
    proven: bool = False
    """ It has been up in a pod, and its image is the operator's: if it fails, that may be the cluster's matter. """
    waits: bool = False
    """ Its next pod waits for the end of a pause. """
    failure: Failure | None = None
    """ Its last failure; None also when the last one was not its runner's. """


def session_health(session: Json, *, runner_image: str) -> SessionHealth:
    """Return what counts of a session, from its JSON.

    It has been up if a runner has told whether a phone is linked, which shows when the page is up for the first time
    and is never forgotten: the condition Linked is no longer Unknown.
    """
    metadata, spec, status = part(session, "metadata"), part(session, "spec"), part(session, "status")
    conditions = {text(condition, "type"): condition for condition in items(status, "conditions")}
    linked, recovering = conditions.get(ConditionType.LINKED, {}), conditions.get(ConditionType.RECOVERING, {})
    image = text(part(spec, "pod"), "image")
    return SessionHealth(
        namespace=text(metadata, "namespace"),
        created=_time(metadata, "creationTimestamp"),
        has_pod=status.get("replicas") == 1,
        proven=text(linked, "status") in ("True", "False") and image in ("", runner_image),
        waits=text(recovering, "status") == "True" and text(recovering, "reason") == Reason.RECOVERY_PAUSED,
        failure=_failure(part(part(status, "recovery"), "lastFailure")),
    )


def _failure(failure: Json) -> Failure | None:
    time, exit_code = _time(failure, "time"), failure.get("exitCode")
    code = exit_code if isinstance(exit_code, int) else None
    if time is None or not is_runner_failure(LastFailure(reason=text(failure, "reason"), exit_code=code)):
        return None
    return Failure(time, text(failure, "podUID"))


def _time(part_: Json, name: str) -> datetime | None:
    try:
        return parse_time(text(part_, name))
    except ValueError:
        return None
