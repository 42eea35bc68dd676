"""What one account asked of the API server, counted from the audit log. Pure but for reading the file."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

READS = frozenset({"get", "list", "watch"})
APART = frozenset({"leases", "events"})
""" Renewals come by the clock and events tell; neither is work on a session. """


@dataclass(frozen=True, kw_only=True)
class Count:
    """Requests by "verb resource/subresource", answered well or not."""

    requests: Counter[str]

    def total(self) -> int:
        """All but Lease and events."""
        return sum(count for words, count in self.requests.items() if _resource(words) not in APART)

    def writes(self) -> int:
        """Those of them that change something."""
        return sum(
            count
            for words, count in self.requests.items()
            if words.split()[0] not in READS and _resource(words) not in APART
        )

    def of(self, words: str) -> int:
        """How many of one kind, such as `patch whatsappsessions/status`."""
        return self.requests[words]

    def events(self) -> int:
        """Writes of events."""
        return sum(count for words, count in self.requests.items() if _resource(words) == "events")


def count(lines: Iterable[str], *, user: str) -> Count:
    """Count an account's requests in lines of the audit log; a line that is being written has no end and is left out."""
    found: Counter[str] = Counter()
    for line in lines:
        if not line.endswith("\n") or user not in line:
            continue
        told = json.loads(line)
        if told["stage"] == "ResponseComplete" and told["user"].get("username") == user:
            target = told.get("objectRef", {})
            parts = (target.get("resource", told.get("requestURI", "?")), target.get("subresource"))
            found[f"{told['verb']} {'/'.join(part for part in parts if part)}"] += 1
    return Count(requests=found)


def count_since(log: Path, start: int, *, user: str) -> Count:
    """Count from a place in the log on."""
    with log.open() as file:
        file.seek(start)
        return count(file, user=user)


def _resource(words: str) -> str:
    return words.split()[1].partition("/")[0]
