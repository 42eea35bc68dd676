"""What one account asked of the API server, counted from the audit log. Pure but for reading the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

READS = frozenset({"get", "list", "watch"})
EXCLUDED = frozenset({"leases", "events"})
""" Renewals come by the clock and events tell; neither is work on a session. """


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
    """Count an account's requests in lines of the audit log; a line that is being written has no end and is left out."""
    found: Counter[str] = Counter()
    for line in lines:
        if not line.endswith("\n") or user not in line:
            continue
        event = json.loads(line)
        if event["stage"] == "ResponseComplete" and event["user"].get("username") == user:
            target = event.get("objectRef", {})
            parts = (target.get("resource", event.get("requestURI", "?")), target.get("subresource"))
            found[f"{event['verb']} {'/'.join(part for part in parts if part)}"] += 1
    return RequestCounts(requests=found)


def count_since(log: Path, start: int, *, user: str) -> RequestCounts:
    """Count from a place in the log on."""
    with log.open() as file:
        file.seek(start)
        return count(file, user=user)


def _resource(request: str) -> str:
    return request.split()[1].partition("/")[0]
