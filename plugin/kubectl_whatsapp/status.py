"""`kubectl whatsapp status [NAME]`: sessions and the quotas they count against, as tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubectl_whatsapp.console import Console, ago
from kubectl_whatsapp.errors import Forbidden, NotFound
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.table import table
from kubectl_whatsapp.views import QUOTAS, SESSIONS, QuotaView, SessionView

__all__ = ["StatusRequest", "quota_table", "session_table", "show_status"]


@dataclass(frozen=True, kw_only=True)
class StatusRequest:
    """What the person asked for."""

    names: tuple[str, ...]
    """ None given: all sessions of the namespace. """
    namespace: str | None
    everywhere: bool
    as_json: bool


def show_status(request: StatusRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Print the sessions, then their quotas.

    Raises NotFound when a named session does not exist; PluginError.
    """
    sessions = _sessions(request, kubectl=kubectl)
    quotas, missing = _quotas(sorted({session.quota for session in sessions}), kubectl=kubectl)
    if request.as_json:
        console.show(json.dumps(as_json(sessions, quotas), indent=2))
    elif sessions:
        console.show(session_table(sessions, with_namespace=request.everywhere, now=console.now()))
        if quotas:
            console.show(f"\n{quota_table(quotas)}")
    else:
        where = "in any namespace" if request.everywhere else "in this namespace; -A lists all namespaces"
        console.say(f"no sessions {where}")
    if missing:
        console.say(missing)


def _sessions(request: StatusRequest, *, kubectl: Kubectl) -> list[SessionView]:
    try:
        found = kubectl.get(SESSIONS, *request.names, namespace=request.namespace, everywhere=request.everywhere)
    except NotFound as error:
        raise NotFound(f"{error}\n`kubectl whatsapp status -A` lists all sessions that you may see") from error
    return sorted((SessionView.read(item) for item in found), key=lambda session: (session.namespace, session.name))


def _quotas(names: Sequence[str], *, kubectl: Kubectl) -> tuple[list[QuotaView], str]:
    """Read these quotas, and say in a sentence which could not be read and why."""
    if not names:
        return [], ""
    try:
        found = kubectl.get(QUOTAS, *names, missing_ok=True)
    except Forbidden:
        return [], "you may not read quotas, so their use is not shown"
    quotas = [QuotaView.read(item) for item in found]
    absent = sorted(set(names) - {quota.name for quota in quotas})
    return quotas, f"quota {', '.join(absent)} does not exist: its sessions wait" if absent else ""


def session_table(sessions: Iterable[SessionView], *, with_namespace: bool, now: datetime) -> str:
    """One line for each session; the namespace only when there may be several."""
    header = ["NAMESPACE", "NAME", "STATE", "READY", "QUOTA", "RESTARTS", "SINCE", "REASON", "MESSAGE"]
    rows = [
        [
            session.namespace if with_namespace else "",
            session.name,
            session.state or "-",
            session.ready,
            session.quota,
            str(session.restarts),
            ago(session.since, now=now),
            session.reason or "-",
            " ".join(session.message.split()),
        ]
        for session in sessions
    ]
    return table(header, rows)


def quota_table(quotas: Iterable[QuotaView]) -> str:
    """One line for each quota: what is taken of each limit."""
    rows = [
        [
            quota.name,
            _of(quota.admitted, quota.sessions),
            _of(quota.memory_reserved, quota.memory),
            "unlimited" if quota.per_namespace is None else str(quota.per_namespace),
            str(quota.waiting),
        ]
        for quota in quotas
    ]
    return table(["QUOTA", "SESSIONS", "MEMORY", "PER NAMESPACE", "WAITING"], rows)


def as_json(sessions: Iterable[SessionView], quotas: Iterable[QuotaView]) -> dict[str, list[dict[str, Any]]]:
    """The same as one JSON document; times in RFC 3339, a limit of null is unlimited."""
    return {
        "sessions": [
            asdict(session) | {"since": None if session.since is None else session.since.isoformat()}
            for session in sessions
        ],
        "quotas": [asdict(quota) for quota in quotas],
    }


def _of(used: int | str, limit: int | str | None) -> str:
    return f"{used} (unlimited)" if limit is None else f"{used} of {limit}"
