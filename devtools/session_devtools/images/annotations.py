"""What an image says of itself, in the words that OCI has for it (`org.opencontainers.image.*`).

Title, description, licence and address stand in the Dockerfile, so that an image built by docker has them too. What only
a build knows is added here: when, from which commit, on which base. A thing that is not known is left out.
"""

import dataclasses
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from session_devtools.commands import run
from session_devtools.errors import CommandError

PREFIX: Final = "org.opencontainers.image."
_LABEL: Final = re.compile(rf'{re.escape(PREFIX)}(\w+)="([^"$]*)"')
_COMMIT: Final = ("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
""" The commit; with -dirty behind it where the checkout has changes that are not committed. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the sources come from."""

    version: str
    revision: str | None = None
    source: str | None = None


def find_origin(root: Path) -> Origin:
    """Read the version of a checkout, and ask git about the rest; an unpacked archive has no git to ask."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return Origin(
        version=version,
        revision=_git(root, *_COMMIT),
        source=web_address(_git(root, "remote", "get-url", "origin") or ""),
    )


def annotations(*, dockerfile: str, origin: Origin, created: datetime, base: tuple[str, str]) -> dict[str, str]:
    """All that is known of an image, by its full names; `base` is the base image's name and digest."""
    found = {
        **dict(_LABEL.findall(dockerfile)),
        "version": origin.version,
        "revision": origin.revision,
        "source": origin.source,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "base.name": base[0],
        "base.digest": base[1],
    }
    return {f"{PREFIX}{name}": text for name, text in found.items() if text}


def web_address(remote: str) -> str | None:
    """A remote's address for a browser, without anybody's login; nothing for a path or an address of ssh."""
    parts = urlsplit(remote)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        return run("git", "-C", root, *arguments).strip() or None
    except CommandError:
        return None
