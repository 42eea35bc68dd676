"""The API server's data are those of before, or others: noticed within two resyncs, and everything begins anew.

`integration.operator.test_restored_etcd` does it to a real etcd; here are the kinds of restore that it cannot make.
"""

from collections.abc import AsyncIterator

import pytest
from unit.runtime.memory_api import Json, copied
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.runtime.kube.resources import SESSIONS

pytestmark = pytest.mark.slow

TWO_RESYNCS = 125
BUMP = 1_000_000_000


class Restorable(Simulation):
    """A cluster whose data can be put back."""

    def __init__(self) -> None:
        super().__init__()
        self.begins_anew = True
        self.snapshot_kept: tuple[dict[str, dict[tuple[str, str], Json]], int] = ({}, 0)
        self.most = 0
        """ The most pods that a session ever had at once. """
        self.checks.append(self._count)

    def _count(self) -> None:
        owners = [pod["metadata"]["ownerReferences"][0]["uid"] for pod in self.api.all("pods")]
        self.most = max([self.most, *(owners.count(owner) for owner in owners)])

    def snapshot(self) -> None:
        """Keep what is there."""
        self.snapshot_kept = copied(self.api.objects), self.api.version

    def restore(self, *, bump: int | None = None, catch_up: bool = False) -> None:
        """Put it back; no watch tells, and what ran for other pods is gone.

        :param bump: let versions count on from so much more, as etcd's tool can.
        :param catch_up: let so much be written elsewhere that versions are those of before again.
        """
        before = self.api.version
        objects, version = self.snapshot_kept
        self.api.objects = copied(objects)
        self.api.version = before + bump if bump is not None else before + 5 if catch_up else version
        there = {pod["metadata"]["uid"] for pod in self.api.all("pods")}
        for uid in set(self.runners.states) - there:
            self.runners.end(uid)
        for pod in self.api.all("pods"):  # the node knows nothing of those that had ended in the meantime
            if pod["metadata"]["uid"] not in self.runners.states:
                state = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}
                status = {"phase": "Failed", "containerStatuses": [{"name": "runner", "state": state}]}
                self.api.change("pods", NAMESPACE, pod["metadata"]["name"], {"status": status}, status=True)


KINDS = pytest.mark.parametrize(
    "how", [{}, {"bump": BUMP}, {"catch_up": True}], ids=["lower versions", "a bump", "versions of before again"]
)


@pytest.fixture
async def simulation() -> AsyncIterator[Restorable]:
    """A cluster with a namespace and five places."""
    simulation = Restorable()
    simulation.namespace()
    simulation.quota(sessions=5)
    yield simulation
    await simulation.stop()


@KINDS
async def test_what_the_snapshot_has_is_taken(simulation: Restorable, how: dict[str, int | bool]) -> None:
    """A session of before is as it was, one that came later is gone, one that was deleted is back."""
    await simulation.up("kept", "deleted", "edited")
    simulation.snapshot()
    simulation.api.remove("whatsappsessions", NAMESPACE, "deleted")
    simulation.edit("edited", {"spec": {"operatingMode": "Suspended"}})
    simulation.session("late")
    await simulation.until(
        lambda: simulation.state("late") == "QRPending" and simulation.state("edited") == "Suspended"
    )
    await simulation.rest(100)
    kept = simulation.pod_uid("kept")

    simulation.restore(**how)  # type: ignore[arg-type]
    await simulation.rest(TWO_RESYNCS)

    assert simulation.operator is not None
    assert {"kept", "deleted", "edited"} == {name.name for name in simulation.operator.store.keys(SESSIONS)}
    assert {"QRPending"} == {simulation.state(name) for name in ("kept", "deleted", "edited")}
    assert (kept, 1) == (simulation.pod_uid("kept"), simulation.most)
    assert 3 == simulation.operator.runners.active


@KINDS
async def test_what_comes_after_it_is_dealt_with(simulation: Restorable, how: dict[str, int | bool]) -> None:
    """Deleted, applied and edited while no watch reports anything that is not newer than what it said before."""
    await simulation.up("a", "b")
    simulation.snapshot()
    for _ in range(40):
        simulation.say("a", "Connected")
        await simulation.rest(10)
        simulation.say("a", "QRPending")
        await simulation.rest(10)
    simulation.restore(**how)  # type: ignore[arg-type]
    simulation.loses_events = not how  # until the numbers of before come again
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    simulation.edit("b", {"spec": {"operatingMode": "Suspended"}})
    simulation.session("c")
    simulation.clock.call_later(TWO_RESYNCS, lambda: setattr(simulation, "loses_events", False))

    await simulation.until(lambda: simulation.state("c") == "QRPending", within=TWO_RESYNCS + 30)
    await simulation.until(lambda: simulation.state("b") == "Suspended" and not simulation.pod("b"), within=30)
    assert (None, 1) == (simulation.pod("a"), simulation.most)


async def test_the_same_names_under_other_uids_are_others(simulation: Restorable) -> None:
    """A backup of objects, applied again: nothing that was known of the old ones counts for the new ones."""
    await simulation.up("a", "b")
    before = {name: simulation.pod_uid(name) for name in ("a", "b")}
    simulation.loses_events = True
    for name in ("a", "b"):
        simulation.api.remove("whatsappsessions", NAMESPACE, name)
        simulation.session(name)
    simulation.loses_events = False

    await simulation.until(
        lambda: all(
            simulation.state(name) == "QRPending" and simulation.pod_uid(name) not in ("", before[name])
            for name in ("a", "b")
        ),
        within=TWO_RESYNCS,
    )
    assert 1 == simulation.most


async def test_the_quota_is_counted_anew(simulation: Restorable) -> None:
    """A place that only the lost future took is free; one that the past has is taken."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 2}})
    await simulation.up("a")
    simulation.snapshot()
    simulation.session("b")
    await simulation.until(lambda: simulation.state("b") == "QRPending")
    simulation.session("c")
    await simulation.until(lambda: simulation.condition("c", "Admitted") == ("False", "QuotaExceeded"))

    simulation.restore()
    await simulation.rest(TWO_RESYNCS)
    for name in ("c", "d"):
        simulation.session(name)
    await simulation.until(
        lambda: sorted(str(simulation.state(name)) for name in ("c", "d")) == ["QRPending", "Queued"],
        within=TWO_RESYNCS,
    )

    assert "QRPending" == simulation.state("a")
