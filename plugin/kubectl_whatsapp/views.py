"""What the plugin knows of a session and of a quota, read from their JSON. Nothing here fails on an odd object.

A cluster may run an operator newer or older than this plugin: a field that is not there is shown as not known, a word
that was never heard is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["QUOTAS", "RELINK_AT", "RESTART_AT", "RUNNER_PORT", "SESSIONS", "QuotaView", "SessionView", "read_time"]

# The plugin is installed without the operator's package, so it has the few words it shares with it; a test compares.
SESSIONS = "whatsappsessions.wasession.dev"
QUOTAS = "whatsappsessionquotas.wasession.dev"
RESTART_AT = "wasession.dev/restart-at"
RELINK_AT = "wasession.dev/relink-at"
RUNNER_PORT = 8080


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """One session, as its status tells it."""

    namespace: str
    name: str
    state: str
    """ Empty while the operator has not seen the session. """
    ready: str
    """ True, False or Unknown. """
    reason: str
    message: str
    since: datetime | None
    """ When Ready took its present value. """
    linked: bool
    quota: str
    restarts: int
    pod: str
    """ Empty while there is none. """
    node: str
    secret: str
    """ The Secret with the runner's tokens; empty before the first pod. """

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> SessionView:
        """Read a session's JSON."""
        metadata, spec, status = (_part(stored, name) for name in ("metadata", "spec", "status"))
        ready = _condition(status, "Ready")
        return cls(
            namespace=str(metadata.get("namespace", "")),
            name=str(metadata.get("name", "")),
            state=str(status.get("state", "")),
            ready=str(ready.get("status", "Unknown")),
            reason=str(ready.get("reason", "")),
            message=str(ready.get("message", "")),
            since=read_time(ready.get("lastTransitionTime")),
            linked=_condition(status, "Linked").get("status") == "True",
            quota=str(_part(status, "admission").get("quotaName") or spec.get("quotaName") or "default"),
            restarts=_count(_part(status, "recovery").get("restarts")),
            pod=str(status.get("podName") or "") if _count(status.get("replicas")) else "",
            node=str(status.get("nodeName") or ""),
            secret=str(status.get("tokenSecretName") or ""),
        )


@dataclass(frozen=True, kw_only=True)
class QuotaView:
    """One quota: limits and what is taken of them. A limit of None is unlimited."""

    name: str
    sessions: int | None
    memory: str | None
    per_namespace: int | None
    admitted: int
    waiting: int
    memory_reserved: str

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> QuotaView:
        """Read a quota's JSON."""
        metadata, spec, status = (_part(stored, name) for name in ("metadata", "spec", "status"))
        return cls(
            name=str(metadata.get("name", "")),
            sessions=spec.get("sessions"),
            memory=None if spec.get("memory") is None else str(spec["memory"]),
            per_namespace=spec.get("sessionsPerNamespace"),
            admitted=_count(status.get("admitted")),
            waiting=_count(status.get("waiting")),
            memory_reserved=str(status.get("memoryReserved") or "0"),
        )


def read_time(value: object) -> datetime | None:
    """An RFC 3339 time with its zone, or None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = status.get("conditions")
    conditions = found if isinstance(found, list) else []
    return next((item for item in conditions if isinstance(item, dict) and item.get("type") == kind), {})


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
