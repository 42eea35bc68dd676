"""What one account asked of the API server, by the server's own audit log."""

from pathlib import Path

from session_devtools.audit_log import AuditLog, Entry
from session_devtools.installation.constants import OPERATOR_ACCOUNT


class Audit:
    """One account's requests."""

    def __init__(self, log: Path, *, user: str = OPERATOR_ACCOUNT) -> None:
        self._log = AuditLog(log)
        self._user = user

    def now(self) -> int:
        """The present end of the log, for `since`."""
        return self._log.end()

    def requests(self, *, since: int = 0, namespace: str | None = None) -> list[Entry]:
        """The account's own requests in order; what a person did in its name by impersonation is the person's."""
        entries = self._log.entries(since=since, about=self._user)
        return [entry for entry in entries if entry.user == self._user and namespace in (None, entry.namespace)]
