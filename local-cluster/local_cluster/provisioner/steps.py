"""Carries out one action: the disk's and the API server's part of it, in the order that a crash can do no harm to.

The controller calls `carry_out` for each action of a plan and treats whatever it raises as "try again later". The
order of each verb is its point: data is deleted before the object that names it, an object is created only when its
volume is mounted, and a file is moved into use only when its object exists.
"""

import asyncio
from typing import Final

from local_cluster.provisioner.actions import (
    Action,
    Adopt,
    Discard,
    Mount,
    Provision,
    Refuse,
    Remove,
    ReportLoss,
    Retain,
)
from local_cluster.provisioner.disk import VolumeDisk
from local_cluster.provisioner.kube import Conflict, Kind, Kube, NotFound, Raw
from local_cluster.provisioner.layout import Layout, Stage
from local_cluster.provisioner.names import FINALIZER, VolumeName
from local_cluster.provisioner.objects import persistent_volume
from local_cluster.provisioner.observed import Volume

ALL_WITH_DATA: Final = (Stage.NEW, Stage.IN_USE)


class Steps:
    """The verbs, on one disk and one API server."""

    def __init__(self, *, kube: Kube, disk: VolumeDisk, layout: Layout, node: str) -> None:
        self._kube = kube
        self._disk = disk
        self._layout = layout
        self._node = node

    async def carry_out(self, action: Action) -> Raw | None:
        """Do it; returns the PersistentVolume if one was created. Raises DiskError, ApiError or OSError."""
        match action:
            case Provision():
                return await self._provision(action)
            case Adopt(name=name):
                await asyncio.to_thread(self._disk.move, name, origin=Stage.NEW, target=Stage.IN_USE)
                await asyncio.to_thread(self._disk.mount, name)
            case Mount(name=name):
                await asyncio.to_thread(self._disk.mount, name)
            case Remove(name=name):
                await asyncio.to_thread(self._disk.unmount, name)
                await asyncio.to_thread(self._disk.delete, name, stages=ALL_WITH_DATA)
                await self._let_go(name)
            case Retain(name=name):
                await self._retain(name)
            case Discard(name=name):
                await self._discard(name)
            case Refuse() | ReportLoss():
                pass  # words only; the controller says them
        return None

    async def _provision(self, action: Provision) -> Raw | None:
        await asyncio.to_thread(self._disk.make, action.name, size=action.size)
        volume = persistent_volume(action, layout=self._layout, node=self._node)
        try:
            created = await self._kube.create(Kind.VOLUMES.value, volume)
        except Conflict:
            # The name holds the claim's UID: it is ours, from a try whose answer got lost.
            created = None
        await asyncio.to_thread(self._disk.move, action.name, origin=Stage.NEW, target=Stage.IN_USE)
        return created

    async def _retain(self, name: VolumeName) -> None:
        found = await self._find(name)
        volume = Volume.parse(found, self._layout) if found is not None else None
        if volume is not None and not (volume.deleting and volume.phase != "Bound"):
            return  # created a moment ago, or still its claim's: the plan's picture was older
        await asyncio.to_thread(self._disk.unmount, name)
        await asyncio.to_thread(self._disk.move, name, origin=Stage.IN_USE, target=Stage.RETAINED)
        await self._let_go(name)

    async def _discard(self, name: VolumeName) -> None:
        if await self._find(name) is not None:
            return  # as above: ask the API server itself before data goes
        await asyncio.to_thread(self._disk.unmount, name)
        await asyncio.to_thread(self._disk.delete, name, stages=(Stage.NEW,))

    async def _find(self, name: VolumeName) -> Raw | None:
        try:
            return await self._kube.get(f"{Kind.VOLUMES.value}/{name}")
        except NotFound:
            return None

    async def _let_go(self, name: VolumeName) -> None:
        """Delete the PersistentVolume and take our finalizer off it; fine if it is gone."""
        path = f"{Kind.VOLUMES.value}/{name}"
        try:
            await self._kube.delete(path)
            meta = (await self._kube.get(path))["metadata"]
            if FINALIZER in meta.get("finalizers", ()):
                others = [finalizer for finalizer in meta["finalizers"] if finalizer != FINALIZER]
                # With the version, so that a finalizer added in between is not lost: the conflict is tried again.
                await self._kube.merge(
                    path, {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": others}}
                )
        except NotFound:
            pass
