"""What can go wrong between the operator and the API server: one class per answer that somebody handles.

    KubeError
    ├── AnswerTooLarge         an answer, but more of it than we read
    ├── Unreachable            no answer that can be read: network, TLS, or the time ran out. It MAY have been carried out.
    │   └── RequestTimeout
    ├── Refused                an answer that says no
    │   ├── Unauthorized       401: our own credentials
    │   ├── Forbidden          403: rights, admission, a namespace's ResourceQuota
    │   ├── NotFound           404
    │   ├── Conflict           409: the object changed since it was read, or the UID is another's
    │   │   └── AlreadyExists  409 with that reason: the name is taken
    │   ├── Gone               410: the version asked for, or to continue a list from, is forgotten
    │   ├── Unprocessable      422 or 400: the object is invalid; the same request fails again
    │   └── TooManyRequests    429: come back after `retry_after` seconds
    └── ServerError            5xx

The client library raises its own exceptions in some places and returns unchecked statuses in others; this tree is the
only one the rest of the operator sees. Messages are the API server's own. They quote what tenants and webhooks wrote, and
go into conditions, events and the log, so they are cut and redacted here, once.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from session_protocol.redaction import redact

from whatsapp_operator.core.calls import CallReason

_REASON: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_FIELD: Final = re.compile(r"[A-Za-z0-9.\[\]]{1,200}")
MAX_CAUSES: Final = 32
""" Of an answer's, that are looked at. """


class KubeError(Exception):
    """A request to the API server failed."""

    reason: str = CallReason.SERVICE_UNAVAILABLE
    """ Why, in one word: the API server's, or one of its vocabulary. """
    retry_after: float = 0.0
    """ Seconds after which the API server asks to retry. """


class AnswerTooLarge(KubeError):
    """The answer is longer than the request allows: ask for less."""


class Unreachable(KubeError):
    """No answer came. It is unknown whether a write was carried out: read the object."""


class RequestTimeout(Unreachable):
    """No answer came in time."""

    reason = CallReason.TIMEOUT


class ServerError(KubeError):
    """The API server failed (5xx). It is unknown whether a write was carried out: read the object."""

    def __init__(self, message: str, *, reason: str = CallReason.INTERNAL_ERROR, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after


class Refused(KubeError):
    """The API server rejected the request, which was not carried out."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason or type(self).__name__
        """ The reason in the API server's Status: Forbidden, AlreadyExists, … """
        self.fields = fields
        """ The fields that it calls invalid, as it writes them: `status.conditions[0].reason`. """


class Unauthorized(Refused):
    """The API server rejects our credentials (401)."""


class Forbidden(Refused):
    """Not allowed (403): a missing right, an admission plugin, or a namespace's ResourceQuota."""


class NotFound(Refused):
    """There is no such object (404)."""


class Conflict(Refused):
    """The object has changed since it was read, or has another UID (409)."""


class AlreadyExists(Conflict):
    """An object of this name exists (409)."""


class Gone(Refused):
    """The requested resourceVersion has expired (410): list from the start."""


class Unprocessable(Refused):
    """The object is invalid (422, 400): the same request would fail again."""


class TooManyRequests(Refused):
    """The API server is busy (429)."""

    def __init__(self, message: str, *, status: int = 429, reason: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, status=status, reason=reason)
        self.retry_after = retry_after


_BY_STATUS: dict[int, type[Refused]] = {
    400: Unprocessable,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Unprocessable,
}


def error_for(status: int, body: Mapping[str, Any], *, retry_after: float | None = None) -> KubeError:
    """Return the error for an answer that is not a success. `body` is the API server's Status object, or empty."""
    reason, text = body.get("reason"), body.get("message")
    reason = reason if isinstance(reason, str) and _REASON.fullmatch(reason) else ""
    message = redact(text, keep="start") if isinstance(text, str) else ""
    message = message or f"the API server answered {status}"
    if status >= 500:
        return ServerError(message, reason=reason or CallReason.INTERNAL_ERROR, retry_after=retry_after or 0.0)
    if status == 429:
        return TooManyRequests(message, reason=reason, retry_after=1.0 if retry_after is None else retry_after)
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists(message, status=status, reason=reason)
    causes = _causes(body)
    if any(cause.get("reason") == CallReason.NAMESPACE_TERMINATING for cause in causes):
        reason = CallReason.NAMESPACE_TERMINATING
    fields = tuple(
        field for cause in causes if isinstance(field := cause.get("field"), str) and _FIELD.fullmatch(field)
    )
    return _BY_STATUS.get(status, Refused)(message, status=status, reason=reason, fields=fields)


def _causes(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    return [cause for cause in causes[:MAX_CAUSES] if isinstance(cause, Mapping)] if isinstance(causes, list) else []
