"""Who may ask what: bearer tokens, one file per scope.

`app` puts `require` in front of each route that needs a scope. The files are read at every request: they are tiny,
requests are few, and a token that was replaced counts at once. Every file is compared, and each in constant time, so
that the time of an answer tells nothing.
"""

from __future__ import annotations

import hmac
from pathlib import Path

from session_runner.http.errors import ForbiddenError, UnauthorizedError
from session_runner.states.vocabulary import TokenScope


class TokenFolder:
    """The folder with the token files, as a Secret is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scopes(self) -> frozenset[TokenScope]:
        """The scopes that have a token."""
        return frozenset(scope for scope in TokenScope if self._token(scope))

    def scope_of(self, token: str) -> TokenScope | None:
        """What this token allows; `None` for an unknown one. An empty token is never known."""
        found = None
        for scope in TokenScope:
            expected = self._token(scope)
            if hmac.compare_digest(token.encode(), expected.encode()) and expected:
                found = scope
        return found

    def _token(self, scope: TokenScope) -> str:
        try:
            return (self._folder / scope).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return ""


def require(tokens: TokenFolder, authorization: str | None, *allowed: TokenScope) -> None:
    """Raise UnauthorizedError for no or a wrong token, ForbiddenError for the token of another scope."""
    kind, _, token = (authorization or "").partition(" ")
    scope = tokens.scope_of(token.strip()) if kind.lower() == "bearer" else None
    if scope is None:
        raise UnauthorizedError("Send the header Authorization: Bearer TOKEN with a token of this session.")
    if scope is not TokenScope.ADMIN and scope not in allowed:
        wanted = " or ".join([*allowed, TokenScope.ADMIN])
        raise ForbiddenError(f"This needs a token of the scope {wanted}; yours is of the scope {scope}.")
