"""Whether the page's present document can still come up, or has to be fetched again.

What cannot be fetched is no failure of the session: the cause lies between the pod and WhatsApp, and another pod would
come no further. So the runner keeps trying. The monitor tells this record what it did and saw (`new_document`, `noticed`,
`looked`, `gave_up`), asks it before each pause whether another try is due, and `classify` reads `shown` from it.
A document with a page that is up has nothing to do with this any more: nothing here reloads it.
"""

from msgspec import Struct
from msgspec.structs import replace

from session_runner.states.facts import Document, Facts
from session_runner.states.fetch_failures import (
    SCRIPT,
    FetchFailure,
    by_error,
    by_status,
    no_end,
    no_script,
    not_the_page,
)

LONGEST_PAUSE = 60.0
""" Seconds between two tries: short enough that all sessions are back soon after the network is. """
BROKEN_SECONDS = 1.0
""" How long a document whose script failed may still come up without it. """
BOOTING_SECONDS = 10.0
""" The same where the page's module system is there: more of the page works, and more may still come. """
FOREIGN_SECONDS = 5.0
""" How long a complete document may lack everything that is WhatsApp Web's. """
SHORTEST_PATIENCE, LONGEST_PATIENCE = 10.0, 120.0
""" Bounds of how long an answer may take to end, whatever the startup timeout says: a broken connection never ends. """


class Fetching(Struct, frozen=True, kw_only=True):
    """What is known of the present document, and of the tries before it. Times are on the caller's monotonic clock."""

    since: float | None = None
    """ When this document began; None: the page is up, or nothing was fetched yet. """
    seen: FetchFailure | None = None
    """ What the browser reported of this document or one of its scripts. """
    is_cut: bool = False
    """ It was the document itself: what is there of it stays a part. """
    complete_since: float | None = None
    """ Since when nothing of the document is on its way. """
    shown: FetchFailure | None = None
    """ The last failure, until the page is up or was fetched without another one. """
    tries: int = 0
    """ Failures in a row. """


def new_document(fetching: Fetching, *, now: float, is_error: bool = False) -> Fetching:
    """Return the record of a new document; the browser's error page has the failure that was reported before it."""
    return replace(fetching, since=now, seen=fetching.seen if is_error else None, is_cut=False, complete_since=None)


def noticed(fetching: Fetching, failure: FetchFailure, *, of_document: bool) -> Fetching:
    """Return the record after the browser reported a failure; the first one counts, and the document's before a script's.

    A script of a page that is up counts for nothing.
    """
    if not of_document and (fetching.seen is not None or fetching.since is None):
        return fetching
    return replace(fetching, seen=failure, is_cut=of_document)


def gave_up(fetching: Fetching, failure: FetchFailure) -> Fetching:
    """Return the record after a try that is over."""
    return replace(fetching, shown=failure, tries=fetching.tries + 1)


def looked(fetching: Fetching, facts: Facts, *, now: float) -> Fetching:
    """Return the record after a probe."""
    if facts.usable or facts.refused:
        return Fetching()
    document = facts.document or Document()
    complete_since = fetching.complete_since if fetching.complete_since is not None else now
    fetching = replace(
        fetching,
        since=fetching.since if fetching.since is not None else now,
        complete_since=None if document.is_pending else complete_since,
    )
    if _failure_of(fetching, document, host="") is None and now - complete_since >= BOOTING_SECONDS:
        return replace(fetching, shown=None)
    return fetching


def _failure_of(fetching: Fetching, document: Document, *, host: str) -> FetchFailure | None:
    """Return what is wrong with the document as it is now; None: all of the page has arrived."""
    if document.is_error:
        return fetching.seen or by_error(None, host=host)
    if document.status is not None and document.status >= 400:
        return by_status(document.status, host=document.host or host)
    failure = fetching.seen or _refusal(document)
    if failure is not None:
        return failure
    if document.waits_for is not None:
        return no_end(document.waits_for, what=SCRIPT)
    if not document.complete:
        return no_end(host)
    return None if document.is_app else not_the_page(document.host or host)


def unfetched(fetching: Fetching, facts: Facts, *, host: str) -> FetchFailure | None:
    """Return why the page is not all there; None: it is, or the probe could not tell."""
    if facts.usable or facts.refused or facts.document is None:
        return None
    return _failure_of(fetching, facts.document, host=host)


def why_again(fetching: Fetching, facts: Facts, *, host: str, startup: float, now: float) -> FetchFailure | None:
    """Return why the page has to be fetched again now; None: it is up, or may still come up."""
    failure, document = unfetched(fetching, facts, host=host), facts.document
    if failure is None or document is None or fetching.since is None:
        return None
    if document.is_lost or fetching.is_cut:
        return failure
    if fetching.complete_since is None:
        return failure if now - fetching.since >= patience(startup) else None
    scripts_failed = fetching.seen is not None or document.script is not None
    wait = BROKEN_SECONDS if scripts_failed else FOREIGN_SECONDS
    return failure if now - fetching.complete_since >= (BOOTING_SECONDS if facts.booted else wait) else None


def patience(startup: float) -> float:
    """Return the seconds that the answer may take to end."""
    return min(max(startup, SHORTEST_PATIENCE), LONGEST_PATIENCE)


def pause_before(tries: int, *, random: float) -> float:
    """Return the seconds before the next try; `random` (0 to 1) spreads sessions that lost their network together."""
    longest = min(2.0 ** min(tries - 1, 10), LONGEST_PAUSE)
    return longest * (1 - random / 4)


def _refusal(document: Document) -> FetchFailure | None:
    """Return the failure of a script that the page saw fail; the browser's events do not tell of an HTTP status."""
    script = document.script
    if script is None:
        return None
    if script.status is not None and script.status >= 400:
        return by_status(script.status, host=script.host, what=SCRIPT)
    return no_script(script.host)
