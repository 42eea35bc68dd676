"""Metrics in the format that a scraper asks for, of operator and runner alike; promtool reads them in tests/manifests."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from support.registries import REGISTRIES, ask

TEXT = "text/plain; version=0.0.4; charset=utf-8"
TEXT_1 = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
UNDERSCORES = f"{OPENMETRICS}; escaping=underscores"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ([], TEXT),
        ([""], TEXT),
        (["*/*"], TEXT),
        (["text/html"], TEXT),
        (["text/plain"], TEXT),
        (["text/plain;version=0.0.4"], TEXT),
        (["text/plain; version=0.0.4"], TEXT),
        (['text/plain; version="0.0.4"'], TEXT),
        (["text/plain;version=1.0.0"], TEXT_1),
        (["application/openmetrics-text"], OPENMETRICS),
        (["application/openmetrics-text; version=1.0.0"], UNDERSCORES),
        (["APPLICATION/OpenMetrics-Text;Version=1.0.0"], UNDERSCORES),
        (["text/plain;version=0.0.4;q=0.5", "application/openmetrics-text;version=1.0.0"], UNDERSCORES),
        (["application/openmetrics-text;version=1.0.0;q=0.1,text/plain;version=0.0.4;q=0.9"], TEXT),
        (["text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.9"], TEXT),
        (["application/openmetrics-text;version=1.0.0;q=0"], TEXT),
        (["application/openmetrics-text;version=1.0.0;q=nan"], TEXT),
        (["application/openmetrics-text;version=1.0.0;q=x"], TEXT),
        (["application/openmetrics-text;version=0.0.1"], TEXT),
        (["application/openmetrics-text;version=99"], TEXT),
        (["application/openmetrics-text;version=1.0.0.\udcff"], TEXT),
        (["text/plain;version=x"], TEXT),
        (["text/plain;version=1.0.0;escaping=foreign"], TEXT_1),
        ([";;;,,,=;q"], TEXT),
        ([PROMETHEUS_2], UNDERSCORES),
        ([PROMETHEUS_3], f"{OPENMETRICS}; escaping=allow-utf-8"),
    ],
)
def test_the_format_is_the_one_that_is_asked_for(accept: list[str], expected: str) -> None:
    """By quality, then by order; a version that nobody speaks is not promised, and nobody is refused."""
    body, headers = ask(REGISTRIES["runner"], *accept)

    assert expected == headers["Content-Type"]
    assert ("openmetrics" in expected) == body.endswith(b"# EOF\n")


@given(accept=st.text(max_size=80) | st.text(alphabet="aptexlin/;,=v0.19q* \"'", max_size=80))
def test_no_header_makes_it_fail(accept: str) -> None:
    """Whoever reaches the port may send anything; what is sent back is never taken from it."""
    _, headers = ask(CollectorRegistry(), accept, encodings=accept)

    assert headers["Content-Type"].isascii()


@pytest.mark.parametrize("name", REGISTRIES)
def test_openmetrics_are_strict(name: str) -> None:
    """The strict parser takes all of it."""
    body, _ = ask(REGISTRIES[name], "application/openmetrics-text;version=1.0.0")

    assert len(list(parse_openmetrics(body.decode()))) > 10  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("accept", ["", "text/plain;version=0.0.4", "text/plain;version=1.0.0"])
@pytest.mark.parametrize("name", REGISTRIES)
def test_text_is_text(name: str, accept: str) -> None:
    """Of types and lines that the text format does not know there is none."""
    body, _ = ask(REGISTRIES[name], accept)
    types = {line.rsplit(" ", 1)[1] for line in body.decode().splitlines() if line.startswith("# TYPE ")}

    assert len(list(parse_text(body.decode()))) > 10
    assert types <= {"counter", "gauge", "histogram", "summary", "untyped"}
    assert b"# EOF" not in body


@pytest.mark.parametrize(
    ("encodings", "expected"),
    [(None, None), ("identity", None), ("gzip", "gzip"), ("deflate, GZIP;q=0.5", "gzip"), ("gzip;q=0", None)],
)
def test_it_is_compressed_for_whom_that_is_good(encodings: str | None, expected: str | None) -> None:
    """The header says which way, and the text is the same."""
    registry = CollectorRegistry()
    plain, _ = ask(registry)
    body, headers = ask(registry, encodings=encodings)

    assert expected == headers.get("Content-Encoding")
    assert plain == (gzip.decompress(body) if expected else body)


def test_only_the_named_series() -> None:
    """`name[]` may be repeated; a name that is none gives nothing."""
    body, _ = ask(REGISTRIES["runner"], names=("whatsapp_runner_qr_rounds_total", "whatsapp_runner_page_loads_total"))
    samples = [line for line in body.decode().splitlines() if not line.startswith("#")]
    nothing, _ = ask(REGISTRIES["runner"], names=("none",))

    assert {"whatsapp_runner_qr_rounds_total 0.0", "whatsapp_runner_page_loads_total 0.0"} == set(samples)
    assert b"" == nothing
