"""The operator ends after each of its requests, once per request, and the end is the same as if it had not.

The same story is told again and again, each time with a crash one request later, and a new operator that knows only
what stands in the objects. Compared are the end state and how often pods and claims were made and deleted.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.world import Crash, World

pytestmark = pytest.mark.slow

Story = Callable[[World], None]


class Restarting(World):
    """A world whose operator is replaced by a new one where it ends."""

    def resync(self) -> None:
        """Let the operator look at everything, and its successor if it ends."""
        try:
            super().resync()
        except Crash:
            reports = self.memory.reports  # the runners still run, and say the same to the next one
            self.restart_operator()
            self.memory.reports = reports
            super().resync()


def start(world: World) -> None:
    """A session comes up and is connected."""
    world.set_quota(sessions=1)
    world.apply()
    world.settle()
    world.say(RunnerState.CONNECTED, linked_time=world.now)
    world.settle()


def fail_and_recover(world: World) -> None:
    """Its runner fails; the next pod comes after its wait."""
    start(world)
    world.tick(60)
    world.end(code=33, message="out of memory")
    world.resync()
    world.gone()
    world.resync()
    world.tick(6)
    world.settle()


def exhaust(world: World) -> None:
    """It fails too often."""
    world.set_quota()
    world.apply(spec={"recovery": {"maxAttempts": 1}})
    for _ in range(2):
        world.settle()
        world.tick(10)
        world.end(code=30)
        world.resync()
        world.gone()
        world.tick(10)
    world.settle()


def evict(world: World) -> None:
    """It is evicted and replaced."""
    start(world)
    world.tick(60)
    world.evict()
    world.settle()


def replaced_and_evicted(world: World) -> None:
    """It is in a conflict when it is evicted."""
    start(world)
    world.say(RunnerState.CONFLICT, reason=StateReason.REPLACED)
    world.resync()
    world.evict()
    world.settle()


def replaced_and_restarted(world: World) -> None:
    """Then a person takes over."""
    replaced_and_evicted(world)
    world.annotate(restart_at="2026-11-22T19:00:00Z")
    world.settle()


def suspend_and_resume(world: World) -> None:
    """It rests and wakes."""
    start(world)
    world.apply(spec={"operatingMode": "Suspended"})
    world.settle()
    world.apply(spec={})
    world.settle()


def hand_over(world: World) -> None:
    """Two want one place; the first is suspended."""
    world.set_quota(sessions=1)
    world.apply("sales")
    world.tick(1)
    world.apply("support")
    world.settle()
    world.apply("sales", spec={"operatingMode": "Suspended"})
    world.settle()


def delete_and_apply_again(world: World) -> None:
    """Deleted and re-applied: the claim is the same."""
    start(world)
    world.delete_session()
    world.memory.reports.clear()
    world.apply(uid="another")
    world.settle()


def edit_the_claim(world: World) -> None:
    """The profile grows and will go with the session."""
    start(world)
    world.apply(spec={"profile": {"size": "2Gi", "retention": "Delete"}})
    world.settle()


def end_of(world: World) -> dict[str, Any]:
    """Return what matters at the end: the statuses without times and UIDs of pods, the objects, what was made."""
    statuses = {}
    for name in world.sessions:
        status = world.status(name)
        recovery = status.recovery
        statuses[name] = {
            "state": status.state,
            "conditions": {found.type: (str(found.status), found.reason) for found in status.conditions},
            "failures": recovery and (recovery.consecutive_failures, recovery.restarts),
            "admitted": status.admission is not None,
            "handled": status.handled_requests,
        }
    made = Counter((type(action).__name__) for action in world.done)
    return {
        "statuses": statuses,
        "pods": sorted(world.pods),
        "claims": {name: claim["spec"] for name, claim in world.claims.items()},
        "made": {kind: made[kind] for kind in ("CreatePod", "DeletePod", "CreatePVC", "PatchPVC")},
    }


@pytest.mark.parametrize(
    "story",
    [
        start,
        fail_and_recover,
        exhaust,
        evict,
        replaced_and_evicted,
        replaced_and_restarted,
        suspend_and_resume,
        hand_over,
        delete_and_apply_again,
        edit_the_claim,
    ],
)
def test_a_crash_after_any_request_changes_nothing_in_the_end(story: Story) -> None:
    """Neither the end state nor how many pods and claims were made, deleted or changed."""
    undisturbed = Restarting()
    story(undisturbed)
    expected = end_of(undisturbed)

    assert undisturbed.writes > 4
    for request in range(undisturbed.writes):
        world = Restarting(crash_after=request)
        story(world)
        assert expected == end_of(world), f"crash after request {request}"
