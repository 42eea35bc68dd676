"""`kubectl whatsapp status [NAME]`: sessions and the quotas they count against, as tables or for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.kubectl_errors import Forbidden, NotFound
from kubectl_whatsapp.tables import Table
from kubectl_whatsapp.text import age, one_line
from kubectl_whatsapp.views import QUOTAS, SESSIONS, QuotaView, SessionView

__all__ = ["StatusFormat", "StatusRequest", "show_status", "watch_status"]


class StatusFormat(StrEnum):
    """The output formats of `status`."""

    TABLE = "table"
    WIDE = "wide"
    """ A table with node, pod and the browser's version. """
    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    """ Kind and name only, as input for another kubectl command. """


HEADER = ("NAME", "STATE", "READY", "QUOTA", "RESTARTS", "SINCE", "REASON")
QUOTA_HEADER = ("QUOTA", "SESSIONS", "MEMORY", "STORAGE", "PER NAMESPACE", "WAITING")
STYLES = {"True": "green", "False": "yellow", "Unknown": "yellow", "Stalled": "red", "Deleted": "red"}


@dataclass(frozen=True, kw_only=True)
class StatusRequest:
    """The arguments of `status`."""

    names: tuple[str, ...]
    """ None given: all sessions of the namespace. """
    namespace: str | None
    all_namespaces: bool
    selector: str | None
    listing: StatusFormat


def show_status(request: StatusRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Print the sessions, then their quotas.

    :raises NotFound: a named session does not exist.
    :raises KubectlError: kubectl failed.
    """
    sessions = _sessions(request, kubectl=kubectl)
    if request.listing is StatusFormat.NAME:
        _show_sessions(sessions, _session_table(request), request, console=console)
        return
    quotas, missing = _quotas(sorted({session.quota_name for session in sessions}), kubectl=kubectl)
    if request.listing in (StatusFormat.JSON, StatusFormat.YAML):
        _show_document({"sessions": sessions, "quotas": quotas}, request, console=console)
    elif sessions:
        _show_sessions(sessions, _session_table(request), request, console=console)
        if quotas:
            console.print("")
            Table(QUOTA_HEADER).print([_quota_row(quota) for quota in quotas], console=console)
    else:
        console.info(_none_found(request))
    if missing:
        console.info(missing)


def watch_status(request: StatusRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Print the sessions, then a line for each that changes, until Ctrl-C or until the API server ends the watch.

    :raises NotFound: the named session does not exist.
    :raises KubectlError: kubectl failed.
    """
    sessions = _sessions(request, kubectl=kubectl)
    table = _session_table(request)
    _show_sessions(sessions, table, request, console=console)
    if not sessions:
        console.info(_none_found(request))
    known = {(session.namespace, session.name): session for session in sessions}
    with kubectl.watch(SESSIONS, *request.names, **_scope(request)) as events:
        for kind, stored in events:
            session = SessionView.read(stored)
            if kind == "DELETED":
                session = replace(session, state="Deleted")
            # A change may not affect what is shown, and the watch begins with an event for each session.
            if known.get((session.namespace, session.name)) != session:
                known[session.namespace, session.name] = session
                _show_sessions([session], table, request, console=console)


def _sessions(request: StatusRequest, *, kubectl: Kubectl) -> list[SessionView]:
    try:
        found = kubectl.get(SESSIONS, *request.names, **_scope(request))
    except NotFound as error:
        raise NotFound(f"{error}\n`kubectl whatsapp status -A` lists all sessions that you may read") from error
    return sorted((SessionView.read(item) for item in found), key=lambda session: (session.namespace, session.name))


def _scope(request: StatusRequest) -> dict[str, Any]:
    return {"namespace": request.namespace, "all_namespaces": request.all_namespaces, "selector": request.selector}


def _none_found(request: StatusRequest) -> str:
    labelled = f" with labels {request.selector}" if request.selector else ""
    where = "in any namespace" if request.all_namespaces else "in this namespace; -A lists all namespaces"
    return f"no sessions{labelled} {where}"


def _quotas(names: Sequence[str], *, kubectl: Kubectl) -> tuple[list[QuotaView], str]:
    """Return these quotas, and a sentence on those that could not be read; empty: none."""
    if not names:
        return [], ""
    hidden: list[str] = []
    try:
        found = kubectl.get(QUOTAS, *names, missing_ok=True)
    except Forbidden:
        # A right on one quota by its name is enough for that one.
        found, hidden = _readable_quotas(names, kubectl=kubectl) if len(names) > 1 else ([], list(names))
    quotas = [QuotaView.read(item) for item in found]
    absent = sorted(set(names) - set(hidden) - {quota.name for quota in quotas})
    if hidden:
        which = "quotas, so their use" if not quotas and not absent else f"quota {', '.join(hidden)}, so its use"
        return quotas, f"you may not read {which} is not shown"
    return quotas, f"quota {', '.join(absent)} does not exist: its sessions wait" if absent else ""


def _readable_quotas(names: Sequence[str], *, kubectl: Kubectl) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the quotas that the person may read, and the names of the others."""
    found: list[dict[str, Any]] = []
    hidden = []
    for name in names:
        try:
            found += kubectl.get(QUOTAS, name, missing_ok=True)
        except Forbidden:
            hidden.append(name)
    return found, hidden


def _session_table(request: StatusRequest) -> Table:
    namespace = ["NAMESPACE"] if request.all_namespaces else []
    wide = ["NODE", "POD", "BROWSER"] if request.listing is StatusFormat.WIDE else []
    return Table([*namespace, *HEADER, *wide, "MESSAGE"], keys=1 + len(namespace), styles=STYLES)


def _show_sessions(sessions: Sequence[SessionView], table: Table, request: StatusRequest, *, console: Console) -> None:
    """Print one line for each session."""
    if request.listing is StatusFormat.NAME:
        for session in sessions:
            console.print(f"whatsappsession.wasession.dev/{one_line(session.name)}")
    elif sessions:
        table.print([_row(session, request, now=console.now()) for session in sessions], console=console)


def _row(session: SessionView, request: StatusRequest, *, now: datetime) -> list[str]:
    wide = request.listing is StatusFormat.WIDE
    return [
        *([session.namespace] if request.all_namespaces else []),
        session.name,
        session.state or "-",
        session.ready,
        session.quota_name,
        str(session.restarts),
        age(session.last_transition_time, now=now),
        session.reason or "-",
        *([session.node_name or "-", session.pod_name or "-", session.browser_version or "-"] if wide else []),
        session.message,
    ]


def _quota_row(quota: QuotaView) -> list[str]:
    """Return a quota's row: how much of each limit is taken."""
    return [
        quota.name,
        _of(quota.admitted, quota.sessions),
        _of(quota.memory_reserved, quota.memory),
        "unlimited" if quota.storage is None else _of(quota.storage_reserved or "unknown", quota.storage),
        "unlimited" if quota.sessions_per_namespace is None else str(quota.sessions_per_namespace),
        str(quota.waiting),
    ]


def _of(used: int | str, limit: int | str | None) -> str:
    return f"{used} (unlimited)" if limit is None else f"{used} of {limit}"


def _show_document(
    views: Mapping[str, Sequence[SessionView | QuotaView]], request: StatusRequest, *, console: Console
) -> None:
    """Print JSON or YAML for programs; non-ASCII is escaped, so that a terminal gets printable characters only."""
    document = {name: [view.document() for view in found] for name, found in views.items()}
    if request.listing is StatusFormat.JSON:
        console.print(json.dumps(document, indent=2))
        return
    import yaml  # late: only this needs it

    console.print(yaml.safe_dump(document, sort_keys=False).rstrip("\n"))
