"""What the table of routes has of each one."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal

from msgspec import Struct
from session_protocol.vocabulary import TokenScope

from session_runner.http.errors import ApiError, ForbiddenError, UnauthorizedError


class Route(Struct, frozen=True, kw_only=True):
    """One operation."""

    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    name: str
    """ The operation's id, by which `app` finds the handler. """
    summary: str
    description: str = ""
    """ What else there is to know of it; the document says before it which scope it needs. """
    scope: TokenScope | None = None
    """ The scope that it needs; admin is allowed, too. None: no token is needed, or none opens it (`operator`). """
    also: tuple[TokenScope, ...] = ()
    """ Further scopes that open it. """
    operator: bool = False
    """ Whether the operator calls it: it signs its requests and shows no token. """
    query: type[Struct] | None = None
    body: type[Struct] | UnionType | Mapping[str, Any] | None = None
    takes: str = "application/json"
    """ The body's media type. """
    answer: str
    """ What status 200 means. """
    content: Mapping[str, type[Struct] | Mapping[str, Any]]
    """ The answer's media types, each with its structure or schema. """
    cached: bool = True
    """ Whether caches may keep the answer. """
    errors: tuple[type[ApiError], ...] = ()
    head: bool = False
    """ Whether HEAD is answered, too. """

    @property
    def scopes(self) -> tuple[TokenScope, ...]:
        """The scopes that open it, beside admin."""
        return () if self.scope is None else (self.scope, *self.also)

    @property
    def refusals(self) -> tuple[type[ApiError], ...]:
        """The errors that the route may answer with, those about the token included."""
        return ((UnauthorizedError, ForbiddenError) if self.scope or self.operator else ()) + self.errors
