"""Why a session was logged out: the reasons in words, for the runner that hears them and the operator that reports them.

WhatsApp Web gives a reason from a list of its own (`storage_quota_exceeded`), or none: when the linked device is removed on
the phone, for one. The runner makes one CamelCase word of it, which stands in the condition Linked until the next link. A
reason that this version does not know is passed on as it is; what looks like a number or a name is not.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from session_protocol.redaction import redact

_PLAIN: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
LONGEST: Final = 60
""" Characters of a reason of the page. """


class LogoutReason(StrEnum):
    """The reasons that this version says something about; a newer page may give others."""

    LOGGED_OUT = "LoggedOut"
    """ None was given. """
    LOGOUT_REQUESTED = "LogoutRequested"
    """ By the runner's own API. """
    UNEXPECTED_ACCOUNT = "UnexpectedAccount"
    """ By the runner itself. """
    BANNED = "Banned"
    USER_INITIATED = "UserInitiated"
    ACCOUNT_LOCKED = "AccountLocked"
    STORAGE_QUOTA_EXCEEDED = "StorageQuotaExceeded"
    CLIENT_VERSION_OUTDATED = "ClientVersionOutdated"
    CLIENT_FATAL = "ClientFatal"
    SYNCD_FAILURE = "SyncdFailure"
    SYNCD_TIMEOUT = "SyncdTimeout"
    CRITICAL_SYNC_TIMEOUT = "CriticalSyncTimeout"
    HISTORY_SYNC_TIMEOUT = "HistorySyncTimeout"
    PRIMARY_IDENTITY_KEY_CHANGE = "PrimaryIdentityKeyChange"
    UNKNOWN_COMPANION = "UnknownCompanion"
    MD_OPT_OUT = "MdOptOut"
    MISSING_ENC_SALT = "MissingEncSalt"


_NO_SYNC: Final = "because its data could not be synced"
_EXPLANATIONS: Final[Mapping[str, str]] = {
    LogoutReason.LOGGED_OUT: "and WhatsApp gave no reason, as when the linked device is removed on the phone",
    LogoutReason.LOGOUT_REQUESTED: "as asked by the runner's API",
    LogoutReason.UNEXPECTED_ACCOUNT: "because another account than the one of its number was linked",
    LogoutReason.BANNED: "after a ban",
    LogoutReason.USER_INITIATED: "by the page's own menu",
    LogoutReason.ACCOUNT_LOCKED: "because the account is locked",
    LogoutReason.STORAGE_QUOTA_EXCEEDED: "because the browser's storage is full: check the profile volume",
    LogoutReason.CLIENT_VERSION_OUTDATED: "because the page's version is too old",
    LogoutReason.CLIENT_FATAL: "because the page met a fault that it could not mend",
    LogoutReason.SYNCD_FAILURE: _NO_SYNC,
    LogoutReason.SYNCD_TIMEOUT: f"{_NO_SYNC} in time",
    LogoutReason.CRITICAL_SYNC_TIMEOUT: f"{_NO_SYNC} in time",
    LogoutReason.HISTORY_SYNC_TIMEOUT: f"{_NO_SYNC} in time",
    LogoutReason.PRIMARY_IDENTITY_KEY_CHANGE: "because WhatsApp was set up anew on the phone",
    LogoutReason.UNKNOWN_COMPANION: "because WhatsApp does not know the linked device any more",
    LogoutReason.MD_OPT_OUT: "because the account takes no linked devices any more",
    LogoutReason.MISSING_ENC_SALT: "because the profile has lost half of its login",
}
_OURS: Final = frozenset(
    {
        LogoutReason.LOGGED_OUT,
        LogoutReason.LOGOUT_REQUESTED,
        LogoutReason.UNEXPECTED_ACCOUNT,
        LogoutReason.BANNED,
    }
)
""" No words of the page. """


def logout_reason(given: str | None) -> str:
    """Return the word for what the page gives as its reason; LoggedOut for none, and for what is no plain word."""
    if given is None or len(given) > LONGEST or _PLAIN.fullmatch(given) is None:
        return LogoutReason.LOGGED_OUT
    name = "".join(part.capitalize() for part in given.split("_"))
    return LogoutReason.LOGGED_OUT if (redact(given), redact(name)) != (given, name) else name


def explanation(reason: str) -> str:
    """Return what follows "was logged out", with the page's own spelling of the reason, by which people search."""
    known = _EXPLANATIONS.get(reason, "")
    given = "" if reason in _OURS else f"({re.sub(r'(?<!^)(?=[A-Z])', '_', reason).lower()})"
    return f"{known} {given}".strip()
