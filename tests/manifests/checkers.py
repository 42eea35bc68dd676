"""The programs that look over the manifests, built once from pinned Go modules into the cache folder.

`make test-manifests` runs this module first, so that a person sees the builds and their times; the tests find the
programs in the cache then. From nothing, downloads included, the three take little over a minute on two cores.
"""

import os
import platform
import subprocess
from pathlib import Path
from typing import NamedTuple

from session_devtools.build.cache import content_key, entry
from session_devtools.build.toolchain import find_go
from session_devtools.errors import BuildError
from session_devtools.steps import Progress, Silent, Steps

__all__ = ["GLUA", "KUBECONFORM", "KUBE_SCORE", "GoProgram", "program"]


class GoProgram(NamedTuple):
    """A command in a Go module; Go's checksum database vouches for the content of its version."""

    name: str
    package: str
    version: str


KUBECONFORM = GoProgram("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", "v0.7.0")
KUBE_SCORE = GoProgram("kube-score", "github.com/zegl/kube-score/cmd/kube-score", "v1.20.0")
GLUA = GoProgram("glua", "github.com/yuin/gopher-lua/cmd/glua", "v1.1.1")
""" The Lua that Argo CD runs health checks with. """


def program(wanted: GoProgram, *, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The program's file.

    Raises BuildError with the compiler's last words.
    """
    watcher = progress or Silent()
    package = f"{wanted.package}@{wanted.version}"

    def fill(target: Path) -> None:
        command = [str(find_go(progress=watcher)), "install", "-v", "-ldflags", "-s -w", package]
        # The same on every machine, whatever its owner has set for their own builds.
        fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "", "GOBIN": str(target)}
        lines: list[str] = []
        with (
            watcher.step(f"building {wanted.name} {wanted.version}", still=lambda: f"{len(lines)} steps done"),
            subprocess.Popen(
                command,
                cwd=target,
                env=os.environ | fixed,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            lines.extend(process.stderr or ())
        if process.returncode != 0:
            raise BuildError(f"building {wanted.name} failed:\n{''.join(lines[-20:]).strip()}")

    key = content_key(files={}, extra=[package, platform.machine()])
    folder = entry(f"{wanted.name}-{wanted.version}-{key}", fill, progress=watcher, cache=cache)
    return folder / wanted.name


if __name__ == "__main__":
    for each in (KUBECONFORM, KUBE_SCORE, GLUA):
        program(each, progress=Steps())
