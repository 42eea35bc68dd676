"""Authorization: bearer tokens, one file per scope.

`app` calls `require` before each route that needs a scope. A file holds `sha256:` and the hash of a token, so that a
pod, and whoever gets into it, holds none; a plain token is taken, too, for a runner outside of Kubernetes. The files
are read at every request: they are tiny, requests are few, and so a replaced token counts at once. A token is hashed and
compared with every file, in constant time, so that the time of an answer reveals nothing. Tokens are not parsed;
`whatsapp_operator.core.objects.tokens` says why they are no JWTs.

The operator may renew the tokens of a running session (`PUT /v1/tokens`): it sends the hashes, which count instead of
the files for as long as this process lives; the next pod mounts the same ones.
"""

import hmac
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from session_protocol.token_hashes import digest_of, read_digest
from session_protocol.vocabulary import TokenScope

from session_runner.http.errors import ForbiddenError, UnauthorizedError

RETIRED_SECONDS = 120.0
""" How much longer a token opens what it opened, once another is in its place: for whoever has to read the new one. """
MOST_RETIRED = 8
""" Renewals within that time at most; with one more the oldest tokens end early. """


Digests = Mapping[TokenScope, bytes]


class TokenFolder:
    """The folder with the token files, as a Secret is mounted, and what replaced its tokens since."""

    def __init__(self, folder: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._monotonic = monotonic
        self._renewed: Digests | None = None
        self._retired: list[tuple[float, Digests]] = []
        """ Tokens that were replaced, with the time of their end. """

    def scopes(self) -> frozenset[TokenScope]:
        """Return the scopes that have a token."""
        return frozenset(self._current())

    def scopes_of(self, token: str) -> frozenset[TokenScope]:
        """Return the scopes of a token: none for an unknown or empty one."""
        given, now = digest_of(token), self._monotonic()
        known = [self._current(), *(digests for end, digests in self._retired if now < end)]
        matches = [scope for digests in known for scope in _matching(given, digests)]
        return frozenset(matches)

    def renew(self, digests: Digests) -> bool:
        """Take these tokens and no others; those of before are taken a little longer. Return whether they differ."""
        current, now = self._current(), self._monotonic()
        if digests == current:
            return False
        alive = [(end, digests) for end, digests in self._retired if now < end]
        self._retired = [*alive, (now + RETIRED_SECONDS, current)][-MOST_RETIRED:]
        self._renewed = dict(digests)
        return True

    def _current(self) -> Digests:
        if self._renewed is not None:
            return self._renewed
        read = {scope: self._read(scope) for scope in TokenScope}
        return {scope: digest for scope, digest in read.items() if digest is not None}

    def _read(self, scope: TokenScope) -> bytes | None:
        try:
            return read_digest((self.folder / scope).read_text().strip())
        except (OSError, UnicodeDecodeError):
            return None


def _matching(given: bytes, digests: Digests) -> list[TokenScope]:
    return [scope for scope, digest in digests.items() if hmac.compare_digest(given, digest)]


def require(tokens: TokenFolder, authorization: str | None, *allowed: TokenScope) -> str:
    """Return the token's scopes, as one text, if one of them is allowed.

    :raises UnauthorizedError: there is no token, or an unknown one.
    :raises ForbiddenError: the token is of another scope.
    """
    kind, _, token = (authorization or "").partition(" ")
    scopes = tokens.scopes_of(token.strip()) if kind.lower() == "bearer" else frozenset()
    if not scopes:
        raise UnauthorizedError("Send the header Authorization: Bearer TOKEN with a token of this session.")
    if scopes.isdisjoint({*allowed, TokenScope.ADMIN}):
        wanted = " or ".join(dict.fromkeys([*allowed, TokenScope.ADMIN]))
        raise ForbiddenError(f"This needs a token of the scope {wanted}; yours is of the scope {', '.join(scopes)}.")
    return " ".join(sorted(scopes))
