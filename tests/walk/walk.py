"""Which step comes next: by chance, from a seed.

Half of the steps lead back to a linked session whose page is open, where most can happen; the others are rather those that
were done seldom, and not in such a state before.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random

from walk.expected import shown
from walk.model import possible, take
from walk.rules import RULES
from walk.scene import BEGIN, Scene
from walk.steps import Step

__all__ = ["random_walk"]

_WEIGHTS = {
    Step(name, argument): rule.weight / len(rule.arguments)
    for name, rule in RULES.items()
    for argument in rule.arguments
}
_BACK = ("arrive", "start", "ban_over", "online", "scan")
_BACK_OF_A_HOLD = ("reload", "stop")


def random_walk(*, seed: int, steps: int) -> Iterator[Step]:
    """Yield the steps of one walk; the same for the same numbers."""
    random = Random(seed)
    done, in_state = Counter[Step](), Counter[tuple[frozenset[str], Step]]()
    scene = BEGIN
    for _ in range(steps):
        states = shown(scene)
        choices = [step for step in _WEIGHTS if possible(scene, step)]
        back = [step for step in choices if _leads_back(scene, step)]
        if back and random.random() < 0.5:
            choices = back
        weights = [_WEIGHTS[step] / (1 + in_state[states, step]) ** 2 / (1 + done[step]) for step in choices]
        step = random.choices(choices, weights)[0]
        done[step] += 1
        in_state[states, step] += 1
        scene, _ = take(scene, step)
        yield step


def _leads_back(scene: Scene, step: Step) -> bool:
    if step == Step("start"):
        return not scene.hold
    return step.name in _BACK or (bool(scene.hold) and scene.pod != "none" and step.name in _BACK_OF_A_HOLD)
