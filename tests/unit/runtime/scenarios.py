"""Short stories of a session's life, for runs that are disturbed: each ends at a state that must not depend on it."""

from collections.abc import Awaitable, Callable

from unit.runtime.simulation import Simulation

Scenario = Callable[[Simulation], Awaitable[None]]


async def _running(simulation: Simulation, name: str, *, than: str = "") -> None:
    """Wait until a session's status tells of its running pod, another than the given one."""

    def there() -> bool:
        status, uid = simulation.status(name), simulation.pod_uid(name)
        return bool(uid) and uid != than and status.get("podUID") == uid and status.get("state") == "QRPending"

    await simulation.until(there)


async def birth(simulation: Simulation) -> None:
    """From nothing to a waiting QR code."""
    simulation.quota(sessions=1)
    simulation.session("a")
    await _running(simulation, "a")


async def two_for_one(simulation: Simulation) -> None:
    """Two sessions, one place; the first one is suspended and the second one gets in."""
    simulation.quota(sessions=1)
    simulation.session("a")
    await _running(simulation, "a")
    simulation.session("b")
    await simulation.until(lambda: simulation.condition("b", "Admitted") == ("False", "QuotaExceeded"))
    simulation.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await _running(simulation, "b")
    await simulation.until(lambda: simulation.state("a") == "Suspended" and not simulation.status("a")["replicas"])


async def failure(simulation: Simulation) -> None:
    """The runner fails once and comes back."""
    await birth(simulation)
    uid = simulation.pod_uid("a")
    simulation.end("a", code=33, message="Chromium was killed.")
    await _running(simulation, "a", than=uid)


async def exhausted(simulation: Simulation) -> None:
    """It fails until it is stalled; a person asks, and it runs again."""
    simulation.quota(sessions=1)
    simulation.session("a", recovery={"maxAttempts": 1, "baseDelay": "1s", "healthyAfter": "10m"})
    await _running(simulation, "a")
    uid = simulation.pod_uid("a")
    simulation.end("a", code=30)
    await _running(simulation, "a", than=uid)
    uid = simulation.pod_uid("a")
    simulation.end("a", code=30)
    await simulation.until(lambda: simulation.state("a") == "Stalled" and "admission" not in simulation.status("a"))
    simulation.ask("a", "restart-at")
    await _running(simulation, "a", than=uid)


async def lost(simulation: Simulation) -> None:
    """The pod vanishes with its node and is replaced."""
    await birth(simulation)
    uid = simulation.pod_uid("a")
    simulation.evict("a")
    await _running(simulation, "a", than=uid)


async def conflict(simulation: Simulation) -> None:
    """Replaced by another browser, then the pod is lost: it stays away, and its place is free."""
    await birth(simulation)
    simulation.say("a", "Conflict", "Replaced")
    await simulation.until(lambda: simulation.condition("a", "Stalled") == ("True", "Conflict"))
    simulation.evict("a")
    await simulation.until(lambda: "admission" not in simulation.status("a"))


async def deletion(simulation: Simulation) -> None:
    """The session is deleted: the pod and the Service go, the claim stays."""
    await birth(simulation)
    simulation.api.remove("whatsappsessions", "shop", "a")
    await simulation.until(lambda: not simulation.api.all("services"))


async def restart(simulation: Simulation) -> None:
    """A person asks for a new pod."""
    await birth(simulation)
    uid = simulation.pod_uid("a")
    simulation.ask("a", "restart-at")
    await _running(simulation, "a", than=uid)
    await simulation.until(lambda: bool(simulation.status("a").get("handledRequests")))


SCENARIOS: tuple[Scenario, ...] = (birth, two_for_one, failure, exhausted, lost, conflict, deletion, restart)
