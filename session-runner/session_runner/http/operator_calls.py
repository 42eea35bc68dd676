"""The operator's own calls: signed requests, each with a nonce of ours, and signed answers.

`app` asks this before it asks for a token. The key is a file beside those of the tokens; where there is none, as
outside of Kubernetes, nobody can call so. `session_protocol.signed_calls` tells what is sent.

A nonce is not stored when it is given away, for anybody may ask for one: it carries its time and our own HMAC. What is
stored, for as long as it would be valid, are those that were used, and only whoever has the key can use one.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from msgspec import Struct
from session_protocol import signed_calls
from session_protocol.bad_requests import authorization_of
from session_protocol.signed_calls import Credentials
from session_protocol.token_hashes import OPERATOR_FILE

from session_runner.http.errors import BadRequestError, UnauthorizedError

VALID_SECONDS = 60.0
""" How long a nonce is valid: longer than the operator waits between two calls. """
MOST_USED = 4096
""" Nonces used within that time at most; the operator needs five a second when a state changes all the time. """


class SignedCall(Struct, frozen=True, kw_only=True):
    """One call of the operator, found to be genuine."""

    key: str
    signature: str
    digest: str

    def check(self, body: bytes) -> None:
        """Check that the body is the one that was signed. :raises BadRequestError: it is another."""
        if signed_calls.content_digest(body) != self.digest:
            raise BadRequestError("The body is not the one of the header Content-Digest.")

    def sign(self, response: web.Response, *, nonce: str) -> None:
        """Sign the answer, and give the nonce for the next call with it."""
        body = response.body if isinstance(response.body, bytes) else b""
        signature = signed_calls.sign_answer(
            self.key, request=self.signature, status=response.status, nonce=nonce, body=body
        )
        response.headers[signed_calls.NONCE_HEADER] = nonce
        response.headers[signed_calls.SIGNATURE_HEADER] = signature


class OperatorCalls:
    """Tells the operator's calls from others'."""

    def __init__(self, folder: Path, *, pod_uid: str, monotonic: Callable[[], float]) -> None:
        self._file = folder / OPERATOR_FILE
        self._pod_uid = pod_uid
        self._monotonic = monotonic
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, float] = {}
        """ The nonces that were used, with the end of their validity, oldest first. """

    def nonce(self) -> str:
        """Return a new nonce: its time in milliseconds, something random, and our own HMAC of both."""
        begin = f"{int(self._monotonic() * 1000):x}.{secrets.token_hex(16)}"
        return f"{begin}.{self._mac(begin)}"

    def read(self, request: web.Request) -> SignedCall | None:
        """Return the call that a request is; None: it is none of the operator's.

        :raises UnauthorizedError: it claims to be one and is not; with a nonce to sign.
        """
        header = authorization_of(request)
        if header is None or not signed_calls.is_signed(header):
            return None
        call = self._genuine(request, signed_calls.read_authorization(header))
        if call is None:
            error = UnauthorizedError("Sign the nonce with the operator's key for this pod.")
            error.headers = (*UnauthorizedError.headers, (signed_calls.NONCE_HEADER, self.nonce()))
            raise error
        return call

    def _genuine(self, request: web.Request, shown: Credentials | None) -> SignedCall | None:
        key = self._key()
        if shown is None or not key:
            return None
        digest = request.headers.get(signed_calls.DIGEST_HEADER, "")
        expected = signed_calls.sign_request(
            key,
            pod_uid=self._pod_uid,
            nonce=shown.nonce,
            method=request.method,
            target=request.raw_path,
            digest=digest,
        )
        if not signed_calls.same(expected, shown.signature) or not self._use(shown.nonce):
            return None
        return SignedCall(key=key, signature=shown.signature, digest=digest)

    def _use(self, nonce: str) -> bool:
        """Use a nonce up; return whether it was ours, is still valid, and was not used before."""
        now = self._monotonic()
        while self._used and next(iter(self._used.values())) <= now:
            del self._used[next(iter(self._used))]
        begin, _, mac = nonce.rpartition(".")
        until = int(begin.partition(".")[0], 16) / 1000 + VALID_SECONDS
        ours = signed_calls.same(self._mac(begin), mac)
        if not ours or until <= now or nonce in self._used or len(self._used) >= MOST_USED:
            return False
        self._used[nonce] = now + VALID_SECONDS  # at least as long as it would be valid
        return True

    def _mac(self, begin: str) -> str:
        return hmac.new(self._secret, begin.encode(), hashlib.sha256).hexdigest()[:32]

    def _key(self) -> str:
        try:
            return self._file.read_text().strip()
        except (OSError, UnicodeDecodeError):
            return ""
