"""Running other programs."""

import pytest
from session_devtools.commands import run, succeeds
from session_devtools.errors import CommandError


def test_a_failed_program_is_reported_with_its_output() -> None:
    """What it said, whether to one stream or the other."""
    with pytest.raises(CommandError, match=r"status 3: no luck") as caught:
        run("sh", "-c", "echo no luck >&2; exit 3")

    assert caught.value.returncode == 3
    with pytest.raises(CommandError, match="no such program"):
        run("no-such-program-at-all")
    with pytest.raises(CommandError, match="did not end within 0 s"):
        run("sleep", "60", timeout=0.01)
    assert (succeeds("true"), succeeds("false")) == (True, False)
