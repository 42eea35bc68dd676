"""The real kustomize-controller of Flux against a light cluster, with everything around it that it needs.

Of the source-controller only what it leaves behind is played: an archive that a file server has, and the status of a
GitRepository that names it. `Repository.commit` is what a push is otherwise.
"""

import asyncio
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import yaml
from aiohttp import web
from integration.operator.admin import Json
from local_cluster.light import LightCluster
from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.build.go import FAST, SMALL, go_build
from session_devtools.build.toolchain import find_go
from session_devtools.daemons import Daemons
from session_devtools.ports import free_ports
from session_devtools.processes import tail
from session_devtools.progress import Progress
from support.waiting import async_until

MODULE: Final = Path(__file__).parent / "go" / "kustomize-controller"
CONTROLLER: Final = "github.com/fluxcd/kustomize-controller"
CRD: Final = "kustomize.toolkit.fluxcd.io_kustomizations.yaml"
SOURCES: Final = "source.toolkit.fluxcd.io"
SOURCE_KINDS: Final = {"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}
""" What the controller watches, whether anybody uses it or not. """
EXPRESSIONS: Final = Path(__file__).parents[2] / "manifests/gitops/health-expressions.yaml"
WITHIN: Final = 90.0
""" Seconds for a commit to come to its end: the controller looks at objects that it waits for every five seconds. """


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
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        (target / CRD).write_bytes((Path(module) / "config/crd/bases" / CRD).read_bytes())

    key = content_key(files=files_of(MODULE), extra=[FAST, SMALL])
    return entry(f"kustomize-controller-{key}", fill, progress=progress)


def source_crd(kind: str) -> Json:
    """Return a CRD for a kind of the source-controller, which takes any content: the test plays that controller."""
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


@dataclass
class Flux:
    """A running kustomize-controller."""

    cluster: LightCluster
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
        arguments = [f"--health-addr=127.0.0.1:{health}", "--metrics-addr=0", "--log-level=debug", "--concurrent=2"]
        program = str(programs / "kustomize-controller")
        daemons.start("kustomize-controller", Path("/usr/bin/env"), [*environment, program, *arguments])
        return cls(cluster, daemons, folder)

    def log(self) -> str:
        """Return the end of its log."""
        return tail(self.folder / "kustomize-controller.log", lines=40)


class Outcome(NamedTuple):
    """What became of a commit."""

    ready: bool
    reason: str
    message: str


@dataclass
class Repository:
    """A git repository as Flux sees it, and the Kustomization that applies it: of one namespace."""

    flux: Flux
    namespace: str
    site: web.AppRunner
    port: int
    archives: dict[str, bytes]
    commits: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, flux: Flux, namespace: str) -> Self:
        """Create it, empty."""
        archives: dict[str, bytes] = {}

        async def serve(request: web.Request) -> web.Response:
            return web.Response(body=archives[request.match_info["name"]])

        app = web.Application()
        app.router.add_get("/{name}", serve)
        site = web.AppRunner(app, access_log=None)
        await site.setup()
        [port] = free_ports(1)
        await web.TCPSite(site, "127.0.0.1", port).start()
        repository = cls(flux, namespace, site, port, archives)
        spec = {"interval": "1h", "url": "https://git.example/sessions"}
        await repository._apply(f"{SOURCES}/v1", "GitRepository", spec)
        return repository

    async def close(self) -> None:
        """Take it off the network, and have Flux forget it without pruning."""
        kubectl = self.flux.cluster.kubectl
        await asyncio.to_thread(
            kubectl, "patch", "kustomization/sessions", "-n", self.namespace, "--type=merge", "-p",
            '{"spec": {"prune": false}}', check=False,
        )  # fmt: skip
        await asyncio.to_thread(
            kubectl, "delete", "kustomization/sessions", "-n", self.namespace, "--ignore-not-found", check=False
        )
        await self.site.cleanup()

    async def follow(self, *, patience: str = "60s", expressions: bool = True) -> None:
        """Have Flux apply the repository and wait, as the docs say, or without our expressions."""
        spec = {
            "interval": "1h",
            "retryInterval": "1h",
            "timeout": patience,
            "wait": True,
            "prune": True,
            "path": "./",
            "targetNamespace": self.namespace,
            "sourceRef": {"kind": "GitRepository", "name": "sessions"},
        }
        if expressions:
            spec |= yaml.safe_load(EXPRESSIONS.read_text())["spec"]
        await self._apply("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec)

    async def commit(self, *sessions: Json) -> str:
        """Push these sessions as all that the repository has; return the revision."""
        revision = f"main@sha1:{hashlib.sha1(str(len(self.commits)).encode(), usedforsecurity=False).hexdigest()}"
        self.commits.append(revision)
        archive, name = _archive({"sessions.yaml": yaml.safe_dump_all(sessions)}), f"{len(self.commits)}.tar.gz"
        self.archives[name] = archive
        artifact = {
            "path": name,
            "url": f"http://127.0.0.1:{self.port}/{name}",
            "revision": revision,
            "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}",
            "size": len(archive),
            "lastUpdateTime": "2026-01-01T00:00:00Z",
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": "stored",
            "lastTransitionTime": artifact["lastUpdateTime"],
        }
        status = {"observedGeneration": 1, "artifact": artifact, "conditions": [ready]}
        await asyncio.to_thread(
            self.flux.cluster.kubectl, "patch", f"gitrepository.{SOURCES}/sessions", "-n", self.namespace,
            "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}),
        )  # fmt: skip
        return revision

    async def outcome(self, revision: str, *, within: float = WITHIN) -> Outcome:
        """Wait until Flux is done with a commit; return how that ended."""

        async def read() -> Outcome | None:
            found = await asyncio.to_thread(
                self.flux.cluster.kubectl, "get", "kustomization/sessions", "-n", self.namespace, "--output=json"
            )
            status = json.loads(found).get("status") or {}
            ready: Json = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), {})
            done = status.get("lastAttemptedRevision") == revision and ready.get("status") in ("True", "False")
            return Outcome(ready["status"] == "True", ready["reason"], ready["message"]) if done else None

        self.flux.daemons.check()
        return await async_until(f"Flux is done with {revision}", read, within=within, log=self.flux.log)

    async def pushed(self, *sessions: Json, within: float = WITHIN) -> Outcome:
        """Push these sessions, and wait until Flux is done with them."""
        return await self.outcome(await self.commit(*sessions), within=within)

    async def _apply(self, version: str, kind: str, spec: Mapping[str, Any]) -> None:
        metadata = {"name": "sessions", "namespace": self.namespace}
        obj = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
        await asyncio.to_thread(
            self.flux.cluster.kubectl, "apply", "--server-side", "--filename=-", input=yaml.safe_dump(obj)
        )


def _archive(files: Mapping[str, str]) -> bytes:
    """Return files as the source-controller packs them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry_ = tarfile.TarInfo(name)
            entry_.size = len(text.encode())
            archive.addfile(entry_, io.BytesIO(text.encode()))
    return packed.getvalue()
