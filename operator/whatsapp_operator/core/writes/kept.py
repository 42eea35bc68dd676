"""What of a written status the API server did not keep, and how a decision is spared from seeing the gap.

A CustomResourceDefinition of an older release drops fields that it does not know, without a word, and refuses values
that it does not allow. Decided on what came back, the session would be decided the same way again, for ever. So the
status is compared with what came back, and what is missing is laid over the stored status from then on: it holds as long
as the process, and the message says what to do.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
Path = tuple[str, ...]
Missing = Mapping[Path, Any]
""" The values that were not kept, by where they belong. `[Ready]` is the condition of that type. """

_STEP: Final = re.compile(r"\.?([A-Za-z]+)|\[(\d+)\]")
_KEY: Final = "type"
""" By this the items of a list are told apart; all lists of a status are conditions. """


def missing(written: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[Path, Any]:
    """Return what of the written status is not in the stored one; what is stored beside it does not matter."""
    found: dict[Path, Any] = {}
    for name, value in written.items():
        kept = stored.get(name)
        if name in stored and value == kept:
            continue
        if isinstance(value, Mapping) and isinstance(kept, Mapping):
            inner = missing(value, kept)
        elif (items := _by_type(value)) is not None and (present := _by_type(kept)) is not None:
            inner = missing(items, present) if list(items) == list(present) else {(): value}
        else:
            inner = {(): value}
        found |= {(name, *path): each for path, each in inner.items()}
    return found


def overlaid(stored: Mapping[str, Any], gaps: Missing) -> Json:
    """Return the stored status with the values that were not kept."""
    result = dict(stored)
    for name in {path[0] for path in gaps}:
        inner = {path[1:]: value for path, value in gaps.items() if path[0] == name}
        if () in inner:
            result[name] = inner[()]
        elif (items := _by_type(result.get(name))) is not None:
            result[name] = list(overlaid(items, inner).values())
        else:
            part = result.get(name)
            result[name] = overlaid(part if isinstance(part, Mapping) else {}, inner)
    return result


def field_names(gaps: Missing) -> tuple[str, ...]:
    """Return the names of the fields that were not kept, each once."""
    names = {".".join(("status", *path)).replace(".[", "[") for path in gaps}
    return tuple(sorted({re.sub(r"\[\w+\]", "[]", name) for name in names}))


def without(patch: Mapping[str, Any], fields: tuple[str, ...], *, stored: Mapping[str, Any]) -> Json:
    """Return a merge patch of a status without the fields that the API server calls invalid; the same if it has none.

    A stored value of such a field is outdated and is deleted, so that nothing wrong stays; in a list the whole item goes.
    """
    result: Json = dict(patch)
    # From the last item of a list to the first, so that the positions of the others stay.
    for steps in sorted({tuple(_steps(field)) for field in fields}, key=_order, reverse=True):
        if steps:
            result = _without(result, steps, stored)
    return result


def _steps(field: str) -> list[str | int]:
    found: list[str | int] = [int(match[2]) if match[2] else match[1] for match in _STEP.finditer(field)]
    return found[1:] if found[:1] == ["status"] else []


def _order(steps: tuple[str | int, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((step, 0) if isinstance(step, str) else ("", step) for step in steps)


def _without(patch: Json, steps: tuple[str | int, ...], stored: Mapping[str, Any]) -> Json:
    first, rest = str(steps[0]), steps[1:]
    if first not in patch:
        return patch
    result, value = dict(patch), patch[first]
    if rest and isinstance(rest[0], int) and isinstance(value, list):
        result[first] = [item for position, item in enumerate(value) if position != rest[0]]
    elif rest and isinstance(value, Mapping):
        part = stored.get(first)
        result[first] = _without(dict(value), rest, part if isinstance(part, Mapping) else {})
    elif first in stored and value is not None:
        result[first] = None
    else:
        del result[first]
    return result


def _by_type(value: Any) -> Json | None:
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) and _KEY in item for item in value):
        return None
    return {f"[{item[_KEY]}]": item for item in value}
