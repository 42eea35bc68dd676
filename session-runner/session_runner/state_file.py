"""Keeps the state file in step with what the session remembers.

Asked once at the start whether an earlier runner's word still waits for a person (`begin`), then told of every probe
(`update`, with the memory before and after) and of every state (`reported`); decides what outlives the pod. All of it is
pure apart from the file, and the file is written only when something changed or the last write failed.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from session_protocol.states import traits_of
from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.profile.saved_state import SavedState, read_saved_state, write_saved_state
from session_runner.states.facts import Facts
from session_runner.states.history import History
from session_runner.states.hold import HeldState, Start, hold_after

logger = logging.getLogger(__name__)


class StateFile:
    """The saved state and its file."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime], start: Start) -> None:
        self._path = path
        self._clock = clock
        self._start = start
        """ What people had asked for when this pod was made. """
        self._request = start.relink
        self._proven = False
        """ The login that the saved state tells of was seen in the page since this process began. """
        self._failing = False
        """ The last write failed, so the file is behind it. """
        self.saved = read_saved_state(path)
        self.login_is_over = False
        """ The page has shown a logout from the login that is still saved, until linking begins anew, and no link since. """

    def begin(self) -> HeldState | None:
        """Take note of this start; return the hold that no person has ended: then the page must stay closed."""
        before = self.saved.start
        self.login_is_over = self.saved.hold is not None and traits_of(self.saved.hold.state).linked is False
        hold = None if self._start.is_asked_for(before) else self.saved.hold
        # In one write: a request that ends a hold counts once, also when the pod is lost a moment later.
        self._store(replace(self.saved, hold=hold, start=self._start.after(before)))
        return hold

    def reported(self, *, state: RunnerState, reason: StateReason, message: str) -> None:
        """The session says this: it may begin or end a hold. Told before anybody can hear it."""
        hold = hold_after(self.saved.hold, state=state, reason=reason, message=message)
        self._store(replace(self.saved, hold=hold))

    def history(self, *, now: float) -> History:
        """The memory a fresh process begins with."""
        granted = self._request is not None and self._request != self.saved.relink_request
        return History(
            linked=self.saved.linked_time is not None,
            logout_hold=self.saved.logout_hold,
            granted=granted,
            unclassified_since=now,
        )

    def update(self, before: History, after: History, facts: Facts) -> None:
        """Store what changed."""
        saved = replace(self.saved, logout_hold=after.logout_hold)
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

    def closed_cleanly(self) -> None:
        """The browser has written everything."""
        if self._proven:
            self._store(self.saved.settled(now=self._clock()))

    def _store(self, saved: SavedState) -> None:
        if saved == self.saved and not self._failing:
            return
        self.saved = saved
        try:
            write_saved_state(self._path, saved)
        except OSError as error:
            # The session works on; what suffers is only the next pod's knowledge of it. A volume that is full now may
            # have room at the next look, so it is tried again then, and told once.
            if not self._failing:
                extra = {"path": str(self._path), "error": str(error)}
                logger.error("The state file could not be written", extra=extra)  # noqa: TRY400 -- it says all there is
            self._failing = True
        else:
            self._failing = False
