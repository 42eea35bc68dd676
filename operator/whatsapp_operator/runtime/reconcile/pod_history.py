"""The pods of each session that were created since the one in its status, in the order of their creation, and which ran.

Several pods may be created and deleted before a status is written, when writes fail or are delayed. Each of them is a
restart, and the last one may have sent a report that counts although its pod was never in status. The operator records
every change of a pod in the store, own creations included, and after each resync drops the sessions that are gone; the
observer reads. It can be lost: a pod that was created and deleted before this process began is not counted.

A pod that was never seen to run, and is gone without the operator's wish, is a start that did not come up
(`core.recovery.failed_starts`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from whatsapp_operator.core.model import PodUID, SessionUID
from whatsapp_operator.core.objects.facts import has_run
from whatsapp_operator.runtime.kube.resources import Json, uid_of
from whatsapp_operator.runtime.kube.store import Change


@dataclass
class _Pod:
    uid: PodUID
    seen: datetime
    """ When it was seen first, by our own clock. """
    settled: bool = False
    """ It has run, or the operator has ended it by its own decision. """


class PodHistory:
    """The pods, each kept until a later one is in status."""

    def __init__(self, *, own_pods_session: Callable[[Json], SessionUID | None], now: Callable[[], datetime]) -> None:
        self._own_pods_session = own_pods_session
        """ Returns the session of a pod that the operator made, by proof: else a pod anywhere that names a session
        would be one of its restarts. """
        self._now = now
        self._pods: defaultdict[SessionUID, list[_Pod]] = defaultdict(list)

    def record(self, change: Change) -> None:
        """Record a change of a pod in the store."""
        if change.after is None or (session := self._own_pods_session(change.after)) is None:
            return
        uid, pods = PodUID(uid_of(change.after)), self._pods[session]
        pod = next((known for known in reversed(pods) if known.uid == uid), None)
        if pod is None:
            pod = _Pod(uid, self._now())
            pods.append(pod)
        pod.settled = pod.settled or has_run(change.after)

    def ended_by_us(self, session: SessionUID, uid: PodUID) -> None:
        """Take note of a pod that the operator has deleted by its own decision: its end is no start that failed."""
        for pod in self._pods.get(session, ()):
            pod.settled = pod.settled or pod.uid == uid

    def since(self, session: SessionUID, status_pod_uid: str | None) -> tuple[PodUID, ...]:
        """Return the pods created after the one in the session's status; drop the earlier ones."""
        pods = self._pods.get(session, [])
        position = next((place for place, pod in enumerate(pods) if pod.uid == status_pod_uid), None)
        if position is None:
            return tuple(pod.uid for pod in pods)
        # The one in status stays, so that a late event about it does not make it a new one.
        del pods[:position]
        return tuple(pod.uid for pod in pods[1:])

    def unstarted(self, session: SessionUID) -> Mapping[PodUID, datetime]:
        """Return the pods that never came up, with the times at which they were seen first."""
        return {pod.uid: pod.seen for pod in self._pods.get(session, ()) if not pod.settled}

    def retain(self, sessions: Collection[SessionUID]) -> None:
        """Drop all sessions but these: other operators' pods are recorded too, and pods that outlive their session."""
        for gone in self._pods.keys() - sessions:
            del self._pods[gone]
