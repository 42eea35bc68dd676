"""A recorded cluster, with an operator of today in it: time passes, and what it writes is recorded."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from session_protocol.times import parse_time
from unit.runtime import fakes
from unit.runtime.simulation import Simulation

Json = dict[str, Any]

CLUSTER: Json = json.loads((Path(__file__).parents[1] / "recordings/cluster.json").read_text())
""" Time, objects by plural as the API server held them, and what each pod's runner said last. """


@dataclass(frozen=True)
class Settled:
    """What came of it."""

    objects: Json
    writes: list[str]

    @classmethod
    async def after(cls, *, minutes: float, objects: Json = CLUSTER["objects"]) -> "Settled":
        """Let an operator look after the recorded cluster, or one like it, for a while."""
        simulation = Simulation()
        simulation.clock.seconds += (parse_time(CLUSTER["now"]) - fakes.START).total_seconds()
        simulation.api.version = CLUSTER["version"]
        simulation.api.created = Counter()
        for plural, listed in objects.items():
            simulation.api.objects[plural] = {
                (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj for obj in listed
            }
        for uid, answer in CLUSTER["runners"].items():
            simulation.runners.say(uid, answer["state"], answer["reason"])
        await simulation.start()
        try:
            await simulation.rest(minutes * 60)
            return cls(
                objects={
                    plural: sorted(
                        simulation.api.all(plural),
                        key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]),
                    )
                    for plural in CLUSTER["objects"]
                },
                writes=[f"{write.method} {write.path}" for write in simulation.api.writes],
            )
        finally:
            await simulation.stop()
