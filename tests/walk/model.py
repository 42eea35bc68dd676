"""From one world and a step to the next world, and what is expected of it: all that a walk asks the model."""

from collections.abc import Iterable

from walk.expected import Expectation, expectation, shown
from walk.rules import RULES
from walk.steps import Step
from walk.world import BEGIN, World

__all__ = ["possible", "sanitized", "take", "world_after"]

_HOLDS = {"Conflict", "TemporarilyBanned", "LoggedOut"}
_END_EVERY_HOLD = {"QRPending", "PasskeyRequired", "Connected", "Restricted", "ActionRequired"}
_END_A_BAN = {"Offline", "ServiceUnavailable", "ScreenLocked"}


def possible(world: World, step: Step) -> bool:
    """Whether the step can be done now, and the model can say what follows."""
    rule = RULES.get(step.name)
    if rule is None or step.argument not in rule.arguments:
        return False
    if world.ban == "short" and world.in_ban and step.name != "ban_over":  # it would be over before
        return False
    return rule.possible(world, step.argument)


def take(world: World, step: Step) -> tuple[World, Expectation]:
    """Do the step."""
    after = _said(RULES[step.name].effect(world, step.argument))
    if world.ban == "short":
        after = after.but(in_ban=world.in_ban + 1)
    return _held(after), expectation(world, step, after)


def sanitized(steps: Iterable[Step]) -> list[Step]:
    """Leave out what is not possible without the steps that are missing before it."""
    world, kept = BEGIN, []
    for step in steps:
        if possible(world, step):
            world, _ = take(world, step)
            kept.append(step)
    return kept


def world_after(steps: Iterable[Step]) -> World:
    """Where the steps lead."""
    world = BEGIN
    for step in steps:
        world, _ = take(world, step)
    return world


def _said(world: World) -> World:
    """A logout that is reported, and is not left to a person, is over with that: the session may be linked again."""
    waits = world.policy == "Wait" or world.must_wait
    if shown(world) == {"LoggedOut/WaitingForPerson"} and not waits:
        return world.but(remembered=False)
    return world


def _held(world: World) -> World:
    """What waits for a person is remembered over pods, until something is shown that ends it."""
    if world.pod != "open" or world.document is None:
        return world
    states = {one.partition("/")[0] for one in shown(world)}
    if states <= _HOLDS:
        return world.but(hold=min(shown(world)))
    if states & _END_EVERY_HOLD or (world.held_by_ban and states & _END_A_BAN):
        return world.but(hold="")
    return world
