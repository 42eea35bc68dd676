"""The renewal of a session's tokens: which one its runner knows, and whether another is to be brought to it.

A renewal is the value of an annotation, and the tokens are derived from it. So nothing has to be remembered to make them
again: the pod tells under which one it was created, and status which one was carried out since. Secrets come first, then
the runner is told, then status names them: whoever reads a token there can use it.
"""

from dataclasses import dataclass

from whatsapp_operator.api.requests import requested, wanted_renewal
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, Observation, PodFacts, TokenSource


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """What one decision knows of the renewal."""

    wanted: str
    """ Empty: nobody ever asked for one. """
    known: str | None
    """ The one whose tokens the pod's runner takes, empty for none; None: there is no pod, or it holds plain tokens. """
    source: TokenSource | None
    """ What these tokens are made from, if this process told the runner of them; else None. """
    pending: TokenSource | None
    """ The tokens that the pod is to get. """


def find_renewal(observation: Observation, pod: PodFacts | None, defaults: Defaults) -> Renewal:
    """Return the renewal of a session, given its present pod."""
    session, source = observation.session, observation.tokens_renewed
    stored = session.status.handled_requests.renew_tokens_at
    mounted = pod.renewal if pod is not None else None
    if pod is None or mounted is None:
        wanted = wanted_renewal(session.metadata.annotations, session.status.handled_requests)
        return Renewal(wanted=wanted, known=None, source=None, pending=None)
    renewed = _renewed(session, pod) if source is None else source.renewal
    known = mounted if renewed is None else renewed
    # Without annotation and status the pod still tells the one that it was created with.
    wanted = requested(session.metadata.annotations).renew_tokens_at or stored or mounted
    asked = TokenSource(key_id=defaults.key_id, renewal=wanted)
    pending = asked if wanted != known and not session.problems else None
    return Renewal(wanted=wanted, known=known, source=source, pending=pending)


def _renewed(session: WhatsAppSession, pod: PodFacts) -> str | None:
    """Return the renewal that status says the pod was told of; None: none but that of its Secret."""
    stored = session.status.handled_requests.renew_tokens_at
    return stored if session.status.pod_uid == pod.uid and stored != (pod.renewal or None) else None
