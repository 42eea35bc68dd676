"""What the runner remembers over restarts, in one small file on the profile volume.

Without it a lost login could not be told from a profile that was never linked, and a ban would be forgotten by the
next pod. It holds times and words only: no number, no code, no key. Written rarely (a request, linking, logout,
conflict, ban, a clean stop), each time as a whole and atomically.

It is read by hand, field by field, and not decoded as one structure: a file of a newer version, or half a one, keeps
what is understood of it, while msgspec takes a structure whole or not at all. Tried with a raw text per field it came
to as many lines, for the fallbacks are the point here.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from session_protocol import times
from session_protocol.files import read_small, write_atomically
from session_protocol.states import waits_for_person
from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.states.hold import HeldState, Start

DURABLE_AFTER = timedelta(seconds=60)
""" The browser writes localStorage at most about once a minute: measured, a value written 8 s after the first was
    lost by SIGKILL 40 s later and safe after 55 s. """


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """The file's content. Times are UTC."""

    linked_time: datetime | None = None
    """ When the page was first seen registered; `None`: not linked, or to be linked anew. """
    durable_time: datetime | None = None
    """ From when on the login survives any end of the browser; may lie ahead. """
    logout_hold: str | None = None
    """ Why a logout must wait for a person: Banned or AccountLocked. """
    relink_request: str | None = None
    """ The last request for linking anew that was honoured. """
    hold: HeldState | None = None
    """ The word that waits for a person, until something ends it. """
    start: Start | None = None
    """ What people had asked for when this profile was last opened. """

    def linked(self, *, now: datetime) -> "SavedState":
        """A phone has linked just now."""
        now = now.replace(microsecond=0)
        return replace(self, linked_time=now, durable_time=now + DURABLE_AFTER)

    def unlinked(self) -> "SavedState":
        """The old login is given up; linking begins anew."""
        return replace(self, linked_time=None, durable_time=None, logout_hold=None)

    def settled(self, *, now: datetime) -> "SavedState":
        """The login is on disk now: the browser closed cleanly, or read it from there."""
        if self.durable_time is None or self.durable_time <= now:
            return self
        return replace(self, durable_time=now.replace(microsecond=0))


def read_saved_state(path: Path) -> SavedState:
    """The stored state. A file that is absent or cannot be understood counts as never linked.

    :raises OSError: something else lies in its place, or the volume fails: what it held may be a conflict, so nothing
        may go on as if there were none.
    """
    try:
        got = json.loads(read_small(path))
    except (FileNotFoundError, ValueError, RecursionError):
        return SavedState()
    if not isinstance(got, dict):
        return SavedState()
    logout_hold, request = got.get("hold"), got.get("relinkRequest")
    return SavedState(
        linked_time=_maybe_time(got.get("linkedTime")),
        durable_time=_maybe_time(got.get("durableTime")),
        logout_hold=logout_hold if isinstance(logout_hold, str) else None,
        relink_request=request if isinstance(request, str) else None,
        hold=_maybe_hold(got.get("stop")),
        start=_maybe_start(got.get("start")),
    )


def write_saved_state(path: Path, saved: SavedState) -> None:
    """Store it so that a reader finds the old or the new file, whole, also after a power cut.

    The keys never change, whatever the fields are called: under another one the next pod would find no hold, and open
    the page.
    """
    content = {
        "linkedTime": format_time(saved.linked_time),
        "durableTime": format_time(saved.durable_time),
        "hold": saved.logout_hold,
        "relinkRequest": saved.relink_request,
        "stop": _hold_content(saved.hold) if saved.hold is not None else None,
        "start": _start_content(saved.start) if saved.start is not None else None,
    }
    write_atomically(path, json.dumps(content, indent=1))


def format_time(time: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds."""
    return None if time is None else times.format_time(time)


def _maybe_time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        return time.astimezone(UTC) if time is not None and time.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter: no moment of UTC's years 1 to 9999
        return None


def _start_content(start: Start) -> dict[str, str | None]:
    return {
        "sessionUID": start.session_uid,
        "restart": start.restart,
        "relink": start.relink,
        "resumed": start.resumed,
    }


def _hold_content(hold: HeldState) -> dict[str, str]:
    return {"state": hold.state, "reason": hold.reason, "message": hold.message}


def _maybe_hold(value: object) -> HeldState | None:
    """Return the hold, also from half a one: a word that waits opens no page because a newer runner gave its reason."""
    got = _texts(value)
    try:
        state = RunnerState(got["state"])
    except (KeyError, ValueError):  # none, or a word of a newer runner
        return None
    known = got.get("reason") in list(StateReason)
    reason = StateReason(got["reason"]) if known else StateReason.WAITING_FOR_PERSON
    # To repeat any other word with the page closed would be a lie, which nobody could end.
    waits = waits_for_person(state=state, reason=reason)
    return HeldState(state=state, reason=reason, message=got.get("message", "")) if waits else None


def _maybe_start(value: object) -> Start | None:
    got = _texts(value)
    try:
        return Start(
            session_uid=got["sessionUID"],
            restart=got.get("restart"),
            relink=got.get("relink"),
            resumed=got.get("resumed"),
        )
    except KeyError:
        return None


def _texts(value: object) -> dict[str, Any]:
    items = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in items if isinstance(key, str) and isinstance(text, str)}
