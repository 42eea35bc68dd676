"""Which programs there are, and how each one is built.

Called by light mode (`kubernetes`), by the full cluster (all but the registry) and by who plays a foreign cluster (the
registry). Every function returns at once when the cache has its program. Building Kubernetes takes 5 to 7 minutes on
two cores from nothing, the registry with its many storage drivers 2 to 3, both seconds when Go's own cache is warm.
"""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from local_cluster.build.cache import content_key, entry, files_of
from local_cluster.build.toolchain import find_go
from local_cluster.errors import BuildError
from local_cluster.steps import Progress, Silent

__all__ = [
    "COMPONENTS",
    "COREDNS_VERSION",
    "REGISTRY_VERSION",
    "coredns",
    "kubernetes",
    "kubernetes_version",
    "pause",
    "registry",
]

GO_MODULES = Path(__file__).parents[2] / "go"
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
COREDNS_VERSION = "v1.12.4"
REGISTRY_VERSION = "v3.1.2"
SMALL = "-s -w"  # linker flags: no symbol table, no debug information; a third of the size


def kubernetes(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The folder that holds etcd, every Kubernetes component and kubectl under their names.

    Raises BuildError.
    """
    watcher = progress or Silent()
    module = GO_MODULES / "kube"
    version = kubernetes_version((module / "go.mod").read_text())

    def fill(target: Path) -> None:
        _go_build(
            module, target / "kube", flags=_version_flags(version), what=f"Kubernetes {version}", progress=watcher
        )
        for name in COMPONENTS:
            (target / name).symlink_to("kube")

    key = content_key(files=files_of(module), extra=[_version_flags(version), platform.machine()])
    return entry(f"kubernetes-{version}-{key}", fill, progress=watcher, cache=cache)


def coredns(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The CoreDNS program.

    Raises BuildError.
    """
    package = "github.com/coredns/coredns"
    return _go_install(package, COREDNS_VERSION, what="CoreDNS", progress=progress, cache=cache)


def registry(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The image registry that foreign clusters are tried with.

    Raises BuildError.
    """
    package = "github.com/distribution/distribution/v3/cmd/registry"
    return _go_install(package, REGISTRY_VERSION, what="the image registry", progress=progress, cache=cache)


def pause(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The program that only waits, linked statically so that it runs in an image with nothing else.

    Raises BuildError.
    """
    watcher = progress or Silent()
    module = GO_MODULES / "pause"

    def fill(target: Path) -> None:
        _go_build(module, target / "pause", flags=SMALL, what="the pause program", progress=watcher)

    key = content_key(files=files_of(module), extra=[SMALL, platform.machine()])
    return entry(f"pause-{key}", fill, progress=watcher, cache=cache) / "pause"


def kubernetes_version(go_mod: str) -> str:
    """The release of Kubernetes that a go.mod requires, as in `v1.35.4`: stated there and nowhere else.

    Raises BuildError when it requires none.
    """
    match = re.search(r"^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+)", go_mod, re.MULTILINE)
    if match is None:
        raise BuildError("local-cluster/go/kube/go.mod requires no release of k8s.io/kubernetes")
    return match[1]


def _version_flags(version: str) -> str:
    major, minor, _ = version.removeprefix("v").split(".")
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join([SMALL, *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in facts.items())])


def _go_build(module: Path, output: Path, *, flags: str, what: str, progress: Progress) -> None:
    command = [str(find_go(progress=progress)), "build", "-v", "-ldflags", flags, "-o", str(output), "."]
    _run_go(command, folder=module, extra={}, what=what, progress=progress)


def _go_install(package: str, version: str, *, what: str, progress: Progress | None, cache: Path | None) -> Path:
    """The program of a published package; Go's checksum database vouches for the content of its version."""
    watcher, name, pinned = progress or Silent(), package.rpartition("/")[2], f"{package}@{version}"

    def fill(target: Path) -> None:
        command = [str(find_go(progress=watcher)), "install", "-v", "-ldflags", SMALL, pinned]
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
        raise BuildError(f"building {what} failed:\n{''.join(lines[-20:]).strip()}")
