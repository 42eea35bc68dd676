"""The driver that starts before it is known whether a browser is wanted."""

import asyncio
from typing import Any

import pytest
from session_runner.page import driver
from session_runner.page.driver import EarlyDriver
from session_runner.page.errors import LaunchError


class Drivers:
    """Stands for Playwright's: counts what is started and stopped."""

    def __init__(self) -> None:
        self.started = 0
        self.stopped: list[Any] = []
        self.may_start = asyncio.Event()
        self.fails = False

    async def start(self) -> Any:
        """Return the number of this one, as soon as it may start."""
        self.started += 1
        number = self.started
        await self.may_start.wait()
        if self.fails:
            raise LaunchError("no memory")
        return number

    async def stop(self, number: Any) -> None:
        """Be stopped."""
        self.stopped.append(number)


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> Drivers:
    """Those that are started here."""
    made = Drivers()
    monkeypatch.setattr(driver, "start_driver", made.start)
    monkeypatch.setattr(driver, "stop_driver", made.stop)
    return made


async def test_what_was_started_early_is_taken_once(drivers: Drivers) -> None:
    """It starts before it is asked for; who asks again, for a browser that is opened anew, gets another one."""
    early = EarlyDriver()
    early.start()
    await asyncio.sleep(0)
    assert drivers.started == 1
    drivers.may_start.set()

    taken: list[Any] = [await early.take(), await early.take()]
    assert taken == [1, 2]
    await early.drop()
    assert drivers.stopped == []


async def test_what_was_never_started_is_started_when_it_is_taken(drivers: Drivers) -> None:
    """Where nothing is started early, nothing is to be ended either."""
    early = EarlyDriver()
    await early.drop()
    drivers.may_start.set()

    taken: Any = await early.take()
    assert taken == 1


@pytest.mark.parametrize("is_there", [False, True])
async def test_what_nobody_takes_is_ended(drivers: Drivers, *, is_there: bool) -> None:
    """A session that stays closed keeps no driver, whether that has come up by then or not; another end does nothing."""
    early = EarlyDriver()
    early.start()
    await asyncio.sleep(0)
    if is_there:
        drivers.may_start.set()
        await asyncio.sleep(0.01)
    await early.drop()
    await early.drop()

    assert drivers.stopped == ([1] if is_there else [])
    assert len(asyncio.all_tasks()) == 1


async def test_a_driver_that_does_not_start_is_the_error_of_who_takes_it(drivers: Drivers) -> None:
    """And of nobody else: one that is dropped has failed without a word."""
    drivers.fails = True
    drivers.may_start.set()
    early = EarlyDriver()
    early.start()
    with pytest.raises(LaunchError, match="no memory"):
        await early.take()
    early.start()
    await asyncio.sleep(0.01)
    await early.drop()

    assert drivers.stopped == []
