"""Authorization: bearer tokens, one file per scope.

`app` calls `require` before each route that needs a scope. The files are read at every request: they are tiny, requests
are few, and so a replaced token counts at once. The token is compared with every file, in constant time, so that the
time of an answer reveals nothing. Tokens are not parsed; `whatsapp_operator.core.objects.tokens` says why they are no
JWTs.
"""

import hmac
from pathlib import Path

from session_protocol.vocabulary import TokenScope

from session_runner.http.errors import ForbiddenError, UnauthorizedError


class TokenFolder:
    """The folder with the token files, as a Secret is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scopes(self) -> frozenset[TokenScope]:
        """Return the scopes that have a token."""
        return frozenset(scope for scope in TokenScope if self._token(scope))

    def scopes_of(self, token: str) -> frozenset[TokenScope]:
        """Return the scopes of a token: none for an unknown or empty one."""
        tokens = {scope: self._token(scope) for scope in TokenScope}
        # A header may hold any bytes; if they are no text, the token is wrong, which is no error of ours.
        given = token.encode(errors="surrogateescape")
        matches = [scope for scope, known in tokens.items() if hmac.compare_digest(given, known.encode())]
        return frozenset(scope for scope in matches if tokens[scope])

    def _token(self, scope: TokenScope) -> str:
        try:
            return (self._folder / scope).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return ""


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
