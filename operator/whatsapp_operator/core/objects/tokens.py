"""Tokens from a key: the operator stores one key and can make every session's tokens again.

The runtime calls this when it fills Secrets and when it calls a runner; the key itself never enters the core's
observations. Another key or another renewal gives other tokens: the pod's label and annotation say what its are from.
The pod gets hashes, which open nothing, and the key of the operator's own calls; people and clients get the tokens.

One HMAC over one text, which both sides can make: a JWT has claims, an expiry and a choice of algorithms that nobody
here would read, and a parser in front of the comparison.
"""

import hashlib
import hmac
from typing import Final

from session_protocol.token_hashes import OPERATOR_FILE, hash_token
from session_protocol.vocabulary import TokenPurpose, TokenScope

from whatsapp_operator.core.model import SessionUID

SCOPES: Final = tuple(scope for scope in TokenScope if any(scope in purpose.scopes for purpose in TokenPurpose))
""" The scopes that anybody gets a token of. """


def token(key: bytes, *, session_uid: SessionUID, scope: TokenScope, renewal: str | None) -> str:
    """Return the session's token for one scope, 64 hexadecimal digits.

    :param renewal: None: as it was for pods that hold plain tokens. Those open no pod that holds hashes.
    :raises ValueError: the key is shorter than 32 bytes, so that guessing it would be easier than guessing a token.
    """
    return _derive(key, f"{session_uid}:{scope}" if renewal is None else f"{session_uid}:{scope}:{renewal}")


def operator_key(key: bytes, *, session_uid: SessionUID, renewal: str) -> str:
    """Return the key that the operator and the runner of one pod sign their messages with.

    :param renewal: the one that the pod was created under; a later one does not change it.
    """
    return _derive(key, f"{session_uid}:{OPERATOR_FILE}:{renewal}")


def hashes(key: bytes, *, session_uid: SessionUID, renewal: str) -> dict[str, str]:
    """Return the hash of each token, by scope: what a runner recognizes them by."""
    return {
        str(scope): hash_token(token(key, session_uid=session_uid, scope=scope, renewal=renewal)) for scope in SCOPES
    }


def secret_entries(
    key: bytes, *, session_uid: SessionUID, renewal: str, purpose: TokenPurpose | None
) -> dict[str, str]:
    """Return the entries of one Secret: tokens for a purpose, or for the pod hashes and the operator's key."""
    if purpose is None:
        own = {OPERATOR_FILE: operator_key(key, session_uid=session_uid, renewal=renewal)}
        return hashes(key, session_uid=session_uid, renewal=renewal) | own
    return {str(scope): token(key, session_uid=session_uid, scope=scope, renewal=renewal) for scope in purpose.scopes}


def _derive(key: bytes, text: str) -> str:
    if len(key) < 32:
        raise ValueError(f"the key has {len(key)} bytes, but it must have at least 32: create a new one")
    return hmac.new(key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
