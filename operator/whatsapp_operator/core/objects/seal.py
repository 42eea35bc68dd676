"""Seals: how an object that outlives its session proves that the operator made it, and with which amounts.

    wasession.dev/seal: 1:KEY-ID:SESSION-UID:QUOTA:MEMORY:STORAGE:HMAC

The HMAC is over these fields and over kind, namespace and name of the object that bears it, so that a copy proves
nothing on any other. A name exists once, so a copy on a successor of the same name counts as much as the original did,
once. Everybody who may read the object may read the seal; only who has the key can make one.

The runtime calls `seal_text` when it creates an object and `read_seal` when it asks whose one is; the core sees what a
seal says and never a key. The seal is set after the template's hash was computed: it is the operator's word about a
pod, not a part of what the pod is.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID

MAX_LENGTH: Final = 1024
""" Of a seal: the longest key id, UID, quota name and amounts fit. A longer text is not looked at. """
_PREFIX: Final = "wasession.dev/seal"
""" Begins what is signed. A token's text begins with a session's UID, so no token can be a seal, or the reverse. """
_AMOUNT: Final = r"(0|[1-9][0-9]{0,39})"
_SEAL: Final = re.compile(
    rf"1:([-._a-zA-Z0-9]{{1,253}}):([-a-zA-Z0-9]{{1,64}}):([-.a-z0-9]{{1,253}}):{_AMOUNT}:{_AMOUNT}:([0-9a-f]{{64}})"
)
""" Amounts are whole bytes, so that no quantity such as 1Gi has to be parsed here. """


def seal_text(key: bytes, seal: Seal, *, kind: SealedKind, namespace: str, name: str) -> str:
    """Return the annotation's value."""
    payload = f"1:{seal.key_id}:{seal.session_uid}:{seal.quota}:{seal.memory}:{seal.storage}"
    return f"{payload}:{_signature(key, payload, kind=kind, namespace=namespace, name=name)}"


def read_seal(
    text: str, *, kind: SealedKind, namespace: str, name: str, key: Callable[[KeyID], bytes | None]
) -> Seal | None:
    """Return what the seal of an object says; None: there is none, it is another object's, or nobody's.

    :param key: returns a key, or None where it is unknown or has ended.
    """
    found = _SEAL.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found is None:
        return None
    key_id, session_uid, quota, memory, storage, signature = found.groups()
    secret = key(KeyID(key_id))
    if secret is None:
        return None
    payload = text[: -len(signature) - 1]
    if not hmac.compare_digest(signature, _signature(secret, payload, kind=kind, namespace=namespace, name=name)):
        return None
    return Seal(
        key_id=KeyID(key_id),
        session_uid=SessionUID(session_uid),
        quota=quota,
        memory=int(memory),
        storage=int(storage),
    )


def _signature(key: bytes, payload: str, *, kind: SealedKind, namespace: str, name: str) -> str:
    # No part holds a line break (names are DNS names), so two different objects never give the same text.
    signed = f"{_PREFIX}\n{kind}\n{namespace}\n{name}\n{payload}"
    return hmac.digest(key, signed.encode(errors="replace"), hashlib.sha256).hex()
