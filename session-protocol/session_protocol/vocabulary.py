"""The names that a runner reports: states, reasons, exit codes; and those of its settings and token scopes.

The runner, the operator and the plugin import this module, so nothing heavy may be imported here. A released name never
gets another meaning; a reader that gets an unknown state shows it and counts it as not connected.
"""

from enum import IntEnum, StrEnum
from typing import Final, Self

CAMEL_CASE: Final = "^[A-Z][A-Za-z0-9]{0,62}$"
""" One CamelCase word: states and error codes, also those of a newer runner than the reader. """


class RunnerState(StrEnum):
    """What the session is doing, as its runner reports it; `states.STATES` defines what each one means."""

    STARTING = "Starting"
    LOADING = "Loading"
    LOAD_ERROR = "LoadError"
    PROXY_ERROR = "ProxyError"
    UNSUPPORTED_BROWSER = "UnsupportedBrowser"
    QR_PENDING = "QRPending"
    PAIRING_CODE_PENDING = "PairingCodePending"
    PASSKEY_REQUIRED = "PasskeyRequired"
    LINK_EXPIRED = "LinkExpired"
    SYNCING = "Syncing"
    CONNECTED = "Connected"
    RECONNECTING = "Reconnecting"
    OFFLINE = "Offline"
    CONFLICT = "Conflict"
    LOGGED_OUT = "LoggedOut"
    TEMPORARILY_BANNED = "TemporarilyBanned"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    RESTRICTED = "Restricted"
    ACTION_REQUIRED = "ActionRequired"
    UPDATE_NEEDED = "UpdateNeeded"
    SCREEN_LOCKED = "ScreenLocked"
    DEGRADED = "Degraded"
    UNRESPONSIVE = "Unresponsive"
    CRASHED = "Crashed"
    STOPPING = "Stopping"


class StateReason(StrEnum):
    """Why the runner reports a state, in one CamelCase word (the condition's reason); the message has the details."""

    AS_EXPECTED = "AsExpected"
    BROWSER_LAUNCHING = "BrowserLaunching"
    PAGE_LOADING = "PageLoading"
    OPENING_CONNECTION = "OpeningConnection"
    NAVIGATION_FAILED = "NavigationFailed"
    NAME_NOT_RESOLVED = "NameNotResolved"
    CONNECTION_REFUSED = "ConnectionRefused"
    CONNECTION_RESET = "ConnectionReset"
    FETCH_TIMED_OUT = "FetchTimedOut"
    CERTIFICATE_NOT_TRUSTED = "CertificateNotTrusted"
    TLS_FAILED = "TLSFailed"
    PROXY_REFUSED = "ProxyRefused"
    PROXY_UNREACHABLE = "ProxyUnreachable"
    PROXY_TIMED_OUT = "ProxyTimedOut"
    PROXY_LOGIN_MISSING = "ProxyLoginMissing"
    PROXY_LOGIN_REFUSED = "ProxyLoginRefused"
    PROXY_FAILED = "ProxyFailed"
    HTTP_ERROR = "HTTPError"
    REDIRECTED = "Redirected"
    INVALID_RESPONSE = "InvalidResponse"
    NOT_THE_PAGE = "NotThePage"
    NOT_BOOTED = "NotBooted"
    BROWSER_REFUSED = "BrowserRefused"
    WAITING_FOR_SCAN = "WaitingForScan"
    WAITING_FOR_PAIRING_CODE = "WaitingForPairingCode"
    PAIRING_CODE_NOT_SUPPORTED = "PairingCodeNotSupported"
    PAIRING_CODE_REFUSED = "PairingCodeRefused"
    PHONE_NUMBER_NEEDED = "PhoneNumberNeeded"
    UNEXPECTED_ACCOUNT = "UnexpectedAccount"
    WAITING_FOR_PASSKEY = "WaitingForPasskey"
    ROUNDS_USED_UP = "RoundsUsedUp"
    NO_CODE_FOUND = "NoCodeFound"
    FIRST_SYNC = "FirstSync"
    SYNC_OVERDUE = "SyncOverdue"
    CONNECTION_LOST = "ConnectionLost"
    RESUMING = "Resuming"
    NETWORK_UNREACHABLE = "NetworkUnreachable"
    NO_CONNECTION = "NoConnection"
    OTHER_TAB = "OtherTab"
    REPLACED = "Replaced"
    RELINKING = "Relinking"
    WAITING_FOR_PERSON = "WaitingForPerson"
    BANNED = "Banned"
    SERVICE_DOWN = "ServiceDown"
    TIME_LOCK = "TimeLock"
    MESSAGES_CAPPED = "MessagesCapped"
    TERMS_NOT_ACCEPTED = "TermsNotAccepted"
    DIALOG_OPEN = "DialogOpen"
    VERSION_REFUSED = "VersionRefused"
    LOCKED_BY_USER = "LockedByUser"
    STORAGE_FAILED = "StorageFailed"
    STREAM_STUCK = "StreamStuck"
    MESSAGES_UNANSWERED = "MessagesUnanswered"
    UNKNOWN_PAGE_STATE = "UnknownPageState"
    UNKNOWN_SCREEN = "UnknownScreen"
    PROBE_TIMED_OUT = "ProbeTimedOut"
    PAGE_DIED = "PageDied"
    BROWSER_DIED = "BrowserDied"
    LAUNCH_FAILED = "LaunchFailed"
    OUT_OF_MEMORY = "OutOfMemory"
    STOP_REQUESTED = "StopRequested"


class ExitCode(IntEnum):
    """How a runner ended. Below 64 so that no code is mistaken for a signal's (128 + n) or a shell's (126, 127)."""

    meaning: str
    """ For people, in the reference. """

    STOPPED = 0, "asked to stop, the browser closed cleanly"
    INTERNAL_ERROR = 1, "a fault of the runner; the log has the traceback"
    BAD_CONFIGURATION = 10, "a setting is missing or wrong; the message names it"
    PROFILE_LOCKED = 11, "another runner holds the profile"
    PROFILE_UNUSABLE = (
        12,
        "no browser may open the profile: its volume is full or failing, its files are damaged, or a newer browser's",
    )
    LAUNCH_FAILED = 20, "the browser did not start within the launch timeout"
    LOAD_FAILED = 21, "the page was fetched and was not up within the startup timeout"
    SANDBOX_REFUSED = 22, "the node refuses the browser's own sandbox"
    PAGE_CRASHED = 30, "the page's process died"
    PAGE_UNRESPONSIVE = 31, "the page did not answer within the health check"
    BROWSER_EXITED = 32, "the browser, or the driver that speaks to it, ended"
    OUT_OF_MEMORY = 33, "the kernel killed a browser process at the container's memory limit"
    STOP_INCOMPLETE = (
        40,
        "asked to stop, but the browser did not close in time: the last minute's login data may be lost",
    )

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Create a member from a number and its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    @property
    def reason(self) -> str:
        """The code as one CamelCase word, for a condition's reason or a metric's label."""
        return "".join(part.capitalize() for part in self.name.split("_"))


BROWSER_FAILURES: Final = frozenset({ExitCode.LAUNCH_FAILED, ExitCode.PAGE_CRASHED, ExitCode.BROWSER_EXITED})
""" The browser itself ended or did not start, so its version and its image belong into the message. """


def exit_reason(code: int) -> str:
    """Return the reason for any container exit code; signals and codes of other programs get a readable name."""
    try:
        return ExitCode(code).reason
    except ValueError:
        return f"Signal{code - 128}" if 128 < code < 160 else f"ExitCode{code}"


class LinkMethod(StrEnum):
    """How a phone is linked."""

    QR = "QR"
    PAIRING_CODE = "PairingCode"


class OnLogout(StrEnum):
    """What happens after the phone logged the session out."""

    RELINK = "Relink"
    WAIT = "Wait"


class ProxyType(StrEnum):
    """How a proxy is asked for a connection."""

    HTTP = "HTTP"
    """By the method CONNECT. """
    SOCKS5 = "SOCKS5"


class Presence(StrEnum):
    """How a linked session appears to its phone and to other people."""

    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


class WebhookFormat(StrEnum):
    """In what form a webhook's events are sent."""

    CLOUD_API = "CloudAPI"
    STANDARD = "Standard"


class WebhookEvent(StrEnum):
    """What a webhook can be told of: the type of an event."""

    MESSAGE = "message"
    EDITED = "message.edited"
    DELETED = "message.deleted"
    REACTION = "reaction"
    ACK = "ack"
    CALL = "call"
    HISTORY = "history"
    PRESENCE = "presence"
    STATE = "state"
    LINK_NEEDED = "link-needed"


class GroupEvents(StrEnum):
    """Whether a webhook is told what happens in groups."""

    OMIT = "Omit"
    INCLUDE = "Include"


class CallHandling(StrEnum):
    """What becomes of a call that comes in."""

    IGNORE = "Ignore"
    REJECT = "Reject"


class Interactive(StrEnum):
    """What becomes of buttons and lists, which WhatsApp Web does not send."""

    REFUSE = "Refuse"
    NUMBERED_TEXT = "NumberedText"


class ReadMarking(StrEnum):
    """When a message of somebody else is marked as read."""

    MANUAL = "Manual"
    """When a program asks for it. """
    ON_RECEIPT = "OnReceipt"


class PacingType(StrEnum):
    """By what the speed of sending is held."""

    DEFAULT = "Default"
    CUSTOM = "Custom"
    NONE = "None"
    """Not by anything. YAML reads Off and No as a boolean, which is no text. """


class WaitReason(StrEnum):
    """Why a message waits although the page could take it."""

    FIRST_CONTACTS = "FirstContacts"
    """Too many people who have never written were written to just now. """
    FIRST_CONTACTS_PER_DAY = "FirstContactsPerDay"
    """The same, of the last 24 hours. """
    ONE_PERSON = "OnePerson"
    """Too many messages to the same person. """
    MESSAGES = "Messages"
    """Too many messages in all. """


class TokenScope(StrEnum):
    """What a token allows. One file of this name per scope in the runner's folder, an entry of this name in a Secret."""

    STATE = "state"
    """Read the state; the operator's own scope."""
    LINK = "link"
    """Read the QR code, by which a phone can be linked, and whose account is linked."""
    SEND = "send"
    """Send messages, and whatever else a program does with them."""
    READ = "read"
    """Read chats, contacts and messages, those of before, too, and what happens; change nothing."""
    ADMIN = "admin"
    """Everything."""


class TokenPurpose(StrEnum):
    """What people and clients do with tokens: each purpose has a Secret of its own, so that rights can differ."""

    scopes: tuple[TokenScope, ...]
    """ Whose tokens its Secret holds. """

    OBSERVING = "observing", (TokenScope.STATE,)
    LINKING = "linking", (TokenScope.LINK, TokenScope.STATE)  # whoever links wants to know when it is done
    MESSAGING = "messaging", (TokenScope.SEND,)
    READING = "reading", (TokenScope.READ,)
    ADMINISTERING = "administering", (TokenScope.ADMIN,)

    def __new__(cls, value: str, scopes: tuple[TokenScope, ...] = ()) -> Self:
        """Create a member from its word and its scopes."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.scopes = scopes
        return member
