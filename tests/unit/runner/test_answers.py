"""The health check means what it says: a busy page lives, a dead one is noticed, and the silence is silences meanwhile."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest
from fake_time import in_fake_time
from session_runner.monitoring.answers import QUIET_SECONDS, Answers
from session_runner.page.errors import NavigationError, PageGoneError, ProbeTimeoutError
from session_runner.states.facts import Facts
from session_runner.states.fetch_failures import no_answer


class Outcome(NamedTuple):
    """What came of one probe."""

    died_after: float | None
    """ Seconds until it counted as dead; None: it answered. """
    took: float
    quiet: int
    """ How often the silence was reported. """


class BusyPage:
    """Answers whatever it was asked when it is no longer busy."""

    def __init__(self, *, until: float = 0) -> None:
        self.free = asyncio.Event()
        self.asked = 0
        asyncio.get_running_loop().call_later(until, self.free.set)

    async def probe(self, *, deadline: float) -> Facts:
        """Wait, as the real one does."""
        self.asked += 1
        try:
            async with asyncio.timeout(deadline):
                await self.free.wait()
        except TimeoutError as error:
            raise ProbeTimeoutError from error
        return Facts(booted=True)

    async def ask(self, name: str, _argument: object = None, /, *, deadline: float) -> str | None:
        """Wait for that, too; late is no answer."""
        try:
            async with asyncio.timeout(deadline):
                await self.free.wait()
        except TimeoutError:
            return None
        return name


def answers(
    *, health: float = 45, protocol: float = 60, pending: Callable[[float], None] = lambda _: None
) -> tuple[Answers, list[float]]:
    """With the moments at which the silence was reported."""
    loop, silences = asyncio.get_running_loop(), list[float]()
    return (
        Answers(
            health_check=health,
            protocol=protocol,
            monotonic=loop.time,
            silent=lambda: silences.append(loop.time()),
            pending=pending,
        ),
        silences,
    )


def probe(*, health: float, busy: float) -> Outcome:
    """Probe a page once that is busy for so long."""

    async def run() -> Outcome:
        loop = asyncio.get_running_loop()
        ours, silences = answers(health=health)
        began = loop.time()
        try:
            await ours.probe(BusyPage(until=busy))
        except ProbeTimeoutError:
            return Outcome(loop.time() - began, loop.time() - began, len(silences))
        return Outcome(None, loop.time() - began, len(silences))

    return in_fake_time(run())


@pytest.mark.parametrize(
    ("health", "busy"),
    [
        (45, 35),
        (45, 44.9),
        (120, 100),
        (120, 119),
        (3, 2.9),
        (3, 0),
        pytest.param(86_400, 86_000, marks=pytest.mark.slow),
        (10, 9.5),
    ],
)
def test_a_page_that_is_busy_for_less_is_not_dead(health: float, busy: float) -> None:
    """Its answer counts, however late within the time."""
    outcome = probe(health=health, busy=busy)

    assert outcome.died_after is None
    assert pytest.approx(busy, abs=0.1) == outcome.took


@pytest.mark.parametrize("health", [3, 10, 45, 120, pytest.param(86_400, marks=pytest.mark.slow)])
def test_a_page_that_gives_no_answer_is_dead_after_exactly_that_time(health: float) -> None:
    """Neither sooner nor later."""
    assert pytest.approx(health, abs=0.1) == probe(health=health, busy=10**6).died_after


@pytest.mark.parametrize(
    ("health", "busy", "reports"), [(45, 9, 0), (45, 12, 1), (45, 44, 1), (3, 1, 0), (3, 2.9, 1), (86_400, 5000, 1)]
)
def test_a_silence_is_reported_once(health: float, busy: float, reports: int) -> None:
    """After ten seconds, or half of a shorter health check: not each second, and not for what is merely slow."""
    assert reports == probe(health=health, busy=busy).quiet


def test_an_answer_in_between_begins_the_time_anew() -> None:
    """Twice 40 s of silence with an answer between them are no 45 s."""

    async def run() -> int:
        ours, silences = answers(health=45)
        for _ in range(3):
            await ours.probe(BusyPage(until=40))
        return len(silences)

    assert 3 == in_fake_time(run())


def test_an_order_that_is_not_carried_out_counts_as_silence() -> None:
    """A page that hangs in it is not given its time twice."""

    async def run() -> float:
        loop = asyncio.get_running_loop()
        ours, _ = answers(health=45)
        page, began = BusyPage(until=10**6), loop.time()
        assert await ours.order(page, "refresh.js") is None
        assert pytest.approx(9) == loop.time() - began
        with pytest.raises(ProbeTimeoutError):
            await ours.probe(page)
        return loop.time() - began

    assert pytest.approx(45, abs=0.1) == in_fake_time(run())


def test_an_order_that_failed_at_once_is_no_silence() -> None:
    """The page answers the next probe, and the one after it has the whole time."""

    async def run() -> float:
        loop = asyncio.get_running_loop()
        ours, _ = answers(health=45)
        slow = BusyPage(until=10)
        await ours.order(slow, "refresh.js")
        await ours.probe(slow)
        began = loop.time()
        with pytest.raises(ProbeTimeoutError):
            await ours.probe(BusyPage(until=10**6))
        return loop.time() - began

    assert pytest.approx(45, abs=0.1) == in_fake_time(run())


@pytest.mark.parametrize(
    ("protocol", "health", "expected"),
    [(60, 45, 9), (5, 45, 5), (0.5, 45, 0.5), (60, 3, 0.6), (86_400, 86_400, 17_280)],
)
def test_an_order_has_its_time(protocol: float, health: float, expected: float) -> None:
    """`protocol`, and never more than a fifth of the health check."""

    async def run() -> float:
        return answers(health=health, protocol=protocol)[0].order_deadline

    assert pytest.approx(expected) == in_fake_time(run())


def test_while_a_document_is_on_its_way_the_page_is_not_dead() -> None:
    """The browser holds all questions back until it has come; the health check begins with its arrival."""

    async def run() -> tuple[float, list[float]]:
        loop, pending = asyncio.get_running_loop(), list[float]()
        ours, silences = answers(health=45, pending=pending.append)
        began = loop.time()
        ours.navigating(is_pending=True)
        loop.call_later(100, lambda: ours.navigating(is_pending=False))
        with pytest.raises(ProbeTimeoutError):
            await ours.probe(BusyPage(until=10**6))
        assert 1 == len(silences)
        return loop.time() - began, pending

    took, pending = in_fake_time(run())
    assert pytest.approx(145, abs=1) == took
    assert sorted(pending) == pending
    assert 95 <= pending[-1] <= 100


def test_a_navigation_that_begins_during_a_silence_is_a_sign_of_life() -> None:
    """The page was busy for 40 s and then reloads itself: it has its time for what comes."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        ours, _ = answers(health=45)
        loop.call_later(40, lambda: ours.navigating(is_pending=True))
        loop.call_later(60, lambda: ours.navigating(is_pending=False))
        await ours.probe(BusyPage(until=100))

    in_fake_time(run())


def test_a_document_that_does_not_arrive_ends_the_probe() -> None:
    """Whoever hears of the pending navigation may give it up."""

    def give_up(seconds: float) -> None:
        if seconds >= 60:
            raise NavigationError(no_answer("web.whatsapp.com", seconds=60))

    async def run() -> float:
        loop = asyncio.get_running_loop()
        ours, _ = answers(health=45, pending=give_up)
        began = loop.time()
        ours.navigating(is_pending=True)
        with pytest.raises(NavigationError):
            await ours.probe(BusyPage(until=10**6))
        return loop.time() - began

    assert pytest.approx(60, abs=1.1) == in_fake_time(run())


def test_the_end_of_a_navigation_that_never_began_is_nothing() -> None:
    """The browser says of each document that it has stopped loading: that gives a silent page no more time."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        ours, _ = answers(health=45)
        loop.call_later(30, lambda: ours.navigating(is_pending=False))
        async with asyncio.timeout(46):
            await ours.probe(BusyPage(until=10**6))

    with pytest.raises(ProbeTimeoutError):
        in_fake_time(run())


def test_a_dead_page_ends_the_wait() -> None:
    """Its error comes through at once."""

    class DeadPage(BusyPage):
        async def probe(self, *, deadline: float) -> Facts:
            raise PageGoneError(f"{deadline}")

    async def run() -> None:
        await answers()[0].probe(DeadPage())

    with pytest.raises(PageGoneError, match="45"):
        in_fake_time(run())


def test_a_cancelled_wait_leaves_no_question_behind() -> None:
    """A stop while the page is busy: nothing goes on in the background."""

    async def run() -> int:
        ours, _ = answers(health=45)
        task = asyncio.create_task(ours.probe(BusyPage(until=QUIET_SECONDS * 3)))
        await asyncio.sleep(2)
        task.cancel()
        await asyncio.wait({task})
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert 1 == in_fake_time(run())
