"""The base image: Debian, as small as the public slim image, made by debootstrap out of the machine's own sources.

A build needs a base, and there may be no registry to fetch one from. Made once (about 40 s) into the cache as one
archive; a release of the sources' own point version does not change the key, so `clean` is how to renew it.

mmdebstrap would spare the archiving and the proxies' variables, some thirty lines. The rest stays whoever unpacks: the
builds need apt's sources and settings too, and later installations must leave out what the base leaves out.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from session_devtools.build.cache import content_key, entry
from session_devtools.commands import run
from session_devtools.images.apt import SUITE, AptRoute
from session_devtools.images.logged import last_line, run_logged
from session_devtools.progress import Progress

ARCHIVE: Final = "base.tar"

# As the public slim image does: what no program reads is not unpacked, neither now nor by a later apt-get.
SLIM: Final = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
path-exclude /usr/share/lintian/*
"""

# Emptied, not removed: apt wants its folders back.
EMPTIED: Final = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
)


def make_base(route: AptRoute, *, progress: Progress, cache: Path | None = None) -> tuple[str, Path]:
    """The base's key and its archive of files, out of the cache or new. :raises BuildError: it could not be built."""
    key = base_key(route)

    def fill(folder: Path) -> None:
        log = folder / "debootstrap.log"
        with progress.step(f"base image: Debian {SUITE}", status=lambda: last_line(log)):
            _debootstrap(folder / "root", route=route, log=log)
            slim(folder / "root", route=route)
            run(
                "tar",
                "--numeric-owner",
                "--sort=name",
                "-C",
                folder / "root",
                "-cf",
                folder / ARCHIVE,
                ".",
                timeout=300,
            )
            shutil.rmtree(folder / "root")

    return key, entry(f"image-base-{key}", fill, progress=progress, cache=cache) / ARCHIVE


def base_key(route: AptRoute) -> str:
    """What decides the base: the suite, where it comes from, and what is left out of it."""
    return content_key(
        files={"sources.list": route.sources_list.encode(), "slim": SLIM.encode()}, extra=(SUITE, *EMPTIED)
    )


def slim(root: Path, *, route: AptRoute) -> None:
    """Take out what no container reads, and name the sources that later installations use."""
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(SLIM)
    (root / "etc/apt/sources.list").write_text(route.sources_list)
    for folder in EMPTIED:
        for path in (root / folder).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    # The licences stay: whoever passes the image on must pass them on too.
    for path in (root / "usr/share/doc").rglob("*"):
        if not path.is_dir() and path.name != "copyright":
            path.unlink()
    # Both are the machine's that builds; a container gets its own.
    for name in ("etc/hostname", "etc/resolv.conf"):
        (root / name).write_text("")


def _debootstrap(root: Path, *, route: AptRoute, log: Path) -> None:
    command = ["debootstrap", "--variant=minbase", SUITE, str(root), route.mirror]
    if route.is_encrypted:
        command.insert(2, "--include=ca-certificates")
    run_logged(command, log=log, environment={**os.environ, **route.proxies()}, what="debootstrap")
