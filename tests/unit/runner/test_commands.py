"""The door between HTTP and the page: order, deadline, cancellation, and a page that is not there."""

import asyncio
from typing import Any

import pytest
from session_runner.commands import (
    MAX_WAITING,
    Commands,
    CommandTimeoutError,
    NoPageError,
    Page,
    TooManyCommandsError,
)
from session_runner.page.errors import PageGoneError


class FakePage:
    """A page that writes down what it is told, and answers when it may."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.may = asyncio.Event()

    async def call(self, script: str, argument: Any = None) -> Any:
        """Write it down; answer with the same."""
        self.calls.append((script, argument))
        await self.may.wait()
        return argument


@pytest.fixture
def fake_page() -> FakePage:
    """A page that answers at once only when the test lets it."""
    return FakePage()


@pytest.fixture
def door(fake_page: FakePage) -> Commands:
    """A door that is open to it."""
    door = Commands()
    door.open(fake_page)
    return door


def write(number: int, *, door: Commands, deadline: float = 5.0) -> "asyncio.Task[Any]":
    """Ask for a command with that argument."""

    async def command(page: Page) -> Any:
        return await page.call("write.js", number)

    return asyncio.create_task(door.run(command, deadline=deadline))


async def settled() -> None:
    """Let everything happen that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_commands_go_in_the_order_in_which_they_were_asked(door: Commands, fake_page: FakePage) -> None:
    """One at a time, each with its argument, and each caller gets his own answer."""
    asked = [write(number, door=door) for number in range(5)]
    await settled()
    first_alone = list(fake_page.calls)
    fake_page.may.set()

    assert [0, 1, 2, 3, 4] == await asyncio.gather(*asked)
    assert [("write.js", 0)] == first_alone
    assert [("write.js", number) for number in range(5)] == fake_page.calls


async def test_the_deadline_ends_a_command_and_the_next_one_goes(door: Commands, fake_page: FakePage) -> None:
    """A page that does not answer holds nobody up for longer than that."""
    slow = write(1, door=door, deadline=0.02)
    next_one = write(2, door=door)

    with pytest.raises(CommandTimeoutError):
        await slow
    fake_page.may.set()

    assert 2 == await next_one


async def test_the_deadline_counts_from_the_asking(door: Commands, fake_page: FakePage) -> None:
    """Who waits behind a slow command is answered in time, and his command is never begun."""
    first = write(1, door=door)
    with pytest.raises(CommandTimeoutError):
        await write(2, door=door, deadline=0.02)
    fake_page.may.set()

    assert 1 == await first
    await settled()
    assert [("write.js", 1)] == fake_page.calls


async def test_who_is_cancelled_while_waiting_leaves_the_queue(door: Commands, fake_page: FakePage) -> None:
    """Nothing of that command is done; those behind it move up."""
    first, second, third = (write(number, door=door) for number in range(3))
    await settled()
    second.cancel()
    fake_page.may.set()

    assert [0, 2] == [await first, await third]
    assert [("write.js", 0), ("write.js", 2)] == fake_page.calls
    assert second.cancelled()


async def test_who_is_cancelled_in_the_middle_gives_the_turn_on(door: Commands, fake_page: FakePage) -> None:
    """A command that is broken off leaves no lock behind."""
    first, second = write(1, door=door), write(2, door=door)
    await settled()
    first.cancel()
    await settled()
    fake_page.may.set()

    assert 2 == await second
    assert first.cancelled()


async def test_without_a_page_nothing_is_done() -> None:
    """Before the page is fetched, and while it stays closed."""
    with pytest.raises(NoPageError):
        await write(1, door=Commands())


async def test_a_page_that_closes_meanwhile_is_not_used(door: Commands, fake_page: FakePage) -> None:
    """Who waited for his turn is told that there is no page."""
    first, second = write(1, door=door), write(2, door=door)
    await settled()
    door.close()
    fake_page.may.set()

    assert 1 == await first
    with pytest.raises(NoPageError):
        await second
    assert [("write.js", 1)] == fake_page.calls


async def test_a_page_that_dies_is_no_page(door: Commands) -> None:
    """The caller need not know of two ways in which a page is not there."""

    async def command(_page: Page) -> None:
        raise PageGoneError("Target crashed")

    with pytest.raises(NoPageError):
        await door.run(command, deadline=1)


async def test_a_timeout_within_a_command_is_its_own(door: Commands) -> None:
    """Only the door's deadline is told as the door's deadline."""

    async def command(_page: Page) -> None:
        raise TimeoutError("of something else")

    with pytest.raises(TimeoutError, match="of something else"):
        await door.run(command, deadline=1)


async def test_a_program_gone_wild_is_refused(door: Commands, fake_page: FakePage) -> None:
    """So many may wait; when they are done, there is room again."""
    asked = [write(number, door=door) for number in range(MAX_WAITING)]
    await settled()
    with pytest.raises(TooManyCommandsError):
        await write(99, door=door)
    fake_page.may.set()
    await asyncio.gather(*asked)

    assert 100 == await write(100, door=door)
    assert ("write.js", 99) not in fake_page.calls
