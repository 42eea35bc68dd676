"""Reading why a pod gets no user namespace: one request about one pod, not too often, and never without the right."""

import pytest
from support.facts import pod_facts
from unit.runtime.fakes import FakeClock, FakeKube
from whatsapp_operator.core.model import PodFacts, PodPhase, PodUID
from whatsapp_operator.runtime.kube.client import Response
from whatsapp_operator.runtime.kube.errors import Forbidden, ServerError
from whatsapp_operator.runtime.kube.namespace_refusals import FIRST_REREAD, NamespaceRefusals

NOTE = "Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces"


def pod(uid: str = "pod-1") -> PodFacts:
    """Return a pod that waits."""
    return pod_facts(uid, phase=PodPhase.PENDING)


def events(*texts: object) -> Response:
    """Return a list of events with these notes."""
    items = [{"metadata": {"name": f"sales.{number}"}, "note": note} for number, note in enumerate(texts)]
    return Response(status=200, body={"metadata": {"resourceVersion": "7"}, "items": items})


def server(response: Response) -> FakeKube:
    """A cluster with one answer."""
    return FakeKube(lambda _request: response)


async def test_the_kubelets_event_about_this_pod_is_asked_for() -> None:
    """In its namespace, by its UID and by the event's reason: nothing else is read."""
    kube = server(events("another trouble", NOTE))
    refusals = NamespaceRefusals(kube.kube, FakeClock())

    await refusals.read(pod(), namespace="shop")
    (request,) = kube.requests

    assert "/apis/events.k8s.io/v1/namespaces/shop/events" == request.path
    assert ("fieldSelector", "regarding.uid=pod-1,reason=FailedCreatePodSandBox") in request.query
    assert (True, False) == (refusals.of(PodUID("pod-1")), refusals.of(PodUID("pod-2")))


@pytest.mark.parametrize("texts", [(), ("network is not ready",), (None,), (7,)])
async def test_other_events_say_nothing(texts: tuple[object, ...]) -> None:
    """None at all, another trouble, or a note that is no text."""
    refusals = NamespaceRefusals(server(events(*texts)).kube, FakeClock())

    await refusals.read(pod(), namespace="shop")

    assert not refusals.of(PodUID("pod-1"))


async def test_the_same_pod_is_asked_about_once_in_a_while() -> None:
    """The session may be looked at often; another pod is asked about at once."""
    clock, kube = FakeClock(), server(events())
    refusals = NamespaceRefusals(kube.kube, clock)
    for _ in range(3):
        await refusals.read(pod(), namespace="shop")
    await clock.advance(FIRST_REREAD)
    await refusals.read(pod(), namespace="shop")
    await refusals.read(pod("pod-2"), namespace="shop")

    assert 3 == len(kube.requests)


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (500, ServerError)])
async def test_a_failed_request_is_the_callers_to_record(status: int, error: type[Exception]) -> None:
    """As any other: it is shown, and nothing is known of the pod."""
    refusals = NamespaceRefusals(FakeKube(lambda _request: Response(status=status)).kube, FakeClock())

    with pytest.raises(error):
        await refusals.read(pod(), namespace="shop")

    assert not refusals.of(PodUID("pod-1"))
