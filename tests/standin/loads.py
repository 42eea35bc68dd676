"""The ledger of document loads, by which a test proves that a page did, or did not, reload.

Each delivery of the document gets an id that the page sends back in its hello; so a load is first anonymous and then
belongs to a browser profile and, once logged in, to a device. Loads without a hello (a page that never came up) stay
in the list: they count too.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

from standin.frames import DeviceId, LoadId

__all__ = ["Load", "LoadLedger"]


@dataclasses.dataclass(kw_only=True)
class Load:
    """One delivery of the document. `time` in seconds since the epoch."""

    identifier: LoadId
    time: float
    variant: str
    profile: str | None = None
    device: DeviceId | None = None


class LoadLedger:
    """All loads since the server started, oldest first."""

    def __init__(self, *, now: Callable[[], float], new_token: Callable[[], str]) -> None:
        self._now = now
        self._new_token = new_token
        self._loads: dict[LoadId, Load] = {}

    def record(self, *, variant: str) -> LoadId:
        """Note a delivery and give its id."""
        identifier = LoadId(self._new_token())
        self._loads[identifier] = Load(identifier=identifier, time=self._now(), variant=variant)
        return identifier

    def attribute(self, identifier: LoadId, *, profile: str, device: DeviceId | None) -> None:
        """Note who came from a load. The device stays what it was at the load's first login."""
        load = self._loads.get(identifier)
        if load is not None:
            load.profile = profile
            load.device = load.device or device

    def to_json(self) -> dict[str, Any]:
        """Give the form of `GET /loads`."""
        loads = list(self._loads.values())
        return {
            "total": len(loads),
            "byDevice": dict(Counter(load.device for load in loads if load.device)),
            "byProfile": dict(Counter(load.profile for load in loads if load.profile)),
            "loads": [
                {
                    "id": load.identifier,
                    "time": load.time,
                    "variant": load.variant,
                    "profile": load.profile,
                    "device": load.device,
                }
                for load in loads
            ],
        }
