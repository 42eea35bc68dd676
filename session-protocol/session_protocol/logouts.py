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

_TOLD: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
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


_NO_SYNC: Final = "the page could not fetch the account's data; keep WhatsApp open on the phone while linking again"
_MEANINGS: Final[Mapping[str, str]] = {
    LogoutReason.LOGGED_OUT: "WhatsApp gave no reason, as when the linked device is removed on the phone",
    LogoutReason.LOGOUT_REQUESTED: "somebody asked for it by the runner's API",
    LogoutReason.UNEXPECTED_ACCOUNT: "another account than the one of its number was linked, and was unlinked at once",
    LogoutReason.BANNED: "the account had been banned before",
    LogoutReason.USER_INITIATED: "by the menu of WhatsApp Web itself",
    LogoutReason.ACCOUNT_LOCKED: "WhatsApp has locked the account; look at the phone before linking it again",
    LogoutReason.STORAGE_QUOTA_EXCEEDED: "the browser had no room for the page's data; look at the profile's volume",
    LogoutReason.CLIENT_VERSION_OUTDATED: "WhatsApp refuses the version of the page; the runner's image may be too old",
    LogoutReason.CLIENT_FATAL: "the page met a fault that it could not mend",
    LogoutReason.SYNCD_FAILURE: _NO_SYNC,
    LogoutReason.SYNCD_TIMEOUT: _NO_SYNC,
    LogoutReason.CRITICAL_SYNC_TIMEOUT: _NO_SYNC,
    LogoutReason.HISTORY_SYNC_TIMEOUT: _NO_SYNC,
    LogoutReason.PRIMARY_IDENTITY_KEY_CHANGE: "WhatsApp was set up anew on the phone",
    LogoutReason.UNKNOWN_COMPANION: "WhatsApp does not know the linked device any more",
    LogoutReason.MD_OPT_OUT: "the account takes no linked devices any more",
    LogoutReason.MISSING_ENC_SALT: "the profile has lost a part of the login",
}


def logout_reason(told: str | None) -> str:
    """Return the word for what the page gives as its reason; LoggedOut for none, and for what is no plain word."""
    if told is None or len(told) > LONGEST or _TOLD.fullmatch(told) is None:
        return LogoutReason.LOGGED_OUT
    word = "".join(part.capitalize() for part in told.split("_"))
    return LogoutReason.LOGGED_OUT if (redact(told), redact(word)) != (told, word) else word


def why_logged_out(reason: str) -> str:
    """Return a reason as the end of a sentence, with the page's own spelling, by which people search."""
    known = _MEANINGS.get(reason)
    told = re.sub(r"(?<!^)(?=[A-Z])", "_", reason).lower()
    if known is None:
        return f"WhatsApp Web gives the reason {told}"
    own = (LogoutReason.LOGGED_OUT, LogoutReason.LOGOUT_REQUESTED, LogoutReason.UNEXPECTED_ACCOUNT, LogoutReason.BANNED)
    return known if reason in own else f"{known} ({told})"
