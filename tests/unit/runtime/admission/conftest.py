"""Where the tests of rounds find their cluster."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from unit.runtime.admission.rounds_harness import Bench


@pytest.fixture
def harness() -> Bench:
    """An empty cluster."""
    return Bench()


@pytest.fixture
async def running(harness: Bench) -> AsyncIterator[Bench]:
    """The same, with the coroutine that makes the rounds."""
    task = asyncio.create_task(harness.admission.run())
    yield harness
    task.cancel()
