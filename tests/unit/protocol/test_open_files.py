"""A process may have as many open files as its container allows."""

import subprocess
import sys


def test_the_soft_limit_becomes_the_hard_one() -> None:
    """In a process of its own, which begins with few."""
    script = (
        "import resource as r; from session_protocol.open_files import raise_limit;"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, 512)); raise_limit(); print(r.getrlimit(r.RLIMIT_NOFILE))"
    )

    assert (
        "(512, 512)"
        == subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()
    )
