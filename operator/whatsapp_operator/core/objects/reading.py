"""Fields of JSON that may be absent or of any shape: what cannot be read is empty, never an error.

One odd object must not stop a decision about its session, so everything that reads raw objects (`facts`, `ownership`)
reads them through here.

A pod's words are anybody's who may start a container, and a runner's are those of a foreign page. What people will read
of them goes through `redacted`, the core's one door: cut, redacted, printable. They are read anew with each look at the
session and seldom change, so what came through is remembered.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from session_protocol.quantities import BadQuantity, parse_quantity
from session_protocol.redaction import LONGEST, redact
from session_protocol.redaction.truncation import MARGIN, Keep
from session_protocol.times import parse_time

Json = Mapping[str, Any]
_OBJECT: Final = (dict, Mapping)
""" Parsed JSON is a dict, which isinstance knows five times faster than a Mapping; each round reads ten thousand pods. """

LONGEST_READ: Final = LONGEST + MARGIN + 1
""" Characters that are read of a text: as many as redaction examines, and one more, which tells it that there was more. """
_REMEMBERED: Final = 1024
""" Texts, of at most that length. """
_LONGEST_AMOUNT: Final = 64
_IDENTIFIER: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_,:./-]{0,126}[A-Za-z0-9_])?")


def part(obj: Json, name: str) -> Json:
    """Return an object's field that is an object itself."""
    value = obj.get(name)
    return value if isinstance(value, _OBJECT) else {}


def items(obj: Json, name: str) -> Iterator[Json]:
    """Return the objects in a list."""
    value = obj.get(name)
    return (item for item in value if isinstance(item, _OBJECT)) if isinstance(value, list) else iter(())


def text(obj: Json, name: str) -> str:
    """Return a field that is a text."""
    value = obj.get(name)
    return value if isinstance(value, str) else ""


def time(obj: Json, name: str) -> datetime | None:
    """Return a field that is a time; None: there is none, or it is none."""
    try:
        return parse_time(text(obj, name))
    except ValueError:
        return None


def number(obj: Json, name: str) -> int | None:
    """Return a field that is a whole number; None: there is none, or it is none."""
    value = obj.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def amount(obj: Json, name: str) -> int | None:
    """Return a field that is a quantity, in whole units; None: there is none, or it is none."""
    value = str(obj.get(name, ""))
    return _amount(value) if len(value) <= _LONGEST_AMOUNT else None


@lru_cache(maxsize=_REMEMBERED)
def _amount(quantity: str) -> int | None:
    try:
        return int(parse_quantity(quantity))
    except BadQuantity:
        return None


def free_text(obj: Json, name: str, *, keep: Keep = "end") -> str:
    """Return a field that is a text for people, redacted; of a long one the end or the start."""
    found = text(obj, name)
    return redacted(found, keep=keep)


def identifier(obj: Json, name: str) -> str:
    """Return a field that is one word, such as a reason; empty: it is none."""
    found = text(obj, name)
    return found if _IDENTIFIER.fullmatch(found) and redacted(found) == found else ""


def redacted(foreign: str, *, keep: Keep = "end") -> str:
    """Return a foreign text as people may read it, on one line; the same text is redacted once."""
    return _redacted(foreign[-LONGEST_READ:] if keep == "end" else foreign[:LONGEST_READ], keep) if foreign else ""


@lru_cache(maxsize=_REMEMBERED)
def _redacted(foreign: str, keep: Keep) -> str:
    return redact(foreign, keep=keep)
