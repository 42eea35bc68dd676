"""The Secrets of a session: everything but the bytes.

One is mounted into the pod: hashes of the tokens, the key of the operator's own calls, the extra CA. The others hold
the tokens, one Secret for each purpose, so that a right to one of them is no right to the rest. The core decides that
they are to be made and what they are called; the runtime adds the bytes, so that no decision, log or test of a decision
ever holds a key. They are immutable: another key or renewal has other names.
"""

from typing import Final

from whatsapp_operator.api.constants import KEY_ID_LABEL
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.decision import CreateSecret
from whatsapp_operator.core.model import Defaults, Manifest, PodTokens, TokenSource
from whatsapp_operator.core.objects import names

EXTRA_CA_KEY: Final = "extra-ca.crt"
""" The entry with the extra CA's PEM text; the others are named after the scopes, and the operator. """


def create_mounted_secret(session: WhatsAppSession, defaults: Defaults) -> CreateSecret:
    """Return the creation of the Secret that the session's next pod mounts."""
    source = names.token_source(session, defaults)
    name = names.mounted_secret_name(session, source, extra_ca=defaults.extra_ca)
    return CreateSecret(manifest=_manifest(session, source, name), source=source, purpose=None)


def create_token_secrets(session: WhatsAppSession, tokens: PodTokens) -> tuple[CreateSecret, ...]:
    """Return the creations of Secrets with tokens."""
    source = tokens.source
    return tuple(
        CreateSecret(manifest=_manifest(session, source, name), source=source, purpose=purpose)
        for purpose, name in names.token_secret_names(session, source).items()
        if purpose in tokens.purposes
    )


def _manifest(session: WhatsAppSession, source: TokenSource, name: str) -> Manifest:
    """Return a Secret without `data`; garbage collection deletes it with the session."""
    return Manifest(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": session.metadata.namespace,
                "labels": names.labels(session) | {KEY_ID_LABEL: names.label_value(source.key_id)},
                "ownerReferences": [names.owner_reference(session)],
            },
            "type": "Opaque",
            "immutable": True,
        }
    )
