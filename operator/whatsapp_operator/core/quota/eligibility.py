"""Whether a session is on hold by its own status: what the admission round asks of the sessions in its LIST.

`decide` knows more (the pod, the runner's word) and writes it to status; from there it is read back here. So a session
that may not start takes no reservation from one that may.
"""

from typing import Final

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import Reason, WhatsAppSession
from whatsapp_operator.core.recovery.attempts import is_exhausted, stored_recovery
from whatsapp_operator.core.session.holds import find_holds
from whatsapp_operator.core.session.requests import read_requests

OBSTACLES: Final = frozenset({str(Reason.NAME_TAKEN), str(Reason.MULTIPLE_PODS), str(Reason.INVALID_OBJECT)})
""" Reasons of Stalled that last until somebody removes an object or corrects the spec. """


def is_on_hold(session: WhatsAppSession) -> bool:
    """Whether no pod is made for the session until a person does something. Its spec must be usable."""
    requests = read_requests(session, None)
    if find_holds(session.status, requests, None).active is not None:
        return True
    if is_exhausted(session, stored_recovery(session, requested=requests.unrecorded)):
        return True
    stalled = find_condition(session.status.conditions, ConditionType.STALLED)
    return stalled is not None and stalled.status == ConditionStatus.TRUE and stalled.reason in OBSTACLES
