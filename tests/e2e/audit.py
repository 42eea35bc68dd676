"""The API server's audit log: who asked for what, and what came of it. One JSON line per answered request."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

OPERATOR = "system:serviceaccount:whatsapp-operator:whatsapp-operator"
READS = frozenset({"get", "list", "watch"})


class Entry(NamedTuple):
    """One request."""

    time: datetime
    verb: str
    group: str
    resource: str
    """ With its subresource: `pods/eviction`. """
    namespace: str
    name: str
    code: int

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}".strip("/")
        return f"{self.verb} {self.resource} {place} {self.code}".replace("  ", " ")


class Audit:
    """One account's requests."""

    def __init__(self, log: Path, *, user: str = OPERATOR) -> None:
        self._log = log
        self._user = user

    def now(self) -> int:
        """The present end of the log, for `since`."""
        return self._log.stat().st_size

    def requests(self, *, since: int = 0, namespace: str | None = None) -> list[Entry]:
        """The account's own requests in order; what a person did in its name by impersonation is the person's."""
        with self._log.open("rb") as log:
            log.seek(since)
            found = [entry for line in log if self._user.encode() in line and (entry := self._entry(line)) is not None]
        return [entry for entry in found if namespace in (None, entry.namespace)]

    def _entry(self, line: bytes) -> Entry | None:
        if not line.endswith(b"\n"):  # being written at this moment
            return None
        told = json.loads(line)
        if told["user"].get("username") != self._user or told["stage"] not in ("ResponseComplete", "Panic"):
            return None
        return entry_of(told)


def entry_of(told: dict[str, Any]) -> Entry:
    """Read one event of the log."""
    target = told.get("objectRef", {})
    subresource = f"/{target['subresource']}" if "subresource" in target else ""
    return Entry(
        time=datetime.fromisoformat(told["requestReceivedTimestamp"]),
        verb=told["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", told.get("requestURI", "")) + subresource,
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=told.get("responseStatus", {}).get("code", 0),
    )


def writes(entries: Iterable[Entry], *, but: frozenset[str] = frozenset({"events", "leases"})) -> list[str]:
    """The writes that were carried out, as "verb resource"."""
    return [
        f"{entry.verb} {entry.resource}"
        for entry in entries
        if entry.verb not in READS and entry.code < 300 and entry.resource not in but
    ]
