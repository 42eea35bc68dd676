"""A plugin of pytest that keeps why tests failed, in few lines each, for the end of a long output.

`scripts/test-twice` loads it and shows them when all is done. The environment's path to it goes as soon as it is loaded:
what the tests start shall not find this folder.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

MOST = 9
""" Lines of one failure. """
LONGEST = 240
""" Characters of one line. """
_ERROR = re.compile(r"E  +\S|[\s|]*[\w.]*(?:Error|Warning|Exception\w*|Timeout|Failed|Interrupt)\b.*: ?")
_PLACE = re.compile(r"\S+\.py:\d+: ")
_CAPTURED = re.compile(r"-+ Captured ")

os.environ.pop("PYTHONPATH", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file."""
    parser.addoption("--keep-failures", type=Path, help="append why tests fail to this file, a JSON object a line")


def pytest_configure(config: pytest.Config) -> None:
    """Listen where the reports of all workers come together."""
    path: Path | None = config.getoption("--keep-failures")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Keeper(path), "kept-failures")


class _Keeper:
    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._keep(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._keep(report)

    def _keep(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed:
            # pytest-xdist adds the group of a test to its name, "…[parameters]@group".
            name = re.sub(r"@[^\]@]*$", "", report.nodeid)
            with self._path.open("a") as file:
                file.write(json.dumps({"name": name, "why": essence(report.longreprtext.splitlines())}) + "\n")


def essence(text: Sequence[str]) -> list[str]:
    """Return what a traceback says: its errors, and the last place before them; of one without errors its end."""
    end = next((number for number, line in enumerate(text) if _CAPTURED.match(line)), len(text))
    lines = [line.rstrip()[:LONGEST] for line in text[:end] if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    places = [line for line in lines if _PLACE.match(line)]
    return [*places[-1:], *errors[: MOST - 1]] if errors else lines[-MOST:]


def shown(kept: Path, *, verdict: str) -> str:
    """Return each test that failed, once, with the verdict on it and below it why it failed."""
    failures: dict[str, list[str]] = {}
    for line in kept.read_text().splitlines() if kept.exists() else ():
        failure = json.loads(line)
        failures.setdefault(failure["name"], failure["why"])
    return "".join(
        f"{verdict.format(name=name)}\n" + "".join(f"    {line}\n" for line in why) for name, why in failures.items()
    )
