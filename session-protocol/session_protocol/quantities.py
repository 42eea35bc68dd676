"""Kubernetes quantities ("384Mi", "100m", 2) as exact decimals: bytes for memory, CPUs for cpu.

The models parse with `parse_quantity`, and everything that shows an amount (status, pods, messages) formats with
`format_quantity`. The rules are the API server's: the same suffixes, at most nine decimal places (more are rounded
away from zero) and at most 2^63-1 in size. The client library (`kubernetes.utils.quantity`) has a parser and a formatter
too, but it takes more than the API server does (NaN, 1_000, digits of other scripts), has no shortest spelling, and
the API's models must not load the client. Hence these few lines, which tests compare with the library and the real API
server.
"""

import re
from decimal import ROUND_UP, Context, Decimal
from typing import Final

KI: Final = Decimal(2**10)
MI: Final = Decimal(2**20)
GI: Final = Decimal(2**30)

MAXIMUM: Final = Decimal(2**63 - 1)
""" The largest amount; the API server reduces a greater one to it. """
NANO: Final = Decimal("1e-9")
""" The smallest amount; smaller parts are rounded up to it. """

_BINARY: Final = {"Ei": 2**60, "Pi": 2**50, "Ti": 2**40, "Gi": 2**30, "Mi": 2**20, "Ki": 2**10}
_DECIMAL: Final = {"E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "": 0, "m": -3, "u": -6, "n": -9}
_SYNTAX: Final = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,9})?"
)
_EXACT: Final = Context(prec=400)
_FAR: Final = 64
"""An exponent beyond this is above MAXIMUM or below NANO whatever the number before it (a text has few digits)."""


class BadQuantity(ValueError):
    """The text is not a Kubernetes quantity."""


def parse_quantity(given: str | int | Decimal) -> Decimal:
    """Return the exact amount of a quantity as written in a manifest; a Decimal passes unchanged.

    :raises BadQuantity: the text is not a quantity; the message gives an example.
    """
    if isinstance(given, Decimal):
        return given
    text = str(given)
    match = _SYNTAX.fullmatch(text)
    if match is None or isinstance(given, bool) or len(text) > _FAR:
        raise BadQuantity("should be a quantity such as 384Mi, 1Gi, 500m or 2")
    number, suffix = Decimal(match["number"]), match["suffix"] or ""
    if suffix in _BINARY:
        return _bounded(_EXACT.multiply(number, Decimal(_BINARY[suffix])))
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    if not number:
        return Decimal(0)
    if abs(exponent) > 2 * _FAR:
        return (MAXIMUM if exponent > 0 else NANO).copy_sign(number)
    return _bounded(_EXACT.multiply(number, Decimal((0, (1,), exponent))))


def _bounded(amount: Decimal) -> Decimal:
    if abs(amount) >= MAXIMUM:
        return MAXIMUM.copy_sign(amount)
    return amount.quantize(NANO, rounding=ROUND_UP, context=_EXACT).normalize(_EXACT) + 0


def format_quantity(amount: Decimal) -> str:
    """Return the shortest exact spelling, the binary one when both are as short: 2304Mi, 8G, 100m, 1500.

    It parses back to the same amount. An amount finer than NANO is rounded up to it, as the API server does.
    """
    amount = _bounded(amount)
    binary = next(
        (f"{amount / factor:.0f}{suffix}" for suffix, factor in _BINARY.items() if amount and amount % factor == 0),
        None,
    )
    scaled = ((amount.scaleb(-power, _EXACT), suffix) for suffix, power in _DECIMAL.items())
    decimal = next(f"{number:.0f}{suffix}" for number, suffix in scaled if number == number.to_integral_value())
    if not amount:
        return "0"
    return binary if binary is not None and len(binary) <= len(decimal) else decimal
