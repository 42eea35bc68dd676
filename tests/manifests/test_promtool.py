"""Prometheus' own program reads what operator and runner serve, and has nothing to say about names, types and texts."""

import subprocess

import pytest
from session_devtools import packages
from session_devtools.progress import ConsoleProgress
from support.registries import REGISTRIES, ask


@pytest.fixture(scope="module", autouse=True)
def _promtool() -> None:
    """Debian's, installed when it is missing."""
    packages.ensure(["prometheus"], progress=ConsoleProgress())


@pytest.mark.parametrize("accept", ["", "text/plain;version=0.0.4", "text/plain;version=1.0.0"])
@pytest.mark.parametrize("name", REGISTRIES)
def test_promtool_finds_nothing(name: str, accept: str) -> None:
    """It reads the text format alone; a label from nobody's vocabulary or a name without its unit would be told."""
    body, _ = ask(REGISTRIES[name], accept)
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)

    assert (0, b"") == (checked.returncode, checked.stdout + checked.stderr)
