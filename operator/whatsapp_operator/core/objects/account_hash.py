"""The hash by which status tells a linked account: equal for equal accounts, and no way back to the number.

There are so few telephone numbers that a plain hash would be undone by trying them all; this one takes the operator's
key, which no runner has. So the runner tells the number, to the operator alone, and `runtime.runners.client` calls this
at once and forgets it. The key's id goes with the hash: after a rotation equal accounts have other hashes, and only those
of one key can be compared.
"""

import hashlib
import hmac
from typing import Final

from whatsapp_operator.core.model import AccountHash, KeyID

DIGITS: Final = 16
""" 64 bits: among a million accounts two that differ look equal once in 37 million tries. """


def account_hash(key: bytes, *, key_id: KeyID, phone_number: str) -> AccountHash:
    """Return the hash of an account. The text is none that a token is made of (`core.objects.tokens`)."""
    digest = hmac.new(key, f"account:{phone_number}".encode(), hashlib.sha256).hexdigest()
    return AccountHash(key_id=key_id, digest=digest[:DIGITS])
