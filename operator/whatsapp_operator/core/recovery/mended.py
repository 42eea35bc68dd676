"""Whether somebody changed what failed: the next pod is made from another template than the one that failed last.

A change of the session's spec shows in its generation. What the operator's settings give to all sessions, first of all
the runner's image, shows nowhere but in the template: so the failure records its hash. An image with a broken browser
stops every session; with another image they all go on, and nobody has to ask for each.
"""

from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.core.objects.pod import template_hash


def is_mended(session: WhatsAppSession, defaults: Defaults) -> bool:
    """Whether failures are counted that another template had. An invalid spec has none, and changes nothing."""
    recovery = session.status.recovery
    if recovery is None or recovery.consecutive_failures == 0 or recovery.last_failure is None or session.problems:
        return False
    failed = recovery.last_failure.template_hash
    return failed is not None and failed != template_hash(session, defaults)
