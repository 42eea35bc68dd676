"""Go programs, out of a module of ours or another one's that a module of ours pins; who wants one names it and its cache entry.

Go's own cache makes a second build of the same code a matter of seconds, and each package that it compiles counts as
progress: a build of minutes shows that it moves.
"""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from session_devtools.advice import with_advice
from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.build.toolchain import find_go
from session_devtools.errors import BuildError
from session_devtools.progress import NoProgress, Progress

__all__ = ["FAST", "SMALL", "build_status", "go_build", "go_tool", "tool_package"]

FAST = "all=-dwarf=false"  # compiler flags: no debug information is made that the linker then throws away
SMALL = "-s -w"  # linker flags: no symbol table, no debug information; a third of the size


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

    `modfile` is another go.mod than the folder's own.

    :raises BuildError: it could not be built.
    """
    options = ["-v", "-tags", tags, "-gcflags", FAST, "-ldflags", flags, *([f"-modfile={modfile}"] if modfile else [])]
    command = [str(find_go(progress=progress)), "build", *options, "-o", str(output), package]
    _run_go(command, folder=module, extra={"CGO_ENABLED": "1"} if cgo else {}, what=what, progress=progress)


def go_tool(module: Path, *, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The foreign program that a module of its own names as its `tool`: its go.mod pins it, its go.sum vouches for it.

    One module per program, as Go takes one version of each dependency in a module.

    :raises BuildError: it could not be built.
    """
    watcher = progress or NoProgress()
    package = tool_package((module / "go.mod").read_text())
    name = package.rpartition("/")[2]

    def fill(target: Path) -> None:
        go_build(module, target / name, flags=SMALL, package=package, what=name, progress=watcher)

    key = content_key(files=files_of(module), extra=[FAST, SMALL, platform.machine()])
    return entry(f"{name}-{key}", fill, progress=watcher, cache=cache) / name


def tool_package(go_mod: str) -> str:
    """The package that a go.mod names as its tool. Pure.

    :raises BuildError: it names none, or several.
    """
    named = re.findall(r"^tool (\S+)$", go_mod, re.MULTILINE)
    if len(named) != 1:
        raise BuildError(f"a tool's go.mod has one `tool` line, and this one has {len(named)}")
    return str(named[0])


def build_status(lines: Sequence[str]) -> str:
    """What Go's lines tell of a build: it downloads first, and then names each package that it compiles."""
    compiled = sum(not line.startswith("go: ") for line in lines)
    return f"{compiled} packages compiled" if compiled else f"{len(lines)} modules downloaded"


def _run_go(command: Sequence[str], *, folder: Path, extra: dict[str, str], what: str, progress: Progress) -> None:
    """Run one Go command; each package it compiles counts as progress.

    :raises BuildError: it could not be built, with the compiler's last words.
    """
    # CGO off: static programs that run in an empty image too. The rest keeps a user's settings from changing a build.
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    lines: list[str] = []
    with (
        progress.step(f"building {what}", status=lambda: build_status(lines)),
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
