"""Sessions to judge: those that were recorded, and what they are in between, one field at a time.

The recordings have every state. What an engine may meet besides is an object that lacks something: nobody has seen it
yet, or an operator of another version wrote it.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from support.merge_patch import merged

Json = dict[str, Any]
Step = str | int

RECORDED: Final = Path(__file__).parents[1] / "recordings" / "decisions.json"
WRONG: Final[tuple[Any, ...]] = (None, True, -1, "", "x", [], ["x"], {}, {"x": "x"})
""" What stands for a value of another type. """


def recorded() -> list[Json]:
    """Return every session that was recorded, as it was and as the operator left it."""
    found = []
    for case in json.loads(RECORDED.read_text())["decisions"]:
        before = case["session"]
        after = {**before, "status": merged(before.get("status"), case["decision"]["write"] or {})}
        found += [obj for obj in (before, after) if (obj.get("status") or {}).get("state")]
    return found


def made(state: str, *, generation: int = 2, observed: int | None = 2, **conditions: str) -> Json:
    """Return a session in a state; conditions by type, with their status, or with status and reason."""
    found = []
    for kind, value in conditions.items():
        status, _, reason = value.partition(" ")
        found.append({"type": kind, "status": status, "reason": reason or "X", "message": f"{kind} is {status}"})
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": "sales", "namespace": "shop", "generation": generation},
        "spec": {"operatingMode": "Running"},
        "status": {"state": state, "observedGeneration": observed, "conditions": found},
    }


def paths(value: Any, under: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Yield the place of every value in an object."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*under, step)
        yield from paths(item, (*under, step))


def without(obj: Json, path: tuple[Step, ...]) -> Json:
    """Return a copy that lacks what is at this place."""
    changed = copy.deepcopy(obj)
    del _parent(changed, path)[path[-1]]
    return changed


def replaced(obj: Json, path: tuple[Step, ...], value: Any) -> Json:
    """Return a copy with another value at this place."""
    changed = copy.deepcopy(obj)
    _parent(changed, path)[path[-1]] = value
    return changed


def _parent(obj: Any, path: tuple[Step, ...]) -> Any:
    for step in path[:-1]:
        obj = obj[step]
    return obj
