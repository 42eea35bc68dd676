"""What the plugin shows of sessions and quotas, read from their JSON. Nothing here fails on an odd object.

A cluster may run an operator newer or older than this plugin: an absent field is shown as unknown, an unknown state as
it is. Fields have the API's own names, and so has `status -o json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from session_protocol.times import format_time, parse_time

__all__ = ["QUOTAS", "RELINK_AT", "RESTART_AT", "RUNNER_PORT", "SESSIONS", "QuotaView", "SessionView", "read_time"]

# The plugin is installed without the operator's package, so it has the few words it shares with it; a test compares.
SESSIONS = "whatsappsessions.wasession.dev"
QUOTAS = "whatsappsessionquotas.wasession.dev"
RESTART_AT = "wasession.dev/restart-at"
RELINK_AT = "wasession.dev/relink-at"
RUNNER_PORT = 8080
_LONGEST = 256
""" Characters of a request that status repeats as it is. """


class View:
    """The common base of the views."""

    def document(self) -> dict[str, Any]:
        """Return the view for JSON and YAML: names spelled as in the API, times in RFC 3339."""
        found = {_camel(name): getattr(self, name) for name in (field.name for field in fields(self))}  # type: ignore[arg-type]
        return {name: format_time(value) if isinstance(value, datetime) else value for name, value in found.items()}


@dataclass(frozen=True, kw_only=True)
class SessionView(View):
    """One session, from its metadata, spec and status."""

    namespace: str
    name: str
    state: str
    """ Empty while the operator has not seen the session. """
    ready: str
    """ True, False or Unknown. """
    reason: str
    message: str
    last_transition_time: datetime | None
    """ When Ready took its present value. """
    linked: bool
    quota_name: str
    restarts: int
    pod_name: str
    """ Empty while there is none. """
    node_name: str
    image: str
    """ The runner's image in the pod; empty while there is none, as is the browser's version. """
    browser_version: str
    token_secret_name: str
    """ The Secret with the token for observing; empty before the first pod. """
    token_secrets: Mapping[str, str]
    """ Those with tokens for more, by what they are for; empty where the pod's one Secret holds all tokens. """
    phone_number_id: str
    """ By what clients of the Cloud API name it; empty where no operator has told it yet. """
    pending_requests: tuple[str, ...]
    """ What was asked for by an annotation and is not carried out yet: restart-at, relink-at. """

    @property
    def linking_secret_name(self) -> str:
        """The Secret with the tokens for the QR code."""
        return self.token_secrets.get("linking") or self.token_secret_name

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "SessionView":
        """Return the view of a session's JSON."""
        metadata, spec, status = (_part(stored, name) for name in ("metadata", "spec", "status"))
        ready = _condition(status, "Ready")
        return cls(
            namespace=_text(metadata, "namespace"),
            name=_text(metadata, "name"),
            state=_text(status, "state"),
            ready=_text(ready, "status") or "Unknown",
            reason=_text(ready, "reason"),
            message=_text(ready, "message"),
            last_transition_time=read_time(ready.get("lastTransitionTime")),
            linked=_condition(status, "Linked").get("status") == "True",
            quota_name=_text(_part(status, "admission"), "quotaName") or _text(spec, "quotaName") or "default",
            restarts=_count(_part(status, "recovery"), "restarts") or 0,
            pod_name=_text(status, "podName") if _count(status, "replicas") else "",
            node_name=_text(status, "nodeName"),
            image=_text(status, "image"),
            browser_version=_text(status, "browserVersion"),
            token_secret_name=_text(status, "tokenSecretName"),
            token_secrets=_texts(status, "tokenSecrets"),
            phone_number_id=_text(status, "phoneNumberID"),
            pending_requests=_pending_requests(metadata, status),
        )


@dataclass(frozen=True, kw_only=True)
class QuotaView(View):
    """One quota: limits and what is taken of them. A limit of None is unlimited."""

    name: str
    sessions: int | None
    memory: str | None
    storage: str | None
    sessions_per_namespace: int | None
    admitted: int
    waiting: int
    memory_reserved: str
    storage_reserved: str | None
    """ None: the operator counts it only where there is a limit. """

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "QuotaView":
        """Return the view of a quota's JSON."""
        metadata, spec, status = (_part(stored, name) for name in ("metadata", "spec", "status"))
        return cls(
            name=_text(metadata, "name"),
            sessions=_count(spec, "sessions"),
            memory=_text(spec, "memory") or None,
            storage=_text(spec, "storage") or None,
            sessions_per_namespace=_count(spec, "sessionsPerNamespace"),
            admitted=_count(status, "admitted") or 0,
            waiting=_count(status, "waiting") or 0,
            memory_reserved=_text(status, "memoryReserved") or "0",
            storage_reserved=_text(status, "storageReserved") or None,
        )


def read_time(value: object) -> datetime | None:
    """Return an RFC 3339 time; None if it is invalid or out of the range of datetime."""
    try:
        time = parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and 1970 <= time.year < 9999 else None


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _texts(of: Mapping[str, Any], name: str) -> dict[str, str]:
    found = _part(of, name)
    return {key: text for key in found if (text := _text(found, key))}


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = status.get("conditions")
    conditions = found if isinstance(found, list) else []
    return next((item for item in conditions if isinstance(item, dict) and item.get("type") == kind), {})


def _pending_requests(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, ...]:
    asked, handled = _part(metadata, "annotations"), _part(status, "handledRequests")
    values = {"restart-at": (_text(asked, RESTART_AT), "restartAt"), "relink-at": (_text(asked, RELINK_AT), "relinkAt")}
    # Other values are no times, and status has them in another spelling.
    plain = {
        request: value for request, value in values.items() if value[0].isprintable() and len(value[0]) <= _LONGEST
    }
    return tuple(request for request, (value, field) in plain.items() if value not in ("", _text(handled, field)))


def _text(of: Mapping[str, Any], name: str) -> str:
    """Return a text field; a quantity may also be a number."""
    found = of.get(name)
    return "" if found is None else str(found)


def _count(of: Mapping[str, Any], name: str) -> int | None:
    found = of.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)
