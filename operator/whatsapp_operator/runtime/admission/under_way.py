"""Pods and claims whose creation is under way: a round counts them as if they were there already.

    request is sent ──> session is deleted ──> round: no session, no pod yet ──> the pod comes to be

Without it that round would give the place away, and the quota would be exceeded until the garbage collector comes; by a
claim that is retained, until a person deletes it. A session that is there has its reservation, and counts once.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from whatsapp_operator.runtime.kube.errors import AlreadyExists, Refused
from whatsapp_operator.runtime.kube.resources import Json, Resource
from whatsapp_operator.runtime.process.clock import Clock

LONGEST: Final = 60.0
""" Seconds that an API server works on a request at most (its `--request-timeout`), whether or not anybody waits for it. It
may have been sent at the last moment: until then it may have waited for a connection. """


class UnderWay:
    """The creations that may be carried out still."""

    def __init__(self, *, clock: Clock, freed: Callable[[], None]) -> None:
        self._clock = clock
        self._freed = freed
        """ Called when something that a round counted does not come to be. """
        self._numbers = itertools.count()
        self._now: dict[int, tuple[Resource, Json]] = {}
        self._in_round: dict[int, tuple[Resource, Json]] = {}
        """ All that were under way since the round began, also those that have ended, but for those that were refused. """
        self._counted: set[int] = set()
        """ Those of them that the round has counted. """

    @contextlib.contextmanager
    def creating(self, resource: Resource, manifest: Mapping[str, Any]) -> Iterator[None]:
        """Count the object while it is being created; where no answer comes, for as long as it may still come to be."""
        number = next(self._numbers)
        self._now[number] = self._in_round[number] = resource, dict(manifest)
        try:
            yield
        except AlreadyExists:  # it is there, and in the LIST that a round makes
            del self._now[number]
            raise
        except Refused:
            del self._now[number]
            self._in_round.pop(number, None)
            if number in self._counted:
                self._freed()
            raise
        except BaseException:  # no answer, or nobody waits for it any more
            self._clock.call_later(LONGEST, lambda: self._end(number))
            raise
        else:
            del self._now[number]

    def begin_round(self) -> None:
        """Begin to gather what a round has to count; called before its LIST."""
        self._in_round = dict(self._now)
        self._counted.clear()

    def counted(self, resource: Resource) -> list[Json]:
        """Return what the round has to count beside what is in its LIST; called after it."""
        found = {number: manifest for number, (kind, manifest) in self._in_round.items() if kind == resource}
        self._counted |= found.keys()
        return list(found.values())

    def _end(self, number: int) -> None:
        del self._now[number]
        if number in self._in_round:
            self._freed()
