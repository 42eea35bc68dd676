"""The parts of a runner are joined, and none of them is started."""

from pathlib import Path

from session_protocol.live_settings import LiveSettings
from session_protocol.vocabulary import ReadMarking
from session_runner.assembly import assemble
from session_runner.http.auth import TokenFolder
from session_runner.settings import read_settings


def test_parts_that_wait_for_each_other_wake_each_other(tmp_path: Path) -> None:
    """A file that is ready has its message go on, and what comes of that message is published."""
    variables = {"PROFILE_DIR": "/p", "CACHE_DIR": "/c", "TOKEN_DIR": "/t", "SESSION_UID": "s", "POD_UID": "p"}
    _, session = assemble(read_settings(variables), tokens=TokenFolder(tmp_path), started=0.0)

    assert session.messaging.wake == session.preparer.settled
    assert session.inbox.wake == session.messaging.progressed
    assert session.messaging.marks_wait == session.inbox.marks_wait
    assert session.preparer is session.messaging.preparer


def test_what_comes_is_marked_as_read_by_the_settings_of_now(tmp_path: Path) -> None:
    """An edit that is brought to the running pod counts from the next message on."""
    variables = {"PROFILE_DIR": "/p", "CACHE_DIR": "/c", "TOKEN_DIR": "/t", "SESSION_UID": "s", "POD_UID": "p"}
    api, session = assemble(read_settings(variables), tokens=TokenFolder(tmp_path), started=0.0)
    before = session.inbox._marking()
    api._live.replace(LiveSettings(read_marks=ReadMarking.ON_RECEIPT))

    assert (False, True) == (before, session.inbox._marking())
