"""Every environment variable that counts stands on a reference page, those read beside the settings included."""

import re
from pathlib import Path

import pytest
from environment_reads import names_read
from session_protocol.environment import Variable
from session_runner.page.driver import _DRIVER, browser_environment
from whatsapp_operator.app.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
OPERATOR_PAGE = (REFERENCE / "settings.md").read_text()
RUNNER_PAGE = (REFERENCE / "runner-settings.md").read_text()

CONTRACT = (
    "WHATSAPP_WEB_URL",
    "ALLOWED_HOSTS",
    "EXTRA_CA_FILE",
    "PROFILE_DIR",
    "TOKEN_DIR",
    "SESSION_UID",
    "POD_UID",
    "PORT",
    "STARTUP_TIMEOUT",
    "LAUNCH_TIMEOUT",
    "PROTOCOL_TIMEOUT",
    "CONNECTION_CHECK_TIMEOUT",
    "HEALTH_CHECK_TIMEOUT",
)
""" What whoever starts a runner without the operator relies on. """


def rows(page: str) -> set[str]:
    """The variables that have a row of a page's table."""
    return set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def test_the_runners_table_is_its_variables() -> None:
    """No row without a variable, no variable without a row, and the published names among them."""
    assert rows(RUNNER_PAGE) == {str(variable) for variable in Variable}
    assert set(CONTRACT) <= rows(RUNNER_PAGE)


def test_the_operators_table_is_its_settings() -> None:
    """No row without a setting, no setting without a row."""
    assert rows(OPERATOR_PAGE) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("package", "page"),
    [("operator/whatsapp_operator", OPERATOR_PAGE), ("session-runner/session_runner", RUNNER_PAGE)],
    ids=["operator", "runner"],
)
def test_what_is_read_beside_the_settings_is_documented(package: str, page: str) -> None:
    """A variable that counts is one that somebody can find."""
    read = names_read(ROOT / package)

    assert read
    assert [] == sorted(name for name in read if f"`{name}`" not in page)


def test_what_browser_and_driver_are_given_is_documented() -> None:
    """The browser's whole environment, and the driver's settings that a container may overrule."""
    everything = dict.fromkeys([*Variable, *_DRIVER, "HOME", "PATH", "TMPDIR", "TZ", "SECRET"], "x")
    given = set(browser_environment(everything)) - {"LANG"}

    assert {"HOME", "PATH", "TMPDIR", "TZ"} == given
    assert [] == sorted(name for name in given | set(_DRIVER) if f"`{name}`" not in RUNNER_PAGE)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os; os.environ.get('A'); os.environ['B']; 'C' in os.environ; os.getenv('D')", {"A", "B", "C", "D"}),
        ("environment.get('A', ''); environment['B']; other['C']; other.get('D')", {"A", "B"}),
        ("os.environ[name]; {'A': 1}['A']", set()),
    ],
)
def test_reads_are_found_in_every_form(tmp_path: Path, code: str, expected: set[str]) -> None:
    """And nothing else is taken for one."""
    (tmp_path / "module.py").write_text(code)

    assert expected == names_read(tmp_path)
