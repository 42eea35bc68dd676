"""Which Secrets hold the tokens that open a session's runner, for `status`: those that its pod knows the hashes of.

The names are derived from a new pod, or from the renewal that its runner was just told of; then they stay as they are,
because only status knows which key an earlier renewal took.
"""

from typing import NamedTuple

from session_protocol.vocabulary import TokenPurpose

from whatsapp_operator.api.session import TokenSecrets, WhatsAppSession
from whatsapp_operator.core.model import TokenSource
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.session.snapshot import Snapshot


class TokenSecretNames(NamedTuple):
    """The names of the Secrets with tokens, as status has them."""

    observing: str | None
    others: TokenSecrets | None


def token_secrets(snapshot: Snapshot, *, creates_objects: bool) -> TokenSecretNames:
    """Return the Secrets whose tokens the pod takes, or those of the pod that is about to be created."""
    pod, stored, renewal = snapshot.pod, snapshot.session.status, snapshot.renewal
    if pod is not None and pod.secret_name is not None:
        if pod.renewal is None:  # made when one Secret held all tokens, and the pod mounted it
            return TokenSecretNames(pod.secret_name, None)
        if renewal.source is not None:
            return _named(snapshot.session, renewal.source)
        if (stored.pod_uid != pod.uid or stored.token_secrets is None) and pod.key_id is not None:
            return _named(snapshot.session, TokenSource(key_id=pod.key_id, renewal=pod.renewal))
    elif creates_objects:
        return _named(snapshot.session, names.token_source(snapshot.session, snapshot.defaults))
    return TokenSecretNames(stored.token_secret_name, stored.token_secrets)


def _named(session: WhatsAppSession, source: TokenSource) -> TokenSecretNames:
    found = names.token_secret_names(session, source)
    return TokenSecretNames(
        found[TokenPurpose.OBSERVING],
        TokenSecrets(linking=found[TokenPurpose.LINKING], administering=found[TokenPurpose.ADMINISTERING]),
    )
