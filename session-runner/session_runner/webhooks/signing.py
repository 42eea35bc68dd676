"""How a receiver knows that a delivery is the session's: a signature over the very bytes of the body.

`CloudAPI` signs the body alone, as Meta does; `Standard` signs id, time of the try and body (Standard Webhooks, v1).
"""

import base64
import hashlib
import hmac

_PREFIX = "whsec_"
_SHORTEST = 16
""" Bytes of a key; Standard Webhooks wants 24 to 64, and libraries take fewer. """


class UnusableSecretError(Exception):
    """The Secret lacks an entry, or an entry cannot be used; the text says what to write and repeats nothing of it."""


def cloud_api_headers(secret: str, body: bytes) -> dict[str, str]:
    """Return the header that Meta sends."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def standard_headers(secret: str, *, identifier: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks. :raises UnusableSecretError: the secret is no key in Base64."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:  # no Base64
        key = b""
    if len(key) < _SHORTEST:
        raise UnusableSecretError(
            "The Secret's signingSecret is no key: write whsec_ and at least 24 random bytes in Base64."
        )
    return key
