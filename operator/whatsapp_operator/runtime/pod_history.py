"""Which pods of each session have come since the one that its status tells of, in the order in which they came.

Two pods may come and go before a status is written, when writes fail or must wait. Each of them is a restart, and the
last one may have had a word that counts though the status has never heard of its pod. The operator feeds this with
every change of a pod in the store, own creations included, and tells it with each resync whose pods matter; the
observer asks. It can be lost: a pod that came and went before this process began is nobody's to count.
"""

from collections import defaultdict
from collections.abc import Collection

from whatsapp_operator.core.model import PodUID, SessionUID
from whatsapp_operator.runtime.resources import Json, uid_of
from whatsapp_operator.runtime.store import Change


class PodHistory:
    """Remembers UIDs, and forgets them as statuses tell of them."""

    def __init__(self) -> None:
        self._pods: defaultdict[SessionUID, list[PodUID]] = defaultdict(list)

    def record(self, change: Change) -> None:
        """Take note of a pod's change in the store."""
        if change.after is None or (session := _owner_of(change.after)) is None:
            return
        pod = PodUID(uid_of(change.after))
        if pod not in self._pods[session]:
            self._pods[session].append(pod)

    def since(self, session: SessionUID, status_pod_uid: str | None) -> tuple[PodUID, ...]:
        """Return the pods that came after the one that the session's status tells of; what came before is forgotten."""
        if session not in self._pods:
            return ()
        pods = self._pods[session]
        if status_pod_uid in pods:
            # The told one stays, so that a late event about it does not make it a new one.
            del pods[: pods.index(PodUID(status_pod_uid or ""))]
            return tuple(pods[1:])
        return tuple(pods)

    def retain(self, sessions: Collection[SessionUID]) -> None:
        """Forget all but these: others' pods come too, and a pod that outlives its session is told of after it."""
        for gone in self._pods.keys() - sessions:
            del self._pods[gone]


def _owner_of(pod: Json) -> SessionUID | None:
    """Return whose pod it is. One of another name that has our owner reference was made by a person, and is no restart."""
    metadata = pod["metadata"]
    owners = (owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller"))
    return next((SessionUID(owner["uid"]) for owner in owners if owner.get("name") == metadata["name"]), None)
