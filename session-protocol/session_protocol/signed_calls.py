"""How the operator calls a runner without showing it a token: both sign, with a key that only this pod has.

A pod's address can be another's by the time a request arrives there, so a request must be worth nothing to whoever gets
it, and an answer must prove that it is the pod's. What is sent is what HTTP Digest sends, with HMACs in place of hashes:

    GET /v1/state                      ──>  Authorization: Session-HMAC
                                       <──  401, Session-Nonce: N1
    GET /v1/state                      ──>  Authorization: Session-HMAC N1:SIGNATURE
                                       <──  200, Session-Nonce: N2, Session-Signature: SIGNATURE

A nonce is the runner's, is valid for a short time and once, so that a request cannot be repeated; each signed answer
brings the next one, so that only the first call takes two requests. The request's signature covers the pod's UID,
method, path with query, and the body by its Content-Digest (RFC 9530); the answer's covers the request's, the status,
the next nonce and the body. No clock is compared with another's.
"""

import base64
import hashlib
import hmac
import re
from typing import Final, NamedTuple

SCHEME: Final = "Session-HMAC"
NONCE_HEADER: Final = "Session-Nonce"
SIGNATURE_HEADER: Final = "Session-Signature"
DIGEST_HEADER: Final = "Content-Digest"
_NONCE: Final = r"[0-9a-f]{1,32}\.[0-9a-f]{32}\.[0-9a-f]{32}"
_CREDENTIALS: Final = re.compile(rf"({_NONCE}):([0-9a-f]{{64}})")


class Credentials(NamedTuple):
    """What a signed request shows."""

    nonce: str
    signature: str


def is_nonce(text: str | None) -> bool:
    """Whether a text from outside has the form of a nonce."""
    return text is not None and len(text) < 128 and re.fullmatch(_NONCE, text) is not None


def is_signed(authorization: str | None) -> bool:
    """Whether a request is the operator's, or wants to become one by asking for a nonce."""
    return (authorization or "").partition(" ")[0].lower() == SCHEME.lower()


def authorization(credentials: Credentials) -> str:
    """Return the header of a signed request."""
    return f"{SCHEME} {credentials.nonce}:{credentials.signature}"


def read_authorization(header: str) -> Credentials | None:
    """Return what the header shows; None: nothing that could be valid."""
    found = _CREDENTIALS.fullmatch(header.partition(" ")[2]) if len(header) < 256 else None
    return None if found is None else Credentials(found[1], found[2])


def content_digest(body: bytes) -> str:
    """Return the header for a body; empty for none."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:" if body else ""


def sign_request(key: str, *, pod_uid: str, nonce: str, method: str, target: str, digest: str) -> str:
    """Return the signature of a request; `target` is the path with its query, as it is sent."""
    return _sign(key, "request", pod_uid, nonce, method, target, digest)


def sign_answer(key: str, *, request: str, status: int, nonce: str, body: bytes) -> str:
    """Return the signature of the answer to the request with that signature."""
    return _sign(key, "answer", request, str(status), nonce, hashlib.sha256(body).hexdigest())


def same(one: str, other: str) -> bool:
    """Whether two signatures are the same, in a time that tells nothing about them."""
    return hmac.compare_digest(one.encode(errors="surrogateescape"), other.encode(errors="surrogateescape"))


def _sign(key: str, *parts: str) -> str:
    # Each part with its length: what ends one and begins the next is part of the text.
    text = "".join(f"{len(part)}:{part}\n" for part in parts)
    return hmac.new(key.encode(), text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
