"""The parts of a runner, joined by the code that joins the real ones; a test has its own time, chance and settings."""

import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from session_runner.assembly import Parts, api_of, assemble, session_of
from session_runner.host.identity import Identity
from session_runner.host.processes import descendants, processes
from session_runner.http.auth import TokenFolder
from session_runner.page.driver import EarlyDriver
from session_runner.seams import Seams
from session_runner.session import Session
from session_runner.settings import read_settings

PHONE: Final = "104000000000001"
""" The phone-number-id. """


def make_parts(
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    phone: str = PHONE,
    session_uid: str = "s",
    pod_uid: str = "p",
    settings: Mapping[str, str] | None = None,
    **seams: Any,
) -> Parts:
    """Return the parts of a runner whose page is never opened, unless a test opens it."""
    needed = {"PROFILE_DIR": "/p", "CACHE_DIR": "/c", "TOKEN_DIR": "/t", "SESSION_UID": session_uid, "POD_UID": pod_uid}
    return assemble(
        read_settings(needed | dict(settings or {})),
        Identity(session_uid=session_uid, pod_uid=pod_uid, phone_number_id=phone),
        Seams(**{"clock": clock, "random": random.Random(1).random, "kills": lambda: 0} | seams),
    )


def make_api(parts: Parts, tokens: Path) -> web.Application:
    """Return the API over the parts, with the tokens of a folder."""
    return api_of(parts, TokenFolder(tokens, monotonic=parts.base.seams.monotonic))


def make_session(parts: Parts) -> Session:
    """Return the session that works with the parts; what other tests have running beside it is not its to end."""
    before = descendants(os.getpid(), processes())
    return session_of(parts, started=0.0, driver=EarlyDriver(), before=before)
