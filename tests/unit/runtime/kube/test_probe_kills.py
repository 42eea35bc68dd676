"""Reading whether a probe ended a container: two requests about one pod, once, and no end waits for an answer."""

import pytest
from support.facts import pod_facts
from unit.runtime.fakes import FakeKube
from whatsapp_operator.core.kubelet import Eviction, Probe, ProbeKill
from whatsapp_operator.core.model import PodFacts, PodPhase, PodUID
from whatsapp_operator.runtime.kube.client import Request, Response
from whatsapp_operator.runtime.kube.errors import ServerError
from whatsapp_operator.runtime.kube.probe_kills import ProbeKills

KILLING = "Container runner failed liveness probe"
UNHEALTHY = "Liveness probe failed: HTTP probe failed with statuscode: 503"


def pod(uid: str = "pod-1") -> PodFacts:
    """Return a pod that ended as if it was asked to."""
    return pod_facts(uid, phase=PodPhase.SUCCEEDED)


def events(request: Request) -> Response:
    """Answer with the kubelet's event of the reason that is asked for."""
    if "reason=Evicted" in str(request.query):
        return Response(status=200, body={"metadata": {"resourceVersion": "7"}, "items": []})
    note = KILLING if "reason=Killing" in str(request.query) else UNHEALTHY
    items = [{"metadata": {"name": "sales.1"}, "note": note}, {"metadata": {"name": "sales.2"}, "note": None}]
    return Response(status=200, body={"metadata": {"resourceVersion": "7"}, "items": items})


async def test_the_pods_events_are_read_once() -> None:
    """By its UID, in its namespace; another pod is asked about anew."""
    kube = FakeKube(events)
    kills = ProbeKills(kube.kube)

    found = [await kills.read(pod(), namespace="shop") for _ in range(3)]
    other = await kills.read(pod("pod-2"), namespace="shop")

    expected = ProbeKill(pod_uid=PodUID("pod-1"), probe=Probe.LIVENESS, note="HTTP probe failed with statuscode: 503")
    assert [expected] * 3 == found
    assert other is not None
    assert PodUID("pod-2") == other.pod_uid
    assert [
        ("fieldSelector", f"regarding.uid={uid},reason={reason}")
        for uid in ("pod-1", "pod-2")
        for reason in ("Evicted", "Killing", "Unhealthy")
    ] == [pair for request in kube.requests for pair in request.query if pair[0] == "fieldSelector"]
    assert {"/apis/events.k8s.io/v1/namespaces/shop/events"} == {request.path for request in kube.requests}


async def test_an_eviction_is_enough() -> None:
    """The kubelet tells it before it ends the container, and stops its probes."""
    note = "Pod ephemeral local storage usage exceeds the total limit of containers 256Mi. "
    kube = FakeKube(
        lambda _: Response(status=200, body={"metadata": {"resourceVersion": "7"}, "items": [{"note": note}]})
    )

    found = await ProbeKills(kube.kube).read(pod(), namespace="shop")

    assert Eviction(pod_uid="pod-1", note=note.strip()) == found
    assert 1 == len(kube.requests)


@pytest.mark.parametrize("status", [403, 500])
async def test_events_that_cannot_be_read_stop_nothing(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """The end is recorded by its exit code, and the operator's log says why it is not named."""
    kube = FakeKube(lambda _: Response(status=status, body={"message": "no", "reason": "Forbidden"}))

    assert await ProbeKills(kube.kube).read(pod(), namespace="shop") is None
    assert "Events could not be read" in caplog.text


async def test_a_server_that_does_not_answer_stops_nothing() -> None:
    """Nor one that fails in between."""

    def fail(_: Request) -> Response:
        raise ServerError("down")

    assert await ProbeKills(FakeKube(fail).kube).read(pod(), namespace="shop") is None
