"""The real kustomize-controller of Flux, built from its module, against a light cluster.

Of the rest of Flux only the source-controller's kinds are there, as the controller watches them: what that controller
would leave behind is written by `repository.Repository`.
"""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import yaml
from integration.operator.admin import Json
from local_cluster.light import LightCluster
from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.build.go import FAST, SMALL, go_build
from session_devtools.build.toolchain import find_go
from session_devtools.daemons import Daemons
from session_devtools.ports import free_ports
from session_devtools.processes import tail
from session_devtools.progress import Progress

__all__ = ["SOURCES", "Flux", "build"]

MODULE: Final = Path(__file__).parent / "go" / "kustomize-controller"
CONTROLLER: Final = "github.com/fluxcd/kustomize-controller"
CRD: Final = "kustomize.toolkit.fluxcd.io_kustomizations.yaml"
SOURCES: Final = "source.toolkit.fluxcd.io"
SOURCE_KINDS: Final = {"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}
""" What the controller watches, whether anybody uses it or not. """


def build(*, progress: Progress) -> Path:
    """The folder with the controller and its CRD, out of the cache or built now. :raises BuildError: it could not be built."""

    def fill(target: Path) -> None:
        go_build(
            MODULE,
            target / "kustomize-controller",
            flags=SMALL,
            package=CONTROLLER,
            what="the kustomize-controller of Flux",
            progress=progress,
        )
        module = subprocess.run(
            [find_go(progress=progress), "list", "-m", "-f", "{{.Dir}}", CONTROLLER],
            cwd=MODULE,
            env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        (target / CRD).write_bytes((Path(module) / "config/crd/bases" / CRD).read_bytes())

    key = content_key(files=files_of(MODULE), extra=[FAST, SMALL, platform.machine()])
    return entry(f"kustomize-controller-{key}", fill, progress=progress)


def source_crd(kind: str) -> Json:
    """Return a CRD for a kind of the source-controller, which takes any content."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{SOURCE_KINDS[kind]}.{SOURCES}"},
        "spec": {
            "group": SOURCES,
            "scope": "Namespaced",
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": SOURCE_KINDS[kind], "singular": kind.lower()},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@dataclass(frozen=True)
class Flux:
    """A running kustomize-controller."""

    daemons: Daemons
    folder: Path

    @classmethod
    def start(cls, cluster: LightCluster, programs: Path, folder: Path) -> Self:
        """Install what it needs and start it; it works when its first Kustomization is reconciled."""
        crds = yaml.safe_dump_all([source_crd(kind) for kind in SOURCE_KINDS])
        cluster.kubectl("apply", "--server-side", "--filename", str(programs / CRD))
        cluster.kubectl("apply", "--server-side", "--filename", "-", input=crds)
        names = [f"{plural}.{SOURCES}" for plural in SOURCE_KINDS.values()]
        cluster.kubectl.wait_established("kustomizations.kustomize.toolkit.fluxcd.io", *names)
        daemons, [health] = Daemons(folder), free_ports(1)
        environment = [f"KUBECONFIG={cluster.kubeconfig}", "RUNTIME_NAMESPACE=flux-system", f"TMPDIR={folder}"]
        arguments = [f"--health-addr=127.0.0.1:{health}", "--metrics-addr=0", "--concurrent=2"]
        program = str(programs / "kustomize-controller")
        daemons.start("kustomize-controller", Path("/usr/bin/env"), [*environment, program, *arguments])
        return cls(daemons, folder)

    def log(self) -> str:
        """Return the end of its log."""
        return tail(self.folder / "kustomize-controller.log", lines=40)
