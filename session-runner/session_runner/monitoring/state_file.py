"""Keeps the state file up to date: what of the session's history and holds must outlive the pod.

`session` calls `begin` once at the start, to learn of a hold from an earlier run. The monitor calls `update` after each
probe, with the history before and after it, and `reported` with each state. The file is written only when something
has changed or the last write failed.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace
from session_protocol.logouts import LogoutReason, logout_reason
from session_protocol.states import traits_of
from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.profile.saved_state import SavedState, read_saved_state, write_saved_state
from session_runner.states.facts import Facts
from session_runner.states.history import History
from session_runner.states.hold import HeldState, Start, hold_after

logger = logging.getLogger(__name__)


def _moment(seconds: float | None) -> datetime | None:
    """Return a time of the page, in whole seconds, unless it is no time of this or the next centuries."""
    return datetime.fromtimestamp(int(seconds), UTC) if seconds is not None and 1e9 < seconds < 1e11 else None


class StateFile:
    """The saved state and its file."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime], start: Start) -> None:
        self._path = path
        self._clock = clock
        self._start = start
        """ The requests that people had made when this pod was created. """
        self._request = start.relink
        self._proven = False
        """ The login that the saved state records was seen in the page since this process began. """
        self._failing = False
        """ The last write failed, so the file is outdated. """
        self.saved = read_saved_state(path)
        self.login_is_over = False
        """ The page has shown a logout from the login that is still saved, until linking begins anew, and no link since. """

    def begin(self) -> HeldState | None:
        """Store this start; return the hold if no request has ended it: then the page must stay closed."""
        before = self.saved.start
        self.login_is_over = self.saved.hold is not None and traits_of(self.saved.hold.state).linked is False
        hold = None if self._start.is_asked_for(before) else self.saved.hold
        # In one write, so that a request that ends a hold counts once, even if the pod is lost right afterwards.
        self._store(replace(self.saved, hold=hold, start=self._start.after(before)))
        return hold

    def reported(self, *, state: RunnerState, reason: StateReason, message: str) -> None:
        """Store the hold that a state begins or ends; called before the state is published."""
        hold = hold_after(self.saved.hold, state=state, reason=reason, message=message)
        self._store(replace(self.saved, hold=hold))

    def history(self, *, now: float) -> History:
        """Return the history that a new process begins with."""
        granted = self._request is not None and self._request != self.saved.relink_request
        began, ends = self.saved.sync_began, self.saved.restriction_ends
        return History(
            linked=self.saved.linked_time is not None,
            is_unchecked=self.saved.is_unchecked,
            logout_hold=self.saved.logout_hold,
            granted=granted,
            unclassified_since=now,
            unsynced_since=None if began is None else now - max(0.0, (self._clock() - began).total_seconds()),
            sync_began=None if began is None else began.timestamp(),
            restriction=self.saved.restriction,
            restriction_ends=None if ends is None else ends.timestamp(),
        )

    def keep_logout_reason(self, reason: str) -> None:
        """Store at once why the page says that it is logged out: it says so once, and is gone in a moment."""
        if self.saved.linked_time is not None or self.saved.logout is not None:
            self._store(self.saved.logged_out(now=self._clock(), reason=reason))

    def update(self, before: History, after: History, facts: Facts) -> None:
        """Store what a probe has changed in the history."""
        saved = replace(
            self.saved,
            is_unchecked=after.is_unchecked,
            logout_hold=after.logout_hold,
            sync_began=_moment(after.sync_began),
            restriction=after.restriction,
            restriction_ends=_moment(after.restriction_ends),
        )
        if after.logged_out_since is not None:
            saved = saved.logged_out(now=self._clock(), reason=_why(after))
        elif before.interrupted and facts.streaming:  # the page said that it was logged out, and was not
            saved = replace(saved, logout=None)
        if facts.registered is True or after.logged_out_since is not None:
            self.login_is_over = facts.registered is not True
        if after.linked and not before.linked:
            saved = saved.linked(now=self._clock())
            self._proven = True
        elif before.linked and not after.linked:
            saved = saved.unlinked()
        elif after.linked and facts.registered is True and not self._proven:
            saved = saved.settled(now=self._clock())  # the browser has just read it from the volume
            self._proven = True
        if before.granted and not after.granted:
            saved = replace(saved, relink_request=self._request)
        self._store(saved)

    def opened_by(self, version: str) -> None:
        """Store which browser is about to open the profile."""
        self._store(replace(self.saved, browser_version=version))

    def was_available(self, *, at: datetime) -> None:
        """Store when the session was last available."""
        self._store(replace(self.saved, available_time=at.replace(microsecond=0)))

    def closed_cleanly(self) -> None:
        """Store that the login is on disk, because the browser has closed cleanly."""
        if self._proven:
            self._store(self.saved.settled(now=self._clock()))

    def _store(self, saved: SavedState) -> None:
        if saved == self.saved and not self._failing:
            return
        self.saved = saved
        try:
            write_saved_state(self._path, saved)
        except OSError as error:
            # The session goes on; only the next pod will know less of it. A volume that is full now may have room
            # later, so the write is retried after the next probe, and the failure is logged once.
            if not self._failing:
                logger.error(  # noqa: TRY400 -- it says all there is
                    "The state file could not be written", extra={"path": str(self._path), "error": str(error)}
                )
            self._failing = True
        else:
            self._failing = False


def _why(history: History) -> str:
    """Return why the session is logged out, as far as the page's history shows it."""
    if history.logout_hold is not None:
        return history.logout_hold
    return LogoutReason.LOGOUT_REQUESTED if history.logged_out_as_asked else logout_reason(history.logout_reason)
