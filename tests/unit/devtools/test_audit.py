"""What is made of pip-audit's answer: a finding fails, silence is called silence."""

import json
from typing import Any

import pytest
from session_devtools.audit import REQUIREMENTS, evaluate

FINE = {"name": "kopf", "version": "1.2", "vulns": []}
FLAWED = {
    "name": "yarl",
    "version": "0.1",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["0.2", "1.0"], "description": "…"},
        {"id": "PYSEC-2", "fix_versions": []},
    ],
}
UNKNOWN = {"name": "segno", "skip_reason": "Dependency not found on PyPI and could not be audited: segno (1.6.6)"}


def answer(*packages: dict[str, Any]) -> str:
    """As pip-audit writes it."""
    return json.dumps({"dependencies": list(packages), "fixes": []})


def test_nothing_found_is_reported_with_how_many_were_asked_about() -> None:
    """One line, and success."""
    assert (["audit: no known vulnerability in 2 packages"], 0) == evaluate(0, answer(FINE, FINE), "")


def test_a_vulnerability_fails_with_its_name_and_its_cure() -> None:
    """Each in a line of its own."""
    lines = [
        "audit: yarl 0.1 has PYSEC-1, fixed in 0.2 and 1.0",
        "audit: yarl 0.1 has PYSEC-2, not fixed yet",
    ]

    assert (lines, 1) == evaluate(1, answer(FINE, FLAWED, UNKNOWN), "Found 2 known vulnerabilities in 1 package")


def test_an_index_that_knows_no_package_has_not_answered() -> None:
    """pip-audit itself would say that nothing is known against them."""
    lines, status = evaluate(0, answer(UNKNOWN, UNKNOWN), "No known vulnerabilities found")

    assert (1, 0) == (len(lines), status)
    assert "not done" in lines[0]


def test_a_package_that_the_index_does_not_know_is_named() -> None:
    """The others were asked about."""
    assert (["audit: no known vulnerability in 1 packages; the index knows nothing of segno"], 0) == evaluate(
        0, answer(FINE, UNKNOWN), ""
    )


@pytest.mark.parametrize(
    "stderr",
    [
        "Traceback (most recent call last):\n…\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='x')",
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='x'): Read timed out. (read timeout=10)",
        "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\nTip: your network may be blocking …",
        "pip_audit._service.interface.ServiceError",
    ],
)
def test_a_service_that_cannot_be_reached_is_reported_in_one_line(stderr: str) -> None:
    """And the other checks go on."""
    assert (["audit: not done, the vulnerability service cannot be reached"], 0) == evaluate(1, "", stderr)


@pytest.mark.parametrize("stdout", ["", "[]", "{"])
def test_any_other_failure_is_one(stdout: str) -> None:
    """Such as a lock without hashes: pip-audit's last words are shown."""
    lines, status = evaluate(1, stdout, "a\nb\nc\nd\ne\nERROR: requirement segno does not contain a hash\n")

    assert status == 1
    assert lines[0] == "audit: pip-audit ended with status 1:"
    assert lines[-1] == "ERROR: requirement segno does not contain a hash"
    assert len(lines) == 6


def test_all_locks_are_audited() -> None:
    """Those of the images, of the builds and of development."""
    assert {"build.txt", "dev.txt", "operator.txt", "runner.txt"} <= {file.name for file in REQUIREMENTS.glob("*.txt")}
