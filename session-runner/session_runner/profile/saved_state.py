"""The state that outlives the pod, in one small file on the profile volume.

Without it, a lost login would look like a profile that was never linked, and the next pod would not know of a ban. It
has times and names only: no phone number, no code, no key. It is written rarely (a request, linking, logout, conflict,
ban, restriction, a first sync, a clean stop), each time whole and atomically.

It is read by hand, field by field, and not decoded as one structure: of a newer or incomplete file, what can be read is
kept, while msgspec accepts a structure whole or not at all. With msgspec and a raw text per field it took as many
lines, because the fallbacks are the point here.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from session_protocol import times
from session_protocol.files import read_small, write_atomically
from session_protocol.logouts import LogoutReason
from session_protocol.states import waits_for_person
from session_protocol.vocabulary import CAMEL_CASE, RunnerState, StateReason

from session_runner.states.hold import MOST_REMEMBERED, HeldState, Start

DURABLE_AFTER = timedelta(seconds=60)
""" The browser writes localStorage at most about once a minute: measured, a value written 8 s after the first was
    lost by SIGKILL 40 s later and safe after 55 s. """


class DamagedStateError(Exception):
    """The file cannot be understood; the text says what to do."""


class Logout(Struct, frozen=True, kw_only=True):
    """When the session was logged out last, and why."""

    time: datetime
    reason: str
    """ One word (`session_protocol.logouts`). """


class SavedState(Struct, frozen=True, kw_only=True):
    """The file's content. Times are UTC."""

    linked_time: datetime | None = None
    """ When the page was first seen registered; None: it is not linked, or is to be linked again. """
    durable_time: datetime | None = None
    """ From when on the login survives any end of the browser; may be in the future. """
    is_unchecked: bool = False
    """ Nobody knows yet whether the phone that was linked is the right one's, or it was not and is to be unlinked. """
    logout_hold: str | None = None
    """ Why a logout must wait for a person: Banned or AccountLocked. """
    relink_request: str | None = None
    """ The last relink request that was carried out. """
    sync_began: datetime | None = None
    """ Since when the page has been fetching its first data; None: it is not. """
    restriction: StateReason | None = None
    """ The account's restriction, as the page last showed it. """
    restriction_ends: datetime | None = None
    """ When that ends. """
    hold: HeldState | None = None
    """ The hold, until something ends it. """
    start: Start | None = None
    """ The requests that people had made when this profile was last opened. """
    browser_version: str | None = None
    """ The version of the browser that last opened the profile. """
    available_time: datetime | None = None
    """ When the session was last available to the service, like a person who looks at the page. """
    logout: Logout | None = None
    """ How the last link ended, until the next one; None: it has not, or nobody saw it. """

    def linked(self, *, now: datetime) -> "SavedState":
        """Return the state after a phone was linked."""
        now = now.replace(microsecond=0)
        return replace(self, linked_time=now, durable_time=now + DURABLE_AFTER, logout=None)

    def logged_out(self, *, now: datetime, reason: str) -> "SavedState":
        """Return the state after a logout was seen, or its reason was heard: a known one takes the place of none."""
        before = self.logout or Logout(time=now.replace(microsecond=0), reason=LogoutReason.LOGGED_OUT)
        known = before.reason if before.reason != LogoutReason.LOGGED_OUT else reason
        return replace(self, logout=replace(before, reason=known))

    def unlinked(self) -> "SavedState":
        """Return the state after the login was given up and linking begins again."""
        gone = replace(
            self, linked_time=None, durable_time=None, is_unchecked=False, logout_hold=None, available_time=None
        )
        return replace(gone, sync_began=None, restriction=None, restriction_ends=None)

    def settled(self, *, now: datetime) -> "SavedState":
        """Return the state with the login on disk: the browser closed cleanly, or has read it from there."""
        if self.durable_time is None or self.durable_time <= now:
            return self
        return replace(self, durable_time=now.replace(microsecond=0))


def read_saved_state(path: Path) -> SavedState:
    """Return the stored state; a file that is absent counts as never linked, and so does a field of no use.

    :raises OSError: it is not a regular file, or the volume fails.
    :raises DamagedStateError: it is none of ours, or damaged. It may record a conflict or a ban, so the runner must not
        go on as if there were none.
    """
    try:
        got = json.loads(read_small(path))
    except FileNotFoundError:
        return SavedState()
    except (ValueError, RecursionError) as error:
        raise DamagedStateError(_damaged(path)) from error
    if not isinstance(got, dict):
        raise DamagedStateError(_damaged(path))
    logout_hold, request, version = got.get("hold"), got.get("relinkRequest"), got.get("browserVersion")
    return SavedState(
        linked_time=_maybe_time(got.get("linkedTime")),
        durable_time=_maybe_time(got.get("durableTime")),
        is_unchecked=got.get("unchecked") is True,
        logout_hold=logout_hold if isinstance(logout_hold, str) else None,
        relink_request=request if isinstance(request, str) else None,
        sync_began=_maybe_time(got.get("syncBeganTime")),
        restriction=_maybe_reason(got.get("restriction")),
        restriction_ends=_maybe_time(got.get("restrictionEndTime")),
        hold=_maybe_hold(got.get("stop")),
        start=_maybe_start(got.get("start")),
        browser_version=version if isinstance(version, str) else None,
        available_time=_maybe_time(got.get("availableTime")),
        logout=_maybe_logout(got.get("logout")),
    )


def write_saved_state(path: Path, saved: SavedState) -> None:
    """Write the file atomically: a reader finds the old or the new content, even after a power cut.

    The keys never change, whatever the fields are called: with another key the next pod would find no hold and open the
    page.
    """
    content: dict[str, Any] = {
        "linkedTime": format_time(saved.linked_time),
        "durableTime": format_time(saved.durable_time),
        "hold": saved.logout_hold,
        "relinkRequest": saved.relink_request,
        "stop": _hold_content(saved.hold) if saved.hold is not None else None,
        "start": _start_content(saved.start) if saved.start is not None else None,
    }
    later = {
        "unchecked": saved.is_unchecked or None,
        "browserVersion": saved.browser_version,
        "availableTime": format_time(saved.available_time),
        "syncBeganTime": format_time(saved.sync_began),
        "restriction": saved.restriction,
        "restrictionEndTime": format_time(saved.restriction_ends),
        "logout": None if saved.logout is None else _logout_content(saved.logout),
    }
    content |= {key: value for key, value in later.items() if value is not None}
    write_atomically(path, json.dumps(content, indent=1))


def _logout_content(logout: Logout) -> dict[str, str]:
    return {"time": times.format_time(logout.time), "reason": logout.reason}


def _damaged(path: Path) -> str:
    return (
        f"{path} is damaged, and may have recorded a conflict or a ban. Put it back from a backup, or delete it if none of "
        "these is known: the login does not depend on it."
    )


def format_time(time: datetime | None) -> str | None:
    """Return a time in RFC 3339, in UTC and whole seconds."""
    return None if time is None else times.format_time(time)


def _maybe_time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        return time.astimezone(UTC) if time is not None and time.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter: no moment of UTC's years 1 to 9999
        return None


def _maybe_reason(value: object) -> StateReason | None:
    return StateReason(value) if value in list(StateReason) else None  # type: ignore[arg-type]  # text, if it is in there


def _start_content(start: Start) -> dict[str, str | list[str] | None]:
    return {
        "sessionUID": start.session_uid,
        "restart": start.restart,
        "relink": start.relink,
        "resumed": start.resumed,
        **({"earlier": list(start.earlier)} if start.earlier else {}),
    }


def _hold_content(hold: HeldState) -> dict[str, str]:
    return {"state": hold.state, "reason": hold.reason, "message": hold.message}


def _maybe_hold(value: object) -> HeldState | None:
    """Return the hold, even an incomplete one: a reason that only a newer runner knows must not open the page."""
    got = _texts(value)
    try:
        state = RunnerState(got["state"])
    except (KeyError, ValueError):  # none, or a state that only a newer runner knows
        return None
    reason = _maybe_reason(got.get("reason")) or StateReason.WAITING_FOR_PERSON
    # Any other state, repeated with the page closed, would be wrong, and nobody could end it.
    waits = waits_for_person(state=state, reason=reason)
    return HeldState(state=state, reason=reason, message=got.get("message", "")) if waits else None


def _maybe_logout(value: object) -> Logout | None:
    got = _texts(value)
    time, reason = _maybe_time(got.get("time")), str(got.get("reason", ""))
    known = reason if re.fullmatch(CAMEL_CASE, reason) else LogoutReason.LOGGED_OUT
    return None if time is None else Logout(time=time, reason=known)


def _maybe_start(value: object) -> Start | None:
    got = _texts(value)
    try:
        return Start(
            session_uid=got["sessionUID"],
            restart=got.get("restart"),
            relink=got.get("relink"),
            resumed=got.get("resumed"),
            earlier=_earlier(value),
        )
    except KeyError:
        return None


def _earlier(value: object) -> tuple[str, ...]:
    got = value.get("earlier") if isinstance(value, dict) else None
    texts = [text for text in got if isinstance(text, str)] if isinstance(got, list) else []
    return tuple(texts[-MOST_REMEMBERED:])


def _texts(value: object) -> dict[str, Any]:
    items = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in items if isinstance(key, str) and isinstance(text, str)}
