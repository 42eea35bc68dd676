"""Clocks that are wrong, or are set while everything runs: the operator's own, the API server's, the node's.

None of it is time that passed: no session is called silent, failed or connected for it, and what waits goes on in time.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from session_protocol.times import format_time
from unit.runtime.simulation import Simulation
from whatsapp_operator.core.recovery.failure import EXIT_TIME

pytestmark = pytest.mark.slow

YEARS = 315_360_000
JUMPS = [20, -20, 3600, -3600, YEARS, -YEARS]
RECOVERY = {"maxAttempts": 3, "baseDelay": "10s", "healthyAfter": "10m"}
NAMES = ("a", "b", "c")


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with a namespace and three places."""
    simulation = Simulation()
    simulation.namespace()
    simulation.quota(sessions=3)
    yield simulation
    await simulation.stop()


class Clocks:
    """Whose clock is set, by how much."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def operator(self, seconds: float) -> None:
        """Set the one of the operator's machine."""
        self._simulation.clock.set_by = seconds

    def server(self, seconds: float) -> None:
        """Set the one of the API server."""
        self._simulation.server_ahead = timedelta(seconds=seconds)

    def node(self, seconds: float) -> None:
        """Set the one of the node, which is its runners' too."""
        self._simulation.node_ahead = timedelta(seconds=seconds)

    def of(self, whose: str, seconds: float) -> None:
        """Set one of them, or all."""
        for name in ("operator", "server", "node") if whose == "all" else (whose,):
            getattr(self, name)(seconds)


all_clocks = pytest.mark.parametrize("whose", ["operator", "server", "node", "all"])
all_jumps = pytest.mark.parametrize("jump", JUMPS)


@all_clocks
@all_jumps
async def test_a_clock_that_is_set_changes_no_session(simulation: Simulation, whose: str, jump: int) -> None:
    """None of them is Unreachable, none fails, for ten minutes; and back again."""
    await simulation.up(*NAMES, recovery=RECOVERY)
    uids = [simulation.pod_uid(name) for name in NAMES]
    states: set[str | None] = set()
    simulation.checks.append(lambda: states.update(simulation.state(name) for name in NAMES))
    for seconds in (jump, 0):
        Clocks(simulation).of(whose, seconds)
        await simulation.rest(300)

    assert {"QRPending"} == states | {simulation.state("a")}
    assert uids == [simulation.pod_uid(name) for name in NAMES]


@all_clocks
@all_jumps
async def test_a_silent_runner_is_unreachable_in_time(simulation: Simulation, whose: str, jump: int) -> None:
    """After 15 s, not at once and not an hour later; and it is back when it is heard."""
    await simulation.up("a")
    simulation.runners.silent.add(simulation.pod_uid("a"))
    Clocks(simulation).of(whose, jump)
    await simulation.rest(8)
    early = simulation.state("a")
    await simulation.until(lambda: simulation.state("a") == "Unreachable", within=30)
    simulation.runners.silent.clear()
    simulation.say("a", "Connected")

    await simulation.until(lambda: simulation.state("a") == "Connected", within=30)
    assert "QRPending" == early


@all_clocks
@all_jumps
async def test_a_failure_is_tried_again_in_time(simulation: Simulation, whose: str, jump: int) -> None:
    """Whether the clock is set before or after it; each failure counts once, and the last one ends the trying."""
    await simulation.up("a", recovery=RECOVERY)
    Clocks(simulation).of(whose, jump)
    for failures in (1, 2, 3):
        uid = simulation.pod_uid("a")
        await simulation.rest(30)
        simulation.end("a", code=30)
        began = simulation.clock.seconds
        await simulation.until(lambda uid=uid: simulation.pod_uid("a") not in ("", uid), within=120)  # type: ignore[misc]
        waited = simulation.clock.seconds - began
        assert 7 * 2 ** (failures - 1) <= waited <= 13 * 2 ** (failures - 1) + 2
        await simulation.until(lambda: simulation.status("a").get("podUID") == simulation.pod_uid("a"))
    simulation.end("a", code=30)

    await simulation.until(lambda: simulation.condition("a", "Stalled") == ("True", "RecoveryExhausted"))


@all_clocks
@all_jumps
async def test_a_dead_page_counts_in_its_time(simulation: Simulation, whose: str, jump: int) -> None:
    """The runner has its time to exit from when the operator was told; a page that comes back in time has not failed."""
    await simulation.up("a")
    uid = simulation.pod_uid("a")
    Clocks(simulation).of(whose, jump)
    simulation.say("a", "Unresponsive")
    await simulation.rest(EXIT_TIME.total_seconds() - 10)
    early = simulation.pod_uid("a")
    simulation.say("a", "Connected")
    await simulation.rest(60)
    meanwhile = simulation.pod_uid("a")
    simulation.say("a", "Unresponsive")
    await simulation.until(lambda: simulation.pod_uid("a") != uid, within=90)

    assert [uid, uid] == [early, meanwhile]
    assert "Unresponsive" == simulation.status("a")["recovery"]["lastFailure"]["reason"]


@all_clocks
@all_jumps
async def test_a_pod_that_never_starts_makes_no_storm(simulation: Simulation, whose: str, jump: int) -> None:
    """Taken away before it ran, again and again: twice as long apart each time, whatever the clocks say."""
    Clocks(simulation).of(whose, jump)
    simulation.start_pods = False
    await simulation.start()
    simulation.session("a", recovery=RECOVERY)
    await simulation.until(lambda: simulation.pod("a") is not None)
    status = {"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"}
    began, pods = simulation.clock.seconds, 0
    while simulation.clock.seconds < began + 60:
        if simulation.pod("a") is not None:
            pods += 1
            simulation.api.change("pods", "shop", "a", {"status": status}, status=True)
        await simulation.until(lambda: simulation.pod("a") is None, within=10)
        await simulation.until(lambda: simulation.pod("a") is not None, within=90)

    assert 3 <= pods <= 4


@pytest.mark.parametrize("jump", [20, -20, 3600, -3600])
async def test_the_next_process_goes_on_by_its_own_clock(simulation: Simulation, jump: int) -> None:
    """What is stored is of before: nothing is called failed or silent, and a wait is no longer than it may be."""
    await simulation.up("a", "b", recovery={**RECOVERY, "baseDelay": "60s"})
    uid = simulation.pod_uid("b")
    simulation.end("a", code=30)
    await simulation.until(lambda: bool(simulation.status("a")["recovery"].get("nextAttemptTime")))
    simulation.kill()
    simulation.clock.set_by = jump
    await simulation.start()

    await simulation.until(lambda: simulation.state("a") == "QRPending", within=420)
    await simulation.until(lambda: simulation.state("b") == "QRPending", within=30)
    assert uid == simulation.pod_uid("b")
    assert 1 == simulation.status("a")["recovery"]["consecutiveFailures"]


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=3653)], ids=["an hour", "ten years"])
@pytest.mark.parametrize("whose", ["nextAttemptTime", "lastFailure", "reservedAt"])
async def test_a_stored_time_to_come_freezes_nothing(simulation: Simulation, whose: str, ahead: timedelta) -> None:
    """A next attempt, a failure or a reservation of the future, as a wrong clock or a person wrote it."""
    await simulation.up("a", recovery=RECOVERY)
    uid = simulation.pod_uid("a")
    simulation.end("a", code=30)
    await simulation.until(lambda: bool(simulation.status("a")["recovery"].get("nextAttemptTime")))
    simulation.kill()
    time = format_time(simulation.clock.now() + ahead)
    patches = {
        "nextAttemptTime": {"recovery": {"nextAttemptTime": time}},
        "lastFailure": {"recovery": {"lastFailure": {"time": time}}},
        "reservedAt": {"admission": {"reservedAt": time}},
    }
    simulation.api.change("whatsappsessions", "shop", "a", {"status": patches[whose]}, status=True)
    await simulation.start()

    await simulation.until(lambda: simulation.pod_uid("a") not in ("", uid), within=60)
    await simulation.until(lambda: simulation.state("a") == "QRPending")
    await simulation.rest(10)
    assert time not in str(simulation.status("a"))
