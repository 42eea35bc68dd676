"""Debian's packages of an image: the file that names them with their versions, and what an image has instead.

`requirements/debian/NAME.in` says what an image needs, NAME.txt names everything that it then has. The script beside
them, which the builds run, installs and compares; it notes in the image what differs. From there `build` takes it for a
label. `write_locks` renews the files, by the same script in a container of the base, so it finds what a build would.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from session_devtools.errors import BuildError

FOLDER: Final = "requirements/debian"
INSTALLER: Final = f"{FOLDER}/install-packages"
SNAPSHOT: Final = "DEBIAN_SNAPSHOT"
""" The argument and the variable with the address of a snapshot of Debian's archive. """
NOTED: Final = "/usr/share/wasession"
""" Where a build leaves in the image what it found. """
DIFFERENCES: Final = f"{NOTED}/debian-differences"
LABELS: Final = {
    "dev.wasession.debian-differences": DIFFERENCES,
    "dev.wasession.browser-version": f"{NOTED}/browser-version",
}
""" The labels of what a build found, and the files that it stands in. """
LONGEST_LABEL: Final = 1024
""" Characters. """
_PACKAGE: Final = re.compile(r"([a-z0-9][a-z0-9+.-]+)=([A-Za-z0-9.+:~-]+)")
_NOT_DEBIANS: Final = "no-desktop"
""" The empty package that stands in for others. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lock:
    """What a NAME.txt says."""

    architecture: str
    resolved: datetime
    """ When a mirror had these versions: a snapshot of this time has them as well. """
    packages: Mapping[str, str]
    """ Versions by name. """

    @classmethod
    def parse(cls, text: str) -> "Lock":
        """Read the file. :raises BuildError: it is none."""
        headers = dict(re.findall(r"^# (architecture|resolved): (\S+)$", text, re.MULTILINE))
        try:
            resolved = datetime.strptime(headers["resolved"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            return cls(
                architecture=headers["architecture"],
                resolved=resolved,
                packages=parse_packages(line for line in text.splitlines() if line and not line.startswith("#")),
            )
        except (KeyError, ValueError) as error:
            raise BuildError(
                f"the file of Debian's packages cannot be read ({error}): `make lock-debian` renews it"
            ) from error

    def format(self, name: str) -> str:
        """The whole file of an image."""
        return "\n".join(
            (
                f"# Debian's packages of the image {name}, all of them. `make lock-debian` renews this file; do not edit it.",
                f"# architecture: {self.architecture}",
                f"# resolved: {self.resolved.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}",
                *(f"{package}={version}" for package, version in sorted(self.packages.items())),
                "",
            )
        )


def parse_packages(lines: Iterable[str]) -> dict[str, str]:
    """Versions by name, from lines of `name=version`. :raises ValueError: a line is none, or a name comes twice."""
    found: dict[str, str] = {}
    for line in lines:
        match = _PACKAGE.fullmatch(line.strip())
        if match is None or match[1] in found:
            raise ValueError(f"{line.strip()[:80]!r} is no package with its version, or its name comes twice")
        if match[1] != _NOT_DEBIANS:
            found[match[1]] = match[2]
    return found


def files(name: str) -> tuple[str, ...]:
    """The files that the packages of an image depend on, by their paths in the repository."""
    return (INSTALLER, f"{FOLDER}/build.in", f"{FOLDER}/{name}.in", f"{FOLDER}/{name}.txt")


def label(noted: str) -> str:
    """What a build noted, in one line that is short enough for a label; empty: it noted nothing."""
    lines = [line.strip() for line in noted.splitlines() if line.strip()]
    text = "; ".join(lines)
    if len(text) <= LONGEST_LABEL:
        return text
    kept: list[str] = []
    room = LONGEST_LABEL - len(f"; and {len(lines)} more")
    for line in lines:
        room -= len(line) + 2
        if room < 0:
            break
        kept.append(line)
    return "; ".join([*kept, f"and {len(lines) - len(kept)} more"])


def renewed(before: Lock | None, *, packages: Mapping[str, str], architecture: str, now: datetime) -> Lock:
    """The lock of these packages; the one of before if nothing has changed, its time included."""
    if before is not None and (before.packages, before.architecture) == (packages, architecture):
        return before
    return Lock(architecture=architecture, resolved=now, packages=packages)


def read_lock(path: Path) -> Lock | None:
    """An image's file; None: there is none yet, or it cannot be read, and is then made anew."""
    try:
        return Lock.parse(path.read_text())
    except (FileNotFoundError, BuildError):
        return None
