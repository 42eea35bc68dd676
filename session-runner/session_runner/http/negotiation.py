"""Chooses the media type of an answer from the Accept header. Pure; used by the QR route."""

from __future__ import annotations

from collections.abc import Sequence


def best_type(accept: str, offered: Sequence[str]) -> str | None:
    """The offered type with the highest quality, earlier offers winning ties; `None` when nothing fits.

    An absent or empty header accepts everything. The most specific range that fits an offer decides its quality.
    """
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    rated = [(_quality(offer, ranges), offer) for offer in offered]
    best = max(rated, key=lambda pair: pair[0], default=(0.0, ""))
    return best[1] if best[0] > 0 else None


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _quality(offer: str, ranges: list[tuple[str, float]]) -> float:
    kind = offer.split("/", maxsplit=1)[0]
    for fitting in (offer, f"{kind}/*", "*/*"):
        qualities = [quality for name, quality in ranges if name == fitting]
        if qualities:
            return max(qualities)
    return 0.0
