"""The Python packages of an image as wheels, fetched on the host.

On the host pip works already, with whatever mirror, proxy and certificate authority the machine is set up for; inside a
build none of that is known. The build then needs no network for pip at all, and checks the same hashes once more.
"""

import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from session_devtools.build.cache import content_key, entry
from session_devtools.images.logged import last_line, run_logged
from session_devtools.progress import Progress

PYTHON: Final = "3.11"
""" Debian 12's own. """

GLIBC_MINOR: Final = 36
""" Debian 12 has glibc 2.36: wheels for it or for an older one fit. """


def fetch_wheels(*requirements: Path, progress: Progress, cache: Path | None = None) -> Path:
    """A folder with exactly the wheels of these lock files, out of the cache or fetched.

    :raises BuildError: it could not be built.
    """
    machine = platform.machine()
    names = " and ".join(file.name for file in requirements)
    key = content_key(
        files={file.name: file.read_bytes() for file in requirements}, extra=(PYTHON, machine, *platforms(machine))
    )

    def fill(folder: Path) -> None:
        log = folder / "pip.log"
        with progress.step(f"wheels of {names}", status=lambda: last_line(log)):
            run_logged(command(requirements, folder, machine=machine), log=log, what=f"pip download of {names}")
        log.unlink()

    return entry(f"wheels-{requirements[0].stem}-{key}", fill, progress=progress, cache=cache)


def command(requirements: Iterable[Path], folder: Path, *, machine: str) -> list[str]:
    """Pip's command line: for the image's Python and C library, whatever this process runs on."""
    return [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--progress-bar=off"),
        # A lock is complete, so nothing is resolved.
        *("--no-deps", "--require-hashes", "--only-binary=:all:"),
        *("--implementation=cp", f"--python-version={PYTHON}", f"--abi=cp{PYTHON.replace('.', '')}", "--abi=abi3"),
        "--abi=none",
        *(f"--platform={name}" for name in platforms(machine)),
        *(argument for file in requirements for argument in ("--requirement", str(file))),
        *("--dest", str(folder)),
    ]


def platforms(machine: str) -> tuple[str, ...]:
    """The wheel tags that Debian 12 can load, the newest first."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 16, -1)]
    older = [
        f"manylinux_2_12_{machine}",
        f"manylinux_2_5_{machine}",
        f"manylinux2010_{machine}",
        f"manylinux1_{machine}",
    ]
    return (*tags, f"manylinux2014_{machine}", *(older if machine == "x86_64" else []), f"linux_{machine}")
