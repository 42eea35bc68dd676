"""A kind's objects as the API server has them: one LIST, then its changes, and a LIST again every minute.

The controller keeps one mirror per kind and reads `items` in each pass. A watch that ends, expires or breaks leads to a
new LIST, so an event that was never delivered is made good then. While the API server is away the last picture stays.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from local_cluster.provisioner.kube import ApiError, Expired, Kind, Kube, Raw

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
""" Pauses after the first, second, … failure in a row; the last one goes on. """


class Mirror:
    """The objects of one kind by UID. `on_change` is called after each change and after each LIST."""

    def __init__(self, kube: Kube, kind: Kind, *, on_change: Callable[[], None]) -> None:
        self.items: dict[str, Raw] = {}
        self.synced = asyncio.Event()
        """ Set once the first LIST is in; before, nothing may be decided. """
        self._kube = kube
        self._kind = kind
        self._on_change = on_change

    def put(self, item: Raw) -> None:
        """Take in an object that we wrote ourselves, before the watch shows it."""
        self.items[item["metadata"]["uid"]] = item

    async def follow(self) -> None:
        """Keep `items` up to date, for ever."""
        failures = 0
        while True:
            try:
                await self._list_and_watch()
                failures = 0
            except Expired:
                continue
            except ApiError as error:
                pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                if failures == 0:
                    logger.warning("lost the API server", extra={"kind": self._kind.name, "error": str(error)})
                failures += 1
                await asyncio.sleep(pause)

    async def _list_and_watch(self) -> None:
        listing = await self._kube.list_all(self._kind)
        self.items = {_uid(item): item for item in listing.items}
        self.synced.set()
        self._on_change()
        async for change in self._kube.watch(self._kind, version=listing.version):
            if change.deleted:
                self.items.pop(_uid(change.item), None)
            else:
                self.put(change.item)
            self._on_change()


def _uid(item: Raw) -> str:
    uid: Any = item["metadata"]["uid"]
    return str(uid)
