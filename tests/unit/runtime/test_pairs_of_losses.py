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


class LossHarness(Simulation):
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


Loss = Callable[[LossHarness], None]


def status(harness: LossHarness) -> None:
    """Of both sessions."""
    for name in (RUNS, HELD):
        obj = harness.api.objects["whatsappsessions"][NAMESPACE, name]
        obj.pop("status", None)
        harness.api.change("whatsappsessions", NAMESPACE, name, {"metadata": {"labels": {"touched": "yes"}}})


def pods(harness: LossHarness) -> None:
    """Both."""
    for pod in harness.api.all("pods"):
        harness.runners.end(pod["metadata"]["uid"])
        harness.api.remove("pods", NAMESPACE, pod["metadata"]["name"])


def labels_of_pods(harness: LossHarness) -> None:
    """By which they are watched."""
    harness.each("pods", lambda _: {"metadata": {"labels": {MANAGED_BY: None}}})


def owners_of_pods(harness: LossHarness) -> None:
    """Nothing says any more whose they are, but their seals."""
    harness.each("pods", lambda _: {"metadata": {"ownerReferences": None}})


def seals(harness: LossHarness) -> None:
    """Of pods and claims."""
    for plural in ("pods", "persistentvolumeclaims"):
        harness.each(plural, lambda _: {"metadata": {"annotations": {"wasession.dev/seal": None}}})


def claims(harness: LossHarness) -> None:
    """Both; what was on them is gone, too."""
    harness.remove_all("persistentvolumeclaims")
    harness.holds.clear()
    harness.starts.clear()


def labels_of_claims(harness: LossHarness) -> None:
    """The claims look like anybody's."""
    harness.each("persistentvolumeclaims", lambda _: {"metadata": {"labels": {MANAGED_BY: None}}})


def secrets(harness: LossHarness) -> None:
    """Of tokens, all of them."""
    harness.remove_all("secrets")


def service(harness: LossHarness) -> None:
    """The namespace's."""
    harness.remove_all("services")


def keys(harness: LossHarness) -> None:
    """The Secret of them."""
    harness.remove_all("secrets", "ops")


def events(harness: LossHarness) -> None:
    """The watches report nothing of what follows, until the next resync but one."""
    harness.loses_events = True
    harness.clock.call_later(30, lambda: setattr(harness, "loses_events", False))


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


def is_right_or_reported(harness: LossHarness, name: str) -> bool:
    """Whether a session is where it was, or Stalled with what a person has to do."""
    state: str | None = harness.state(name)
    expected: Any = "QRPending" if name == RUNS else "Conflict"
    if state == expected:
        return bool(harness.pod(name)) or name == HELD
    stalled = harness.condition(name, "Stalled")
    message = next(
        (found["message"] for found in harness.status(name).get("conditions") or [] if found["type"] == "Stalled"), ""
    )
    return stalled[0] == "True" and ("kubectl annotate" in message or "label" in message or "elete" in message)


@pytest.mark.parametrize("away", [False, True], ids=["under an operator", "while it is away"])
@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_two_losses_together(one: Loss, other: Loss, *, away: bool) -> None:
    """Five minutes later both sessions are as before, or say what to do; then nothing is written any more."""
    harness = LossHarness()
    try:
        await harness.begin()
        if away:
            harness.kill()
        one(harness)
        await harness.rest(1)
        other(harness)
        if away:
            await harness.start()
        await harness.rest(300)
        writes = len(harness.api.writes)
        await harness.rest(60)

        reported = {name: harness.status(name) for name in (RUNS, HELD)}
        assert all(is_right_or_reported(harness, name) for name in (RUNS, HELD)), reported
        assert claims in (one, other) or HELD not in harness.opened
        assert all(harness.api.created["pods", name] <= 4 for name in (RUNS, HELD))
        assert writes == len(harness.api.writes), harness.api.writes[writes:]
    finally:
        await harness.stop()
