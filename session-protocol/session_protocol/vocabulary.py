"""The words a runner speaks to the outside world.

Three readers share this file: the runner itself, the operator (which imports it, so nothing heavy may be imported
here) and the person who reads a status. A word that is once released is never given another meaning; a reader that
meets a word it does not know shows it and counts it as not connected.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

WORD_PATTERN: Final = "^[A-Z][A-Za-z0-9]{0,62}$"
""" One CamelCase word: states and error codes, also those of a newer runner than the reader. """


class RunnerState(StrEnum):
    """What the session is doing, as the runner itself sees it. Only CONNECTED can send and receive."""

    STARTING = "Starting"
    """The browser is not up yet."""
    LOADING = "Loading"
    """The page is being fetched or is opening its first connection; not known yet whether it is linked."""
    LOAD_ERROR = "LoadError"
    """The page could not be fetched or never booted: name, certificate, network, or an unknown page."""
    UNSUPPORTED_BROWSER = "UnsupportedBrowser"
    """The page refuses this browser; a newer image is needed."""
    QR_PENDING = "QRPending"
    """A QR code is shown and waits for a phone."""
    PAIRING_CODE_PENDING = "PairingCodePending"
    """A pairing code is shown and waits to be typed into a phone."""
    PASSKEY_REQUIRED = "PasskeyRequired"
    """The phone was asked for a passkey that only the account's owner can sign."""
    LINK_EXPIRED = "LinkExpired"
    """All rounds of QR codes passed unused; a person has to ask for linking again."""
    SYNCING = "Syncing"
    """Linked; the page is fetching what it needs before it can work."""
    CONNECTED = "Connected"
    """Linked, synced and connected."""
    RECONNECTING = "Reconnecting"
    """Linked; the connection was lost moments ago and the page is making a new one."""
    OFFLINE = "Offline"
    """The pod's network or the way to the service is gone for longer than a moment, linked or not."""
    CONFLICT = "Conflict"
    """Another page holds this session. Reloading or restarting would take it over: a person decides."""
    LOGGED_OUT = "LoggedOut"
    """Was linked and is no longer; see `waits_for_person` for whether linking starts again by itself."""
    TEMPORARILY_BANNED = "TemporarilyBanned"
    """The service refuses the account for some time: a person decides."""
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    """The service says that it is down."""
    RESTRICTED = "Restricted"
    """Connected, but the account may not send to everybody."""
    ACTION_REQUIRED = "ActionRequired"
    """A dialog of the page waits for a person."""
    UPDATE_NEEDED = "UpdateNeeded"
    """The service refuses this version of the page, and the page has not updated itself."""
    SCREEN_LOCKED = "ScreenLocked"
    """The page's own screen lock is on."""
    DEGRADED = "Degraded"
    """Linked, but in no shape the runner knows: it may look connected and is not."""
    UNRESPONSIVE = "Unresponsive"
    """The page no longer answers; the runner is about to exit."""
    CRASHED = "Crashed"
    """The page or the browser died; the runner is about to exit."""
    STOPPING = "Stopping"
    """The runner was asked to stop and is closing the browser."""


class StateReason(StrEnum):
    """Why the runner says a state, in one CamelCase word (the condition's reason); the message tells the rest."""

    AS_EXPECTED = "AsExpected"
    BROWSER_LAUNCHING = "BrowserLaunching"
    PAGE_LOADING = "PageLoading"
    OPENING_CONNECTION = "OpeningConnection"
    NAVIGATION_FAILED = "NavigationFailed"
    CERTIFICATE_NOT_TRUSTED = "CertificateNotTrusted"
    NOT_BOOTED = "NotBooted"
    BROWSER_REFUSED = "BrowserRefused"
    WAITING_FOR_SCAN = "WaitingForScan"
    PAIRING_CODE_NOT_SUPPORTED = "PairingCodeNotSupported"
    WAITING_FOR_PASSKEY = "WaitingForPasskey"
    ROUNDS_USED_UP = "RoundsUsedUp"
    NO_CODE_FOUND = "NoCodeFound"
    FIRST_SYNC = "FirstSync"
    CONNECTION_LOST = "ConnectionLost"
    NETWORK_UNREACHABLE = "NetworkUnreachable"
    NO_CONNECTION = "NoConnection"
    OTHER_TAB = "OtherTab"
    REPLACED = "Replaced"
    RELINKING = "Relinking"
    WAITING_FOR_PERSON = "WaitingForPerson"
    BANNED = "Banned"
    SERVICE_DOWN = "ServiceDown"
    TIME_LOCK = "TimeLock"
    DIALOG_OPEN = "DialogOpen"
    VERSION_REFUSED = "VersionRefused"
    LOCKED_BY_USER = "LockedByUser"
    STORAGE_FAILED = "StorageFailed"
    STREAM_STUCK = "StreamStuck"
    UNKNOWN_PAGE_STATE = "UnknownPageState"
    PROBE_TIMED_OUT = "ProbeTimedOut"
    PAGE_DIED = "PageDied"
    BROWSER_DIED = "BrowserDied"
    LAUNCH_FAILED = "LaunchFailed"
    OUT_OF_MEMORY = "OutOfMemory"
    STOP_REQUESTED = "StopRequested"


def waits_for_person(*, state: str, reason: str) -> bool:
    """Whether only a person may end this: recreating the pod by itself would take over, relink or annoy the service.

    A logout waits unless the runner says that it links again by itself (`Relinking`).
    """
    if state in (RunnerState.CONFLICT, RunnerState.TEMPORARILY_BANNED):
        return True
    return state == RunnerState.LOGGED_OUT and reason != StateReason.RELINKING


_OVER = frozenset(
    {
        RunnerState.CONNECTED,
        RunnerState.RESTRICTED,
        RunnerState.SYNCING,
        RunnerState.ACTION_REQUIRED,
        RunnerState.QR_PENDING,
        RunnerState.PAIRING_CODE_PENDING,
        RunnerState.PASSKEY_REQUIRED,
        RunnerState.LINK_EXPIRED,
    }
)


def wait_is_over(*, state: str, reason: str) -> bool:
    """Whether this word ends the waiting for a person: the session is its own master again.

    Runner and operator both ask here, so that what one remembers the other has not forgotten. Stopping, Starting and
    Loading end nothing (an evicted pod and its successor say those), nor Offline and Reconnecting (a conflict without
    network looks like them), nor a word that is not known.
    """
    relinks = state == RunnerState.LOGGED_OUT and not waits_for_person(state=state, reason=reason)
    return relinks or state in _OVER


class ExitCode(IntEnum):
    """How a runner ended. Below 64 so that no code is mistaken for a signal's (128 + n) or a shell's (126, 127)."""

    STOPPED = 0
    """Asked to stop (SIGTERM, SIGINT) and closed the browser cleanly."""
    INTERNAL_ERROR = 1
    """A fault of the runner itself: Python ended with a traceback, which is in the log."""
    BAD_CONFIGURATION = 10
    """A setting is missing or wrong; the message names it. A restart with the same settings fails the same way."""
    PROFILE_LOCKED = 11
    """Another runner holds the profile folder."""
    PROFILE_UNUSABLE = 12
    """The profile folder cannot be written: permissions, a full or read-only volume."""
    LAUNCH_FAILED = 20
    """The browser could not be started within the launch timeout."""
    LOAD_FAILED = 21
    """The page was not classified within the startup timeout: not fetched, not trusted, or never booted."""
    PAGE_CRASHED = 30
    """The page's process died for a reason other than memory."""
    PAGE_UNRESPONSIVE = 31
    """The page did not answer the probe within the health-check timeout."""
    BROWSER_EXITED = 32
    """The browser's main process ended or dropped its connection."""
    OUT_OF_MEMORY = 33
    """The kernel killed a browser process at the container's memory limit."""
    STOP_INCOMPLETE = 40
    """Asked to stop, but the browser did not close in time: the last minute's login data may be lost."""

    @property
    def reason(self) -> str:
        """The code as one CamelCase word, for a condition's reason or a metric's label."""
        return "".join(part.capitalize() for part in self.name.split("_"))


def exit_reason(code: int) -> str:
    """The word for any container exit code; signals and codes of other programs keep a readable name."""
    try:
        return ExitCode(code).reason
    except ValueError:
        return f"Signal{code - 128}" if 128 < code < 160 else f"ExitCode{code}"


class TokenScope(StrEnum):
    """What a token allows. One file of this name per scope in the token folder, the same keys in the Secret."""

    STATE = "state"
    """Read the state: what the operator holds."""
    LINK = "link"
    """See the QR code: whoever holds it can link a phone."""
    SEND = "send"
    """Send messages."""
    READ = "read"
    """Read messages."""
    ADMIN = "admin"
    """Everything."""
