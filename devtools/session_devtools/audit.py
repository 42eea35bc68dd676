"""`python -m session_devtools.audit`: whether any locked Python package has a known vulnerability.

pip-audit asks the package index about each of them. Where the index does not answer that question (no network, or a
mirror that serves packages and no advisories) it says "no known vulnerabilities", or ends with a traceback; here both
become one line that says so, and no failure: the check is worth something only where it can be made.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

REQUIREMENTS: Final = Path(__file__).resolve().parents[2] / "requirements"
LONGEST: Final = 300.0
""" Seconds for all packages; a tenth of it is usual. """

_UNREACHABLE: Final = ("ConnectionError", "Timeout", "Could not connect", "ServiceError", "not redirecting properly")
""" What pip-audit's last words have in them when the index, not the question, is at fault. """


class Verdict(NamedTuple):
    """What to say, and the exit status."""

    lines: list[str]
    status: int = 0


def main() -> int:
    """Audit all lock files; returns the exit status."""
    lines, status = evaluate(*_run_pip_audit(sorted(REQUIREMENTS.glob("*.txt"))))
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    return status


def evaluate(status: int, stdout: str, stderr: str) -> Verdict:
    """Read pip-audit's answer; pure."""
    answer = _document(stdout)
    if answer is None:
        if any(sign in stderr for sign in _UNREACHABLE):
            return Verdict(["audit: not done, the vulnerability service cannot be reached"])
        return Verdict([f"audit: pip-audit ended with status {status}:", *stderr.strip().splitlines()[-5:]], 1)
    packages: list[dict[str, Any]] = answer["dependencies"]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    found = [
        f"audit: {each['name']} {each['version']} has {flaw['id']}, {_fixed_in(flaw['fix_versions'])}"
        for each in packages
        for flaw in each.get("vulns", ())
    ]
    if found:
        return Verdict(found, 1)
    if len(unknown) == len(packages):
        return Verdict(["audit: not done, the package index here knows no vulnerabilities"])
    besides = f"; the index knows nothing of {', '.join(unknown)}" if unknown else ""
    return Verdict([f"audit: no known vulnerability in {len(packages) - len(unknown)} packages{besides}"])


def _run_pip_audit(locks: Sequence[Path]) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    command += ["--timeout=10", "--format=json", *(f"--requirement={lock}" for lock in locks)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return 1, "", f"Timeout after {LONGEST:.0f} s"
    return done.returncode, done.stdout, done.stderr


def _document(text: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _fixed_in(versions: Sequence[str]) -> str:
    return f"fixed in {' and '.join(versions)}" if versions else "not fixed yet"


if __name__ == "__main__":
    sys.exit(main())
