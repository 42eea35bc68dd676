"""Which programs there are, and how each one is built.

Called by light mode (`kubernetes`), by the full cluster (all but the registry; what enforces NetworkPolicy where that is
wanted) and by who plays a foreign cluster (the registry). Every function returns at once when the cache has its program;
`MINUTES` says what one costs from nothing.
"""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from session_devtools.build.cache import cache_folder, content_key, entry, files_of
from session_devtools.build.go import FAST, SMALL, go_build, go_tool
from session_devtools.progress import NoProgress, Progress

from local_cluster.build import downloads
from local_cluster.build.versions import GO_MODULES, chosen, releases, required_version

__all__ = [
    "COMPONENTS",
    "Program",
    "kubeadm",
    "kubernetes",
    "network_policies",
    "network_policies_plan",
    "pause",
    "plans",
    "registry",
    "runtime",
]

RELEASED = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
"""What Kubernetes publishes as programs, too."""
OURS = ("coredns", "etcd", "local-volume-provisioner")
"""What is always built here."""
COMPONENTS = tuple(sorted((*RELEASED, *OURS)))
CONTAINERD_MODULE = "github.com/containerd/containerd/v2"
CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
# File systems that no machine of ours has, traces that nobody collects, a manual that nobody prints.
CONTAINERD_TAGS = "no_btrfs no_devmapper no_zfs no_tracing no_systemd urfave_cli_no_docs"
POLICIES_PROGRAM = "kube-network-policies"
POLICIES_MODULE = f"sigs.k8s.io/{POLICIES_PROGRAM}"
RUNC_MODULE = "github.com/opencontainers/runc"
RUNC_TAGS = "seccomp urfave_cli_no_docs"  # without its Makefile's libpathrs: a C library that Debian 12 lacks


MINUTES = {
    "v1.35.4": 6.0,
    "v1.37.2": 9.0,
    "released": 1.5,
    "runtime": 1.5,
    "network policies": 0.5,
    "network policies alone": 2.5,
}
"""What compiling takes from nothing on two cores that do nothing else; for a person who waits.

What enforces NetworkPolicy has most packages in common with the default's Kubernetes, which is compiled before it.
Of 2026-11-29: all of the default's preparation, side by side, took 8.6 minutes. The others are estimates; of 1.37.2 it is
known that it takes half as much processor time again.
"""


class Program(NamedTuple):
    """Something to build: the name of its entry in the cache, what to call it, and how the entry is filled."""

    entry: str
    title: str
    minutes: float
    """On two idle cores that do nothing else, with nothing in Go's own cache."""
    fill: Callable[[Path, Progress], None]

    def is_there(self, *, cache: Path | None = None) -> bool:
        """Whether it was built before."""
        return ((cache_folder() if cache is None else cache) / self.entry).is_dir()

    def make(self, *, progress: Progress | None = None, cache: Path | None = None) -> Path:
        """Its folder, out of the cache or built now. :raises BuildError: it could not be built."""
        watcher = progress or NoProgress()
        return entry(self.entry, lambda target: self.fill(target, watcher), progress=watcher, cache=cache)


def kubernetes(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The folder that holds etcd, CoreDNS, every component, kubeadm, kubectl and the provisioner under their names.

    :raises BuildError: it could not be built.
    """
    return _kubernetes().make(progress=progress, cache=cache)


def kubeadm(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """Kubeadm alone, of the same release: for light mode on somebody else's programs, a fraction of the whole.

    :raises BuildError: it could not be built.
    """
    watcher, (version, modfile) = progress or NoProgress(), chosen()
    flags, package = _version_flags(version), "k8s.io/kubernetes/cmd/kubeadm"

    def fill(target: Path) -> None:
        go_build(
            GO_MODULES / "kube",
            target / "kubeadm",
            package=package,
            flags=flags,
            modfile=modfile,
            what=f"kubeadm {version}",
            progress=watcher,
        )

    locks = {path.name: path.read_bytes() for path in (modfile, modfile.with_suffix(".sum"))}
    key = content_key(files=locks, extra=[FAST, flags, platform.machine()])
    return entry(f"kubeadm-{version}-{key}", fill, progress=watcher, cache=cache) / "kubeadm"


def runtime(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The folder that holds containerd, its shim, ctr and runc.

    :raises BuildError: it could not be built.
    """
    return _runtime().make(progress=progress, cache=cache)


def network_policies(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The program that enforces NetworkPolicy, for clusters that are told to.

    :raises BuildError: it could not be built.
    """
    return network_policies_plan().make(progress=progress, cache=cache) / POLICIES_PROGRAM


def pause(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The program that only waits, linked statically so that it runs in an image with nothing else.

    :raises BuildError: it could not be built.
    """
    return _pause().make(progress=progress, cache=cache) / "pause"


def registry(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The image registry that foreign clusters are tried with.

    :raises BuildError: it could not be built.
    """
    return go_tool(GO_MODULES / "registry", progress=progress, cache=cache)


def plans() -> tuple[Program, ...]:
    """What every cluster is built of. :raises BuildError: it could not be built."""
    return _kubernetes(), _runtime(), _pause()


def network_policies_plan() -> Program:
    """What enforces NetworkPolicy. :raises BuildError: it could not be built."""
    module = GO_MODULES / "network-policies"
    version = required_version((module / "go.mod").read_text(), POLICIES_MODULE)
    title = f"{POLICIES_PROGRAM} {version}"

    def fill(target: Path, progress: Progress) -> None:
        go_build(module, target / POLICIES_PROGRAM, flags=SMALL, what=title, progress=progress)

    key = content_key(files=files_of(module), extra=[FAST, SMALL, platform.machine()])
    shared = downloads.source() is None and chosen() == releases()[0]
    minutes = MINUTES["network policies" if shared else "network policies alone"]
    return Program(f"{POLICIES_PROGRAM}-{version}-{key}", title, minutes, fill)


def _kubernetes() -> Program:
    version, modfile = chosen()
    module, source = GO_MODULES / "kube", downloads.source()
    flags = _version_flags(version)

    def build(target: Path, names: tuple[str, ...], tags: str, what: str, progress: Progress) -> None:
        go_build(module, target / "kube", flags=flags, tags=tags, modfile=modfile, what=what, progress=progress)
        for name in names:
            (target / name).symlink_to("kube")

    def fill(target: Path, progress: Progress) -> None:
        if source is None:
            return build(target, COMPONENTS, "", f"Kubernetes {version}", progress)
        for name in RELEASED:
            downloads.fetch(source, version, name, target / name, progress=progress)
        return build(target, OURS, "released", f"etcd, CoreDNS and the provisioner for Kubernetes {version}", progress)

    files = {
        name: text for name, text in files_of(module).items() if not name.endswith(("go.mod", "go.sum", "_test.go"))
    }
    locks = {path.name: path.read_bytes() for path in (modfile, modfile.with_suffix(".sum"))}
    key = content_key(files={**files, **locks}, extra=[FAST, flags, platform.machine(), *([source] if source else [])])
    title = f"Kubernetes {version}" if source is None else f"what {source} has not of Kubernetes {version}"
    return Program(f"kubernetes-{version}-{key}", title, MINUTES[version if source is None else "released"], fill)


def _runtime() -> Program:
    modules = {name: GO_MODULES / name for name in ("containerd", "runc")}
    containerd = required_version((modules["containerd"] / "go.mod").read_text(), CONTAINERD_MODULE)
    runc = required_version((modules["runc"] / "go.mod").read_text(), RUNC_MODULE)

    def fill(target: Path, progress: Progress) -> None:
        for name in CONTAINERD:
            go_build(
                modules["containerd"],
                target / name,
                package=f"{CONTAINERD_MODULE}/cmd/{name}",
                tags=CONTAINERD_TAGS,
                flags=f"{SMALL} -X {CONTAINERD_MODULE}/version.Version={containerd}",
                what=f"{name} {containerd}",
                progress=progress,
            )
        go_build(
            modules["runc"],
            target / "runc",
            package=RUNC_MODULE,
            tags=RUNC_TAGS,
            flags=f"{SMALL} -X main.version={runc.removeprefix('v')}",
            cgo=True,  # it enters namespaces before Go's runtime begins
            what=f"runc {runc}",
            progress=progress,
        )

    files = {f"{name}/{file}": text for name, module in modules.items() for file, text in files_of(module).items()}
    key = content_key(files=files, extra=[CONTAINERD_TAGS, RUNC_TAGS, FAST, SMALL, platform.machine()])
    return Program(f"runtime-{containerd}-{key}", f"containerd {containerd} and runc {runc}", MINUTES["runtime"], fill)


def _pause() -> Program:
    module = GO_MODULES / "pause"

    def fill(target: Path, progress: Progress) -> None:
        go_build(module, target / "pause", flags=SMALL, what="the pause program", progress=progress)

    key = content_key(files=files_of(module), extra=[FAST, SMALL, platform.machine()])
    return Program(f"pause-{key}", "the pause program", 0, fill)


def _version_flags(version: str) -> str:
    major, minor, _ = version.removeprefix("v").split(".")
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join([SMALL, *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in facts.items())])
