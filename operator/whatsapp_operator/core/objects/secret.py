"""The Secret with a session's tokens: everything but the bytes.

The core decides that the Secret is to be made and what it is called; the runtime adds the tokens and the extra CA,
so that no decision, log or test of a decision ever holds a key. It is immutable: another key has another name.
"""

from typing import Final

from whatsapp_operator.api.constants import KEY_ID_LABEL
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, Manifest
from whatsapp_operator.core.objects import names

EXTRA_CA_KEY: Final = "extra-ca.crt"
""" The entry with the extra CA's PEM text; the others are named after the scopes. """


def secret_manifest(session: WhatsAppSession, defaults: Defaults) -> Manifest:
    """Return the Secret without `data`; garbage collection deletes it with the session."""
    return Manifest(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": names.secret_name(session, key_id=defaults.key_id, extra_ca=defaults.extra_ca),
                "namespace": session.metadata.namespace,
                "labels": names.labels(session) | {KEY_ID_LABEL: names.label_value(defaults.key_id)},
                "ownerReferences": [names.owner_reference(session)],
            },
            "type": "Opaque",
            "immutable": True,
        }
    )
