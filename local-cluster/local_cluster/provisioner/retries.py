"""When a volume that failed is tried again. Pure: the controller brings the time."""

import dataclasses
from collections.abc import Collection
from typing import Final

from local_cluster.provisioner.names import VolumeName

FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 60.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Rest:
    failures: int
    until: float


class Retries:
    """Per volume: failures in a row, and the end of its rest. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._rests: dict[VolumeName, _Rest] = {}

    def failed(self, name: VolumeName, *, now: float) -> float:
        """Note a failure; returns the pause until the next try: 1 s, 2 s, 4 s, … at most 60 s."""
        failures = (self._rests[name].failures if name in self._rests else 0) + 1
        # The exponent is capped, for 2.0**1024 overflows after a long night of failures.
        pause = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 16))
        self._rests[name] = _Rest(failures=failures, until=now + pause)
        return pause

    def succeeded(self, name: VolumeName) -> None:
        """Forget its failures."""
        self._rests.pop(name, None)

    def resting(self, *, now: float) -> frozenset[VolumeName]:
        """The volumes whose next try is not due."""
        return frozenset(name for name, rest in self._rests.items() if rest.until > now)

    def next_due(self, *, now: float) -> float | None:
        """Seconds until the first of the resting volumes is due; None if none rests."""
        return min((rest.until - now for rest in self._rests.values() if rest.until > now), default=None)

    def keep(self, names: Collection[VolumeName]) -> None:
        """Forget all other volumes: they are gone."""
        self._rests = {name: rest for name, rest in self._rests.items() if name in names}
