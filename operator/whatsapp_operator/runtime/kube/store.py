"""The operator's cache of the cluster, by kind: updated by watch events, full LISTs and the answers to own writes.

The three sources overlap and overtake each other, so one rule decides: the greater resourceVersion wins (they are
compared as numbers). Three things follow that a plain dictionary would get wrong:

* A deletion is kept as a tombstone until a newer LIST, so that a late event or an older LIST cannot bring the object
  back.
* A LIST removes the objects that it does not contain, except those newer than the LIST. This finds deletions whose
  event was lost, so no deleted object stays in the store (and holds a quota's reservation for ever). An object that the
  LIST contains exists, unless its deletion is newer than the LIST.
* After a LIST, an older event about an unknown object is ignored: the object is gone already.
* A LIST that is newer than what is known of an object is right about it, also where it has an older version of it: then
  versions have gone back, which `versions` is told.

Objects are kept as JSON without what nobody reads (`slimming`), which is the greater part of them.

In client-go's terms this is an informer's Indexer; a deletion that only a LIST shows is its DeletedFinalStateUnknown.
Its expectations (objects that a controller has created and not seen yet) are not needed: the answer to each own write
goes into the store at once. No library has an informer for asyncio: the client library's is
made of threads, and kopf's index keeps phantoms after a lost deletion.

A number as resourceVersion is promised from Kubernetes 1.35 on; below it is so where the API server keeps its objects
in etcd, which nearly all do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.kube.resources import Json, Resource, key_of, version_of
from whatsapp_operator.runtime.kube.slimming import slim
from whatsapp_operator.runtime.kube.versions import Versions

IndexKeys = Callable[[Json], Iterable[str]]
""" The index keys under which an object is found (client-go's IndexFunc). """


class Change(NamedTuple):
    """The effect of an update on one object. Both None: there was none."""

    before: Json | None
    after: Json | None

    def __bool__(self) -> bool:
        return self.before is not None or self.after is not None


_NO_CHANGE = Change(None, None)


@dataclass
class ResourceCache:
    """All objects of one kind."""

    resource: Resource
    index_keys: IndexKeys
    slim: Callable[[Json], Json]
    objects: dict[ObjectKey, Json] = field(default_factory=dict)
    tombstones: dict[ObjectKey, int] = field(default_factory=dict)
    """ Deleted objects and the version of their deletion. """
    listed_version: int = 0
    """ The version of the last full LIST. """
    index: defaultdict[str, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))

    def put(self, obj: Json, *, listed_at: int = 0) -> Change:
        """Store an object, unless a newer version or deletion is known; `listed_at` is the version of its LIST."""
        key, version = key_of(obj), version_of(obj)
        known = self.objects.get(key)
        if known is not None:
            if version <= version_of(known) and not _corrects(known, obj, listed_at=listed_at):
                return _NO_CHANGE
        elif max(version, listed_at) <= max(self.listed_version, self.tombstones.get(key, 0)):
            return _NO_CHANGE
        self.tombstones.pop(key, None)
        obj = self.slim(obj)
        if known is not None:
            self._unindex(key, known)
        self.objects[key] = obj
        for index_key in self.index_keys(obj):
            self.index[index_key].add(key)
        return Change(known, obj)

    def remove(self, obj: Json) -> Change:
        """Remove an object that was deleted at its resourceVersion."""
        key, version = key_of(obj), version_of(obj)
        known = self.objects.get(key)
        if known is not None and version < version_of(known):
            return _NO_CHANGE
        if version > self.listed_version:
            self.tombstones[key] = max(version, self.tombstones.get(key, 0))
        return self._drop(key)

    def replace(
        self, objects: Iterable[Json], *, version: int, in_scope: Callable[[ObjectKey], bool], versions: Versions
    ) -> Iterator[Change]:
        """Store the objects of a full LIST, and remove the others in its scope unless they are newer.

        Yields after each object, so that it can be done in slices. What happens in between is no different from what
        happened while the LIST was on its way: whatever is newer than the LIST stays.
        """
        present = set()
        for obj in objects:
            present.add(key := key_of(obj))
            known = self.objects.get(key)
            if known is not None and version_of(known) <= version:
                versions.read_again(self.resource, known, obj)
            yield self.put(obj, listed_at=version)
        gone = [
            key
            for key, known in self.objects.items()
            if key not in present and version_of(known) <= version and in_scope(key)
        ]
        for key in gone:
            known = self.objects.get(key)  # looked at again: it may have changed meanwhile
            yield self._drop(key) if known is not None and version_of(known) <= version else _NO_CHANGE

    def complete_list(self, version: int) -> None:
        """Record that the whole kind was listed at this version: drop older tombstones, ignore older events."""
        self.listed_version = max(self.listed_version, version)
        self.tombstones = {key: gone for key, gone in self.tombstones.items() if gone > self.listed_version}

    def _drop(self, key: ObjectKey) -> Change:
        known = self.objects.pop(key, None)
        if known is None:
            return _NO_CHANGE
        self._unindex(key, known)
        return Change(known, None)

    def _unindex(self, key: ObjectKey, known: Json) -> None:
        for index_key in self.index_keys(known):
            self.index[index_key].discard(key)
            if not self.index[index_key]:
                del self.index[index_key]


def _corrects(known: Json, listed: Json, *, listed_at: int) -> bool:
    """Whether a LIST is newer than what is known of an object, and tells something else of it.

    That is another version, or of the same one another generation, request or label; to compare all of it would take as
    long again as the whole resync.
    """
    return version_of(known) <= listed_at and known["metadata"] != listed["metadata"]


OnChange = Callable[[Resource, Change], None]
""" Called with each change, from any of the three sources. """


def _ignore(_resource: Resource, _change: Change) -> None:
    """Ignore a change; the default of `on_change`."""


class Store:
    """The caches of all kinds that the operator watches."""

    def __init__(
        self, index: dict[Resource, IndexKeys], *, on_change: OnChange = _ignore, versions: Versions | None = None
    ) -> None:
        self._caches = {
            resource: ResourceCache(resource, index_keys=keys, slim=partial(slim, resource))
            for resource, keys in index.items()
        }
        self._on_change = on_change
        self._versions = Versions() if versions is None else versions
        """ Told of all versions. """

    def get(self, resource: Resource, key: ObjectKey) -> Json | None:
        """Return an object, or None. It is shared: never change it."""
        return self._caches[resource].objects.get(key)

    def by_index(self, resource: Resource, index_key: str) -> list[Json]:
        """Return the objects under an index key, in the order of their names."""
        cache = self._caches[resource]
        return [cache.objects[key] for key in sorted(cache.index.get(index_key, ()))]

    def keys_by_index(self, resource: Resource, index_key: str) -> frozenset[ObjectKey]:
        """Return the names under an index key."""
        return frozenset(self._caches[resource].index.get(index_key, ()))

    def all(self, resource: Resource) -> Iterator[Json]:
        """Iterate over a kind's objects; do not update the store meanwhile."""
        return iter(self._caches[resource].objects.values())

    def keys(self, resource: Resource) -> list[ObjectKey]:
        """Return the names of a kind's objects."""
        return list(self._caches[resource].objects)

    def put(self, resource: Resource, obj: Json) -> Change:
        """Store an object from a watch event or from the answer to a request."""
        self._versions.saw(resource, version_of(obj))
        return self._notify(resource, self._caches[resource].put(obj))

    def remove(self, resource: Resource, obj: Json) -> Change:
        """Remove an object that a watch event reports as deleted."""
        self._versions.saw(resource, version_of(obj))
        return self._notify(resource, self._caches[resource].remove(obj))

    def forget(self, resource: Resource, key: ObjectKey, *, version: int) -> Change:
        """Remove an object that the API server answered "not found" for, if it is no newer than `version`."""
        known = self.get(resource, key)
        if known is None or version_of(known) > version:
            return _NO_CHANGE
        return self.remove(resource, known)

    def replace(
        self,
        resource: Resource,
        objects: Iterable[Json],
        *,
        version: int,
        in_scope: Callable[[ObjectKey], bool] = lambda _: True,
    ) -> Iterator[Change]:
        """Store a full LIST, object by object; `in_scope` limits it to the namespace that was listed.

        The caller iterates to the end, and may let others have their turn meanwhile. When all of the kind is listed,
        call `complete_list`.
        """
        cache = self._caches[resource]
        for change in cache.replace(objects, version=version, in_scope=in_scope, versions=self._versions):
            yield self._notify(resource, change)

    def complete_list(self, resource: Resource, *, version: int) -> None:
        """Record that the whole kind was listed; `version` is the oldest of these LISTs'."""
        self._caches[resource].complete_list(version)

    def _notify(self, resource: Resource, change: Change) -> Change:
        if change:
            self._on_change(resource, change)
        return change
