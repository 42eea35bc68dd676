"""A git repository as Flux sees it: an archive that a file server has, and the status of a GitRepository that names it.

`Repository.commit` is what a push is otherwise; the Kustomization that applies it is the real controller's.
"""

import hashlib
import io
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import yaml
from aiohttp import web
from gitops.controller import SOURCES, Flux
from integration.operator.admin import Admin, Json
from session_devtools.ports import free_ports
from support.waiting import async_until

__all__ = ["Outcome", "Repository"]

NAME: Final = "sessions"
""" Of the GitRepository, and of the Kustomization. """
GIT: Final = (f"{SOURCES}/v1", "GitRepository", "gitrepositories")
KUSTOMIZATION: Final = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations")
EXPRESSIONS: Final = Path(__file__).parents[2] / "manifests/gitops/health-expressions.yaml"
LONG: Final = "1h"
""" Flux does nothing by itself: each of its turns is a commit's. """
STAMP: Final = "2026-01-01T00:00:00Z"
WITHIN: Final = 150.0
""" Seconds for a commit to come to its end: the controller looks at objects that it waits for every five seconds. """


class Outcome(NamedTuple):
    """What became of a commit, in Flux' words, and the seconds that it took."""

    ready: bool
    reason: str
    message: str
    seconds: float


@dataclass
class Repository:
    """The repository and the Kustomization of one namespace."""

    flux: Flux
    admin: Admin
    namespace: str
    site: web.AppRunner
    port: int
    archives: dict[str, bytes]
    commits: dict[str, float] = field(default_factory=dict)
    """ When each revision was pushed. """
    outcomes: list[Outcome] = field(default_factory=list)

    @classmethod
    async def open(cls, flux: Flux, admin: Admin, namespace: str) -> Self:
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
        repository = cls(flux, admin, namespace, site, port, archives)
        await repository._apply(GIT, {"interval": LONG, "url": "https://git.example/sessions"})
        return repository

    async def close(self) -> None:
        """Take it off the network, and have Flux forget it without pruning."""
        kustomization = self._path(KUSTOMIZATION)
        try:
            await self._patch(kustomization, {"spec": {"prune": False}})
            await self.admin.call("DELETE", kustomization)
        except LookupError:
            pass  # the test had it apply nothing
        await self.site.cleanup()

    async def follow(self, *, patience: str = "2m", expressions: bool = True) -> None:
        """Have Flux apply the repository and wait, as the docs say, or without our expressions."""
        spec = {
            "interval": LONG,
            "retryInterval": LONG,
            "timeout": patience,
            "wait": True,
            "prune": True,
            "path": "./",
            "targetNamespace": self.namespace,
            "sourceRef": {"kind": GIT[1], "name": NAME},
        }
        if expressions:
            spec |= yaml.safe_load(EXPRESSIONS.read_text())["spec"]
        await self._apply(KUSTOMIZATION, spec)

    async def commit(self, *sessions: Json) -> str:
        """Push these sessions as all that the repository has; return the revision."""
        revision = f"main@sha1:{hashlib.sha1(str(len(self.commits)).encode(), usedforsecurity=False).hexdigest()}"
        archive, name = _archive("sessions.yaml", yaml.safe_dump_all(sessions)), f"{len(self.commits)}.tar.gz"
        self.archives[name] = archive
        artifact = {
            "path": name,
            "url": f"http://127.0.0.1:{self.port}/{name}",
            "revision": revision,
            "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}",
            "size": len(archive),
            "lastUpdateTime": STAMP,
        }
        ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": STAMP}
        status = {"observedGeneration": 1, "artifact": artifact, "conditions": [ready]}
        self.commits[revision] = time.monotonic()
        await self._patch(f"{self._path(GIT)}/status", {"status": status})
        return revision

    async def outcome(self, revision: str) -> Outcome:
        """Wait until Flux is done with a commit; return how that ended."""

        async def read() -> Outcome | None:
            self.flux.daemons.check()
            ready = await self._ready(revision)
            if ready.get("status") not in ("True", "False"):
                return None
            seconds = time.monotonic() - self.commits[revision]
            return Outcome(ready["status"] == "True", ready["reason"], ready["message"], seconds)

        found = await async_until(f"Flux is done with {revision}", read, within=WITHIN, every=0.2, log=self.flux.log)
        self.outcomes.append(found)
        return found

    async def is_waiting(self, revision: str) -> bool:
        """Whether Flux has applied a commit and waits for what it has made."""
        return (await self._ready(revision)).get("status") == "Unknown"

    async def _ready(self, revision: str) -> Json:
        """Return the condition Ready of the Kustomization, once it is about this commit."""
        status = (await self.admin.call("GET", self._path(KUSTOMIZATION))).get("status") or {}
        found: Json = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), {})
        return found if status.get("lastAttemptedRevision") == revision else {}

    async def pushed(self, *sessions: Json) -> Outcome:
        """Push these sessions, and wait until Flux is done with them."""
        return await self.outcome(await self.commit(*sessions))

    async def _apply(self, kind: tuple[str, str, str], spec: Mapping[str, Any]) -> None:
        metadata = {"name": NAME, "namespace": self.namespace}
        obj = {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": spec}
        apply = "application/apply-patch+yaml"
        await self.admin.call("PATCH", self._path(kind), obj, content_type=apply, fieldManager="test", force="true")

    async def _patch(self, path: str, patch: Json) -> None:
        await self.admin.call("PATCH", path, patch, content_type="application/merge-patch+json")

    def _path(self, kind: tuple[str, str, str]) -> str:
        return f"/apis/{kind[0]}/namespaces/{self.namespace}/{kind[2]}/{NAME}"


def _archive(name: str, text: str) -> bytes:
    """Return a file as the source-controller packs it."""
    packed, content = io.BytesIO(), text.encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
