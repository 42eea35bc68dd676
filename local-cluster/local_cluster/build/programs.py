"""Which programs there are, and how each one is built.

Called by light mode (`kubernetes`), by the full cluster (all but the registry) and by who plays a foreign cluster (the
registry). Every function returns at once when the cache has its program. Building Kubernetes takes 5 to 7 minutes on
two cores from nothing, the registry with its many storage drivers 2 to 3, both seconds when Go's own cache is warm.
"""

import platform
import re
from pathlib import Path

from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.build.go import SMALL, go_build, go_install, go_tool
from session_devtools.errors import BuildError
from session_devtools.steps import Progress, Silent

__all__ = [
    "COMPONENTS",
    "COREDNS_VERSION",
    "coredns",
    "kubeadm",
    "kubernetes",
    "kubernetes_version",
    "pause",
    "registry",
]

GO_MODULES = Path(__file__).parents[2] / "go"
COMPONENTS = (
    "etcd",
    "kubeadm",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "local-volume-provisioner",
)
COREDNS_VERSION = "v1.12.4"


def kubernetes(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The folder that holds etcd, every Kubernetes component, kubeadm, kubectl and the provisioner under their names.

    Raises BuildError.
    """
    watcher = progress or Silent()
    module = GO_MODULES / "kube"
    version = kubernetes_version((module / "go.mod").read_text())

    def fill(target: Path) -> None:
        go_build(module, target / "kube", flags=_version_flags(version), what=f"Kubernetes {version}", progress=watcher)
        for name in COMPONENTS:
            (target / name).symlink_to("kube")

    source = {name: text for name, text in files_of(module).items() if not name.endswith("_test.go")}
    key = content_key(files=source, extra=[_version_flags(version), platform.machine()])
    return entry(f"kubernetes-{version}-{key}", fill, progress=watcher, cache=cache)


def kubeadm(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """Kubeadm alone, of the same release: for light mode on somebody else's programs, a fraction of the whole.

    Raises BuildError.
    """
    watcher = progress or Silent()
    module = GO_MODULES / "kube"
    version = kubernetes_version((module / "go.mod").read_text())
    flags, package = _version_flags(version), "k8s.io/kubernetes/cmd/kubeadm"

    def fill(target: Path) -> None:
        go_build(module, target / "kubeadm", package=package, flags=flags, what=f"kubeadm {version}", progress=watcher)

    locks = {name: (module / name).read_bytes() for name in ("go.mod", "go.sum")}
    key = content_key(files=locks, extra=[flags, platform.machine()])
    return entry(f"kubeadm-{version}-{key}", fill, progress=watcher, cache=cache) / "kubeadm"


def coredns(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The CoreDNS program.

    Raises BuildError.
    """
    package = "github.com/coredns/coredns"
    return go_install(package, COREDNS_VERSION, what="CoreDNS", progress=progress, cache=cache)


def registry(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The image registry that foreign clusters are tried with.

    Raises BuildError.
    """
    return go_tool(GO_MODULES / "registry", progress=progress, cache=cache)


def pause(*, progress: Progress | None = None, cache: Path | None = None) -> Path:
    """The program that only waits, linked statically so that it runs in an image with nothing else.

    Raises BuildError.
    """
    watcher = progress or Silent()
    module = GO_MODULES / "pause"

    def fill(target: Path) -> None:
        go_build(module, target / "pause", flags=SMALL, what="the pause program", progress=watcher)

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
