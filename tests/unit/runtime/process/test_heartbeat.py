"""The heartbeat of the event loop, and the lag that it shows."""

import asyncio

import pytest
from unit.runtime.fakes import FakeClock, settle
from whatsapp_operator.runtime.process.heartbeat import INTERVAL, beat


async def test_it_beats_at_every_interval() -> None:
    """Without lag while nothing holds the loop."""
    clock, lags = FakeClock(), list[float]()
    beating = asyncio.create_task(beat(clock, lags.append))
    await settle()
    await clock.advance(10.05 * INTERVAL)
    beating.cancel()

    assert pytest.approx([0.0] * 10) == lags


async def test_a_blocked_loop_is_late() -> None:
    """By as much as was left of the work when the beat was due."""
    clock, lags = FakeClock(), list[float]()
    beating = asyncio.create_task(beat(clock, lags.append))
    await settle()
    clock.seconds += 3.0  # time goes by, and no timer fires
    await clock.advance(0)
    beating.cancel()

    assert pytest.approx([3.0 - INTERVAL]) == lags
