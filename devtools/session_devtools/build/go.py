"""Go programs, out of a module of ours or straight from a published package; who wants one names it and its cache entry.

Go's own cache makes a second build of the same code a matter of seconds, and each package that it compiles counts as
progress: a build of minutes shows that it moves.
"""

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from session_devtools.advice import with_advice
from session_devtools.build.cache import content_key, entry
from session_devtools.build.toolchain import find_go
from session_devtools.errors import BuildError
from session_devtools.steps import Progress, Silent

__all__ = ["SMALL", "go_build", "go_install", "how_far"]

SMALL = "-s -w"  # linker flags: no symbol table, no debug information; a third of the size
# What the linker drops is not compiled either: a fifth less of the compiler's time. The same for every program, as Go
# keeps compiled packages apart by these flags.
QUICK = "-gcflags=all="


def go_build(
    module: Path,
    output: Path,
    *,
    flags: str,
    what: str,
    progress: Progress,
    package: str = ".",
    tags: str = "",
    cgo: bool = False,
    modfile: Path | None = None,
) -> None:
    """Build a program of a module's folder, or of a package that the module requires, with these linker flags.

    `modfile` is another go.mod than the folder's own. Raises BuildError.
    """
    options = ["-v", QUICK, "-tags", tags, "-ldflags", flags, *([f"-modfile={modfile}"] if modfile else [])]
    command = [str(find_go(progress=progress)), "build", *options, "-o", str(output), package]
    _run_go(command, folder=module, extra={"CGO_ENABLED": "1"} if cgo else {}, what=what, progress=progress)


def go_install(
    package: str, version: str, *, what: str, progress: Progress | None = None, cache: Path | None = None
) -> Path:
    """The program of a published package; Go's checksum database vouches for the content of its version.

    Raises BuildError.
    """
    watcher, name, pinned = progress or Silent(), package.rpartition("/")[2], f"{package}@{version}"

    def fill(target: Path) -> None:
        command = [str(find_go(progress=watcher)), "install", "-v", QUICK, "-ldflags", SMALL, pinned]
        _run_go(command, folder=target, extra={"GOBIN": str(target)}, what=f"{what} {version}", progress=watcher)

    key = content_key(files={}, extra=[pinned, SMALL, platform.machine()])
    return entry(f"{name}-{version}-{key}", fill, progress=watcher, cache=cache) / name


def how_far(lines: Sequence[str]) -> str:
    """What Go's lines tell of a build: it downloads first, and then names each package that it compiles."""
    compiled = sum(not line.startswith("go: ") for line in lines)
    return f"{compiled} packages compiled" if compiled else f"{len(lines)} modules downloaded"


def _run_go(command: Sequence[str], *, folder: Path, extra: dict[str, str], what: str, progress: Progress) -> None:
    """Run one Go command; each package it compiles counts as progress.

    Raises BuildError with the compiler's last words.
    """
    # CGO off: static programs that run in an empty image too. The rest keeps a user's settings from changing a build.
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    lines: list[str] = []
    with (
        progress.step(f"building {what}", still=lambda: how_far(lines)),
        subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **fixed, **extra},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101  for the type checker: we asked for the pipe above
        lines.extend(process.stdout)
    if process.returncode != 0:
        raise BuildError(with_advice(f"building {what} failed", "".join(lines[-20:]).strip()))
