"""An image whose browser does not start: what runs goes on, what fails says why, and the good image ends it for all."""

from typing import Any

import pytest
from unit.runtime.simulation import NAMESPACE, Simulation

pytestmark = pytest.mark.slow

NAMES = tuple(f"session-{number:02}" for number in range(20))
MESSAGE = "LaunchFailed: The browser did not start: it was ended by SIGTRAP. The browser's version is 157.0.7300.1."
BROKEN = {"runner:2": MESSAGE}


async def with_image(simulation: Simulation, image: str) -> None:
    """Give the operator another image for its sessions, which is a new process."""
    simulation.kill()
    simulation.runner_image = image
    await simulation.start()


def ready(simulation: Simulation, names: tuple[str, ...] = NAMES) -> bool:
    """Whether all sessions are up."""
    return all(simulation.state(name) == "QRPending" and simulation.pod_uid(name) for name in names)


def message(simulation: Simulation, name: str, kind: str) -> str:
    """Return a condition's message."""
    conditions: list[dict[str, Any]] = simulation.status(name)["conditions"]
    return str(next(condition["message"] for condition in conditions if condition["type"] == kind))


@pytest.mark.timeout(180)
async def test_twenty_sessions_come_back_with_the_good_image_and_no_command(simulation: Simulation) -> None:
    """Ten run on through all of it; ten fail until they are given up or paused, and return when the image does."""
    simulation.broken_images = BROKEN
    await simulation.up(*NAMES, recovery={"maxAttempts": 2})
    lasting, lost = NAMES[:10], NAMES[10:]
    pods = {name: simulation.pod_uid(name) for name in lasting}
    await with_image(simulation, "runner:2")
    for name in lost:
        simulation.evict(name)
    await simulation.until(lambda: all(simulation.state(name) == "Stalled" for name in lost), within=7200, step=2)

    assert pods == {name: simulation.pod_uid(name) for name in lasting}
    assert ready(simulation, lasting)
    for name in lost:
        assert ("True", "RecoveryExhausted") == simulation.condition(name, "Stalled")
        shown = message(simulation, name, "Stalled")
        assert "it was ended by SIGTRAP" in shown
        assert "157.0.7300.1" in shown
        assert "runner:2" in shown
        assert "runner:2" == simulation.status(name)["recovery"]["lastFailure"]["image"]

    await with_image(simulation, "runner:1")
    await simulation.until(lambda: ready(simulation), within=60)

    assert pods == {name: simulation.pod_uid(name) for name in lasting}
    assert [0] * 10 == [simulation.status(name)["recovery"].get("consecutiveFailures", 0) for name in lost]


@pytest.mark.timeout(180)
async def test_a_pause_for_a_broken_image_ends_with_it(simulation: Simulation) -> None:
    """All twenty fail together, so recovery is paused; nobody waits for the pause when the image is another one."""
    simulation.broken_images = BROKEN
    await simulation.up(*NAMES)
    await with_image(simulation, "runner:2")
    for name in NAMES:
        simulation.evict(name)
    await simulation.until(
        lambda: all(simulation.condition(name, "Recovering") == ("True", "RecoveryPaused") for name in NAMES), within=60
    )
    await with_image(simulation, "runner:1")

    await simulation.until(lambda: ready(simulation), within=60)


@pytest.mark.timeout(180)
async def test_a_session_s_own_image_counts_for_itself(simulation: Simulation) -> None:
    """It is stalled by its own image, whatever the operator's is; with the image in its spec mended it comes back."""
    simulation.broken_images = BROKEN
    recovery = {"maxAttempts": 1, "baseDelay": "1s", "healthyAfter": "10m"}
    await simulation.start()
    simulation.session("a", pod={"image": "runner:2"}, recovery=recovery)
    await simulation.until(lambda: simulation.state("a") == "Stalled")
    made = simulation.api.created["pods", "a"]
    await with_image(simulation, "runner:3")
    await simulation.rest(300)
    assert "Stalled" == simulation.state("a")
    assert made == simulation.api.created["pods", "a"]

    simulation.edit("a", {"spec": {"pod": {"image": "runner:1"}}})
    await simulation.until(lambda: ready(simulation, ("a",)), within=30)


@pytest.mark.timeout(180)
async def test_another_broken_image_is_given_up_as_well(simulation: Simulation) -> None:
    """Each image has its own attempts, and no more."""
    simulation.broken_images = BROKEN | {"runner:3": MESSAGE}
    recovery = {"maxAttempts": 2, "baseDelay": "1s", "healthyAfter": "10m"}
    simulation.runner_image = "runner:2"
    await simulation.start()
    simulation.session("a", recovery=recovery)
    await simulation.until(lambda: simulation.state("a") == "Stalled")
    first = simulation.api.created["pods", "a"]
    await with_image(simulation, "runner:3")
    await simulation.until(lambda: simulation.api.created["pods", "a"] > first)
    await simulation.until(lambda: simulation.state("a") == "Stalled")
    await simulation.rest(600)

    assert (3, 6) == (first, simulation.api.created["pods", "a"])
    assert "runner:3" in message(simulation, "a", "Stalled")


@pytest.mark.timeout(180)
async def test_a_lost_status_does_not_keep_a_session_from_the_good_image(simulation: Simulation) -> None:
    """What the claim remembers of the stop is of the other image."""
    simulation.broken_images = BROKEN
    recovery = {"maxAttempts": 2, "baseDelay": "1s", "healthyAfter": "10m"}
    simulation.runner_image = "runner:2"
    await simulation.start()
    simulation.session("a", recovery=recovery)
    await simulation.until(lambda: simulation.state("a") == "Stalled" and simulation.pod("a") is None)
    await simulation.rest(30)
    simulation.kill()
    simulation.api.change("whatsappsessions", NAMESPACE, "a", {"status": None}, status=True)
    simulation.runner_image = "runner:1"
    await simulation.start()

    await simulation.until(lambda: ready(simulation, ("a",)), within=60)
