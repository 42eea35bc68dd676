"""From one scene and a step to the next scene, and what is expected of it: all that a walk asks the model."""

from collections.abc import Iterable

from walk.expected import Expectation, expectation, shown
from walk.rules import RULES
from walk.scene import BEGIN, Scene
from walk.steps import Step

__all__ = ["possible", "sanitized", "scene_after", "take"]

_HOLDS = {"Conflict", "TemporarilyBanned", "LoggedOut"}
_END_EVERY_HOLD = {"QRPending", "PasskeyRequired", "Connected", "Restricted", "ActionRequired"}
_END_A_BAN = {"Offline", "ServiceUnavailable", "ScreenLocked"}


def possible(scene: Scene, step: Step) -> bool:
    """Whether the step can be done now, and the model can say what follows."""
    rule = RULES.get(step.name)
    if rule is None or step.argument not in rule.arguments:
        return False
    if scene.ban == "short" and scene.in_ban and step.name != "ban_over":  # it would be over before
        return False
    return rule.possible(scene, step.argument)


def take(scene: Scene, step: Step) -> tuple[Scene, Expectation]:
    """Do the step."""
    after = _reported(RULES[step.name].effect(scene, step.argument))
    if scene.ban == "short":
        after = after.but(in_ban=scene.in_ban + 1)
    return _held(after), expectation(scene, step, after)


def sanitized(steps: Iterable[Step]) -> list[Step]:
    """Leave out what is not possible without the steps that are missing before it."""
    scene, kept = BEGIN, []
    for step in steps:
        if possible(scene, step):
            scene, _ = take(scene, step)
            kept.append(step)
    return kept


def scene_after(steps: Iterable[Step]) -> Scene:
    """Where the steps lead."""
    scene = BEGIN
    for step in steps:
        scene, _ = take(scene, step)
    return scene


def _reported(scene: Scene) -> Scene:
    """A logout that is reported, and is not left to a person, is over with that: the session may be linked again."""
    waits = scene.policy == "Wait" or scene.must_wait
    if shown(scene) == {"LoggedOut/WaitingForPerson"} and not waits:
        return scene.but(remembered=False)
    return scene


def _held(scene: Scene) -> Scene:
    """What waits for a person is remembered over pods, until something is shown that ends it."""
    if scene.pod != "open" or scene.document is None:
        return scene
    states = {one.partition("/")[0] for one in shown(scene)}
    if states <= _HOLDS:
        return scene.but(hold=min(shown(scene)))
    if states & _END_EVERY_HOLD or (scene.held_by_ban and states & _END_A_BAN):
        return scene.but(hold="")
    return scene
