"""What one account asked of the API server, counted from the audit log. Pure but for reading the file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from session_devtools.audit_log import READS, AuditLog, Entry, parse

EXCLUDED = frozenset({"leases", "events"})
""" Renewals come by the clock and events report; neither is work on a session. """


@dataclass(frozen=True, kw_only=True)
class RequestCounts:
    """Requests by "verb resource/subresource", answered well or not."""

    requests: Counter[str]

    def total(self) -> int:
        """All but Lease and events."""
        return sum(count for request, count in self.requests.items() if _resource(request) not in EXCLUDED)

    def writes(self) -> int:
        """Those of them that change something."""
        return sum(
            count
            for request, count in self.requests.items()
            if request.split()[0] not in READS and _resource(request) not in EXCLUDED
        )

    def of(self, request: str) -> int:
        """How many of one kind, such as `patch whatsappsessions/status`."""
        return self.requests[request]

    def events(self) -> int:
        """Writes of events."""
        return sum(count for request, count in self.requests.items() if _resource(request) == "events")


def count(lines: Iterable[str], *, user: str) -> RequestCounts:
    """Count an account's requests in lines of the audit log."""
    return _counted(parse(lines), user)


def count_since(log: Path, start: int, *, user: str) -> RequestCounts:
    """Count from a place in the log on."""
    return _counted(AuditLog(log).entries(since=start, about=user), user)


def _counted(entries: Iterable[Entry], user: str) -> RequestCounts:
    return RequestCounts(requests=Counter(f"{entry.verb} {entry.resource}" for entry in entries if entry.user == user))


def _resource(request: str) -> str:
    return request.split()[1].partition("/")[0]
