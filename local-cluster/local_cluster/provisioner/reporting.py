"""Says on a claim what became of it, as Kubernetes events: `kubectl describe pvc` shows them to its owner.

An event that cannot be written is logged and dropped; it must never keep a volume from being made.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable

from local_cluster.provisioner.kube import ApiError, Conflict, Kube, NotFound
from local_cluster.provisioner.objects import event
from local_cluster.provisioner.observed import Claim

logger = logging.getLogger(__name__)

REMEMBERED = 4096
""" Repetitions are counted for this many events, then counting begins anew. """


class Reporter:
    """Writes events; a repetition raises the count of the event that is there."""

    def __init__(self, kube: Kube, *, clock: Callable[[], dt.datetime]) -> None:
        self._kube = kube
        self._clock = clock
        self._counts: Counter[str] = Counter()

    async def say(self, claim: Claim, *, reason: str, message: str, warning: bool) -> None:
        """Write an event on the claim, or count the same one up."""
        body = event(claim, reason=reason, message=message, warning=warning, now=self._clock(), count=1)
        path = f"/api/v1/namespaces/{claim.namespace}/events"
        name = body["metadata"]["name"]
        if len(self._counts) >= REMEMBERED:
            self._counts.clear()
        self._counts[name] += 1
        again = {"count": self._counts[name], "lastTimestamp": body["lastTimestamp"], "message": body["message"]}
        try:
            try:
                if self._counts[name] == 1:
                    await self._kube.create(path, body)
                else:
                    await self._kube.merge(f"{path}/{name}", again)
            except Conflict:  # said before this process began
                await self._kube.merge(f"{path}/{name}", again)
            except NotFound:  # the API server forgets events after an hour
                await self._kube.create(path, body)
        except ApiError as error:
            logger.warning("event not written", extra={"claim": f"{claim.namespace}/{claim.name}", "error": str(error)})
