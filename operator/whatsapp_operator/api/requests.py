"""What a person asks for once: an annotation with a time on the session, answered in `status.handledRequests`.

Any value other than the handled one counts, whatever it looks like: a schema cannot see annotations, and a person who
wrote "now" wants the restart too. The operator copies the value to status, as far as it can be printed, and never touches
the annotation.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from whatsapp_operator.api.base import StatusModel
from whatsapp_operator.api.constants import RELINK_AT, RENEW_TOKENS_AT, RESTART_AT

_LONGEST: Final = 256
"""Annotations may be long, status should not."""
_HASH: Final = 16


class HandledRequests(StatusModel):
    """The requests that were carried out, by the value of their annotation."""

    restart_at: str | None = None
    """The value of the annotation wasession.dev/restart-at that was last carried out."""
    relink_at: str | None = None
    """The value of the annotation wasession.dev/relink-at that was last carried out."""
    renew_tokens_at: str | None = None
    """The value of the annotation wasession.dev/renew-tokens-at that was last carried out; the tokens come from it."""


def requested(annotations: Mapping[str, str]) -> HandledRequests:
    """Return what the annotations ask for, as status has it once it is carried out."""
    return HandledRequests(
        restart_at=_value(annotations.get(RESTART_AT)),
        relink_at=_value(annotations.get(RELINK_AT)),
        renew_tokens_at=_value(annotations.get(RENEW_TOKENS_AT)),
    )


def _value(annotation: str | None) -> str | None:
    """Return an annotation as it can stand in status, with a question mark for what a terminal would obey.

    Of a longer one the beginning and a hash: two different ones are two requests, whatever they have in common.
    """
    value = annotation or ""
    if len(value) > _LONGEST:
        digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:_HASH]
        value = f"{value[: _LONGEST - _HASH - 1]}~{digest}"
    return "".join(sign if sign.isprintable() else "?" for sign in value) or None


def restart_pending(annotations: Mapping[str, str], handled: HandledRequests) -> bool:
    """Whether a restart was asked for and not carried out yet; taking the annotation away asks for nothing."""
    wanted = requested(annotations).restart_at
    return wanted is not None and wanted != handled.restart_at


def relink_pending(annotations: Mapping[str, str], handled: HandledRequests) -> bool:
    """Whether a new link was asked for and not carried out yet; taking the annotation away asks for nothing."""
    wanted = requested(annotations).relink_at
    return wanted is not None and wanted != handled.relink_at


def wanted_renewal(annotations: Mapping[str, str], handled: HandledRequests) -> str:
    """Return the renewal that the session's tokens are to come from; empty: they were never renewed.

    Taking the annotation away, or losing the status, brings no old tokens back: either alone tells the renewal.
    """
    return requested(annotations).renew_tokens_at or handled.renew_tokens_at or ""
