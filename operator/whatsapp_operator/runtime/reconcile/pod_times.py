"""When things happened to pods, by this process's own clock: the API server's and the nodes' clocks may be wrong.

A pod's creation and deletion are stamped by the API server, its container's start and end by the kubelet. The core
compares them with the operator's time, so a clock that is an hour ahead would let waits last an hour, and one that is
behind would end each at once. What this process saw happen, it knows the time of; only of what had happened before it
began, the stamps are all there is, and then they are bounded by each other.

The observer asks for each pod that it looks at; after each resync what is gone is dropped.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.core.model import PodFacts, PodUID

LATE: Final = timedelta(seconds=2)
""" A stamp is believed if it is no more than this before the moment at which the operator saw it: stamps are whole
seconds, and an event takes its time. """


class PodTimes:
    """What was seen of each pod, and when."""

    def __init__(self) -> None:
        self._seen: dict[PodUID, dict[str, tuple[datetime, bool]]] = {}
        """ When each of a pod's stamps was seen first, and whether the operator saw it come. """
        self._asked: set[PodUID] = set()
        """ The pods that were asked for since the last resync: one that lost its label is in no list. """
        self._from_before: frozenset[PodUID] | None = None
        """ The pods of the first list; None: there was none yet. """

    def first_listed(self, pods: Collection[PodUID]) -> None:
        """Take the pods that were there when this process began; any other one was created since."""
        if self._from_before is None:
            self._from_before = frozenset(pods)

    def corrected(self, pod: PodFacts, *, now: datetime) -> PodFacts:
        """Return the pod's facts with its times by our own clock."""
        self._asked.add(pod.uid)
        live = pod.uid in self._seen or (self._from_before is not None and pod.uid not in self._from_before)
        moments = self._seen.setdefault(pod.uid, {})

        def at(name: str, stamp: datetime | None) -> datetime | None:
            if stamp is None:
                return None
            first, witnessed = moments.setdefault(name, (now, live))
            return max(min(stamp, first), first - LATE) if witnessed else min(stamp, first)

        created = at("created", pod.created) or pod.created
        started, finished = at("started", pod.started), at("finished", pod.finished)
        started = max(started, created) if started is not None else None
        return replace(
            pod,
            created=created,
            deletion=at("deletion", pod.deletion),
            started=started,
            finished=max(finished, started or created) if finished is not None else None,
        )

    def retain(self, pods: Collection[PodUID]) -> None:
        """Drop all pods but these, and those that somebody has asked for since the last time."""
        for gone in self._seen.keys() - self._asked - set(pods):
            del self._seen[gone]
        self._asked.clear()
