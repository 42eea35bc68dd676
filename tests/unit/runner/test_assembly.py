"""The parts of a runner are joined, and none of them is started."""

from pathlib import Path

from session_runner.assembly import assemble
from session_runner.http.auth import TokenFolder
from session_runner.settings import read_settings


def test_parts_that_wait_for_each_other_wake_each_other(tmp_path: Path) -> None:
    """A file that is ready has its message go on, and what comes of that message is published."""
    variables = {"PROFILE_DIR": "/p", "CACHE_DIR": "/c", "TOKEN_DIR": "/t", "SESSION_UID": "s", "POD_UID": "p"}
    _, session = assemble(read_settings(variables), tokens=TokenFolder(tmp_path), started=0.0)

    assert session.messaging.wake == session.preparer.settled
    assert session.inbox.wake == session.messaging.progressed
    assert session.preparer is session.messaging.preparer
