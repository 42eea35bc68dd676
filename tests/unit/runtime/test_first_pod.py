"""What a session's first pod costs in requests, and in which order they are made."""

from unit.runtime.memory_api import Fault, Json, parse
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.runtime.kube.client import Request


def asked(simulation: Simulation, *kinds: str) -> list[str]:
    """Return what was asked for about sessions and their objects, in order."""
    made = [(request.method, parse(request.path)) for request in simulation.api.requests]
    return [f"{method} {path.plural}" for method, path in made if path.plural in kinds and path.namespace == NAMESPACE]


def is_status_write(request: Request) -> bool:
    """Whether it writes a session's status."""
    path = parse(request.path)
    return request.method == "PATCH" and (path.plural, path.subresource) == ("whatsappsessions", "status")


async def test_what_it_needs_is_made_once_with_its_reservation_and_the_pod_after_both(simulation: Simulation) -> None:
    """Nothing is asked for twice, and the session is not read again: the answer to the write of its status is enough."""
    await simulation.start()
    simulation.start_pods = False
    simulation.session("a")
    await simulation.until(lambda: simulation.pod("a"))
    kinds = ("whatsappsessions", "services", "persistentvolumeclaims", "secrets", "pods")
    *before, pod = asked(simulation, *kinds)[:5]

    assert "POST pods" == pod
    assert {"PATCH whatsappsessions", "POST services", "POST persistentvolumeclaims", "POST secrets"} == set(before)
    assert "GET whatsappsessions" not in asked(simulation, *kinds)


async def test_the_next_pod_is_made_for_a_session_that_was_read_again(simulation: Simulation) -> None:
    """Nothing is written before it, so that its deletion may not have been heard yet."""
    await simulation.up("a")
    simulation.evict("a")
    await simulation.until(lambda: simulation.pod("a"))

    assert ["POST", "GET", "POST"] == [
        line.split()[0] for line in asked(simulation, "whatsappsessions", "pods") if not line.startswith("PATCH")
    ]


async def test_a_session_whose_reservation_cannot_be_stored_gets_nothing_anew(simulation: Simulation) -> None:
    """What was made beside the first attempt stays, and no later attempt makes anything."""
    simulation.api.fault = lambda request, _: Fault(status=403) if is_status_write(request) else None
    await simulation.start()
    simulation.session("a")
    await simulation.rest(120)
    tries = sum(is_status_write(request) for request in simulation.api.requests)

    assert 2 <= tries
    assert simulation.pod("a") is None
    assert ["POST secrets"] == asked(simulation, "secrets")
    assert ["POST persistentvolumeclaims"] == asked(simulation, "persistentvolumeclaims")


async def test_a_claim_that_is_refused_leaves_no_pod_that_waits_for_it(simulation: Simulation) -> None:
    """The reservation is stored meanwhile; the pod follows when the claim is there."""
    simulation.api.fault = lambda request, _: Fault(status=403) if _makes_claim(request) else None
    await simulation.start()
    simulation.session("a")
    await simulation.rest(30)
    meanwhile: Json | None = simulation.pod("a")
    simulation.api.fault = lambda _request, _number: None
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=160)

    assert meanwhile is None
    assert ("True", "Admitted") == simulation.condition("a", "Admitted")


def _makes_claim(request: Request) -> bool:
    return request.method == "POST" and parse(request.path).plural == "persistentvolumeclaims"
