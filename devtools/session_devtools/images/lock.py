"""Renews the files that name Debian's packages: `python -m session_devtools.images lock`.

Each image's packages are installed into a container of the base, by the script that its Dockerfile runs, and listed. So
a file names what a build finds on the same day, packages of the base included.
"""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from session_devtools.images.build import ImageBuilder
from session_devtools.images.debian import FOLDER, INSTALLER, Lock, parse_packages, read_lock, renewed

_LIST = "dpkg-query --show --showformat='${db:Status-Status} ${Package}=${Version}\\n' | sed -n 's/^installed //p'"
_ALL = "/build"


class Renewed(NamedTuple):
    """One file."""

    path: Path
    changed: int
    """ Packages that came, went or have another version. """


def write_locks(builder: ImageBuilder, names: Iterable[str], *, now: datetime) -> Iterator[Renewed]:
    """Renew the files of these images, one after the other. :raises CommandError: a package cannot be installed."""
    for name in names:
        path = builder.root / FOLDER / f"{name}.txt"
        with builder.progress.step(f"Debian's packages of image {name}"):
            listed = _resolve(builder, name).split("\n")
        architecture, *lines = (line for line in listed if line)
        before = read_lock(path)
        lock = renewed(before, packages=parse_packages(lines), architecture=architecture, now=now)
        path.write_text(lock.format(name))
        yield Renewed(path, _changes(before, lock))


def _changes(before: Lock | None, after: Lock) -> int:
    old = before.packages.items() if before is not None else ()
    return len({name for name, _ in set(old) ^ set(after.packages.items())})


def _resolve(builder: ImageBuilder, name: str) -> str:
    """The image's architecture, and a line for each package."""
    with tempfile.TemporaryDirectory(prefix="debian-") as scratch:
        folder = Path(scratch) / "build"
        folder.mkdir()
        for source in (INSTALLER, f"{FOLDER}/{name}.in"):
            (folder / Path(source).name).write_bytes((builder.root / source).read_bytes())
        # Its output is the log's; what is asked for comes alone.
        script = f"sh {_ALL}/install-packages {name} >&2 && dpkg --print-architecture && {_LIST}"
        mounts = {folder: _ALL, **builder.way_to_packages(scratch=Path(scratch))}
        return builder.builder.run(builder.base()[0], script, mounts=mounts)
