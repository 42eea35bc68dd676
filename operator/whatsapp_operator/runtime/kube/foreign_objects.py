"""Objects that have one of our names and are not ours. No watch reports them, because watches select our labels.

The operator finds one when the API server answers a creation with "already exists". It then reads the object by name:
one with our label, which the watches report, goes to the store; another one is kept here, so that the core sees it, and
is read again every REREAD_INTERVAL until it is gone. Being in the store proves nothing: anybody can write the label, and
the core asks of either whose it is.
"""

from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import NotFound
from whatsapp_operator.runtime.kube.resources import Json, Resource, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock

REREAD_INTERVAL: Final = 10.0
""" Seconds between two reads of a foreign object. """


@dataclass
class _ForeignObject:
    obj: Json
    at: float


@dataclass
class ForeignObjects:
    """The foreign objects that have names of one session's objects."""

    kube: Kube
    store: Store
    clock: Clock
    _objects: dict[tuple[Resource, ObjectKey], _ForeignObject] = field(default_factory=dict)

    def get(self, resource: Resource, key: ObjectKey) -> Json | None:
        """Return the foreign object of that name, or None."""
        foreign = self._objects.get((resource, key))
        return foreign.obj if foreign is not None else None

    def __bool__(self) -> bool:
        return bool(self._objects)

    async def read(self, resource: Resource, key: ObjectKey) -> None:
        """Read an object by name: put it into the store if it is ours, else keep it here."""
        known = self.store.get(resource, key)
        try:
            obj = await self.kube.get(resource, namespace=key.namespace, name=key.name)
        except NotFound:
            self._objects.pop((resource, key), None)
            if known is not None:
                self.store.forget(resource, key, version=version_of(known))
            return
        if ownership.is_managed(obj):
            self._objects.pop((resource, key), None)
            self.store.put(resource, obj)
        else:
            self._objects[resource, key] = _ForeignObject(obj, self.clock.monotonic())

    async def refresh(self) -> None:
        """Read the foreign objects again whose last read is REREAD_INTERVAL ago."""
        now = self.clock.monotonic()
        for resource, key in [name for name, foreign in self._objects.items() if now - foreign.at >= REREAD_INTERVAL]:
            await self.read(resource, key)
