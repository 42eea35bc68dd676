"""The Lease: one holder, who stops in time whatever hangs, and a next one who does not come too early."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from unit.runtime.fakes import FakeClock, exactly, settle
from unit.runtime.memory_api import Fault, MemoryApi
from whatsapp_operator.core.objects.names import operator_labels
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.errors import Unreachable
from whatsapp_operator.runtime.process.lease import Lease, LeaseTimes, Phase

TIMES = LeaseTimes()
NAMESPACE, NAME = "ops", "whatsapp-operator"


class Candidate:
    """A process that wants the Lease, and whether it was told to end."""

    def __init__(self, api: Any, clock: FakeClock, identity: str) -> None:
        self.ended: list[str] = []
        self.lease = Lease(
            kube=Kube(api, timeout=30),
            clock=clock,
            namespace=NAMESPACE,
            name=NAME,
            identity=identity,
            times=TIMES,
            on_lost=self.ended.append,
            jitter=exactly,
        )
        self.tasks: list[asyncio.Task[None]] = []

    async def lead(self) -> None:
        """Acquire, then hold in the background."""
        await self.lease.acquire()
        self.tasks.append(asyncio.create_task(self.lease.hold()))
        await settle()

    def die(self) -> None:
        """The process is gone, without a word."""
        for task in self.tasks:
            task.cancel()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def api(clock: FakeClock) -> MemoryApi:
    """An empty API server."""
    return MemoryApi(now=clock.now)


def holder(api: MemoryApi) -> str:
    """Return who holds the Lease by the API server's account."""
    return str((api.get("leases", NAMESPACE, NAME) or {})["spec"]["holderIdentity"])


async def test_the_first_one_creates_the_lease(api: MemoryApi, clock: FakeClock) -> None:
    """There is no Lease in the manifests; the first process makes it."""
    one = Candidate(api, clock, "one")

    await one.lead()

    (lease,) = api.all("leases")
    assert ("one", Phase.HELD) == (holder(api), one.lease.phase)
    assert operator_labels(lease["metadata"]["name"]) == lease["metadata"]["labels"]
    one.die()


async def test_a_holder_renews_and_stays(api: MemoryApi, clock: FakeClock) -> None:
    """Ten minutes of renewals, one every two seconds; nothing is lost."""
    one = Candidate(api, clock, "one")
    await one.lead()

    await clock.advance(600)

    assert [] == one.ended
    assert 300 == sum(request.method == "PUT" for request in api.writes)
    one.die()


async def test_a_second_one_waits(api: MemoryApi, clock: FakeClock) -> None:
    """While the holder renews, nobody else gets it."""
    one, two = Candidate(api, clock, "one"), Candidate(api, clock, "two")
    await one.lead()
    waiting = asyncio.create_task(two.lead())

    await clock.advance(120)

    assert not waiting.done()
    assert "one" == holder(api)
    waiting.cancel()
    one.die()


async def test_a_dead_holders_lease_is_taken_after_its_duration(api: MemoryApi, clock: FakeClock) -> None:
    """Not before the duration has passed since it was last seen to change, and soon after."""
    one, two = Candidate(api, clock, "one"), Candidate(api, clock, "two")
    await one.lead()
    waiting = asyncio.create_task(two.lead())
    await clock.advance(1)
    one.die()

    await clock.advance(9)
    early = waiting.done()
    await clock.advance(6)

    assert (False, True) == (early, waiting.done())
    assert "two" == holder(api)
    assert 1 == (api.get("leases", NAMESPACE, NAME) or {})["spec"]["leaseTransitions"]
    two.die()


async def test_a_foreign_clock_is_not_believed(api: MemoryApi, clock: FakeClock) -> None:
    """A renewTime of an hour ago says nothing: the Lease must be seen unchanged for its duration."""
    one = Candidate(api, clock, "one")
    await one.lead()
    one.die()
    api.change("leases", NAMESPACE, NAME, {"spec": {"renewTime": "2020-01-01T00:00:00.000000Z"}})
    two = Candidate(api, clock, "two")
    waiting = asyncio.create_task(two.lead())

    await clock.advance(5)

    assert not waiting.done()
    waiting.cancel()


async def test_a_released_lease_is_taken_at_the_next_look(api: MemoryApi, clock: FakeClock) -> None:
    """After SIGTERM the next process need not wait ten seconds."""
    one, two = Candidate(api, clock, "one"), Candidate(api, clock, "two")
    await one.lead()
    waiting = asyncio.create_task(two.lead())
    await clock.advance(1)
    one.die()

    await one.lease.release()
    await clock.advance(2.1)

    assert waiting.done()
    assert "two" == holder(api)
    two.die()


async def test_the_holder_ends_before_another_can_take_over(api: MemoryApi, clock: FakeClock) -> None:
    """The API server answers nobody: the holder is told to end at the renew deadline, before the duration is over."""
    one = Candidate(api, clock, "one")
    await one.lead()
    api.fault = lambda _request, _number: Fault()

    await clock.advance(TIMES.renew_deadline.total_seconds() - 0.1)
    early = list(one.ended)
    await clock.advance(0.2)

    assert [] == early
    assert ["it could not be renewed in time"] == one.ended
    assert Phase.LOST is one.lease.phase


async def test_the_holder_ends_also_while_its_request_hangs(api: MemoryApi, clock: FakeClock) -> None:
    """A request that never comes back does not keep the deadline from being noticed."""
    one = Candidate(_Hanging(api), clock, "one")
    await one.lead()
    one.lease._kube._client.hangs = True  # type: ignore[attr-defined]

    await clock.advance(TIMES.renew_deadline.total_seconds() + 0.1)

    assert ["it could not be renewed in time"] == one.ended
    one.die()


async def test_one_failed_renewal_is_no_loss(api: MemoryApi, clock: FakeClock) -> None:
    """A single error of the API server is repaired by the next renewal."""
    one = Candidate(api, clock, "one")
    await one.lead()
    api.fault = lambda _request, _number: Fault(status=500)
    await clock.advance(2.1)
    api.fault = lambda _request, _number: None

    await clock.advance(30)

    assert [] == one.ended
    one.die()


async def test_a_lost_answer_is_recognised_as_the_own_write(api: MemoryApi, clock: FakeClock) -> None:
    """The renewal was carried out and its answer lost: the conflict of the next one is with ourselves."""
    one = Candidate(api, clock, "one")
    await one.lead()
    api.fault = lambda request, _number: Fault(committed=True) if request.method == "PUT" else None
    await clock.advance(2.1)
    api.fault = lambda _request, _number: None

    await clock.advance(30)

    assert [] == one.ended
    one.die()


async def test_a_stolen_lease_ends_the_holder(api: MemoryApi, clock: FakeClock) -> None:
    """Somebody else's name in it: the holder is told at its next renewal."""
    one = Candidate(api, clock, "one")
    await one.lead()
    api.change("leases", NAMESPACE, NAME, {"spec": {"holderIdentity": "thief"}})

    await clock.advance(2.1)

    assert ["the Lease is held by thief"] == one.ended


async def test_a_deleted_lease_ends_the_holder(api: MemoryApi, clock: FakeClock) -> None:
    """Somebody deleted it: another process may have made it anew, so this one ends."""
    one = Candidate(api, clock, "one")
    await one.lead()
    api.remove("leases", NAMESPACE, NAME)

    await clock.advance(2.1)

    assert ["the Lease was deleted"] == one.ended


async def test_an_acquisition_that_took_too_long_does_not_count(clock: FakeClock) -> None:
    """The answer came after the deadline: the Lease is taken again before anything is done."""
    api = _Slow(MemoryApi(now=clock.now), clock)
    one = Candidate(api, clock, "one")
    acquiring = asyncio.create_task(one.lead())
    await clock.advance(15)
    first = one.lease.phase
    api.seconds = 0.0

    await clock.advance(15)

    assert (Phase.WAITING, Phase.HELD) == (first, one.lease.phase)
    assert acquiring.done()
    one.die()


async def test_a_waiting_process_survives_an_api_server_that_is_down(api: MemoryApi, clock: FakeClock) -> None:
    """Waiting is all it does; it goes on when the API server is back."""
    api.fault = lambda _request, _number: Fault()
    one = Candidate(api, clock, "one")
    waiting = asyncio.create_task(one.lead())
    await clock.advance(300)
    api.fault = lambda _request, _number: None

    await clock.advance(5)

    assert waiting.done()
    one.die()


async def test_of_two_that_create_it_at_once_one_gets_it(api: MemoryApi, clock: FakeClock) -> None:
    """Both found no Lease; "already exists" makes the loser wait."""
    candidates = [Candidate(api, clock, name) for name in ("one", "two")]
    tasks = [asyncio.create_task(candidate.lead()) for candidate in candidates]

    await clock.advance(3)

    assert [Phase.HELD, Phase.WAITING] == sorted(candidate.lease.phase for candidate in candidates)
    for task, candidate in zip(tasks, candidates, strict=True):
        task.cancel()
        candidate.die()


async def test_requests_are_given_up_within_their_own_time(api: MemoryApi, clock: FakeClock) -> None:
    """No request about the Lease has the usual half minute."""
    one = Candidate(api, clock, "one")
    await one.lead()
    await clock.advance(5)
    one.die()
    await one.lease.release()

    assert {TIMES.request_timeout.total_seconds()} == {request.timeout for request in api.requests}


@pytest.mark.parametrize(
    "times",
    [
        {"renew_deadline": timedelta(seconds=10)},
        {"request_timeout": timedelta(seconds=7)},
        {"renew_every": timedelta(seconds=5)},
        {"request_timeout": timedelta()},
    ],
)
def test_times_that_promise_nothing_are_refused(times: dict[str, timedelta]) -> None:
    """A deadline behind the duration would let two act."""
    with pytest.raises(ValueError, match="should be"):
        LeaseTimes(**times)


class _Hanging:
    def __init__(self, api: MemoryApi) -> None:
        self._api = api
        self.hangs = False

    async def send(self, request: Request) -> Response:
        if self.hangs:
            await asyncio.Event().wait()
        return await self._api.send(request)


class _Slow:
    def __init__(self, api: MemoryApi, clock: FakeClock) -> None:
        self._api = api
        self._clock = clock
        self.seconds = 4.0

    async def send(self, request: Request) -> Response:
        await self._clock.sleep(self.seconds)
        if self.seconds > 1000:
            raise Unreachable("never")
        return await self._api.send(request)
