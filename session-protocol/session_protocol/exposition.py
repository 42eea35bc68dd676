"""Body and headers of `/metrics`, in the format that the scraper requests, for operator and runner.

The client library writes the formats and has handlers of its own. But these choose by the order of the Accept header
and not by its qualities, repeat an unknown version as if they supported it, and fail on an invalid one. So the header
is parsed here, and the library gets only the best range. A scraper is never rejected: if it accepts no known format, it
gets the text format that every Prometheus reads.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

from multidict import MultiMapping
from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder

_VERSIONS: Final = {"text/plain": ("0.0.4", "1.0.0"), "application/openmetrics-text": ("1.0.0", "")}
_ESCAPINGS: Final = ("allow-utf-8", "underscores", "dots", "values")
_LONGEST: Final = 4096
""" Characters of a header that are looked at. """
_LEVEL: Final = 5
""" Of compression: the text shrinks tenfold at any. """


class _Range(NamedTuple):
    """One member of an Accept header."""

    name: str
    parameters: Mapping[str, str]
    quality: float


class Form(NamedTuple):
    """How a scraper wants the text."""

    content_type: str
    """ What names the format to the library; empty: the one that every Prometheus reads. """
    gzip: bool


class Source(Protocol):
    """A registry, or what is as good as one."""

    def collect(self) -> Iterable[Metric]:
        """Return all metrics."""


Exposed = tuple[bytes, dict[str, str]]
""" Body and headers. """


def form_of(headers: MultiMapping[str]) -> Form:
    """Return what a scraper wants, by the headers of its request."""
    accept, encodings = (",".join(headers.getall(name, [])) for name in ("Accept", "Accept-Encoding"))
    return Form(_format(accept), any(offer.name == "gzip" and offer.quality > 0 for offer in _ranges(encodings)))


def expose(source: Source, form: Form) -> Exposed:
    """Return the body and the headers."""
    encode, content_type = choose_encoder(form.content_type)
    body = encode(source)  # all it does is collect
    answer = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    if form.gzip:
        return gzip.compress(body, _LEVEL), answer | {"Content-Encoding": "gzip"}
    return body, answer


def _format(accept: str) -> str:
    """Return the best range that names a known format; empty if there is none."""
    ranges = sorted(_ranges(accept), key=lambda offer: -offer.quality)  # stable: the first of equals wins
    for name, parameters, quality in ranges:
        version = parameters.get("version", "")
        if quality > 0 and version in _VERSIONS.get(name, ()):
            escaping = parameters.get("escaping", "")
            return f"{name};version={version};escaping={escaping if escaping in _ESCAPINGS else ''}"
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
