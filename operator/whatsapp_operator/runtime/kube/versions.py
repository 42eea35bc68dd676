"""Notices that resourceVersions have gone back: the API server's data are older than what it said before, or others.

An etcd that was restored from a snapshot, or another one behind the same address, counts from an earlier number. Then
"the greater version wins" keeps everything as it was, a watch that goes on from a version of before says nothing until
that number comes again, and each write with a known version is a conflict. Nothing of that is an error by itself, so it
is looked for:

* a list, and the object that a request created, are newer than all that was known when the request was sent;
* no object of a list, and none that was read again, is older than it was known to be.

What was known is then worth nothing, the watches included: the operator begins anew (`app.process`). A restored etcd may
count on from a higher number, or reach the old one again between two looks; then the second rule shows it, or the lists
bring what has changed as any other change.
"""

from whatsapp_operator.runtime.kube.resources import Json, Resource, key_of, uid_of, version_of


class Versions:
    """The newest version that was seen of each kind; kinds may be kept in different etcds."""

    def __init__(self) -> None:
        self._newest: dict[Resource, int] = {}
        self.went_back: str | None = None
        """ How it showed that versions have gone back; None: they have not. """

    def newest(self, resource: Resource) -> int:
        """Return the newest version seen of a kind: what a request that is sent now must not fall behind."""
        return self._newest.get(resource, 0)

    def saw(self, resource: Resource, version: int) -> None:
        """Record a version: an object's, or a list's."""
        if version > self._newest.get(resource, 0):
            self._newest[resource] = version

    def answered(self, resource: Resource, version: int, *, known: int) -> None:
        """Record the version of a list, or of an object that was created.

        :param known: the newest version when the request was sent.
        """
        if 0 < version < known:
            self._went_back(f"{resource} are at version {version}, and were at {known} before")
        self.saw(resource, version)

    def read_again(self, resource: Resource, known: Json, found: Json) -> None:
        """Compare an object with how it was known when the request for it was sent."""
        before, now = version_of(known), version_of(found)
        if 0 < now < before or (now == before and uid_of(known) != uid_of(found)):
            name = "/".join(part for part in key_of(found) if part)
            self._went_back(f"{resource} {name} is at version {now}, and was at {before} before")
        self.saw(resource, now)

    def forget(self) -> None:
        """Forget everything: the operator begins anew."""
        self._newest = {}
        self.went_back = None

    def _went_back(self, what: str) -> None:
        if self.went_back is None:
            self.went_back = what
