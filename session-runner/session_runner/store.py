"""The published state of the session, and waiting for the next change.

The monitor publishes, the HTTP API reads. A revision counts the changes within this pod, so that a reader can wait for
any state newer than the one it has. The QR code and the account's number are kept beside the state, which anybody may
read who observes sessions, and have routes of their own. The code, which changes every 20 seconds, is not part of a
revision; the state tells that the account is another one, by a count.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from session_protocol.answers import Account
from session_protocol.phone_numbers import is_same_number
from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.host.sandbox import Sandbox
from session_runner.profile.saved_state import Logout
from session_runner.signals import Signal
from session_runner.values import Private


class Snapshot(Struct, frozen=True, kw_only=True):
    """One published state. Times are UTC."""

    revision: int
    state: RunnerState
    reason: StateReason
    message: str
    since: datetime
    """ When this state began; a new reason or message within a state does not move it. """
    linked: bool | None = None
    linked_time: datetime | None = None
    durable_time: datetime | None = None
    logout: Logout | None = None
    """ How the last link ended; None while a phone is linked, or that is not known. """
    round: int = 0
    """ Rounds of QR codes begun in this pod. """
    sandbox: Sandbox | None = None
    """ What holds the page's process in; None: there is none yet. """
    browser_version: str | None = None
    """ None: it was not asked yet. """
    account_revision: int | None = None
    """ Counts the accounts that this pod saw linked; None: none is known now. """
    account_expected: bool | None = None
    """ Whether it is the one that the session's Secret names; None: it names none, or none is known. """
    settings_digest: str | None = None
    """ Of the live settings in use; None: none is set. """


class Code(Private, frozen=True, kw_only=True):
    """A code that links a phone: the QR code on the screen, or a pairing code."""

    hidden = ("text",)

    text: str
    issued: datetime
    expires: datetime
    round: int


class Restriction(NamedTuple):
    """What the account may not do."""

    reason: StateReason
    ends: float | None = None
    """ Unix seconds; None: not known. """


class StateStore:
    """Holds the newest snapshot; used from one event loop only."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.changed = Signal()
        """ There is another snapshot, or the process is about to end. """
        self._code: Code | None = None
        self._pairing_code: Code | None = None
        self._pairing_number: str | None = None
        self._account: Account | None = None
        self.expected: str | None = None
        """ The number that the session's Secret names. """
        self._accounts = 0
        self.unanswered: float | None = None
        """ Since when WhatsApp has answered no message, in Unix seconds, if that is for too long. """
        self.restriction: Restriction | None = None
        """ Of the account, as the page told it last while it was connected. """
        self.probed: datetime | None = None
        """ When the page last answered. """
        self.sandbox: Sandbox | None = None
        """ Goes into the next snapshot. """
        self.browser_version: str | None = None
        """ Goes into the next snapshot. """
        self._settings_digest: str | None = None
        self.closing = False
        """ The process is about to end, so nobody should wait for a change any more. """
        self.snapshot = Snapshot(
            revision=1,
            state=RunnerState.STARTING,
            reason=StateReason.BROWSER_LAUNCHING,
            message="The browser is starting.",
            since=clock(),
        )

    def publish(
        self,
        *,
        state: RunnerState,
        reason: StateReason,
        message: str,
        linked_time: datetime | None,
        durable_time: datetime | None,
        round: int,  # noqa: A002 -- the word of the API
        linked: bool | None = None,
        logout: Logout | None = None,
    ) -> bool:
        """Publish a state; return whether it differs from the last. If so, the revision grows and waiters wake up."""
        old = self.snapshot
        new = Snapshot(
            revision=old.revision,
            state=state,
            reason=reason,
            message=message,
            since=old.since if state == old.state else self._clock(),
            linked=linked,
            linked_time=linked_time,
            durable_time=durable_time,
            logout=logout,
            round=round,
            sandbox=self.sandbox,
            browser_version=self.browser_version,
            settings_digest=self._settings_digest,
            account_expected=self._is_expected(),
            account_revision=None if self._account is None else self._account.account_revision,
        )
        if new == old:
            return False
        self.snapshot = replace(new, revision=old.revision + 1)
        self.changed.emit()
        return True

    def show_settings(self, digest: str | None) -> None:
        """Tell at once which live settings are in use."""
        if digest == self._settings_digest:
            return
        self._settings_digest = digest
        self.snapshot = replace(self.snapshot, settings_digest=digest, revision=self.snapshot.revision + 1)
        self.changed.emit()

    @property
    def code(self) -> Code | None:
        """The QR code, or None when there is none or it has expired."""
        return None if self._code is None or self._code.expires <= self._clock() else self._code

    def show_code(self, text: str | None, *, lifetime: float) -> None:
        """Keep the code that is on the screen, with the seconds that it has left; showing it for longer adds none."""
        if text is None:
            self._code = None
        elif self._code is None or self._code.text != text:
            now = self._clock()
            expires = now + timedelta(seconds=lifetime)
            self._code = Code(text=text, issued=now, expires=expires, round=self.snapshot.round)

    @property
    def pairing_code(self) -> Code | None:
        """The pairing code, or None when there is none or it has expired."""
        code = self._pairing_code
        return None if code is None or code.expires <= self._clock() else code

    def pairing_code_for(self, phone_number: str) -> Code | None:
        """The pairing code, if it was made for this number."""
        return self.pairing_code if self._pairing_number == phone_number else None

    def show_pairing_code(self, text: str | None, *, lifetime: float, phone_number: str | None = None) -> None:
        """Keep the pairing code for a number, with the seconds that it has left, which may become fewer."""
        self._pairing_number = phone_number
        if text is None:
            self._pairing_code = None
            return
        now, known = self._clock(), self._pairing_code
        issued = now if known is None or known.text != text else known.issued
        expires = now + timedelta(seconds=lifetime)
        if known is not None and known.text == text:
            expires = min(expires, known.expires)
        self._pairing_code = Code(text=text, issued=issued, expires=expires, round=self.snapshot.round)

    @property
    def is_unexpected(self) -> bool:
        """Whether the linked account is known to be another one than the Secret names."""
        return self._is_expected() is False

    def _is_expected(self) -> bool | None:
        if self._account is None or self.expected is None:
            return None
        return is_same_number(self._account.phone_number, self.expected)

    @property
    def account(self) -> Account | None:
        """The linked account, as far as it is known."""
        return self._account

    def show_account(self, phone_number: str | None) -> None:
        """Keep whose account is linked; the next snapshot tells that it is another one. None: nobody's."""
        if phone_number is None:
            self._account = None
        elif self._account is None or self._account.phone_number != phone_number:
            self._accounts += 1
            self._account = Account(phone_number=phone_number, account_revision=self._accounts)

    def close(self) -> None:
        """Wake all waiters, and drop the codes."""
        self.closing = True
        self._code = self._pairing_code = None
        self.changed.emit()

    async def newer_than(self, revision: int | None, *, wait: float) -> Snapshot:
        """Return the newest snapshot; if its revision is `revision`, only after a change or `wait` seconds.

        A higher revision than ours comes from an earlier pod, so it is answered at once, too.
        """
        if revision == self.snapshot.revision and wait > 0 and not self.closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.next().wait(), wait)
        return self.snapshot
