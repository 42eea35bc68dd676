"""Writes the seccomp profile that Chromium's own sandbox needs: `make seccomp-profile`.

seccomp_profile.go beside this file makes it, out of the default profile of the containerd that the local cluster is built
from. After a new release of containerd there, run it and read the difference. `--check` writes nothing and fails when the
file is another one; a test does that, so that an update of containerd brings the profile along.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from session_devtools.build.toolchain import find_go
from session_devtools.commands import run
from session_devtools.progress import ConsoleProgress

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = REPOSITORY / "scripts/seccomp_profile.go"
MODULE: Final = REPOSITORY / "local-cluster/go/containerd"
PROFILE: Final = REPOSITORY / "manifests/components/browser-sandbox/nodes/chromium-sandbox.json"


def profile() -> str:
    """Return the profile's text."""
    environment = {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly",
        "CGO_ENABLED": "0",
    }
    go = find_go(progress=ConsoleProgress())
    # A new machine downloads the module's dependencies first.
    return run(go, "-C", MODULE, "run", SOURCE, environment=environment, timeout=600)


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or check it; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/seccomp_profile.py", description="Write the seccomp profile.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    text = profile()
    if not parser.parse_args(arguments).check:
        PROFILE.write_text(text, encoding="utf-8")
        return 0
    if PROFILE.read_text(encoding="utf-8") != text:
        sys.stderr.write(
            f"{PROFILE.relative_to(REPOSITORY)} is stale: run `make seccomp-profile`, read the difference\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
