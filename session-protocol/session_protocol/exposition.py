"""Body and headers of `/metrics`, in the format that the scraper requests, for operator and runner.

The client library writes the formats and has handlers of its own. But these choose by the order of the Accept header
and not by its qualities, repeat an unknown version as if they supported it, and fail on an invalid one. So the header
is parsed here, and the library gets only the best range. A scraper is never rejected: if it accepts no known format, it
gets the text format that every Prometheus reads.
"""

import gzip
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from multidict import MultiMapping
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

_VERSIONS: Final = {"text/plain": ("0.0.4", "1.0.0"), "application/openmetrics-text": ("1.0.0", "")}
_LONGEST: Final = 4096
""" Characters of a header that are looked at. """
_LEVEL: Final = 5
""" Of compression: the text shrinks tenfold at any, and a scrape should not hold up the loop. """


class _Range(NamedTuple):
    """One member of an Accept header."""

    name: str
    parameters: Mapping[str, str]
    quality: float


def expose(
    registry: CollectorRegistry, *, headers: MultiMapping[str], query: MultiMapping[str]
) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers for a request; with `name[]` in its query only series of these names."""
    accept, encodings = (",".join(headers.getall(name, [])) for name in ("Accept", "Accept-Encoding"))
    names = query.getall("name[]", [])
    encode, content_type = choose_encoder(_format(accept))
    body = encode(registry.restricted_registry(names) if names else registry)
    answer = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    if any(offer.name == "gzip" and offer.quality > 0 for offer in _ranges(encodings)):
        return gzip.compress(body, _LEVEL), answer | {"Content-Encoding": "gzip"}
    return body, answer


def _format(accept: str) -> str:
    """Return the best range that names a known format; empty if there is none."""
    ranges = sorted(_ranges(accept), key=lambda offer: -offer.quality)  # stable: the first of equals wins
    for name, parameters, quality in ranges:
        version = parameters.get("version", "")
        if quality > 0 and version in _VERSIONS.get(name, ()):
            return f"{name};version={version};escaping={parameters.get('escaping', '')}"
    return ""


def _ranges(header: str) -> Iterator[_Range]:
    for part in header[:_LONGEST].split(","):
        name, *rest = part.split(";")
        pairs = (text.partition("=") for text in rest)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            continue
        yield _Range(name.strip().lower(), parameters, quality if 0 <= quality <= 1 else 0)
