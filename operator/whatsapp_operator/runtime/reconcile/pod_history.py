"""The pods of each session that were created since the one in its status, in the order of their creation.

Several pods may be created and deleted before a status is written, when writes fail or are delayed. Each of them is a
restart, and the last one may have sent a report that counts although its pod was never in status. The operator records
every change of a pod in the store, own creations included, and after each resync drops the sessions that are gone; the
observer reads. It can be lost: a pod that was created and deleted before this process began is not counted.
"""

from collections import defaultdict
from collections.abc import Callable, Collection

from whatsapp_operator.core.model import PodUID, SessionUID
from whatsapp_operator.runtime.kube.resources import Json, uid_of
from whatsapp_operator.runtime.kube.store import Change


class PodHistory:
    """The UIDs of pods, each kept until a later one is in status."""

    def __init__(self, *, own_pods_session: Callable[[Json], SessionUID | None]) -> None:
        self._own_pods_session = own_pods_session
        """ Returns the session of a pod that the operator made, by proof: else a pod anywhere that names a session
        would be one of its restarts. """
        self._pods: defaultdict[SessionUID, list[PodUID]] = defaultdict(list)

    def record(self, change: Change) -> None:
        """Record a change of a pod in the store."""
        if change.after is None or (session := self._own_pods_session(change.after)) is None:
            return
        pod = PodUID(uid_of(change.after))
        if pod not in self._pods[session]:
            self._pods[session].append(pod)

    def since(self, session: SessionUID, status_pod_uid: str | None) -> tuple[PodUID, ...]:
        """Return the pods created after the one in the session's status; drop the earlier ones."""
        if session not in self._pods:
            return ()
        pods = self._pods[session]
        if status_pod_uid in pods:
            # The one in status stays, so that a late event about it does not make it a new one.
            del pods[: pods.index(PodUID(status_pod_uid or ""))]
            return tuple(pods[1:])
        return tuple(pods)

    def retain(self, sessions: Collection[SessionUID]) -> None:
        """Drop all sessions but these: other operators' pods are recorded too, and pods that outlive their session."""
        for gone in self._pods.keys() - sessions:
            del self._pods[gone]
