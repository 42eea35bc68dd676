"""What the tests of the poller stand on."""

from collections.abc import AsyncIterator

import pytest
from unit.runtime.fakes import FakeClock, exactly
from unit.runtime.runners.listeners import ScriptedListener
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.runners.poller import RunnerPoller


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def runner(clock: FakeClock) -> ScriptedListener:
    """A runner that waits for its QR code to be scanned."""
    return ScriptedListener(clock)


@pytest.fixture
def changed() -> list[ObjectKey]:
    """Which sessions the operator was told about."""
    return []


@pytest.fixture
async def runners(clock: FakeClock, runner: ScriptedListener, changed: list[ObjectKey]) -> AsyncIterator[RunnerPoller]:
    """The listeners of one operator."""
    runners = RunnerPoller(client=runner, clock=clock, on_changed=changed.append, jitter=exactly)
    yield runners
    await runners.close()
