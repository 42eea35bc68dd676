"""Rest: nothing is written any more, whatever the operator lists."""

from datetime import UTC, datetime
from typing import Final

from e2e.audit import Audit
from e2e.operator_pod import Operator
from session_devtools.audit_log import READS, Entry
from support.waiting import until

QUIET: Final = 8.0
""" Seconds without a write after which nothing is on its way any more: changes are written within 5. """


def requests_at_rest(audit: Audit, operator: Operator, *, resyncs: int = 3) -> list[Entry]:
    """Wait until what was begun is written, and return what the operator asks for in so many resyncs after that."""
    place, begun = audit.now(), datetime.now(UTC)

    def quiet_for() -> float:
        done = [one for one in audit.requests(since=place) if one.verb not in READS and one.resource != "leases"]
        return (datetime.now(UTC) - (done[-1].time if done else begun)).total_seconds()

    until("what was begun is written", quiet_for, lambda seconds: seconds > QUIET)
    since = audit.now()
    operator.wait_for_resyncs(resyncs)
    return audit.requests(since=since)
