"""What a scrape of ten thousand sessions costs whoever shares the event loop with it."""

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest
from multidict import CIMultiDict, MultiDict
from session_protocol.scrapes import Scrapes
from whatsapp_operator.app.metrics_page import worst_case
from whatsapp_operator.runtime.metrics.fleet import Fleet
from whatsapp_operator.runtime.process.metrics import Metrics

pytestmark = pytest.mark.slow

SESSIONS = 10_000
LONGEST = 0.05
""" Seconds: what nothing in the loop may take. """


async def longest_pause(scrapes: Scrapes) -> float:
    """Return the most that the process computed while the loop had no turn, during one scrape.

    It is processor time, which other programs of the machine do not lengthen.
    """
    scrapes.forget()
    scrape = asyncio.ensure_future(scrapes.answer(headers=CIMultiDict(), query=MultiDict()))
    longest = 0.0
    while not scrape.done():
        began = time.process_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.process_time() - began)
    body, _ = await scrape
    assert body.count(b"whatsapp_session_state{") == SESSIONS
    return longest


@pytest.fixture
def known() -> Fleet:
    """All that an operator knows."""
    return worst_case(SESSIONS)


@pytest.fixture
def _frozen(known: Fleet) -> Iterator[None]:  # noqa: ARG001 -- it has to be there before
    """What there is does not count when garbage is searched for, as in an operator after its first full list."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_frozen")
async def test_the_event_loop_goes_on(known: Fleet) -> None:
    """With series for all of them, and the measurement before dropped."""
    metrics = Metrics(sessions_limit=SESSIONS)
    scrapes = Scrapes(metrics.registry, measure=lambda: metrics.fleet.show(known))

    assert max([await longest_pause(scrapes) for _ in range(2)]) < LONGEST
