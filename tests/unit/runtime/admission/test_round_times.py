"""When rounds are made: soon after somebody asks, once for many who do, and not all the time."""

import asyncio
from itertools import pairwise

from unit.runtime.admission.rounds_harness import Bench
from unit.runtime.memory_api import Fault
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.runtime.admission.round_pace import EARLY
from whatsapp_operator.runtime.process.slices import SLICE


async def test_a_failed_round_is_made_again(running: Bench) -> None:
    """Later and later, until the API server is back."""
    running.quota(sessions=1)
    uid = running.session("a")
    running.api.fault = lambda _request, _number: Fault()
    running.admission.request()
    await running.clock.advance(60)
    failed = running.metrics.registry.get_sample_value("whatsapp_operator_admission_rounds_total", {"result": "error"})
    running.api.fault = lambda _request, _number: None
    await running.clock.advance(16)

    assert 3 <= (failed or 0) <= 10
    assert running.admission.verdict(uid).assumed is not None


async def test_many_requests_are_one_round(running: Bench) -> None:
    """A thousand sessions applied at once are let in by one look at the cluster."""
    running.quota(sessions=2000)
    for number in range(200):
        running.session(f"s{number}")
        running.admission.request()
    await running.clock.advance(0.2)

    assert 1 == running.rounds
    assert 200 == len(running.changed)


async def test_a_request_during_a_round_leads_to_another(running: Bench) -> None:
    """What happened after the LIST is not forgotten."""
    running.quota(sessions=5)
    running.session("a")
    made: list[SessionUID] = []

    def late() -> None:
        running.during = lambda: None
        made.append(running.session("b"))
        running.admission.request()

    running.during = late
    running.admission.request()
    await running.clock.advance(2)

    assert running.admission.verdict(made[0]).assumed is not None


async def test_rounds_keep_a_distance(running: Bench) -> None:
    """However often places are free: two rounds a second."""
    running.quota(sessions=5)
    for _ in range(100):
        running.admission.request()
        await running.clock.advance(0.1)

    assert 20 <= running.rounds <= 21


async def test_rounds_for_newcomers_keep_a_distance(running: Bench) -> None:
    """A few more at once, and one more every two seconds."""
    running.quota(sessions=0)
    for number in range(100):
        running.admission.ask(SessionUID(f"never listed {number}"))
        await running.clock.advance(0.1)

    assert 25 <= running.rounds <= 21 + EARLY + 5


async def test_a_session_alone_is_admitted_at_once(running: Bench) -> None:
    """Also right after another one: rounds rest after their work, not before it."""
    running.quota(sessions=5)
    for name in ("a", "b", "c"):
        uid = running.session(name)
        running.admission.ask(uid)
        await running.clock.advance(0)

        assert running.admission.verdict(uid).assumed is not None


async def test_who_asks_during_a_round_that_answers_him_gets_no_other(running: Bench) -> None:
    """His session was in its LIST already."""
    running.quota(sessions=5)
    uid = running.session("a")
    running.during = lambda: running.admission.ask(uid)
    running.admission.ask(uid)
    await running.clock.advance(10)

    assert running.admission.verdict(uid).assumed is not None
    assert 1 == running.rounds


async def test_who_asks_during_a_round_that_did_not_see_him_gets_another(running: Bench) -> None:
    """His session was made after its LIST."""
    running.quota(sessions=5)
    made: list[SessionUID] = []

    def late() -> None:
        running.during = lambda: None
        made.append(running.session("b"))
        running.admission.ask(made[0])

    running.during = late
    running.admission.request()
    await running.clock.advance(0.9)

    assert running.admission.verdict(made[0]).assumed is not None
    assert 2 == running.rounds


async def test_who_has_gone_asks_for_nothing(running: Bench) -> None:
    """A session that came and went during a round leaves no wish behind."""
    running.quota(sessions=5)
    uid = SessionUID("gone")

    def comes_and_goes() -> None:
        running.admission.ask(uid)
        running.admission.forget(uid)

    running.during = comes_and_goes
    running.admission.request()
    await running.clock.advance(10)

    assert 1 == running.rounds


async def test_long_rounds_leave_three_quarters_of_the_time_to_the_workers(running: Bench) -> None:
    """A round of hundreds of sessions takes long, and is not followed by another at once."""
    begun: list[float] = []

    def takes_half_a_second() -> None:
        begun.append(running.clock.seconds)
        running.clock.seconds += 0.5

    running.during = takes_half_a_second
    for _ in range(60):
        running.admission.request()
        await running.clock.advance(0.1)
    gaps = [later - earlier for earlier, later in pairwise(begun)]

    assert len(gaps) >= 2
    assert gaps[0] >= 1.5  # a first moment is free
    assert all(gap >= 2.0 for gap in gaps[1:])


async def test_a_long_round_lets_others_have_their_turn(harness: Bench) -> None:
    """All reservations are there before the first of them is told; then they are told in slices."""
    sessions = [harness.session(f"s{number}") for number in range(3 * SLICE)]
    harness.quota(sessions=len(sessions))
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        while True:
            await asyncio.sleep(0)
            seen.append(
                (len(harness.changed), sum(harness.admission.verdict(uid).assumed is not None for uid in sessions))
            )

    looking = asyncio.create_task(look())
    await harness.admission.round()
    looking.cancel()

    assert {changed for changed, _ in seen} >= {SLICE, 2 * SLICE, 3 * SLICE}
    assert {assumed for changed, assumed in seen if changed} == {3 * SLICE}
