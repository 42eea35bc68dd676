"""From what was measured of messages to the table. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from session_bench.figures import Comparison, Row, Table

RUNNER, NODE = "runner", "one Node process"
OUT, IN = "out", "in"
FSYNC: Final = "one fsync on the same disk"
INSIDE: Final = "the page's own call, inside the page"
DIRECT_ANSWERED: Final = "the page's own call by the driver, until it returns"
DIRECT_ARRIVED: Final = "the page's own call by the driver, until the server has the text"
OVERHEAD: Final = "overhead of POST over the page's own call"
_AIMS: Final = (("p50", 50.0, 5.0), ("p99", 99.0, 25.0))
WEBHOOK_AIM: Final = 20.0
_UNITS: Final = {"texts per second": "/s", "seconds": "s", "MB": "MB"}


def answered(side: str) -> str:
    """Name the row of a POST until it is answered."""
    return f"{side}: POST of a text, until it is answered"


def arrived(side: str) -> str:
    """Name the row of a POST until the server has the text."""
    return f"{side}: POST of a text, until the server has it"


def rate(side: str) -> str:
    """Name the row of texts per second."""
    return f"{side}: texts per second, 8 chats at once"


def taken(side: str) -> str:
    """Name the row of how fast texts are taken that cannot go out yet."""
    return f"{side}: texts per second taken while the server is away"


def drained_out(side: str) -> str:
    """Name the row of how long they need to go out."""
    return f"{side}: seconds for that backlog to go out"


def stored_in(side: str) -> str:
    """Name the row of how long the page alone needs for what waits at the server."""
    return f"{side}: seconds for the page to take as many in"


def drained_in(side: str) -> str:
    """Name the row of how long they need to the receiver."""
    return f"{side}: seconds until the receiver has them"


def webhook(side: str) -> str:
    """Name the row of a webhook's latency."""
    return f"{side}: webhook, from the page to the receiver"


def file_seconds(side: str, way: str) -> str:
    """Name the row of how long a file needs."""
    return f"{side}: seconds for a file {way}"


def grown(side: str, way: str) -> str:
    """Name the row of how far its processes grow by a file, without the browser."""
    return f"{side}: MB more at the peak, file {way}, without the browser"


def browser_grown(side: str, way: str) -> str:
    """Name the row of how far the browser grows by it."""
    return f"{side}: MB more at the peak, file {way}, the browser"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that is not exceeded by so many of a hundred. :raises ValueError: without a value."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def overhead(post: Sequence[float], direct: Sequence[float]) -> list[float]:
    """Return, pair by pair, how much longer a POST takes than the page's own call."""
    return [one - other for one, other in zip(post, direct, strict=True)]


def send_table(found: Mapping[str, Sequence[float]], *, title: str) -> Table:
    """Return the table: every row, p99 where an aim has one, and the two sides compared."""
    everything = dict(found)
    remarks = []
    if DIRECT_ARRIVED in found:
        more = everything[OVERHEAD] = overhead(found[arrived(RUNNER)], found[DIRECT_ARRIVED])
        remarks += [_aim(f"{OVERHEAD}, {name}", percentile(more, share), aim) for name, share, aim in _AIMS]
    if webhook(RUNNER) in found:
        remarks.append(_aim("webhook, p50", percentile(found[webhook(RUNNER)], 50), WEBHOOK_AIM))
    rows = []
    for name, values in everything.items():
        rows.append(Row(name=name, unit=_unit(name), values=tuple(values)))
        if name in (FSYNC, OVERHEAD, DIRECT_ARRIVED, arrived(RUNNER), arrived(NODE), webhook(RUNNER), webhook(NODE)):
            rows.append(Row(name=f"  {name}, p99", unit=_unit(name), values=(percentile(values, 99),)))
    return Table(
        name="send",
        title=title,
        rows=tuple(rows),
        comparisons=_comparisons(everything),
        headline=_headline(everything),
        remarks=(
            *remarks,
            "before it answers, the runner asks whether the number is there and has the text on the disk; the Node process does neither",
            "stand-in's server, receiver and clients share the machine's cores with both sides",
        ),
    )


def _comparisons(found: Mapping[str, Sequence[float]]) -> tuple[Comparison, ...]:
    """Compare what both sides have, and a POST with the page's own call and the disk."""
    pairs = [(name, name.replace(RUNNER, NODE, 1)) for name in found if name.startswith(f"{RUNNER}:")]
    pairs += [(arrived(RUNNER), DIRECT_ARRIVED), (OVERHEAD, FSYNC)]
    return tuple(
        Comparison(row=row, to=to)
        for row, to in pairs
        if row in found and to in found and all(value for value in found[to])
    )


def _headline(found: Mapping[str, Sequence[float]]) -> Comparison | None:
    pair = Comparison(row=arrived(RUNNER), to=arrived(NODE))
    return pair if pair.row in found and pair.to in found else None


def _aim(what: str, value: float, aim: float) -> str:
    return f"{what}: {value:.1f} ms, aimed at {aim:g} at most" + ("" if value <= aim else " (missed)")


def _unit(name: str) -> str:
    return next((unit for text, unit in _UNITS.items() if text in name), "ms")
