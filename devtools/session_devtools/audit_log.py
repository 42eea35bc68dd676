"""The API server's audit log, read back: who asked for what, and what came of it. One JSON line per answered request.

Both kinds of local cluster write one. Tests and benchmarks read here what a program really did, whatever it says of itself.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["READS", "AuditLog", "Entry", "parse", "writes"]

READS = frozenset({"get", "list", "watch"})
_ANSWERED = frozenset({"ResponseComplete", "Panic"})


class Entry(NamedTuple):
    """One request that was answered."""

    verb: str
    resource: str
    """With its subresource: `pods/eviction`; the path where there is no object."""
    user: str
    group: str = ""
    namespace: str = ""
    name: str = ""
    code: int = 0
    user_agent: str = ""
    received: str = ""
    is_forbidden: bool = False
    """Whether a right was missing; a 403 of admission (a quota, a policy) is none of that."""

    @property
    def time(self) -> datetime:
        """When it came."""
        return datetime.fromisoformat(self.received)

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}".strip("/")
        return f"{self.verb} {self.resource} {place} {self.code}".replace("  ", " ")


class AuditLog:
    """One cluster's log."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def end(self) -> int:
        """The present end of the log, for `since`."""
        return self._path.stat().st_size if self._path.exists() else 0

    def entries(self, *, since: int = 0, about: str = "") -> list[Entry]:
        """What was answered from a place in the log on, in order; only lines that hold the text `about` are looked at."""
        with self._path.open("rb") as log:
            log.seek(since)
            return list(parse(line.decode(errors="replace") for line in log if about.encode() in line))


def parse(lines: Iterable[str]) -> Iterator[Entry]:
    """Read lines of the log; one that is being written at this moment has no end and is left out."""
    for line in lines:
        if line.endswith("\n"):
            event = json.loads(line)
            if event["stage"] in _ANSWERED:
                yield _entry(event)


def writes(entries: Iterable[Entry], *, but: Collection[str] = ("events", "leases")) -> list[str]:
    """The writes that were carried out, as "verb resource", without those to the resources in `but`."""
    return [
        f"{entry.verb} {entry.resource}"
        for entry in entries
        if entry.verb not in READS and entry.code < 300 and entry.resource.partition("/")[0] not in but
    ]


def _entry(event: dict[str, Any]) -> Entry:
    target = event.get("objectRef", {})
    subresource = f"/{target['subresource']}" if target.get("subresource") else ""
    code = event.get("responseStatus", {}).get("code", 0)
    decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
    return Entry(
        verb=event["verb"],
        resource=target.get("resource", event.get("requestURI", "?")) + subresource,
        user=event.get("user", {}).get("username", ""),
        group=target.get("apiGroup", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=code,
        user_agent=event.get("userAgent", ""),
        received=event.get("requestReceivedTimestamp", ""),
        is_forbidden=code == 401 or decision == "forbid",
    )
