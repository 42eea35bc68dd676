"""Objects that have one of our names and are not ours. No watch reports them, because watches select our labels.

The operator finds one when the API server answers a creation with "already exists". It then reads the object by name:
one with our label, which the watches report, goes to the store; another one is kept here, so that the core sees it, and
is read again, less and less often, until it is gone. Being in the store proves nothing: anybody can write the label, and
the core asks of either whose it is.

They are kept once for all sessions: fifty sessions beside a foreign Service read it as often as one does. Whichever
session is looked at when the next read is due makes it, and what it finds is everybody's.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import KubeError, NotFound
from whatsapp_operator.runtime.kube.resources import Json, Resource, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock

logger = logging.getLogger(__name__)

FIRST_REREAD: Final = 10.0
""" Seconds until a foreign object is read again, then twice as long each time, … """
LAST_REREAD: Final = 60.0
""" … and so long at most, which is how late its end may be noticed. """

ForeignName = tuple[Resource, ObjectKey]


@dataclass
class _ForeignObject:
    obj: Json
    due: float
    interval: float


@dataclass
class ForeignObjects:
    """The foreign objects that have names of our objects."""

    kube: Kube
    store: Store
    clock: Clock
    on_gone: Callable[[Resource, ObjectKey], None] = lambda _resource, _key: None
    """ Called with one that is gone, or ours by now: who waited for its name may go on. """
    _objects: dict[ForeignName, _ForeignObject] = field(default_factory=dict)

    def get(self, resource: Resource, key: ObjectKey) -> Json | None:
        """Return the foreign object of that name, or None."""
        foreign = self._objects.get((resource, key))
        return foreign.obj if foreign is not None else None

    def next_read(self, names: Collection[ForeignName]) -> float | None:
        """Return the seconds until one of these is to be read again; None: none of them is foreign."""
        due = [foreign.due for name in names if (foreign := self._objects.get(name)) is not None]
        return max(0.0, min(due) - self.clock.monotonic()) if due else None

    async def read(self, resource: Resource, key: ObjectKey) -> None:
        """Read an object by name: put it into the store if it is ours, else keep it here."""
        known = self.store.get(resource, key)
        try:
            obj = await self.kube.get(resource, namespace=key.namespace, name=key.name)
        except NotFound:
            if known is not None:
                self.store.forget(resource, key, version=version_of(known))
            self._forget(resource, key)
            return
        if ownership.is_managed(obj):
            self.store.put(resource, obj)
            self._forget(resource, key)
        else:
            before = self._objects.get((resource, key))
            interval = FIRST_REREAD if before is None else min(LAST_REREAD, before.interval * 2)
            self._objects[resource, key] = _ForeignObject(obj, self.clock.monotonic() + interval, interval)

    async def refresh(self, names: Collection[ForeignName]) -> None:
        """Read those of these objects again whose time has come; one that cannot be read stays as it was."""
        now = self.clock.monotonic()
        for resource, key in names:
            foreign = self._objects.get((resource, key))
            if foreign is None or foreign.due > now:
                continue
            foreign.due = now + foreign.interval  # before the request: nobody else makes it meanwhile
            try:
                await self.read(resource, key)
            except KubeError as error:
                foreign.interval = min(LAST_REREAD, foreign.interval * 2)
                foreign.due = now + foreign.interval
                logger.warning(
                    "A foreign object could not be read again",
                    extra={"kind": resource.plural, "object": str(key), "error": str(error)},
                )

    def forget(self, namespace: str) -> None:
        """Forget the foreign objects of a namespace without sessions."""
        self._objects = {name: found for name, found in self._objects.items() if name[1].namespace != namespace}

    def _forget(self, resource: Resource, key: ObjectKey) -> None:
        if self._objects.pop((resource, key), None) is not None:
            self.on_gone(resource, key)
