"""The command: how it begins, and how it ends when it cannot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import log_schema

pytestmark = pytest.mark.slow


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in an environment of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    root = Path(__file__).parents[3]
    paths = f"{root / 'operator'}:{root / 'session-runner'}"
    return subprocess.run(
        [sys.executable, "-m", "whatsapp_operator", *arguments],
        env={**kept, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("dance", 2)])
def test_usage(argument: str, status: int) -> None:
    """Help is no error, a wrong word is."""
    ended = run(argument)

    assert status == ended.returncode
    assert "rotate-key" in ended.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "RUNNER_IMAGE is not set"),
        ({"RUNNER_IMAGE": "x", "WORKERS": "none"}, "WORKERS"),
        ({"RUNNER_IMAGE": "x", "ALLOWED_HOSTS": "*.whatsapp.net"}, "ALLOWED_HOSTS does not contain web.whatsapp.com"),
        ({"RUNNER_IMAGE": "x"}, "OPERATOR_NAMESPACE is not set"),
        ({"RUNNER_IMAGE": "x", "OPERATOR_NAMESPACE": "ops", "KUBECONFIG": "/nowhere"}, "cannot log in"),
        ({"RUNNER_IMAGE": "x", "OPERATOR_NAMESPACE": "ops", "EXTRA_CA_FILE": "/nowhere"}, "EXTRA_CA_FILE"),
    ],
)
def test_what_is_wrong_is_reported_in_one_line(environment: dict[str, str], message: str) -> None:
    """A person reads the pod's last line: JSON, with what to do, and no traceback."""
    ended = run(**environment)

    line = json.loads(ended.stderr.splitlines()[-1])
    assert 2 == ended.returncode
    assert [] == log_schema.faults(ended.stderr.splitlines())
    assert ("CRITICAL", "Cannot start") == (line["level"], line["message"])
    assert message in line["error"]
    assert "Traceback" not in ended.stderr


def test_what_may_not_be_meant_is_logged_at_the_start() -> None:
    """A warning before anything else, on a line of its own."""
    ended = run(RUNNER_IMAGE="x", WATCH_NAMESPACES="shop")

    line = json.loads(ended.stderr.splitlines()[0])
    assert ("WARNING", "Settings to look at") == (line["level"], line["message"])
    assert "give one of them an INSTANCE" in line["advice"]
