"""The loop: something changed, look at everything, decide, act, tell.

`__main__` runs it for the life of the process. Three mirrors follow claims, volumes and classes; each change wakes one
pass over all of it. Passes do not overlap, and a plan holds at most one action per volume, so that no two actions ever
meet on one file.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from local_cluster.provisioner.actions import Action, Provision, Refuse, ReportLoss
from local_cluster.provisioner.disk import DiskError, VolumeDisk
from local_cluster.provisioner.kube import ApiError, Kind, Kube
from local_cluster.provisioner.layout import Layout, Stage
from local_cluster.provisioner.mirror import Mirror
from local_cluster.provisioner.observed import Claim, Observed, StorageClass, Volume
from local_cluster.provisioner.plan import plan
from local_cluster.provisioner.reporting import Reporter
from local_cluster.provisioner.retries import Retries
from local_cluster.provisioner.steps import Steps

logger = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE: Final = 4
""" Actions that run side by side; more than that only queue up at the disk. """


class Controller:
    """One node's volumes. `clock` is monotonic, in seconds."""

    def __init__(
        self, *, kube: Kube, disk: VolumeDisk, layout: Layout, node: str, reporter: Reporter, clock: Callable[[], float]
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._node = node
        self._reporter = reporter
        self._clock = clock
        self._steps = Steps(kube=kube, disk=disk, layout=layout, node=node)
        self._retries = Retries()
        self._changed = asyncio.Event()
        self._mirrors = {kind: Mirror(kube, kind, on_change=self._changed.set) for kind in Kind}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Mount what is there, then follow the API server for ever."""
        await self.restore()
        async with asyncio.TaskGroup() as tasks:
            for mirror in self._mirrors.values():
                tasks.create_task(mirror.follow())
            for mirror in self._mirrors.values():
                # A decision on half the facts would delete a new volume's file for want of its claim.
                await mirror.synced.wait()
            logger.info("following claims", extra={"node": self._node, "folder": str(self._layout.root)})
            while True:
                self._changed.clear()
                await self.once()
                await self._wait()

    async def restore(self) -> None:
        """Mount every volume in use before the API server is asked: after a reboot the kubelet does not wait for us."""
        disk = await asyncio.to_thread(self._disk.observe)
        for file in disk.files.values():
            if file.stage is Stage.IN_USE and file.name not in disk.mounted:
                try:
                    await asyncio.to_thread(self._disk.mount, file.name)
                except (DiskError, OSError) as error:
                    # Not fatal for the others; the plan asks for this mount again and reports it.
                    logger.warning("volume not mounted at start", extra={"volume": file.name, "error": str(error)})
                else:
                    logger.info("volume mounted again", extra={"volume": file.name})

    async def once(self) -> tuple[Action, ...]:
        """One pass: observe, decide, act. Returns what was tried, for tests and for nobody else."""
        observed = await self.observe()
        self._retries.keep({*observed.volumes, *observed.disk.files, *(claim.volume_name for claim in observed.claims)})
        actions = plan(observed, resting=self._retries.resting(now=self._clock()))
        await asyncio.gather(*(self._attempt(action) for action in actions))
        return actions

    async def observe(self) -> Observed:
        """The mirrors and the disk, as the plan wants them."""
        disk = await asyncio.to_thread(self._disk.observe)
        classes = _present(StorageClass.parse(raw) for raw in self._mirrors[Kind.CLASSES].items.values())
        volumes = _present(Volume.parse(raw, self._layout) for raw in self._mirrors[Kind.VOLUMES].items.values())
        return Observed(
            node=self._node,
            classes={found.name: found for found in classes},
            claims=tuple(Claim.parse(raw) for raw in self._mirrors[Kind.CLAIMS].items.values()),
            volumes={volume.name: volume for volume in volumes},
            disk=disk,
        )

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), self._retries.next_due(now=self._clock()))
        except TimeoutError:
            return

    async def _attempt(self, action: Action) -> None:
        begin = self._clock()
        async with self._turns:
            try:
                created = await self._steps.carry_out(action)
            except (DiskError, ApiError, OSError) as error:
                await self._failed(
                    action, message=str(error), claim=action.claim if isinstance(action, Provision) else None
                )
                return
        if isinstance(action, Refuse | ReportLoss):
            message = (
                action.message
                if isinstance(action, Refuse)
                else f"the file of volume {action.name} is gone from this machine: its data is lost, delete the claim"
            )
            await self._failed(action, message=message, claim=action.claim)
            return
        self._retries.succeeded(action.name)
        if created is not None:
            self._mirrors[Kind.VOLUMES].put(created)
        verb, milliseconds = type(action).__name__.lower(), round(1000 * (self._clock() - begin))
        logger.info("volume done", extra={"action": verb, "volume": action.name, "milliseconds": milliseconds})
        if isinstance(action, Provision):
            message = f"made volume {action.name}"
            await self._reporter.say(action.claim, reason="ProvisioningSucceeded", message=message, warning=False)

    async def _failed(self, action: Action, *, message: str, claim: Claim | None) -> None:
        pause = self._retries.failed(action.name, now=self._clock())
        verb = type(action).__name__.lower()
        logger.warning(
            "volume failed", extra={"action": verb, "volume": action.name, "error": message, "retry_seconds": pause}
        )
        if claim is not None:
            reason = "VolumeLost" if isinstance(action, ReportLoss) else "ProvisioningFailed"
            await self._reporter.say(claim, reason=reason, message=message, warning=True)


def _present(found: Iterable[T | None]) -> Iterator[T]:
    return (item for item in found if item is not None)
