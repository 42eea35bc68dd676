"""Kubernetes quantities to bytes and back. Claims ask in any of the API's notations: `1Gi`, `1.5G`, `1e9`, `500M`."""

import re
from decimal import Decimal
from typing import Final

MIB: Final = 1024**2
GIB: Final = 1024**3

_SUFFIXES: Final = {
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    "m": Decimal("0.001"),
    "u": Decimal("0.000001"),
    "n": Decimal("0.000000001"),
    "": Decimal(1),
}

# An exponent is digits: "1E" is an exabyte, "1E3" a thousand.
_QUANTITY: Final = re.compile(r"(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)(?P<suffix>[KMGTPE]i|[numkMGTPE]|)")


class QuantityError(ValueError):
    """The text is no Kubernetes quantity."""


def parse_bytes(text: str) -> int:
    """Whole bytes, rounded up as the API server does with fractions. Raises QuantityError."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise QuantityError(f"{text!r} is no quantity; write it like 1Gi or 500M")
    value = Decimal(found["number"]) * _SUFFIXES[found["suffix"]]
    return int(value.to_integral_value(rounding="ROUND_CEILING"))


def format_bytes(count: int) -> str:
    """The shortest exact binary notation of a byte count, for objects: `1Gi`, `1536Mi`, `1000`."""
    for power, letter in reversed(list(enumerate("KMGTPE", start=1))):
        whole, rest = divmod(count, 1024**power)
        if whole and not rest:
            return f"{whole}{letter}i"
    return str(count)


def rough_bytes(count: int) -> str:
    """A byte count for a person's eye, in an event's message: `1.2 GiB`."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"
