"""Whether somebody changed what failed: the next pod is made from another template than the one that failed last.

A change of the session's spec shows in its generation. What the operator's settings give to all sessions, first of all
the runner's image, shows nowhere but in the template: so the failure records its hash. An image with a broken browser
stops every session; with another image they all go on, and nobody has to ask for each.
"""

from collections.abc import Callable

from whatsapp_operator.api.session import WhatsAppSession


def is_mended(session: WhatsAppSession, template: Callable[[], str]) -> bool:
    """Whether failures are counted that another template had. An invalid spec has none, and changes nothing.

    :param template: gives the hash of the template that the next pod would be made from.
    """
    recovery = session.status.recovery
    if recovery is None or recovery.consecutive_failures == 0 or recovery.last_failure is None or session.problems:
        return False
    failed = recovery.last_failure.template_hash
    return failed is not None and failed != template()
