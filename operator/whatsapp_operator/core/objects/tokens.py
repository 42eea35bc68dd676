"""Tokens from a key: the operator stores one key and can make every session's tokens again.

The runtime calls `token` when it fills a Secret and when it polls a runner; the key itself never enters the core's
observations. Rotation is another key id: the pod's label says which one its tokens come from.

One HMAC over one text, which both sides can make: a JWT has claims, an expiry and a choice of algorithms that nobody
here would read, and a parser in front of the comparison.
"""

import hashlib
import hmac

from session_protocol.vocabulary import TokenScope

from whatsapp_operator.core.model import SessionUID


def token(key: bytes, *, session_uid: SessionUID, scope: TokenScope) -> str:
    """Return the session's token for one scope, 64 hexadecimal digits.

    :raises ValueError: the key is shorter than 32 bytes, so that guessing it would be easier than guessing a token.
    """
    if len(key) < 32:
        raise ValueError(f"the key has {len(key)} bytes, but it must have at least 32: create a new one")
    return hmac.new(key, f"{session_uid}:{scope}".encode(), hashlib.sha256).hexdigest()
