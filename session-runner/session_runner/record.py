"""Keeps the marker file in step with what the session remembers.

Asked once at the start whether an earlier runner's word still waits for a person (`begin`), then told of every probe
(`update`, with the memory before and after) and of every word (`said`); decides what outlives the pod. All of it is
pure apart from the file, and the file is written only when something changed or the last write failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.profile.marker import Marker, read_marker, write_marker
from session_runner.states.facts import Facts
from session_runner.states.past import Past
from session_runner.states.stop import Start, Stop, stop_after

log = logging.getLogger(__name__)


class Record:
    """The marker and its file."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime], start: Start) -> None:
        self._path = path
        self._clock = clock
        self._start = start
        """ What people had asked for when this pod was made. """
        self._request = start.relink
        self._proven = False
        """ The login that the marker tells of was seen in the page since this process began. """
        self._failing = False
        """ The last write failed, so the file is behind the marker. """
        self.marker = read_marker(path)

    def begin(self) -> Stop | None:
        """Take note of this start; return the stop that no person has ended: then the page must stay closed."""
        before = self.marker.start
        stop = None if self._start.is_asked_for(before) else self.marker.stop
        # In one write: a request that ends a stop counts once, also when the pod is lost a moment later.
        self._store(replace(self.marker, stop=stop, start=self._start.after(before)))
        return stop

    def said(self, *, state: RunnerState, reason: StateReason, message: str) -> None:
        """The session says this: it may begin or end a stop. Told before anybody can hear it."""
        stop = stop_after(self.marker.stop, state=state, reason=reason, message=message)
        self._store(replace(self.marker, stop=stop))

    def past(self, *, now: float) -> Past:
        """The memory a fresh process begins with."""
        granted = self._request is not None and self._request != self.marker.relink_request
        return Past(
            linked=self.marker.linked_time is not None,
            hold=self.marker.hold,
            granted=granted,
            unclassified_since=now,
        )

    def update(self, before: Past, after: Past, facts: Facts) -> None:
        """Store what changed."""
        marker = replace(self.marker, hold=after.hold)
        if after.linked and not before.linked:
            marker = marker.linked(now=self._clock())
            self._proven = True
        elif before.linked and not after.linked:
            marker = marker.unlinked()
        elif after.linked and facts.registered is True and not self._proven:
            marker = marker.settled(now=self._clock())  # the browser has just read it from the volume
            self._proven = True
        if before.granted and not after.granted:
            marker = replace(marker, relink_request=self._request)
        self._store(marker)

    def closed_cleanly(self) -> None:
        """The browser has written everything."""
        if self._proven:
            self._store(self.marker.settled(now=self._clock()))

    def _store(self, marker: Marker) -> None:
        if marker == self.marker and not self._failing:
            return
        self.marker = marker
        try:
            write_marker(self._path, marker)
        except OSError as error:
            # The session works on; what suffers is only the next pod's knowledge of it. A volume that is full now may
            # have room at the next look, so it is tried again then, and told once.
            if not self._failing:
                log.error("The marker could not be written", extra={"path": str(self._path), "error": str(error)})  # noqa: TRY400
            self._failing = True
        else:
            self._failing = False
