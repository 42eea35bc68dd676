"""Scrapes: one measurement for all who ask within five seconds, made where it holds up nobody."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from multidict import CIMultiDict, MultiDict
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from session_protocol.exposition import Exposed, Form, Source, expose
from session_protocol.scrapes import MAX_AGE, MOST_TEXTS, Scrapes, shows

TOKEN = "f" * 32


class Measured(Collector):
    """Something that is counted each time it is measured."""

    def __init__(self) -> None:
        self.times = 0
        self.threads: set[str] = set()

    def describe(self) -> Iterator[Metric]:
        """Say what there is without measuring it."""
        yield GaugeMetricFamily("times_measured", "Times.")

    def collect(self) -> Iterator[Metric]:
        """Measure."""
        self.times += 1
        self.threads.add(threading.current_thread().name)
        yield GaugeMetricFamily("times_measured", "Times.", value=self.times)


class Scraped:
    """Scrapes of a registry with one thing in it, at a time that a test sets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.measured = Measured()
        self.registry.register(self.measured)
        self.now = 100.0
        self.prepared = 0
        self.scrapes = Scrapes(self.registry, measure=self._prepare, monotonic=lambda: self.now)

    def _prepare(self) -> None:
        self.prepared += 1

    async def ask(self, *names: str, **headers: str) -> str:
        """Scrape."""
        query = MultiDict([("name[]", name) for name in names])
        body, _ = await self.scrapes.answer(headers=CIMultiDict(headers), query=query)
        return body.decode()


def count_texts(monkeypatch: pytest.MonkeyPatch) -> list[Form]:
    """Return the formats of the texts that are written from now on."""
    written: list[Form] = []

    def counted(source: Source, form: Form) -> Exposed:
        written.append(form)
        return expose(source, form)

    monkeypatch.setattr("session_protocol.scrapes.expose", counted)
    return written


@pytest.fixture
def scraped() -> Scraped:
    """One that was not asked yet."""
    return Scraped()


async def test_it_is_measured_at_most_every_five_seconds(scraped: Scraped) -> None:
    """Whatever is asked for, and in which format."""
    first = await scraped.ask()
    scraped.now += MAX_AGE - 0.1
    same = [await scraped.ask(), await scraped.ask("times_measured"), await scraped.ask(Accept="text/html")]
    other = await scraped.ask(Accept="application/openmetrics-text")
    scraped.now += 0.1
    second = await scraped.ask()

    assert "times_measured 1.0" in first
    assert [first] * 3 == same
    assert "times_measured 1.0" in other
    assert "times_measured 2.0" in second
    assert (2, 2) == (scraped.measured.times, scraped.prepared)


async def test_a_measurement_can_be_thrown_away(scraped: Scraped) -> None:
    """Also one that is being made: what it tells may be over."""
    first = asyncio.ensure_future(scraped.ask())
    await asyncio.sleep(0)
    scraped.scrapes.forget()
    await first
    second = await scraped.ask()

    assert "times_measured 2.0" in second
    assert second == await scraped.ask()


async def test_a_failed_measurement_is_made_again(scraped: Scraped, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next scraper does not get the one before it for five seconds."""
    await scraped.ask()
    scraped.now += MAX_AGE
    with monkeypatch.context() as patched:
        patched.setattr(scraped.measured, "collect", lambda: (_ for _ in ()).throw(OSError("broken")))
        with pytest.raises(OSError, match="broken"):
            await scraped.ask()

    assert "times_measured 2.0" in await scraped.ask()


async def test_many_at_once_are_answered_by_one_measurement(scraped: Scraped) -> None:
    """They wait for it and do not make one each."""
    texts = await asyncio.gather(*(scraped.ask() for _ in range(50)))

    assert (1, 1) == (scraped.measured.times, len(set(texts)))


async def test_it_is_measured_in_a_thread(scraped: Scraped) -> None:
    """The event loop goes on meanwhile."""
    await scraped.ask()

    assert threading.main_thread().name not in scraped.measured.threads


async def test_one_text_is_kept_for_each_format(scraped: Scraped) -> None:
    """Foreign words in a header make no further ones."""
    for number in range(100):
        await scraped.ask(**{"Accept": f"text/plain;version=1.0.0;escaping={number}", "Accept-Encoding": f"x{number}"})

    assert 1 == len(scraped.scrapes._texts)


async def test_only_the_named_samples(scraped: Scraped) -> None:
    """Of a family with several, too."""
    Counter("other", "Other.", registry=scraped.registry)

    assert "other_total 0.0" == (await scraped.ask("other_total")).splitlines()[-1]
    assert "other_created" not in await scraped.ask("other_total")
    assert "" == await scraped.ask("none")


async def test_a_choice_of_names_is_written_once(scraped: Scraped, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, with names that nothing has, and again only from the next measurement."""
    written = count_texts(monkeypatch)
    for number in range(50):
        await scraped.ask("times_measured", f"none{number}")
        await scraped.ask(f"none{number}", "times_measured", "times_measured")
        await scraped.ask(f"none{number}")
    first = len(written)
    scraped.now += MAX_AGE

    assert "times_measured 2.0" in await scraped.ask("times_measured")
    assert (2, 3) == (first, len(written))


async def test_choices_without_end_make_few_texts(scraped: Scraped, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes too late gets all metrics, which have a text; who asked before still gets what he asked for."""
    written = count_texts(monkeypatch)
    for number in range(100):
        Gauge(f"g{number}", "One.", registry=scraped.registry)
    texts = [await scraped.ask(f"g{number}", f"g{number // 2}") for number in range(100)]
    again = await scraped.ask("g7", "g3")

    assert MOST_TEXTS + 1 == len(written)
    assert ["g7 0.0", "g3 0.0"] == [line for line in reversed(again.splitlines()) if not line.startswith("#")]
    assert {await scraped.ask()} == set(texts[MOST_TEXTS:])


@pytest.mark.parametrize(
    ("authorization", "token", "expected"),
    [
        (f"Bearer {TOKEN}", TOKEN, True),
        (f"bearer  {TOKEN} ", TOKEN, True),
        (f"Basic {TOKEN}", TOKEN, False),
        (TOKEN, TOKEN, False),
        (f"Bearer {TOKEN}0", TOKEN, False),
        ("Bearer \udcff", TOKEN, False),
        ("Bearer ", "", False),
        ("", "", False),
        (None, TOKEN, False),
    ],
)
def test_a_token_is_shown(authorization: str | None, token: str, *, expected: bool) -> None:
    """An empty one opens nothing."""
    assert expected == shows(authorization, token)
