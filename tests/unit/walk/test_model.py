"""The model of the walk: it stands alone, has an answer to everything, and says of known cases what is right."""

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner.test_walk import SEEDS, STEPS
from session_protocol.vocabulary import RunnerState, StateReason
from walk.expected import shown
from walk.model import possible, sanitized, scene_after, take
from walk.rules import RULES
from walk.scene import BEGIN
from walk.steps import Step, parse, render
from walk.walk import random_walk

WALK = Path(__file__).parents[2] / "walk"
MODEL = {"steps", "scene", "rules", "expected", "model", "walk"}

seeds = st.integers(min_value=0, max_value=2**32)


@pytest.mark.parametrize("module", sorted(MODEL))
def test_the_model_stands_alone(module: str) -> None:
    """It imports the standard library and itself: nothing of the runner, of its words, or of the page."""
    nodes = list(ast.walk(ast.parse((WALK / f"{module}.py").read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    own = {f"walk.{name}" for name in MODEL}

    assert set() == {name for name in names - own if name.partition(".")[0] not in sys.stdlib_module_names}


@given(seeds)
def test_a_walk_never_ends_and_always_expects_something(seed: int) -> None:
    """Wherever chance leads there is a next step, and with a pod there is a state that is right."""
    scene = BEGIN
    for step in random_walk(seed=seed, steps=60):
        scene, expected = take(scene, step)

        assert bool(expected.final) == (scene.pod != "none")
        assert expected.within >= 1
        assert scene.loads == expected.loads


@given(seeds)
def test_a_walk_uses_the_states_of_the_api(seed: int) -> None:
    """Every state and reason that is expected is one that a runner can say."""
    scene, values = BEGIN, set[str]()
    for step in random_walk(seed=seed, steps=60):
        scene, expected = take(scene, step)
        values |= expected.final | expected.passing | {expected.through} - {""}

    assert set() == {value.partition("/")[0] for value in values} - set(RunnerState)
    assert set() == {value.partition("/")[2] for value in values} - {"", *StateReason}


@given(seeds, st.sets(st.integers(min_value=0, max_value=39)))
def test_what_is_left_of_a_walk_can_be_played(seed: int, without: set[int]) -> None:
    """Steps that miss what was before them are left out, until each one is possible."""
    steps = [step for at, step in enumerate(random_walk(seed=seed, steps=40)) if at not in without]
    left = sanitized(steps)

    assert left == sanitized(left)
    assert set(left) <= set(steps)


@given(seeds)
def test_a_walk_is_written_and_read(seed: int) -> None:
    """What a failure prints can be given back."""
    steps = list(random_walk(seed=seed, steps=40))

    assert steps == parse(render(steps))


def test_a_walk_of_ci_tries_everything() -> None:
    """Each kind of step is in one of the walks that CI plays."""
    assert set(RULES) == {step.name for seed in SEEDS.values() for step in random_walk(seed=seed, steps=STEPS)}


def test_an_impossible_step_is_none() -> None:
    """A word that no rule has, an argument that it does not take, or the wrong time for it."""
    assert not possible(BEGIN, Step("dance"))
    assert not possible(BEGIN, Step("start", "twice"))
    assert not possible(BEGIN, Step("scan"))
    with pytest.raises(ValueError, match="'a step!' is no step"):
        parse("a step!")


@pytest.mark.parametrize(
    ("walk", "states"),
    [
        ("start", "QRPending/WaitingForScan"),
        ("start; scan", "Connected"),
        ("start; scan; unlink", "QRPending/WaitingForScan"),
        ("policy(Wait); start; scan; unlink", "LoggedOut/WaitingForPerson"),
        ("start; scan; log_out(account_locked); stop; start", "LoggedOut/WaitingForPerson"),
        ("start; scan; log_out(account_locked); stop; start(relink)", "QRPending/WaitingForScan"),
        ("start; scan; leave", "Loading"),
        ("start; scan; leave; unlink", "Loading"),
        ("start; scan; leave; unlink; arrive", "QRPending/WaitingForScan"),
        ("start; scan; replaced; leave", "Conflict/Replaced"),
        ("start; scan; replaced; stop; start", "Conflict/Replaced"),
        ("start; scan; replaced; stop; start(restart)", "Connected"),
        ("start; scan; ban(short); unreachable; ban_over", "Offline/NoConnection"),
        ("start; scan; ban(short); unreachable; ban_over; stop; start", "Offline/NoConnection"),
        ("start; scan; ban(long); online; offline; reload", "TemporarilyBanned/Banned"),
        ("start; scan; ban(long); online; reload", "Connected"),
        ("start; scan; outage; unlink", "ServiceUnavailable/ServiceDown"),
        ("start; scan; outage; unlink; online", "QRPending/WaitingForScan"),
        ("start; offline", "Offline/NetworkUnreachable"),
        ("start; scan; restrict(capping); lock", "ScreenLocked"),
    ],
)
def test_known_cases(walk: str, states: str) -> None:
    """What the model says of the cases by which it was written."""
    steps = parse(walk)

    assert steps == sanitized(steps)
    assert {states} == shown(scene_after(steps))


def test_a_logout_that_was_covered_is_reported_later() -> None:
    """Once what stood in front of it is over, before the page links again."""
    steps = parse("start; scan; outage; unlink; online")
    _, covered = take(scene_after(steps[:-2]), steps[-2])
    _, over = take(scene_after(steps[:-1]), steps[-1])

    assert ("", "LoggedOut/Relinking") == (covered.through, over.through)
    assert covered.stays > 10 > over.stays


@pytest.mark.parametrize(
    ("walk", "loads"),
    [
        ("start; scan; leave; unlink", 3),
        ("start; scan; leave; offline; unlink; online", 3),
        ("start; scan; outage; leave; unlink", 3),
        ("start; scan; replaced; leave; unlink", 2),
    ],
)
def test_a_page_that_leaves_still_meets_what_befalls_it(walk: str, loads: int) -> None:
    """Until its next document arrives; so one that is unlinked then loads itself once more, if it has a connection."""
    assert loads == scene_after(parse(walk)).loads


@pytest.mark.parametrize(
    ("walk", "allowed"),
    [
        ("start; scan; storage_failed(en); replaced", "Degraded/StorageFailed"),
        ("start; unreachable", "QRPending/WaitingForScan"),
    ],
)
def test_what_no_event_shows_leaves_the_state_before(walk: str, allowed: str) -> None:
    """For as long as it takes to notice."""
    steps = parse(walk)
    _, expected = take(scene_after(steps[:-1]), steps[-1])

    assert allowed in expected.passing
