"""The cluster in memory that most stories begin with; a file that needs another one has its own."""

from collections.abc import AsyncIterator

import pytest
from unit.runtime.simulation import Simulation


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with a namespace and twenty places."""
    simulation = Simulation()
    simulation.namespace()
    simulation.quota(sessions=20)
    yield simulation
    await simulation.stop()
