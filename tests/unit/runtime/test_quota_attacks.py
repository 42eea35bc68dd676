"""No quota is ever exceeded, however slow and out of order the API server's answers are, and whatever people do meanwhile."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from unit.runtime.memory_api import Fault, parse
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.runtime.kube.client import Request, Response
from whatsapp_operator.runtime.kube.errors import RequestTimeout

LIMIT, PER_NAMESPACE = 3, 2
MEMORY = 768 * 2**20
""" What a session without words about it reserves. """
BY_NUMBER, BY_MEMORY = {"sessions": LIMIT}, {"memory": str(LIMIT * MEMORY)}
ANOTHER = "mall"
CLAIM = "persistentvolumeclaims"


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with two namespaces."""
    simulation = Simulation()
    simulation.namespace()
    simulation.namespace(ANOTHER)
    yield simulation
    await simulation.stop()


class Traffic:
    """Requests that take their time, there and back, each as long as chance has it."""

    def __init__(self, simulation: Simulation, chance: random.Random, *, longest: float) -> None:
        self._clock, self._chance, self._longest = simulation.clock, chance, longest
        self._send = simulation.api.send

    async def send(self, request: Request) -> Response:
        """Ask."""
        await self._clock.sleep(self._chance.uniform(0.001, self._longest))
        answer = await self._send(request)
        await self._clock.sleep(self._chance.uniform(0.001, self._longest))
        return answer


def taken(simulation: Simulation) -> Counter[str]:
    """Count the sessions that have a pod or a reservation, by namespace."""
    pods = {
        owner["uid"]: pod["metadata"]["namespace"]
        for pod in simulation.api.all("pods")
        for owner in pod["metadata"]["ownerReferences"]
    }
    admitted = {
        session["metadata"]["uid"]: session["metadata"]["namespace"]
        for session in simulation.api.all("whatsappsessions")
        if "admission" in (session.get("status") or {})
    }
    return Counter((pods | admitted).values())


def people(simulation: Simulation, chance: random.Random) -> None:
    """Do something to a session, whichever there is: apply, delete, suspend, resume."""
    namespace, name = chance.choice([NAMESPACE, ANOTHER]), f"s{chance.randrange(8)}"
    found = simulation.api.get("whatsappsessions", namespace, name)
    if found is None:
        simulation.session(name, namespace=namespace)
    elif chance.random() < 0.4:
        simulation.api.remove("whatsappsessions", namespace, name)
        uid = found["metadata"]["uid"]
        simulation.clock.call_later(chance.uniform(0.1, 4), lambda: simulation.api.collect(uid))
        if chance.random() < 0.5:
            simulation.session(name, namespace=namespace)
    else:
        mode = chance.choice(["Suspended", "Running"])
        simulation.api.change("whatsappsessions", namespace, name, {"spec": {"operatingMode": mode}})


@pytest.mark.parametrize(
    ("seed", "limits"),
    [
        (0, BY_NUMBER),
        *(pytest.param(seed, limits, marks=pytest.mark.slow) for seed in (1, 2) for limits in (BY_NUMBER, BY_MEMORY)),
    ],
)
async def test_no_quota_is_exceeded(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, seed: int, limits: dict[str, object]
) -> None:
    """Fifty at once, then applied, deleted, made anew, suspended and resumed at random; the operator is killed in between."""
    chance = random.Random(seed)
    simulation.quota(**limits, sessionsPerNamespace=PER_NAMESPACE)
    simulation.api.collects = False
    monkeypatch.setattr(simulation.api, "send", Traffic(simulation, chance, longest=0.4).send)
    most: Counter[str] = Counter()

    def check() -> None:
        now = taken(simulation)
        most["all"] = max(most["all"], now.total())
        for namespace, number in now.items():
            most[namespace] = max(most[namespace], number)

    simulation.checks.append(check)
    await simulation.start()
    for number in range(50):
        simulation.session(f"s{number}", namespace=chance.choice([NAMESPACE, ANOTHER]))
    for step in range(80):
        await simulation.clock.advance(chance.uniform(0.05, 1.5))
        people(simulation, chance)
        if step % 30 == 20:
            simulation.kill()
            await simulation.start()
    await simulation.rest(60)

    assert LIMIT == most["all"]
    assert PER_NAMESPACE == max(most[NAMESPACE], most[ANOTHER])


async def test_a_claim_that_is_under_way_is_counted(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its session is suspended before its reservation is stored; the place is the next one's, the storage is not."""
    simulation.quota(storage="1Gi")
    send, slow = simulation.api.send, asyncio.Event()

    async def slowly(request: Request) -> Response:
        path = parse(request.path)
        if (
            request.method == "PATCH"
            and path.name == "a"
            and simulation.api.get("whatsappsessions", NAMESPACE, "b") is None
        ):
            simulation.edit("a", {"spec": {"operatingMode": "Suspended"}})
            simulation.session("b")
        if (
            request.method == "POST"
            and path.plural == CLAIM
            and (request.body or {})["metadata"]["name"] == "a-profile"
        ):
            await slow.wait()
        return await send(request)

    monkeypatch.setattr(simulation.api, "send", slowly)
    await simulation.start()
    simulation.session("a")
    await simulation.rest(20)
    slow.set()
    await simulation.rest(20)

    assert ["b-profile"] == [claim["metadata"]["name"] for claim in simulation.api.all(CLAIM)]


class LateRequest:
    """One request that the API server carries out when it is let through, whatever its sender has heard meanwhile."""

    def __init__(self, simulation: Simulation, kind: str, name: str) -> None:
        self._api, self._send, self._kind, self._name = simulation.api, simulation.api.send, kind, name
        self.held: Request | None = None
        self.through = asyncio.Event()
        self.answered = True
        """ Whether its sender waits for the answer, or hears at once that none came. """

    async def send(self, request: Request) -> Response:
        """Ask."""
        made = request.method == "POST" and parse(request.path).plural == self._kind and request.body
        if self.held is not None or not made or made["metadata"]["name"] != self._name:
            return await self._send(request)
        self.held = request
        if not self.answered:
            raise RequestTimeout("no answer came in time")
        await self.through.wait()
        return await self._send(request)

    def arrives(self) -> None:
        """Let it be carried out."""
        self.through.set()
        if not self.answered and self.held is not None:
            self._api.answer(self.held)


@pytest.mark.parametrize("answered", [True, False], ids=["slow", "unanswered"])
@pytest.mark.parametrize(
    ("kind", "name", "limits"), [("pods", "a", {"sessions": 1}), (CLAIM, "a-profile", {"storage": "1Gi"})]
)
async def test_what_is_under_way_for_a_deleted_session_is_counted(
    simulation: Simulation,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    limits: dict[str, object],
    *,
    answered: bool,
) -> None:
    """It may still come to be, and nobody is admitted in its place before it is known that it does not."""
    simulation.quota(**limits)
    simulation.api.collects = False
    late = LateRequest(simulation, kind, name)
    late.answered = answered
    monkeypatch.setattr(simulation.api, "send", late.send)
    await simulation.start()
    uid = simulation.session("a")["metadata"]["uid"]
    await simulation.until(lambda: late.held)
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    simulation.session("b")
    await simulation.rest(20)
    late.arrives()
    await simulation.rest(5)
    there = [found["metadata"]["name"] for found in simulation.api.all(kind)]
    waits = simulation.condition("b", "Admitted")
    for found in simulation.api.all(kind):
        simulation.api.remove(kind, NAMESPACE, found["metadata"]["name"])
    simulation.api.collect(uid)
    await simulation.until(lambda: simulation.condition("b", "Admitted") == ("True", "Admitted"), within=90)

    assert [name] == there
    assert ("False", "QuotaExceeded") == waits


async def test_what_is_refused_in_the_end_gives_its_place_back(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next session need not wait for a resync."""
    simulation.quota(sessions=1)
    late = LateRequest(simulation, "pods", "a")
    monkeypatch.setattr(simulation.api, "send", late.send)
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: late.held)
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    simulation.session("b")
    await simulation.rest(5)
    waits = simulation.condition("b", "Admitted")
    simulation.api.fault = lambda request, _: Fault(status=403) if request is late.held else None
    late.arrives()
    await simulation.until(lambda: simulation.condition("b", "Admitted") == ("True", "Admitted"), within=5)

    assert ("False", "QuotaExceeded") == waits
