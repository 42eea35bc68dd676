"""Foreign objects with our names beside many sessions, and edits whatever a session waits for, in simulated time."""

from collections.abc import Awaitable, Callable

import pytest
from unit.runtime.closed_gates import close, cost, message
from unit.runtime.memory_api import Fault, Json
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME
from whatsapp_operator.core.network import RunnerNetwork

pytestmark = pytest.mark.slow

NAMES = [f"s{number:02}" for number in range(50)]
PLACES = {"spec": {"sessions": 100}}


def foreign(name: str) -> Json:
    """Return somebody else's object."""
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {}},
        "spec": {"containers": [{"name": "other", "image": "other:1"}]},
    }


async def stalled(simulation: Simulation, names: list[str]) -> None:
    """Apply sessions and wait until each tells that a name is taken."""
    simulation.api.change("whatsappsessionquotas", "", "default", PLACES)
    await simulation.start()
    for name in names:
        simulation.session(name)
    await simulation.until(
        lambda: all(simulation.condition(name, "Stalled") == ("True", "NameTaken") for name in names), within=60
    )


@pytest.fixture
def simulation_with_policies() -> Simulation:
    """A cluster whose operator makes network policies."""
    simulation = Simulation(network=RunnerNetwork(operator_namespace="ops"))
    simulation.namespace()
    simulation.quota(sessions=100)
    return simulation


async def test_fifty_sessions_beside_a_foreign_service_read_it_as_one(simulation: Simulation) -> None:
    """Fewer than ten requests in five minutes for all of them, none of them a write; told once; over a minute after it goes."""
    simulation.api.put("services", foreign(SERVICE_NAME))
    await stalled(simulation, NAMES)
    await simulation.rest(20)
    requests, writes = await cost(simulation)
    events = [event for event in simulation.api.all("events") if event["reason"] == "NameTaken"]
    simulation.api.remove("services", NAMESPACE, SERVICE_NAME)
    await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in NAMES), within=120)

    assert (0, True) == (writes, requests < 10)
    assert (50, {None}) == (len(events), {event.get("series") for event in events})


async def test_so_do_fifty_beside_a_foreign_policy(simulation_with_policies: Simulation) -> None:
    """The other object that they share."""
    simulation = simulation_with_policies
    try:
        simulation.api.put("networkpolicies", foreign(NETWORK_POLICY_NAME))
        await stalled(simulation, NAMES)
        await simulation.rest(20)
        requests, writes = await cost(simulation)
        simulation.api.remove("networkpolicies", NAMESPACE, NETWORK_POLICY_NAME)
        await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in NAMES), within=120)
    finally:
        await simulation.stop()

    assert (0, True) == (writes, requests < 10)


@pytest.mark.parametrize(("plural", "name"), [("pods", "a"), ("persistentvolumeclaims", "a-profile")])
async def test_a_foreign_object_of_ones_own_is_read_less_and_less_often(
    simulation: Simulation, plural: str, name: str
) -> None:
    """A pod or claim of the session's name."""
    simulation.api.put(plural, foreign(name))
    await stalled(simulation, ["a"])
    await simulation.rest(20)
    requests, writes = await cost(simulation)
    simulation.api.remove(plural, NAMESPACE, name)
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=70)

    assert (0, True) == (writes, requests < 10)


async def test_a_foreign_object_that_cannot_be_read_again_stays_one(simulation: Simulation) -> None:
    """The right is taken away: nothing is made on a guess, and the status is written as ever."""
    simulation.api.put("services", foreign(SERVICE_NAME))
    await stalled(simulation, ["a"])
    close(simulation, Fault(status=403), "GET", "services")
    await simulation.rest(120)
    requests, _ = await cost(simulation)
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)

    assert requests < 10
    assert ("True", "NameTaken") == simulation.condition("a", "Stalled")


async def test_a_missing_claim_is_read_less_and_less_often(simulation: Simulation) -> None:
    """An existing claim that somebody is to make: asked for now and then, and found."""
    await simulation.start()
    simulation.session("a", profile={"existingClaim": "mine"})
    await simulation.until(lambda: simulation.condition("a", "Ready")[1] == "ClaimNotFound", within=20)
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    simulation.api.put(
        "persistentvolumeclaims",
        {**foreign("mine"), "metadata": {**foreign("mine")["metadata"], "labels": {"wasession.dev/profile": "true"}}},
    )
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=70)

    assert requests < 10


@pytest.mark.parametrize("status", [403, 500])
async def test_a_claim_that_may_not_be_read_is_shown(simulation: Simulation, status: int) -> None:
    """The call is named, in the API server's words, and so is an edit's generation."""
    close(simulation, Fault(status=status, message="no reading here"), "GET", "persistentvolumeclaims")
    await simulation.start()
    simulation.session("a", profile={"existingClaim": "mine"})
    await simulation.until(lambda: "no reading here" in message(simulation, "CallFailed"), within=60)
    shown = message(simulation, "Ready")
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)

    assert "get PersistentVolumeClaim mine" in shown
    assert requests < 10


Wait = Callable[[Simulation], Awaitable[None]]


async def queued(simulation: Simulation) -> None:
    """The quota is full."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 1}})
    await simulation.up("first")
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "Admitted") == ("False", "QuotaExceeded"))


async def without_quota(simulation: Simulation) -> None:
    """The quota does not exist."""
    await simulation.start()
    simulation.session("a", quotaName="none")
    await simulation.until(lambda: simulation.condition("a", "Admitted") == ("False", "QuotaNotFound"))


async def backing_off(simulation: Simulation) -> None:
    """The runner failed, and the next pod waits."""
    await simulation.up("a", recovery={"baseDelay": "2m"})
    simulation.end("a", code=33)
    await simulation.until(lambda: simulation.condition("a", "Recovering") == ("True", "BackingOff"))


async def exhausted(simulation: Simulation) -> None:
    """It failed too often."""
    await simulation.up("a", recovery={"maxAttempts": 1, "baseDelay": "1s", "healthyAfter": "10m"})
    for _ in range(2):
        await simulation.until(lambda: simulation.state("a") == "QRPending", within=60)
        simulation.end("a", code=33)
        await simulation.rest(2)
    await simulation.until(lambda: simulation.condition("a", "Stalled") == ("True", "RecoveryExhausted"))


async def in_conflict(simulation: Simulation) -> None:
    """Another browser has it."""
    await simulation.up("a")
    simulation.say("a", "Conflict", "Replaced")
    await simulation.until(lambda: simulation.condition("a", "Stalled") == ("True", "Conflict"))


async def beside_a_foreign_service(simulation: Simulation) -> None:
    """A name is taken."""
    simulation.api.put("services", foreign(SERVICE_NAME))
    await stalled(simulation, ["a"])


async def refused(simulation: Simulation) -> None:
    """The pod is refused."""
    close(simulation, Fault(status=403), "POST", "pods")
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "CallFailed")[0] == "True")


async def starting(simulation: Simulation) -> None:
    """The pod is pending."""
    simulation.start_pods = False
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.pod_uid("a") and simulation.status("a").get("podUID"), within=20)


async def running(simulation: Simulation) -> None:
    """Nothing is wrong."""
    await simulation.up("a")


async def restless(simulation: Simulation) -> None:
    """Its runner says another word each second, and its writes are used up."""
    await simulation.up("a")
    for number in range(30):
        simulation.say("a", "Connected" if number % 2 else "Reconnecting")
        await simulation.clock.advance(1)


async def suspended(simulation: Simulation) -> None:
    """A person put it to rest."""
    await simulation.start()
    simulation.session("a", operatingMode="Suspended")
    await simulation.until(lambda: simulation.condition("a", "Suspended")[0] == "True")


WAITS = (
    queued,
    without_quota,
    backing_off,
    exhausted,
    in_conflict,
    beside_a_foreign_service,
    refused,
    starting,
    running,
    restless,
    suspended,
)


@pytest.mark.parametrize("rest", [0.0, 100.0])
@pytest.mark.parametrize("waits", WAITS, ids=lambda waits: waits.__name__)
async def test_an_edit_is_seen_within_two_seconds(simulation: Simulation, waits: Wait, rest: float) -> None:
    """Whatever the session waits for, and however long it has: the status answers the new generation."""
    await waits(simulation)
    if waits is not restless:
        await simulation.rest(rest)
    before = simulation.status("a")["observedGeneration"]
    simulation.edit("a", {"spec": {"timeouts": {"healthCheck": "50s"}}})

    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == before + 1, within=2)


async def test_a_queued_session_that_asks_for_less_is_admitted_at_once(simulation: Simulation) -> None:
    """Its edit makes it fit: it does not wait for the next resync."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"memory": "1Gi"}})
    await simulation.start()
    simulation.session("a", resources={"limits": {"memory": "2Gi"}})
    await simulation.until(lambda: simulation.condition("a", "Admitted") == ("False", "QuotaExceeded"))
    await simulation.rest(70)
    simulation.edit("a", {"spec": {"resources": {"limits": {"memory": "800Mi"}}}})

    await simulation.until(lambda: simulation.pod_uid("a"), within=2)


async def test_a_session_that_names_another_quota_is_admitted_at_once(simulation: Simulation) -> None:
    """Likewise."""
    await without_quota(simulation)
    await simulation.rest(70)
    simulation.edit("a", {"spec": {"quotaName": "default"}})

    await simulation.until(lambda: simulation.pod_uid("a"), within=2)
