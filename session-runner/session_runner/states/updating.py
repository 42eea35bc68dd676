"""Whether the service refuses the page's version, and what the page then loads is no other.

Such a page loads itself anew at once, so no document of it stays for long enough to be judged: they are counted. `history`
keeps the record and the monitor adds what the page tells in its last moment; `refused` and `booting` ask for the result.
"""

from msgspec import Struct
from msgspec.structs import replace

from session_runner.states.facts import Facts

MOST_DOCUMENTS = 3
""" A page that is refused loads the newer one, or at the second try, past what the browser had kept of it. """


class Updating(Struct, frozen=True, kw_only=True):
    """The documents that were refused one after the other. Times are on the caller's monotonic clock."""

    documents: int = 0
    is_refused: bool = False
    """ The present one is among them. """
    last: float | None = None
    """ When one was last. """


def version_refused(updating: Updating, *, now: float) -> Updating:
    """Return the record after the page said that it needs an update."""
    documents = updating.documents if updating.is_refused else updating.documents + 1
    return Updating(documents=documents, is_refused=True, last=now)


def next_document(updating: Updating) -> Updating:
    """Return the record of the document that follows."""
    return replace(updating, is_refused=False)


def looked(updating: Updating, facts: Facts, *, now: float) -> Updating:
    """Return the record after a probe: one that is let in may be told of an update, too, and is not refused."""
    if facts.is_let_in:
        return Updating()
    return version_refused(updating, now=now) if facts.needs_update else updating


def is_endless(updating: Updating, *, patience: float, now: float) -> bool:
    """Whether the page goes on loading itself; one that has not been refused for `patience` seconds is another matter."""
    return updating.documents >= MOST_DOCUMENTS and updating.last is not None and now - updating.last < patience
