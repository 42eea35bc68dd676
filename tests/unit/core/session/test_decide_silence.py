"""Silence is not failure: it is told, and nothing is touched."""

from datetime import timedelta

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.world import World, running


def test_fifteen_seconds_without_an_answer_are_told() -> None:
    """Ready is Unknown, Linked keeps its value, the state is Unreachable; not a second earlier."""
    world = running()
    assert world.now + timedelta(seconds=15) == world.decide().requeue_at
    world.tick(14)
    world.look()
    assert ("Connected", ("True", "Connected")) == (world.status().state, world.says("Ready"))
    world.tick(1)
    world.look()

    assert ("Unreachable", ("Unknown", "RunnerUnreachable")) == (world.status().state, world.says("Ready"))
    assert ("True", "Linked") == world.says("Linked")
    assert world.status().link is not None


def test_no_silence_touches_the_pod() -> None:
    """However long, and whatever the last word was."""
    for state in (RunnerState.CONNECTED, RunnerState.CRASHED, RunnerState.UNRESPONSIVE, RunnerState.CONFLICT):
        world = running(state=state)
        done = len(world.done)
        for _ in range(10):
            world.tick(3600)
            world.look()
        assert done == len(world.done)
        assert "Unreachable" == world.status().state


def test_silence_at_rest_writes_nothing() -> None:
    """The message has no growing age in it."""
    world = running()
    world.tick(15)
    world.look()
    writes = world.writes
    for _ in range(5):
        world.tick(100)
        world.look()

    assert writes == world.writes
    assert world.decide().requeue_at is None


def test_an_answer_ends_the_silence() -> None:
    """With its own word."""
    world = running()
    world.tick(60)
    world.look()
    world.say(RunnerState.CONNECTED)
    world.look()

    assert ("True", "Connected") == world.says("Ready")


def test_a_runner_that_never_answered_is_told_too() -> None:
    """From when it is listened to; until then the pod is only starting."""
    world = World()
    world.set_quota()
    world.apply()
    world.settle()
    assert ("Pending", ("False", "RunnerStarting")) == (world.status().state, world.says("Ready"))
    world.tick(15)
    world.look()

    assert ("Unreachable", ("Unknown", "RunnerUnreachable")) == (world.status().state, world.says("Ready"))
    assert ("Unknown", "NotKnown") == world.says("Linked")


@pytest.mark.parametrize("state", [RunnerState.CONNECTED, RunnerState.QR_PENDING, RunnerState.CONFLICT])
def test_an_operators_own_restart_is_nobodys_silence(state: RunnerState) -> None:
    """What was said stays until the new operator has listened; then it is told."""
    world = running(state=state)
    writes = world.writes
    world.restart_operator()
    world.tick(300)
    world.look()
    assert writes == world.writes
    assert world.pods["sales"]["metadata"]["uid"] == world.decide().poll
    assert world.now + timedelta(seconds=15) == world.decide().requeue_at

    world.tick(5)
    world.say(state, linked_time=world.status().link and world.status().link.linked_time)  # type: ignore[union-attr]
    world.look()
    assert writes == world.writes
    world.tick(15)
    world.look()
    assert "Unreachable" == world.status().state


def test_a_report_of_another_pod_is_no_answer() -> None:
    """Nor is one of another session."""
    world = running()
    report = world.memory.reports["sales"]
    world.delete_pod()
    world.settle()
    world.memory.reports["sales"] = report
    world.tick(15)
    world.look()

    assert "Unreachable" == world.status().state


def test_who_cannot_answer_is_not_listened_to() -> None:
    """A pending pod, an ended one, none."""
    world = World()
    world.set_quota()
    world.apply()
    assert world.decide().poll is None
    world.resync()
    world.schedule()
    assert world.decide().poll is None
    world.run()
    assert world.pods["sales"]["metadata"]["uid"] == world.decide().poll
    world.end()
    assert world.decide().poll is None


def test_a_pod_that_is_ending_is_listened_to_and_not_called_unreachable() -> None:
    """Its last word may be that it must not be replaced; its silence is to be expected."""
    world = running()
    world.delete_pod()
    assert world.pods["sales"]["metadata"]["uid"] == world.decide().poll
    world.tick(30)
    world.look()

    assert ("Recovering", ("False", "PodTerminating")) == (world.status().state, world.says("Ready"))
