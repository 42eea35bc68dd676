"""The reference page against the code: every state, every route, every exit code."""

import re
from pathlib import Path

from session_protocol.vocabulary import ExitCode, RunnerState, TokenScope

PAGE = (Path(__file__).parents[3] / "docs/reference/runner-api.md").read_text()


def test_every_state_has_its_row() -> None:
    """The table of states has each word once, in the code's order."""
    states = PAGE[PAGE.index("## States") : PAGE.index("## Exit codes")]

    assert [str(state) for state in RunnerState] == re.findall(r"^\| `(\w+)` \|", states, re.MULTILINE)


def test_every_exit_code_has_its_row() -> None:
    """Numbers and reasons are the code's."""
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE[PAGE.index("## Exit codes") :], re.MULTILINE)

    assert [(str(int(code)), code.reason) for code in ExitCode] == rows


def test_every_scope_is_named() -> None:
    """The list of scopes is complete."""
    assert f"({', '.join(TokenScope)})" in PAGE
