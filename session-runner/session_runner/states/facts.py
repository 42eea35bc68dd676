"""The facts that one probe of the page returned, and what the relay to the session's proxy knows at that moment.

`page/scripts/probe.js` returns a plain object, and `Facts.parse` turns it into a frozen record. It accepts anything,
because the page is not ours: a value of a wrong type counts as unknown, a missing key as not seen. `classify` reads it.
Chat contents never get here: the probe compares texts inside the page and returns only which one it found.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from session_protocol.phone_numbers import number_of_user
from session_protocol.vocabulary import StateReason

from session_runner.states.proxy_failures import ProxyFailure
from session_runner.values import Private

LONGEST_TEXT: Final = 4096
""" Characters of a text; a QR code says some 250. """
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]{2,45}\]")


class Socket(StrEnum):
    """The values of the page's `Socket.state` that decide something; others stay plain text."""

    UNLAUNCHED = "UNLAUNCHED"
    OPENING = "OPENING"
    PAIRING = "PAIRING"
    UNPAIRED = "UNPAIRED"
    UNPAIRED_IDLE = "UNPAIRED_IDLE"
    CONNECTED = "CONNECTED"
    SCREEN_LOCKED = "SCREEN_LOCKED"
    CONFLICT = "CONFLICT"


class Stream(StrEnum):
    """The values of the page's `Socket.stream`."""

    DISCONNECTED = "DISCONNECTED"
    SYNCING = "SYNCING"
    RESUMING = "RESUMING"
    CONNECTED = "CONNECTED"


class Dialog(StrEnum):
    """A window over the page. What only its text tells makes it `OTHER` in another language."""

    OTHER_WINDOW = "OtherWindow"
    PASSKEY_CHECK = "PasskeyCheck"
    WHATS_NEW = "WhatsNew"
    """ The one notice that is known to be harmless, see `page/scripts/windows.js`. """
    OTHER = "Other"


class Ban(Struct, frozen=True, kw_only=True):
    """A ban that the page shows now; `code` and `expires` come from the service, None where the page does not have them."""

    code: str | None = None
    expires: float | None = None
    """ Unix seconds, or seconds from the ban; which one is not documented, but the size of the number shows it. """


class Passkey(Struct, frozen=True, kw_only=True):
    """The page waits for the owner's passkey."""

    until: float | None = None
    """ Unix seconds at which its request ends; None: not known. """


class PairingRequest(Private, frozen=True, kw_only=True):
    """What has become of the pairing code that the page was asked for."""

    hidden = ("code",)

    code: str | None = None
    age: float = 0.0
    """ Seconds since the page got it. """
    answered_age: float | None = None
    """ Seconds since the phone answered: somebody has typed the code; None: nobody has. """
    failed: bool = False
    limited: bool = False
    """ It failed for too many attempts. """


class Script(Struct, frozen=True, kw_only=True):
    """A script of the document whose answer was none."""

    host: str
    status: int | None = None
    """ The answer's HTTP status, where the page may know it. """


class Document(Struct, frozen=True, kw_only=True):
    """What is in the tab while the page is not up."""

    is_error: bool = False
    """ The browser's own error page: nothing was fetched. """
    status: int | None = None
    """ The HTTP status with which it came. """
    host: str | None = None
    complete: bool = False
    """ Nothing that the document names is on its way any more. """
    is_app: bool = False
    """ It has something that WhatsApp Web has; a portal's page has not. """
    waits_for: str | None = None
    """ The host of a script that is on its way. """
    script: Script | None = None
    """ A script that was answered with an error. """

    @property
    def is_lost(self) -> bool:
        """Nothing will come of it: an error of the browser or of whoever answered is all there is."""
        return self.is_error or (self.status is not None and self.status >= 400)

    @property
    def is_pending(self) -> bool:
        """Something that the document needs is still on its way."""
        return not self.complete or self.waits_for is not None


class Facts(Private, frozen=True, kw_only=True):
    """The facts of one probe. None means unknown: the page was still loading or lacks that module."""

    hidden = ("account", "code")

    booted: bool = False
    """ The page's module system and its root element exist. """
    refused: bool = False
    """ The page shows "WhatsApp works with Google Chrome …" instead of itself. """
    injected: bool = False
    """ The page's modules are in reach: wa-js found them, or the page has shown a code and run those that matter. """
    origin: float | None = None
    """ When this document began, by the page's clock, which tells documents apart. """
    clock: float | None = None
    """ The time of the probe by the page's clock, Unix seconds. """
    registered: bool | None = None
    account: str | None = None
    """ The telephone number of the linked account, which never reaches a log either. """
    socket: str | None = None
    """ `Socket.state`, see `Socket`. """
    stream: str | None = None
    """ `Socket.stream`, see `Stream`. """
    synced: bool = False
    online: bool | None = None
    needs_update: bool = False
    version: str | None = None
    document: Document | None = None
    """ None: the page is up, or the probe was interrupted. """
    foreign_mutex: bool = False
    """ The tab mutex is held, and not by this page. """
    lost_mutex: bool = False
    """ The same, of a page that has held it: whatever it is doing, another tab has taken over. """
    other_screen: bool = False
    """ A screen is in the place of the chats, of a page that was synced and hears nothing. """
    was_let_in: bool = False
    """ The service has sent something to this document as a linked one. """
    comms: bool | None = None
    """ Whether the page still has its connection object. """
    code: str | None = None
    """ The text of the QR code on the screen: whoever has it can link a phone, so it never reaches a log. """
    code_lifetime: float | None = None
    """ Seconds that the service gives the current code. """
    code_age: float | None = None
    """ Seconds since the page got the current code; None: not known. """
    pairing: PairingRequest | None = None
    """ None: no pairing code was asked for in this document, or that is over. """
    passkey: Passkey | None = None
    dialog: Dialog | None = None
    ban: Ban | None = None
    """ None also as soon as the page shows that it is over. """
    unavailable: bool = False
    """ The page shows that the service is down. """
    logout_reason: str | None = None
    """ Why the page was logged out, by its address: a word of the page's own, see `session_protocol.logouts`. """
    storage_failed: bool = False
    time_locked: bool = False
    """ The account may not write to people who did not write first. """
    capped: bool = False
    """ The account has begun as many new chats as it may. """
    deprecated: bool = False
    """ The page says that its version is too old. """
    terms_blocked: bool = False
    """ The account's owner has to accept new terms first. """
    restricted_until: float | None = None
    """ Unix seconds at which the restriction ends; None: not known. """

    proxy_failure: ProxyFailure | None = None
    """ What is wrong with the session's proxy, by the relay and not by the page; None: nothing, or there is no proxy. """

    @property
    def has_modules(self) -> bool:
        """The page shows itself, and its modules are in reach."""
        return self.booted and self.injected and not self.refused

    @property
    def usable(self) -> bool:
        """The page is up, as far as what follows can be told."""
        # A page that says why it has no storage is up, although nobody can be asked whether a phone is linked.
        known = self.registered is not None or self.storage_failed
        return self.has_modules and known

    @property
    def restriction(self) -> StateReason | None:
        """What the account may not do, the strongest first. Only a page that streams knows, except of the terms."""
        if self.terms_blocked:
            return StateReason.TERMS_NOT_ACCEPTED
        if self.time_locked:
            return StateReason.TIME_LOCK
        return StateReason.MESSAGES_CAPPED if self.capped else None

    @property
    def streaming(self) -> bool:
        """Linked, connected and receiving: the only combination that proves a working session."""
        return self.registered is True and self.socket == Socket.CONNECTED and self.stream == Stream.CONNECTED

    @property
    def shows_other_tab(self) -> bool:
        """Another tab's window is over the page: in a language that is not known some window, over one that has lost the mutex."""
        return self.dialog is Dialog.OTHER_WINDOW or (self.dialog is not None and self.foreign_mutex)

    @property
    def had_session(self) -> bool:
        """This document has been connected; one that never was has lost nothing to anybody."""
        return self.synced or self.was_let_in

    @property
    def is_let_in(self) -> bool:
        """The service has taken this page in: as a linked session, or as one to which it gave a code to be linked."""
        if self.registered is True:
            return self.socket == Socket.CONNECTED and self.stream in (
                Stream.SYNCING,
                Stream.RESUMING,
                Stream.CONNECTED,
            )
        return self.registered is False and self.socket == Socket.UNPAIRED and self.code is not None

    @classmethod
    def parse(cls, raw: object) -> "Facts":
        """Return the facts from the probe's answer; never raises."""
        got: Mapping[object, object] = raw if isinstance(raw, Mapping) else {}
        facts = cls(
            booted=got.get("booted") is True,
            refused=got.get("refused") is True,
            injected=got.get("injected") is True,
            origin=_maybe_number(got.get("origin")),
            clock=_maybe_seconds(got.get("clockMs")),
            registered=_maybe_bool(got.get("registered")),
            account=number_of_user(_maybe_text(got.get("account")) or "") if got.get("registered") is True else None,
            socket=_maybe_text(got.get("socket")),
            stream=_maybe_text(got.get("stream")),
            synced=got.get("synced") is True,
            online=_maybe_bool(got.get("online")),
            needs_update=got.get("needsUpdate") is True,
            version=_maybe_text(got.get("version")),
            document=_maybe_document(got.get("document")),
            foreign_mutex=got.get("foreignMutex") is True,
            lost_mutex=got.get("lostMutex") is True,
            other_screen=got.get("otherScreen") is True,
            was_let_in=got.get("wasLetIn") is True,
            comms=_maybe_bool(got.get("comms")),
            code=_maybe_text(got.get("code")),
            code_lifetime=_maybe_seconds(got.get("codeLifetimeMs")),
            code_age=_maybe_age(got.get("codeAgeMs")),
            pairing=_maybe_pairing(got.get("pairing")),
            passkey=_maybe_passkey(got.get("passkey")),
            dialog=_maybe_dialog(got.get("dialog")),
            ban=_maybe_ban(got.get("ban")),
            unavailable=got.get("unavailable") is True,
            logout_reason=_maybe_text(got.get("logoutReason")),
            storage_failed=got.get("storageFailed") is True,
            time_locked=got.get("timeLocked") is True,
            capped=got.get("capped") is True,
            deprecated=got.get("deprecated") is True,
            terms_blocked=got.get("termsBlocked") is True,
            restricted_until=_maybe_number(got.get("restrictedUntil")),
        )
        # The service refuses nobody to whom it sends: what was told before is over, and chats may say anything.
        return replace(facts, ban=None, unavailable=False) if facts.streaming else facts


def _maybe_bool(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _maybe_text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT else None


def _maybe_number(value: object) -> float | None:
    """Return a finite number, or None: JavaScript's NaN and Infinity arrive as floats and would break comparisons."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def _maybe_seconds(milliseconds: object) -> float | None:
    number = _maybe_number(milliseconds)
    return number / 1000 if number is not None and number > 0 else None


def _maybe_age(milliseconds: object) -> float | None:
    number = _maybe_number(milliseconds)
    return number / 1000 if number is not None and number >= 0 else None


def _maybe_moment(value: object) -> float | None:
    """Return a time or a duration in seconds, also of digits or of a time in milliseconds, as pages have them."""
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15
    number = _maybe_number(int(value) if isinstance(value, str) and digits else value)
    return number / 1000 if number is not None and number > 1e11 else number


def _maybe_dialog(value: object) -> Dialog | None:
    try:
        return Dialog(value)  # type: ignore[arg-type]  # anything else is a ValueError, which is the point
    except ValueError:
        return None


def _maybe_code(value: object) -> str | None:
    """Return a code's beginning; a number without end is none, which Python would not even print."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) >= 10**15):
        return None
    return str(value)[:20] if isinstance(value, str | int) else None


def _maybe_status(value: object) -> int | None:
    return value if isinstance(value, int) and 100 <= value < 1000 else None


def _maybe_host(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and _HOST.fullmatch(value) else None


def _maybe_document(value: object) -> Document | None:
    if not isinstance(value, Mapping):
        return None
    return Document(
        is_error=value.get("isError") is True,
        status=_maybe_status(value.get("status")),
        host=_maybe_host(value.get("host")),
        complete=value.get("complete") is True,
        is_app=value.get("isApp") is True,
        waits_for=_maybe_host(value.get("waitsFor")),
        script=_maybe_script(value.get("script")),
    )


def _maybe_script(value: object) -> Script | None:
    if not isinstance(value, Mapping):
        return None
    host = _maybe_host(value.get("host"))
    return None if host is None else Script(host=host, status=_maybe_status(value.get("status")))


def _maybe_ban(value: object) -> Ban | None:
    if not isinstance(value, Mapping):
        return None
    return Ban(code=_maybe_code(value.get("code")), expires=_maybe_moment(value.get("expire")))


def _maybe_passkey(value: object) -> Passkey | None:
    return Passkey(until=_maybe_number(value.get("until"))) if isinstance(value, Mapping) else None


def _maybe_pairing(value: object) -> PairingRequest | None:
    if not isinstance(value, Mapping):
        return None
    return PairingRequest(
        code=_maybe_text(value.get("code")),
        age=_maybe_age(value.get("ageMs")) or 0.0,
        answered_age=_maybe_age(value.get("answeredAgeMs")),
        failed=value.get("failed") is True,
        limited=value.get("limited") is True,
    )
