"""A disk and an API server in memory, for the provisioner's tests: they keep state, obey, and break where told to.

A `Fuse` counts every change to either of them and lets the process "crash" before or after any one of them.
"""

import asyncio
import copy
import dataclasses
import datetime as dt
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from local_cluster.provisioner.controller import Controller
from local_cluster.provisioner.disk import DiskError
from local_cluster.provisioner.kube import ApiError, Change, Conflict, Kind, Listing, NotFound, Raw
from local_cluster.provisioner.layout import Layout, Stage
from local_cluster.provisioner.manifests import manifests
from local_cluster.provisioner.names import CLASS, SELECTED_NODE, VolumeName
from local_cluster.provisioner.observed import Disk, File
from local_cluster.provisioner.quantities import GIB
from local_cluster.provisioner.reporting import Reporter

NODE = "node1"
LAYOUT = Layout(root=Path("/state"))
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


class Crash(BaseException):
    """The process ends here; a BaseException, so that nothing can handle it."""


@dataclasses.dataclass
class Fuse:
    """Crashes when `remaining` moments have passed; there is one before and one after each change."""

    remaining: int | None = None
    passed: int = 0

    def burn(self) -> None:
        """One moment passes."""
        self.passed += 1
        if self.remaining is not None:
            if self.remaining == 0:
                self.remaining = None
                raise Crash
            self.remaining -= 1


class FakeDisk:
    """Files and mounts as dictionaries; a reboot is `mounted.clear()`."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.files: dict[VolumeName, File] = {}
        self.mounted: set[VolumeName] = set()
        self.free = 100 * GIB
        self.broken: str = ""
        """ What mkfs and mount answer, as long as it is not empty. """

    def observe(self) -> Disk:
        """As it is."""
        return Disk(files=dict(self.files), mounted=frozenset(self.mounted), free=self.free)

    def make(self, name: VolumeName, *, size: int) -> None:
        """In two changes, as the real one: the file, then the mount."""
        if name not in self.mounted:
            with self._change():
                self.files[name] = File(name=name, stage=Stage.NEW, size=size)
            with self._change():
                self.mounted.add(name)

    def mount(self, name: VolumeName) -> None:
        """A volume in use."""
        with self._change():
            if self.files[name].stage is not Stage.IN_USE:
                raise DiskError(f"{name} is not in use")
            self.mounted.add(name)

    def move(self, name: VolumeName, *, origin: Stage, target: Stage) -> None:
        """Atomic."""
        with self._change():
            if name in self.files and self.files[name].stage is origin:
                self.files[name] = dataclasses.replace(self.files[name], stage=target)

    def unmount(self, name: VolumeName) -> None:
        """Fine if it is not mounted."""
        with self._change():
            self.mounted.discard(name)

    def delete(self, name: VolumeName, *, stages: tuple[Stage, ...]) -> None:
        """Fine if there is none; a mounted file must not be deleted."""
        if name in self.mounted:
            raise AssertionError(f"{name} is deleted while it is mounted")
        with self._change():
            if name in self.files and self.files[name].stage in stages:
                del self.files[name]

    def _change(self) -> "_Moment":
        if self.broken:
            raise DiskError(self.broken)
        return _Moment(self.fuse)


class FakeKube:
    """Objects by path, changes in order; finalizers are honoured, nothing else acts on them."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.objects: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, Exception] = {}
        """ By the first word of the call ("create", "list", …): raised instead of an answer. """
        self.unanswered: set[str] = set()
        """ Calls that are carried out, but whose answer is lost. """
        self.calls: list[str] = []
        self._changes: list[tuple[int, Kind, Change]] = []
        self._versions = itertools.count(1)
        self._moved = asyncio.Condition()

    async def list_all(self, kind: Kind) -> Listing:
        """All of a kind."""
        self._meet("list", kind.value)
        items = tuple(copy.deepcopy(raw) for path, raw in self.objects.items() if path.rpartition("/")[0] == kind.value)
        return Listing(items=items, version=str(next(self._versions)))

    async def watch(self, kind: Kind, *, version: str) -> AsyncIterator[Change]:
        """Changes after a version, for ever."""
        self._meet("watch", kind.value)
        last = int(version)
        while True:
            fresh = [entry for entry in self._changes if entry[0] > last and entry[1] is kind]
            for number, _, change in fresh:
                last = number
                yield change
            if not fresh:
                async with self._moved:
                    await self._moved.wait()

    async def get(self, path: str) -> Raw:
        """One object."""
        self._meet("get", path)
        return copy.deepcopy(self._existing(path))

    async def create(self, path: str, body: Raw) -> Raw:
        """Into the list at `path`."""
        self._meet("create", path)
        full = f"{path}/{body['metadata']['name']}"
        if full in self.objects:
            raise Conflict(full)
        raw = copy.deepcopy(dict(body))
        raw["metadata"] = {"uid": f"uid-of-{body['metadata']['name']}", **raw["metadata"]}
        with _Moment(self.fuse):
            await self.put(full, raw)
        self._answer("create")
        return copy.deepcopy(raw)

    async def merge(self, path: str, body: Raw) -> Raw:
        """Merge patch of two levels, with the version as precondition."""
        self._meet("merge", path)
        raw = copy.deepcopy(self._existing(path))
        wanted = body.get("metadata", {}).get("resourceVersion")
        if wanted not in {None, raw["metadata"]["resourceVersion"]}:
            raise Conflict(path)
        for key, value in body.items():
            raw[key] = {**raw[key], **value} if isinstance(value, dict) else value
        with _Moment(self.fuse):
            await self.put(path, raw)
        self._answer("merge")
        return raw

    async def delete(self, path: str) -> None:
        """Mark it, and let it go once nothing finalizes it."""
        self._meet("delete", path)
        raw = copy.deepcopy(self._existing(path))
        raw["metadata"].setdefault("deletionTimestamp", "2026-01-02T03:04:05Z")
        with _Moment(self.fuse):
            await self.put(path, raw)
        self._answer("delete")

    async def put(self, path: str, raw: dict[str, Any]) -> None:
        """Store an object as somebody else would; a deleted one without finalizers vanishes."""
        kind = next((kind for kind in Kind if path.startswith(kind.value)), None)
        number = next(self._versions)
        raw["metadata"]["resourceVersion"] = str(number)
        gone = "deletionTimestamp" in raw["metadata"] and not raw["metadata"].get("finalizers")
        if gone:
            self.objects.pop(path, None)
        else:
            self.objects[path] = raw
        if kind:
            self._changes.append((number, kind, Change(deleted=gone, item=copy.deepcopy(raw))))
            async with self._moved:
                self._moved.notify_all()

    def of(self, kind: Kind) -> dict[str, dict[str, Any]]:
        """The objects of a kind by name."""
        return {path.rpartition("/")[2]: raw for path, raw in self.objects.items() if path.startswith(kind.value)}

    def events(self) -> list[dict[str, Any]]:
        """All events that were written."""
        return [raw for path, raw in self.objects.items() if "/events/" in path]

    def _existing(self, path: str) -> dict[str, Any]:
        if path not in self.objects:
            raise NotFound(path)
        return self.objects[path]

    def _meet(self, verb: str, path: str) -> None:
        self.calls.append(f"{verb} {path}")
        if verb in self.failures:
            raise self.failures[verb]

    def _answer(self, verb: str) -> None:
        if verb in self.unanswered:
            self.unanswered.discard(verb)
            raise ApiError("the answer was lost")


class _Moment:
    """A change: it may be cut off just before it and just after it."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def __enter__(self) -> None:
        self._fuse.burn()

    def __exit__(self, *raised: object) -> None:
        if raised == (None, None, None):
            self._fuse.burn()


@dataclasses.dataclass
class Clock:
    """A monotonic clock that stands until a test moves it."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


class World:
    """A disk, an API server and a provisioner that can crash and start again."""

    def __init__(self, *, crash_at: int | None = None) -> None:
        self.fuse = Fuse(remaining=crash_at)
        self.disk = FakeDisk(self.fuse)
        self.kube = FakeKube(self.fuse)
        self.clock = Clock()
        self.steps_done = 0
        self.controller = self.start()

    def start(self) -> Controller:
        """A new process on what is there."""
        self.controller = Controller(
            kube=self.kube,
            disk=self.disk,
            layout=LAYOUT,
            node=NODE,
            reporter=Reporter(self.kube, clock=lambda: NOW),
            clock=self.clock,
        )
        return self.controller

    async def live(self, steps: Sequence[Callable[["World"], Awaitable[None]]]) -> None:
        """What people do, step by step, the provisioner settling after each; after a crash it goes on where it was."""
        await self.settle()
        for step in steps[self.steps_done :]:
            await step(self)
            self.steps_done += 1
            await self.settle()

    async def storage_class(self) -> None:
        """The cluster's own class."""
        await self.kube.put(
            f"{Kind.CLASSES.value}/{CLASS}", {**manifests()[0], "metadata": {"name": CLASS, "uid": "c"}}
        )

    async def claim(self, uid: str = "u1", **spec: Any) -> None:
        """A claim that a scheduled pod waits for."""
        await self.kube.put(f"{Kind.CLAIMS.value}/{uid}", raw_claim(uid, **spec))

    async def settle(self, *, passes: int = 10) -> None:
        """Pass after pass with fresh lists, until one has nothing to do."""
        for _ in range(passes):
            await self.play_controller_manager()
            for kind, mirror in self.controller._mirrors.items():
                mirror.items = {raw["metadata"]["uid"]: raw for raw in (await self.kube.list_all(kind)).items}
            if not await self.controller.once():
                return
            self.clock.now += 61
        raise AssertionError(f"not settled after {passes} passes")

    async def play_controller_manager(self) -> None:
        """Bind volumes to living claims, release those of dead ones."""
        claims = self.kube.of(Kind.CLAIMS)
        for name, raw in self.kube.of(Kind.VOLUMES).items():
            claim = claims.get(raw["spec"]["claimRef"]["uid"])
            phase = "Bound" if claim else "Released"
            if raw.get("status") != {"phase": phase}:
                await self.kube.put(f"{Kind.VOLUMES.value}/{name}", {**copy.deepcopy(raw), "status": {"phase": phase}})
            if claim and claim["spec"].get("volumeName") != name:
                changed = copy.deepcopy(claim)
                changed["spec"]["volumeName"] = name
                await self.kube.put(f"{Kind.CLAIMS.value}/{claim['metadata']['uid']}", changed)

    async def delete_claim(self, uid: str = "u1") -> None:
        """As its owner does."""
        await self.change(Kind.CLAIMS, uid, metadata={"deletionTimestamp": "2026-01-02T03:04:05Z"})

    async def change(self, kind: Kind, name: str, **parts: dict[str, Any]) -> None:
        """Change fields of an object's metadata or spec, as a person does."""
        raw = copy.deepcopy(self.kube.objects[f"{kind.value}/{name}"])
        for part, fields in parts.items():
            raw[part] = {**raw[part], **fields}
        await self.kube.put(f"{kind.value}/{name}", raw)

    def state(self) -> dict[str, Any]:
        """What must come out the same, with or without a crash on the way."""
        return {
            "files": {name: (file.stage, file.size) for name, file in sorted(self.disk.files.items())},
            "mounted": sorted(self.disk.mounted),
            "volumes": {name: raw["status"]["phase"] for name, raw in sorted(self.kube.of(Kind.VOLUMES).items())},
        }


def raw_claim(uid: str = "u1", *, size: str = "1Gi", node: str = NODE, **spec: Any) -> dict[str, Any]:
    """A claim as the API server sends it."""
    return {
        "metadata": {"uid": uid, "namespace": "shop", "name": f"claim-{uid}", "annotations": {SELECTED_NODE: node}},
        "spec": {
            "storageClassName": CLASS,
            "accessModes": ["ReadWriteOncePod"],
            "resources": {"requests": {"storage": size}},
            "volumeMode": "Filesystem",
            **spec,
        },
    }
