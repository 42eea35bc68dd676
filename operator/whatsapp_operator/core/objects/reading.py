"""Fields of JSON that may be absent or of any shape: what cannot be read is empty, never an error.

One odd object must not stop a decision about its session, so everything that reads raw objects (`facts`, `ownership`)
reads them through here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]


def part(obj: Json, name: str) -> Json:
    """Return an object's field that is an object itself."""
    value = obj.get(name)
    return value if isinstance(value, Mapping) else {}


def items(obj: Json, name: str) -> Iterator[Json]:
    """Return the objects in a list."""
    value = obj.get(name)
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def text(obj: Json, name: str) -> str:
    """Return a field that is a text."""
    value = obj.get(name)
    return value if isinstance(value, str) else ""
