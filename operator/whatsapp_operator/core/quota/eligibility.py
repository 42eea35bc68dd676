"""Whether a session is on hold, as far as its status shows; the admission round asks this for each session of its LIST.

`decide` also knows the pod and the runner's report, and writes what follows to status; this module reads it from there.
So a session that must not start takes no reservation away from one that may.
"""

from typing import Final

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import Reason, WhatsAppSession
from whatsapp_operator.core.recovery.attempts import is_exhausted, stored_recovery
from whatsapp_operator.core.session.holds import find_holds
from whatsapp_operator.core.session.requests import read_requests

OBSTACLES: Final = frozenset(
    map(str, (Reason.NAME_TAKEN, Reason.MULTIPLE_PODS, Reason.INVALID_OBJECT, Reason.NOT_ALLOWED))
)
""" Reasons of Stalled that last until somebody removes or labels an object, or corrects spec or settings. """


def is_on_hold(session: WhatsAppSession) -> bool:
    """Whether the session gets no pod until a person acts. Its spec must be valid."""
    requests = read_requests(session, None)
    if find_holds(session.status, requests, None).active is not None:
        return True
    if is_exhausted(session, stored_recovery(session, requested=requests.unrecorded)):
        return True
    stalled = find_condition(session.status.conditions, ConditionType.STALLED)
    return stalled is not None and stalled.status == ConditionStatus.TRUE and stalled.reason in OBSTACLES
