"""Places in a quota through the whole runtime: whoever cannot use one gives it back, and comes up once it can."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from unit.runtime.memory_api import Fault, Json
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.runtime.kube.client import Request

BROKEN = "registry.example/broken:1"
MINUTES = 60.0


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with one place, and an image that no node can pull."""
    simulation = Simulation()
    simulation.namespace()
    simulation.quota(sessions=1)
    simulation.missing_images = {BROKEN}
    yield simulation
    await simulation.stop()


def message(simulation: Simulation, name: str, kind: str) -> str:
    """Return a condition's message."""
    conditions = simulation.status(name).get("conditions") or []
    return next((str(found["message"]) for found in conditions if found["type"] == kind), "")


def limit(simulation: Simulation, **spec: Any) -> None:
    """Change the quota."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": spec})


def quota_status(simulation: Simulation) -> Json:
    """Return what the quota says."""
    status: Json = (simulation.api.get("whatsappsessionquotas", "", "default") or {}).get("status") or {}
    return status


async def test_a_place_without_a_running_pod_is_named_given_back_and_taken_again(simulation: Simulation) -> None:
    """By nobody's command: the quota names who holds it, the next one gets it, and the image comes back."""
    await simulation.start()
    simulation.session("a", pod={"image": BROKEN})
    await simulation.until(lambda: simulation.condition("a", "Ready")[1] == "ImagePullBackOff")
    simulation.session("b")
    await simulation.until(
        lambda: "1 of the admitted sessions does not run" in message(simulation, "b", "Admitted"), within=130
    )
    (named,) = quota_status(simulation)["notRunningSessions"]
    assert (1, "shop", "a", "ImagePullBackOff") == (
        quota_status(simulation)["notRunning"],
        named["namespace"],
        named["name"],
        named["reason"],
    )

    await simulation.until(lambda: simulation.state("b") == "QRPending", within=11 * MINUTES)
    assert ("Queued", "ImagePullBackOff") == (simulation.state("a"), simulation.condition("a", "Ready")[1])
    assert "admission" not in simulation.status("a")
    await simulation.until(lambda: "notRunning" not in quota_status(simulation), within=90)

    simulation.missing_images.clear()
    simulation.edit("b", {"spec": {"operatingMode": "Suspended"}})
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=3 * MINUTES)
    await simulation.until(lambda: "requeue" not in simulation.status("a"), within=30)


@pytest.mark.slow
async def test_those_that_cannot_run_take_turns_and_starve_nobody(simulation: Simulation) -> None:
    """Three of them before one that can: it waits for a turn of each at most. None of them writes without end."""
    await simulation.start()
    for name in ("a", "b", "c"):
        simulation.session(name, pod={"image": BROKEN})
        await simulation.rest(2)
    simulation.session("good")
    writes = len(simulation.api.writes)

    await simulation.until(lambda: simulation.state("good") == "QRPending", within=35 * MINUTES)

    assert len(simulation.api.writes) - writes < 150
    await simulation.rest(2 * MINUTES)
    before = len(simulation.api.writes)
    await simulation.rest(60 * MINUTES)
    assert "QRPending" == simulation.state("good")
    assert before == len(simulation.api.writes)
    simulation.missing_images.clear()
    limit(simulation, sessions=4)
    await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in "abc"), within=60)


async def test_a_refused_pod_gives_its_place_back(simulation: Simulation) -> None:
    """A ResourceQuota of the namespace: the API server's words stay to be read, and it comes up when there is room."""
    refused = Fault(status=403)

    def full(request: Request, _number: int) -> Fault | None:
        named = ((request.body or {}).get("metadata") or {}).get("name")
        return refused if request.method == "POST" and request.path.endswith("/pods") and named == "a" else None

    simulation.api.fault = full
    await simulation.start()
    simulation.session("a")
    await simulation.rest(2)
    simulation.session("b")
    await simulation.until(lambda: simulation.state("b") == "QRPending", within=11 * MINUTES)

    assert "fault 403" in message(simulation, "a", "Ready")
    simulation.api.fault = lambda _request, _number: None
    simulation.edit("b", {"spec": {"operatingMode": "Suspended"}})
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=3 * MINUTES)


def _claim_terminates(simulation: Simulation) -> None:
    labels = {"app.kubernetes.io/managed-by": "whatsapp-session-operator", "wasession.dev/session": "a"}
    metadata = {"name": "a-profile", "namespace": NAMESPACE, "labels": labels, "finalizers": ["example.com/kept"]}
    simulation.api.put(
        "persistentvolumeclaims",
        {"metadata": metadata | {"deletionTimestamp": simulation.clock.now().isoformat()}, "spec": {}},
    )


def _name_is_taken(simulation: Simulation) -> None:
    simulation.api.put(
        "pods", {"metadata": {"name": "a", "namespace": NAMESPACE}, "spec": {"containers": [{"image": BROKEN}]}}
    )


@pytest.mark.parametrize(
    ("obstacle", "spec"),
    [
        (_claim_terminates, {}),
        (_name_is_taken, {}),
        (lambda _simulation: None, {"profile": {"existingClaim": "mine"}}),
    ],
    ids=["its claim is being deleted", "its name is taken", "its claim is not there"],
)
async def test_what_was_assumed_for_one_that_cannot_use_it_is_the_next_ones(
    simulation: Simulation, obstacle: Any, spec: Json
) -> None:
    """Within seconds, and however many rounds follow."""
    obstacle(simulation)
    await simulation.start()
    simulation.session("a", **spec)
    await simulation.rest(2)
    simulation.session("b")
    await simulation.until(lambda: simulation.state("b") == "QRPending", within=10)

    assert simulation.operator is not None
    uid = (simulation.api.get("whatsappsessions", NAMESPACE, "a") or {})["metadata"]["uid"]
    assert simulation.operator.admission.verdict(SessionUID(uid)).assumed is None
    rounds = len(simulation.api.requests)
    await simulation.rest(50)
    assert len(simulation.api.requests) - rounds < 60
    if obstacle is _claim_terminates:
        simulation.api.remove("persistentvolumeclaims", NAMESPACE, "a-profile")
        simulation.edit("b", {"spec": {"operatingMode": "Suspended"}})
        await simulation.until(lambda: simulation.state("a") == "QRPending", within=20)


async def test_a_deleted_session_that_a_finalizer_keeps_holds_no_place(simulation: Simulation) -> None:
    """Its pod is gone; somebody's controller may take days."""
    await simulation.up("a")
    simulation.session("b")
    await simulation.until(lambda: simulation.condition("b", "Admitted") == ("False", "QuotaExceeded"))
    now = simulation.clock.now().isoformat()
    simulation.edit("a", {"metadata": {"deletionTimestamp": now, "finalizers": ["example.com/kept"]}})

    await simulation.until(lambda: simulation.state("b") == "QRPending", within=10)

    assert "admission" in simulation.status("a")
    assert 1 == quota_status(simulation)["admitted"]


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
async def test_a_sidecar_is_counted_once_and_kept_over_a_drain(simulation: Simulation, kind: str) -> None:
    """Injected when the pod is made: the reservation takes it in, and the drained session keeps all of it."""
    proxy = {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always", "resources": {"limits": {"memory": "1Gi"}}}

    def inject(request: Request, _number: int) -> None:
        if request.method == "POST" and request.path.endswith("/pods") and request.body is not None:
            request.body["spec"].setdefault(kind, []).append(proxy)

    simulation.api.fault = inject
    limit(simulation, sessions=None, memory="1792Mi")
    await simulation.up("a")
    await simulation.until(lambda: quota_status(simulation).get("memoryReserved") == "1792Mi", within=70)
    assert "1792Mi" == simulation.status("a")["admission"]["memory"]
    simulation.session("b", resources={"limits": {"memory": "256Mi"}})
    writes = len(simulation.api.writes)
    await simulation.rest(130)
    assert len(simulation.api.writes) - writes < 8
    before = simulation.pod_uid("a")

    simulation.evict("a")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", before), within=20)
    await simulation.rest(20)
    assert ("QRPending", "1792Mi") == (simulation.state("a"), simulation.status("a")["admission"]["memory"])
    assert "Queued" == simulation.state("b")


async def test_a_webhook_that_lowers_limits_moves_no_reservation(simulation: Simulation) -> None:
    """The drained session finds its place as it was."""

    def lower(request: Request, _number: int) -> None:
        if request.method == "POST" and request.path.endswith("/pods") and request.body is not None:
            request.body["spec"]["containers"][0]["resources"]["limits"]["memory"] = "300Mi"

    simulation.api.fault = lower
    limit(simulation, sessions=None, memory="768Mi")
    await simulation.up("a")
    simulation.session("b", resources={"limits": {"memory": "256Mi"}})
    await simulation.rest(70)
    assert ("768Mi", "Queued") == (simulation.status("a")["admission"]["memory"], simulation.state("b"))
    before = simulation.pod_uid("a")

    simulation.evict("a")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", before), within=20)
    await simulation.rest(20)
    assert ("QRPending", "768Mi") == (simulation.state("a"), simulation.status("a")["admission"]["memory"])
    assert "768Mi" == quota_status(simulation)["memoryReserved"]


async def test_one_whose_status_cannot_be_written_keeps_nobody_out(simulation: Simulation) -> None:
    """A policy refuses the reservation: it is the next one's, and the session gets one when it may store it."""

    def refuse(request: Request, _number: int) -> Fault | None:
        return Fault(status=403) if request.method == "PATCH" and request.path.endswith("/a/status") else None

    simulation.api.fault = refuse
    await simulation.start()
    simulation.session("a")
    await simulation.rest(2)
    simulation.session("b")
    await simulation.until(lambda: simulation.state("b") == "QRPending", within=60)

    simulation.api.fault = lambda _request, _number: None
    simulation.edit("b", {"spec": {"operatingMode": "Suspended"}})
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=60)
