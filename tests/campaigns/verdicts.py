"""Claims, and whether what was seen bears them out. Pure."""

from collections.abc import Sequence
from typing import NamedTuple


class Verdict(NamedTuple):
    """One thing that has to hold."""

    claim: str
    held: bool
    seen: str
    measured: bool = False
    """ It depends on how fast the machine is, so no test fails by it. """


def percentile(values: Sequence[float], share: float = 0.99) -> float:
    """Return the value that this share of them does not exceed; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def render(verdicts: Sequence[Verdict]) -> str:
    """Return them as lines for people."""
    return "\n".join(
        f"{'held  ' if verdict.held else 'FAILED'}  {verdict.claim}: {verdict.seen}" for verdict in verdicts
    )


def broken(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return those that did not hold, whatever the machine."""
    return [verdict for verdict in verdicts if not verdict.held and not verdict.measured]
