"""Two things are lost together, in any order, with an operator that runs or is away: the result is right, or says what to do.

Each loss alone is tried on a real API server (`integration.operator.test_what_is_lost`). Two sessions live through it: one
that runs, and one in a conflict whose profile remembers it. Whatever is lost, the page of the latter stays closed, and
neither ever has two pods.
"""

import itertools
from collections.abc import Callable
from typing import Any, Final

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.settings import read_settings
from session_runner.states.hold import HeldState, Start, hold_after
from unit.runtime.memory_api import Json
from unit.runtime.simulation import NAMESPACE, Simulation

pytestmark = pytest.mark.slow

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
RUNS, HELD = "runs", "held"
CONFLICT = ("Conflict", "Replaced")


class World(Simulation):
    """A cluster whose runners remember, on their sessions' profiles, what waits for a person."""

    def __init__(self) -> None:
        super().__init__(resync=20)
        self.holds: dict[str, HeldState | None] = {}
        self.starts: dict[str, Start] = {}
        self.opened: list[str] = []
        """ The sessions whose page was opened, in order. """

    def _run(self, name: str, uid: str) -> None:
        pod = self.pod(name)
        if pod is None or self.pod_uid(name) != uid:
            return
        variables = pod["spec"]["containers"][0]["env"]
        start = read_settings({entry["name"]: entry.get("value", "pod") for entry in variables}).start
        if start.is_asked_for(self.starts.get(name)):
            self.holds[name] = None
        self.starts[name] = start.after(self.starts.get(name))
        hold = self.holds.get(name)
        if hold is None:
            self.opened.append(name)
        self.first_state = (hold.state, hold.reason) if hold is not None else ("QRPending", "WaitingForScan")
        super()._run(name, uid)

    def conflict(self, name: str) -> None:
        """Another window takes the session over."""
        state, reason = RunnerState.CONFLICT, StateReason.REPLACED
        self.holds[name] = hold_after(self.holds.get(name), state=state, reason=reason, message="")
        self.say(name, state, reason)

    async def begin(self) -> None:
        """Bring both sessions to where they are when the losses come."""
        self.namespace()
        self.quota(sessions=5)
        await self.up(RUNS, HELD)
        self.conflict(HELD)
        await self.until(lambda: self.condition(HELD, "Stalled") == ("True", "Conflict"))
        self.opened.clear()

    def each(self, plural: str, patch: Callable[[Json], Json]) -> None:
        """Change all objects of a kind in the sessions' namespace."""
        for obj in self.api.all(plural):
            metadata = obj["metadata"]
            self.api.change(plural, metadata["namespace"], metadata["name"], patch(metadata))

    def remove_all(self, plural: str, namespace: str = NAMESPACE) -> None:
        """Delete all objects of a kind in a namespace."""
        for obj in self.api.all(plural):
            if obj["metadata"]["namespace"] == namespace:
                self.api.remove(plural, namespace, obj["metadata"]["name"])


Loss = Callable[[World], None]


def status(world: World) -> None:
    """Of both sessions."""
    for name in (RUNS, HELD):
        obj = world.api.objects["whatsappsessions"][NAMESPACE, name]
        obj.pop("status", None)
        world.api.change("whatsappsessions", NAMESPACE, name, {"metadata": {"labels": {"touched": "yes"}}})


def pods(world: World) -> None:
    """Both."""
    for pod in world.api.all("pods"):
        world.runners.end(pod["metadata"]["uid"])
        world.api.remove("pods", NAMESPACE, pod["metadata"]["name"])


def labels_of_pods(world: World) -> None:
    """By which they are watched."""
    world.each("pods", lambda _: {"metadata": {"labels": {MANAGED_BY: None}}})


def owners_of_pods(world: World) -> None:
    """Nothing says any more whose they are, but their seals."""
    world.each("pods", lambda _: {"metadata": {"ownerReferences": None}})


def seals(world: World) -> None:
    """Of pods and claims."""
    for plural in ("pods", "persistentvolumeclaims"):
        world.each(plural, lambda _: {"metadata": {"annotations": {"wasession.dev/seal": None}}})


def claims(world: World) -> None:
    """Both; what was on them is gone, too."""
    world.remove_all("persistentvolumeclaims")
    world.holds.clear()
    world.starts.clear()


def labels_of_claims(world: World) -> None:
    """The claims look like anybody's."""
    world.each("persistentvolumeclaims", lambda _: {"metadata": {"labels": {MANAGED_BY: None}}})


def secrets(world: World) -> None:
    """Of tokens, all of them."""
    world.remove_all("secrets")


def service(world: World) -> None:
    """The namespace's."""
    world.remove_all("services")


def keys(world: World) -> None:
    """The Secret of them."""
    world.remove_all("secrets", "ops")


def events(world: World) -> None:
    """The watches report nothing of what follows, until the next resync but one."""
    world.loses_events = True
    world.clock.call_later(30, lambda: setattr(world, "loses_events", False))


LOSSES: tuple[Loss, ...] = (
    status,
    pods,
    labels_of_pods,
    owners_of_pods,
    seals,
    claims,
    labels_of_claims,
    secrets,
    service,
    keys,
    events,
)
PAIRS = [
    pytest.param(one, other, id=f"{one.__name__}, {other.__name__}") for one, other in itertools.permutations(LOSSES, 2)
]


def is_right_or_told(world: World, name: str) -> bool:
    """Whether a session is where it was, or Stalled with what a person has to do."""
    state: str | None = world.state(name)
    expected: Any = "QRPending" if name == RUNS else "Conflict"
    if state == expected:
        return bool(world.pod(name)) or name == HELD
    stalled = world.condition(name, "Stalled")
    message = next(
        (found["message"] for found in world.status(name).get("conditions") or [] if found["type"] == "Stalled"), ""
    )
    return stalled[0] == "True" and ("annotation" in message or "label" in message or "elete" in message)


@pytest.mark.parametrize("away", [False, True], ids=["under an operator", "while it is away"])
@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_two_losses_together(one: Loss, other: Loss, *, away: bool) -> None:
    """Five minutes later both sessions are as before, or say what to do; then nothing is written any more."""
    world = World()
    try:
        await world.begin()
        if away:
            world.kill()
        one(world)
        await world.rest(1)
        other(world)
        if away:
            await world.start()
        await world.rest(300)
        writes = len(world.api.writes)
        await world.rest(60)

        told = {name: world.status(name) for name in (RUNS, HELD)}
        assert all(is_right_or_told(world, name) for name in (RUNS, HELD)), told
        assert claims in (one, other) or HELD not in world.opened
        assert all(world.api.created["pods", name] <= 4 for name in (RUNS, HELD))
        assert writes == len(world.api.writes), world.api.writes[writes:]
    finally:
        await world.stop()
