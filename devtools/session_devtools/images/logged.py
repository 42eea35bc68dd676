"""Running a long program with its output in a file: the file's last line is its progress, its end is its error."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from session_devtools.advice import with_advice
from session_devtools.errors import BuildError
from session_devtools.processes import tail

LONGEST: Final = 1800.0
""" Seconds that a step may take; on a slow line apt and debootstrap take minutes. """

WIDTH: Final = 80
""" Characters of a progress line. """

SHOWN: Final = 30
""" Lines of the log in an error. """


def run_logged(
    command: Sequence[str],
    *,
    log: Path,
    what: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run it to its end. :raises BuildError: it could not be built, with the log's last lines."""
    try:
        with log.open("ab") as output:
            done = subprocess.run(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=cwd,
                timeout=LONGEST,
                check=False,
            )
    except FileNotFoundError as error:
        raise BuildError(f"{what}: {command[0]} is not installed: apt-get install {command[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{what} did not end within {LONGEST:.0f} s:\n{tail(log, lines=SHOWN)}") from error
    if done.returncode != 0:
        raise BuildError(with_advice(f"{what} ended with status {done.returncode}", tail(log, lines=SHOWN)))


_SAYS_NOTHING: Final = re.compile(r"\s*([0-9a-f]{12,64})?\s*")
""" A blank line, or an image's id, which buildah writes when it commits one. """


def last_line(log: Path) -> str:
    """The last thing a log says, for somebody who waits."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return next((line.strip()[:WIDTH] for line in reversed(lines) if not _SAYS_NOTHING.fullmatch(line)), "starting")
