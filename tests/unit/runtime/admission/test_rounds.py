"""The admission round: grants that are never lost between memory and status, and rounds that do not run wild."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import TypeVar

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Fault, Json, MemoryApi
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.runtime.admission.round_pace import EARLY
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.slices import SLICE

T = TypeVar("T")


class Bench:
    """An admission over an API server in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = MemoryApi(now=self.clock.now)
        self.changed: list[ObjectKey] = []
        self.during: Callable[[], None] = lambda: None
        """ Called in the middle of a round, after the sessions were listed. """
        self.computing: Callable[[], None] = lambda: None
        """ Called while a round is computed, in whichever thread. """
        self.before: Callable[[Request], None] = lambda _request: None
        self.seal: Seal | None = None
        """ What proves whose the pods are. """
        self.computed = 0
        kube = Kube(self, timeout=30)
        self.metrics = Metrics()
        self.admission = Admission(
            kube=kube,
            clock=self.clock,
            instance=Instance(kube=kube, name="", namespaces=()),
            pods_selector="",
            read_seal=lambda obj, kind: self.seal if kind is SealedKind.POD and obj else None,
            on_changed=self.changed.append,
            metrics=self.metrics,
            offload=self._offload,
        )
        self.api.put("namespaces", {"metadata": {"name": "shop"}})

    async def send(self, request: Request) -> Response:
        """Play API server."""
        self.before(request)
        response = await self.api.send(request)
        if request.path.endswith("/whatsappsessions"):
            self.during()
        return response

    async def _offload(self, function: Callable[[], T]) -> T:
        self.computed += 1
        result = function()
        self.computing()
        return result

    @property
    def rounds(self) -> int:
        """How many rounds have listed."""
        return sum(request.path.endswith("/whatsappsessions") for request in self.api.requests)

    def quota(self, **spec: object) -> None:
        """Create the quota."""
        self.api.put("whatsappsessionquotas", {"metadata": {"name": "default"}, "spec": spec})

    def session(self, name: str) -> SessionUID:
        """Create a session; return its UID."""
        made = self.api.put("whatsappsessions", {"metadata": {"name": name, "namespace": "shop"}, "spec": {}})
        return SessionUID(made["metadata"]["uid"])

    def reserve(self, name: str) -> None:
        """Write a reservation into a session's status, as its worker does."""
        admission = {"quotaName": "default", "memory": "768Mi", "reservedAt": "2026-01-01T00:00:00Z"}
        self.api.change("whatsappsessions", "shop", name, {"status": {"admission": admission}}, status=True)

    def quota_status(self) -> Json:
        """Return what the quota says."""
        status: Json = (self.api.get("whatsappsessionquotas", "", "default") or {}).get("status") or {}
        return status


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


async def test_what_fits_gets_an_assumed_reservation_and_the_rest_a_reason(harness: Bench) -> None:
    """One round, in the order of their creation."""
    harness.quota(sessions=1)
    first, second = harness.session("a"), harness.session("b")

    await harness.admission.round()

    assert harness.admission.verdict(first).assumed is not None
    refusal = harness.admission.verdict(second).refusal
    assert refusal is not None
    assert "QuotaExceeded" == refusal.reason
    assert [ObjectKey("shop", "a"), ObjectKey("shop", "b")] == harness.changed


async def test_an_assumed_reservation_counts_in_the_next_round(harness: Bench) -> None:
    """The worker has not written it yet; the place is taken all the same."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    second = harness.session("b")

    await harness.admission.round()

    assert harness.admission.verdict(first).assumed is not None
    assert harness.admission.verdict(second).assumed is None


async def test_an_assumed_reservation_that_is_stored_during_a_round_is_counted(harness: Bench) -> None:
    """Between the LIST and the count the worker writes and confirms: the copy from before the LIST still counts."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    second = harness.session("b")

    def write() -> None:
        harness.reserve("a")
        harness.admission.confirm(first)

    harness.during = write
    await harness.admission.round()
    harness.during = lambda: None

    assert harness.admission.verdict(second).assumed is None


@pytest.mark.parametrize("kept", [False, True])
async def test_a_pod_of_a_session_that_leaves_while_both_are_listed_is_counted(harness: Bench, *, kept: bool) -> None:
    """It was made after the LIST of pods, and its session was deleted before that of sessions, by a finalizer kept or not."""
    harness.quota(sessions=1)
    first, second = harness.session("a"), harness.session("b")
    await harness.admission.round()
    harness.reserve("a")
    harness.admission.confirm(first)
    harness.seal = Seal(key_id=KeyID("key"), session_uid=first, quota="default", memory=1)
    listed: list[str] = []

    def before(request: Request) -> None:
        if request.path.endswith("/whatsappsessions"):
            harness.api.put("pods", {"metadata": {"name": "a", "namespace": "shop"}})
            if kept:
                harness.api.change("whatsappsessions", "shop", "a", {"metadata": {"deletionTimestamp": "now"}})
                harness.admission.decline(first, holds=True)
            else:
                harness.api.remove("whatsappsessions", "shop", "a")
        listed.append(request.path.rpartition("/")[2])
        harness.api.snapshot = {} if listed[-1] == "pods" and listed.count("pods") == 1 else None

    harness.before = before
    await harness.admission.round()

    assert harness.admission.verdict(second).assumed is None
    assert 2 == listed.count("pods")


async def test_a_confirmed_assumed_reservation_is_forgotten(harness: Bench) -> None:
    """From then on the status counts; when that is dropped the place is free."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    harness.reserve("a")
    harness.admission.confirm(first)
    harness.api.remove("whatsappsessions", "shop", "a")
    second = harness.session("b")

    await harness.admission.round()

    assert harness.admission.verdict(second).assumed is not None


async def test_the_assumed_reservation_of_a_suspended_session_is_withdrawn(harness: Bench) -> None:
    """It was let in and put to rest before it could use its place."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    harness.api.change("whatsappsessions", "shop", "a", {"spec": {"operatingMode": "Suspended"}})
    second = harness.session("b")

    await harness.admission.round()

    assert (None, True) == (
        harness.admission.verdict(first).assumed,
        harness.admission.verdict(second).assumed is not None,
    )


async def test_a_deleted_sessions_assumed_reservation_makes_room_at_once(running: Bench) -> None:
    """Forgetting an open grant asks for a round."""
    running.quota(sessions=1)
    first = running.session("a")
    running.admission.request()
    await running.clock.advance(1)
    second = running.session("b")
    running.api.remove("whatsappsessions", "shop", "a")

    running.admission.forget(first)
    await running.clock.advance(2)

    assert running.admission.verdict(second).assumed is not None


async def test_an_old_refusal_is_dropped_with_the_request(harness: Bench) -> None:
    """Suspended and resumed: the next wish is a new one."""
    harness.quota(sessions=0)
    uid = harness.session("a")
    await harness.admission.round()
    before = harness.admission.verdict(uid).refusal

    harness.admission.clear_refusal(uid)

    assert before is not None
    assert harness.admission.verdict(uid).refusal is None


async def test_an_unchanged_refusal_wakes_nobody(harness: Bench) -> None:
    """Who waits is not looked at again for nothing."""
    harness.quota(sessions=0)
    harness.session("a")
    await harness.admission.round()
    harness.changed.clear()

    await harness.admission.round()

    assert [] == harness.changed


async def test_a_round_that_cannot_list_changes_nothing(harness: Bench) -> None:
    """Neither grants nor refusals are made from half a picture."""
    harness.quota(sessions=1)
    uid = harness.session("a")
    harness.api.fault = lambda request, _: Fault(status=500) if request.path.endswith("/pods") else None

    with pytest.raises(Exception, match="fault 500"):
        await harness.admission.round()

    assert (None, None) == harness.admission.verdict(uid)


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


async def test_the_quota_says_what_is_counted(running: Bench) -> None:
    """Admitted, waiting and memory, open grants included; written only when it changes."""
    running.quota(sessions=1)
    running.session("a")
    running.session("b")
    for _ in range(2):
        running.admission.request()
        await running.clock.advance(5)

    status = running.quota_status()
    assert (1, 1, "768Mi") == (status["admitted"], status["waiting"], status["memoryReserved"])
    assert 1 == len(running.api.writes)
    assert 2 == running.rounds


async def test_a_quotas_status_is_written_once_a_second_at_most(running: Bench) -> None:
    """A busy minute is not a write per session; the last word is told."""
    running.quota(sessions=500)
    for number in range(40):
        running.session(f"s{number}")
        running.admission.request()
        await running.clock.advance(0.25)
    during = len(running.api.writes)
    await running.clock.advance(3)

    assert during <= 11
    assert 40 == running.quota_status()["admitted"]


@pytest.mark.parametrize("fault", [Fault(status=409), Fault(status=404), Fault(status=500), Fault()])
async def test_a_status_that_could_not_be_written_is_written_later(running: Bench, fault: Fault) -> None:
    """The grants stand; the quota's words follow."""
    running.quota(sessions=1)
    uid = running.session("a")
    running.api.fault = lambda request, _: fault if request.path.endswith("/status") else None
    running.admission.request()
    await running.clock.advance(0.2)
    granted = running.admission.verdict(uid).assumed
    running.api.fault = lambda _request, _number: None
    await running.clock.advance(5)

    assert granted is not None
    assert 1 == running.quota_status()["admitted"]


async def test_another_instances_objects_are_not_counted(harness: Bench) -> None:
    """Its quota is not ours, its sessions are not let in by us, and neither is written to."""
    label = {"wasession.dev/instance": "demo"}
    harness.api.put("namespaces", {"metadata": {"name": "theirs", "labels": label}})
    harness.api.put("whatsappsessionquotas", {"metadata": {"name": "demo", "labels": label}, "spec": {"sessions": 5}})
    harness.quota(sessions=1)
    harness.api.put("whatsappsessions", {"metadata": {"name": "x", "namespace": "theirs"}, "spec": {}})
    uid = harness.session("a")

    await harness.admission.round()

    assert harness.admission.verdict(uid).assumed is not None
    assert [ObjectKey("shop", "a")] == harness.changed
    assert "status" not in (harness.api.get("whatsappsessionquotas", "", "demo") or {})


async def test_a_session_that_goes_while_a_round_is_computed_gets_nothing(harness: Bench) -> None:
    """Nobody would give its reservation back: it was forgotten before it had one."""
    harness.quota(sessions=1)
    first, second = harness.session("a"), harness.session("b")

    def go() -> None:
        harness.admission.forget(first)
        harness.admission.forget(second)

    harness.computing = go
    await harness.admission.round()

    assert (None, None) == harness.admission.verdict(first)
    assert (None, None) == harness.admission.verdict(second)
    assert 1 == harness.computed


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
