"""The NetworkPolicy of a namespace in the whole runtime: its lifetime, and its switch."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.core.network import AddressPeer, Egress, RunnerNetwork

NAME = "whatsapp-session-runners"
NETWORK = RunnerNetwork(operator_namespace="ops")


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster whose operator makes policies, with a session that is up."""
    simulation = Simulation(network=NETWORK)
    simulation.namespace()
    simulation.quota(sessions=20)
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.state("a") == "QRPending")
    yield simulation
    await simulation.stop()


def policy(simulation: Simulation) -> dict[str, Any]:
    """Return the namespace's policy; empty: there is none."""
    return simulation.api.get("networkpolicies", NAMESPACE, NAME) or {}


async def restart(simulation: Simulation, network: RunnerNetwork | None) -> None:
    """Let an operator with other settings follow."""
    simulation.kill()
    simulation.network = network
    await simulation.start()


async def test_it_is_put_back_when_somebody_deletes_or_changes_it(simulation: Simulation) -> None:
    """Within seconds, by the watch; each time once."""
    made = policy(simulation)
    simulation.api.remove("networkpolicies", NAMESPACE, NAME)
    await simulation.until(lambda: policy(simulation), within=5)
    assert made["spec"] == policy(simulation)["spec"]

    simulation.api.change("networkpolicies", NAMESPACE, NAME, {"spec": {"ingress": []}})
    await simulation.until(lambda: made["spec"] == policy(simulation)["spec"], within=5)
    await simulation.rest(70)
    patches = [request for request in simulation.api.writes if request.path.endswith(f"/{NAME}")]
    assert ["PATCH"] == [request.method for request in patches]


async def test_it_goes_with_the_last_pod(simulation: Simulation) -> None:
    """Not before: a pod that is ending is behind it, too."""
    pod = dict(simulation.pod("a") or {})
    terminating = {**pod, "metadata": {"name": "ending", "namespace": NAMESPACE, "labels": pod["metadata"]["labels"]}}
    simulation.start_pods = False
    simulation.api.put("pods", terminating)
    await simulation.rest(2)
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    await simulation.rest(70)
    assert policy(simulation)

    simulation.api.remove("pods", NAMESPACE, "ending")
    await simulation.until(lambda: not policy(simulation), within=70)


async def test_new_settings_reach_it(simulation: Simulation) -> None:
    """A session that is up needs no new pod for it."""
    uid = simulation.pod_uid("a")
    proxy = Egress(peer=AddressPeer(cidr="10.1.2.3/32"), port=3128)
    await restart(simulation, RunnerNetwork(operator_namespace="ops", egress=(proxy,)))

    await simulation.until(lambda: "10.1.2.3/32" in str(policy(simulation)), within=30)
    assert uid == simulation.pod_uid("a")


async def test_switched_off_it_goes(simulation: Simulation) -> None:
    """With the first full list; a foreign one of the name stays."""
    await restart(simulation, None)
    await simulation.until(lambda: not policy(simulation), within=30)

    simulation.api.put("networkpolicies", {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": {}})
    await simulation.rest(130)
    assert policy(simulation)
    assert "QRPending" == simulation.state("a")
