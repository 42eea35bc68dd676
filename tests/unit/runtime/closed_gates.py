"""Calls that the API server refuses or fails, as the tests about them close its gates and count what comes of it."""

from unit.runtime.memory_api import Fault, Json, parse
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.runtime.kube.client import Request
from whatsapp_operator.runtime.kube.errors import RequestTimeout, Unreachable

REFUSAL = "the gate is closed"
STATUSES = (400, 401, 403, 404, 409, 410, 413, 415, 418, 422, 429, 500, 503, 504)
FAULTS = {
    **{str(status): Fault(status=status, message=REFUSAL) for status in STATUSES},
    "already exists": Fault(status=409, reason="AlreadyExists", message=REFUSAL),
    "timeout": Fault(error=RequestTimeout),
    "no connection": Fault(error=Unreachable),
}
FEW = ("403", "409", "500", "timeout")


def is_call(request: Request, method: str, plural: str, subresource: str = "") -> bool:
    """Whether a request is this call."""
    path = parse(request.path)
    of_session = path.namespace == NAMESPACE or plural == "whatsappsessionquotas"
    return of_session and (request.method, path.plural, path.subresource) == (method, plural, subresource)


def close(simulation: Simulation, fault: Fault, method: str, plural: str, subresource: str = "") -> None:
    """Let a kind of call fail from now on."""
    simulation.api.fault = lambda request, _: fault if is_call(request, method, plural, subresource) else None


def reopen(simulation: Simulation) -> None:
    """Let every call through again."""
    simulation.api.fault = lambda _request, _number: None


def count(simulation: Simulation, method: str, plural: str, subresource: str = "") -> int:
    """Return how often a call was made."""
    return sum(is_call(request, method, plural, subresource) for request in simulation.api.requests)


def message(simulation: Simulation, kind: str, name: str = "a") -> str:
    """Return a condition's message."""
    conditions = simulation.status(name).get("conditions") or []
    return str(next((found["message"] for found in conditions if found["type"] == kind), ""))


def warnings(simulation: Simulation, reason: str) -> list[Json]:
    """Return the events with a reason."""
    return [event for event in simulation.api.all("events") if event["reason"] == reason]


async def cost(simulation: Simulation, seconds: float = 300) -> tuple[int, int]:
    """Return the requests about the sessions' namespace in that time, and the writes: the resyncs' lists are not."""
    before = len(simulation.api.requests)
    await simulation.rest(seconds)
    made = [request for request in simulation.api.requests[before:] if parse(request.path).namespace == NAMESPACE]
    return len(made), sum(request.method != "GET" for request in made)
