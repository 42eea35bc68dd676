"""Changes that the API server takes and somebody undoes: told, tried a few times, and no war."""

from collections.abc import Callable

import pytest
from unit.runtime.closed_gates import (
    cost,
    message,
)
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Json
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.failed_calls import CallRecords

Undo = Callable[[Simulation], None]


def delete_services(simulation: Simulation) -> None:
    """Delete each Service as soon as it is there."""

    def undo(plural: str, event: str, obj: Json) -> None:
        if plural == "services" and event == "ADDED":
            name = obj["metadata"]["name"]
            simulation.clock.call_later(0.05, lambda: simulation.api.remove("services", NAMESPACE, name))

    simulation.api.watchers.append(undo)


def shrink_claims(simulation: Simulation) -> None:
    """Take back each new size of a claim, as a webhook or a controller would."""

    def undo(plural: str, event: str, obj: Json) -> None:
        size = {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}
        if plural == "persistentvolumeclaims" and event == "MODIFIED" and "3Gi" in str(obj["spec"]):
            name = obj["metadata"]["name"]

            def shrink() -> None:
                simulation.api.change(plural, NAMESPACE, name, size)

            simulation.clock.call_later(0.05, shrink)

    simulation.api.watchers.append(undo)
    simulation.edit("a", {"spec": {"profile": {"size": "3Gi"}}})


@pytest.mark.parametrize("undo", [delete_services, shrink_claims])
async def test_what_is_undone_again_and_again_is_no_war(simulation: Simulation, undo: Undo) -> None:
    """The API server takes the call, and somebody puts back what was: told, and tried a few times."""
    await simulation.up("a")
    if undo is delete_services:
        delete_services(simulation)
        simulation.api.remove("services", NAMESPACE, "whatsapp-sessions")
    else:
        shrink_claims(simulation)
    await simulation.until(lambda: "did not stay" in message(simulation, "CallFailed"), within=60)
    await simulation.rest(60)
    requests, _ = await cost(simulation)

    assert requests < 10
    assert "QRPending" == simulation.state("a")


@pytest.mark.parametrize(("targets", "reasons"), [(("1", "2", "3"), []), (("1", "1"), ["NotKept"])])
def test_pods_that_follow_each_other_quickly_undo_nothing(targets: tuple[str, ...], reasons: list[str]) -> None:
    """They have the same name; the same one that has to be deleted again was kept by somebody."""
    records = CallRecords({"session": "sales", "namespace": "shop"}, FakeClock(), lambda seconds: seconds, Metrics())

    for target in targets:
        records.succeeded(Call(Verb.DELETE, "Pod", "sales"), target=target)

    assert reasons == [failed.reason for failed in records.known()]
