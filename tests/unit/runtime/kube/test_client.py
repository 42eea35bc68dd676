"""The verbs: which requests they make, and which answers become which errors."""

from typing import Any

import pytest
from unit.runtime.fakes import FakeKube
from whatsapp_operator.runtime.kube import errors
from whatsapp_operator.runtime.kube.client import MERGE_PATCH, Kube, Request, Response
from whatsapp_operator.runtime.kube.resources import EVENTS, LEASES, NAMESPACES, PODS, QUOTAS, SESSIONS, Resource

POD = {"metadata": {"namespace": "shop", "name": "a", "uid": "u1", "resourceVersion": "7"}}
SESSION = {"metadata": {"namespace": "shop", "name": "a", "uid": "s1", "resourceVersion": "9"}}


def answers(*responses: Response) -> FakeKube:
    """Return a server that gives these answers, one after the other."""
    waiting = list(responses)
    return FakeKube(lambda _request: waiting.pop(0))


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (PODS, "/api/v1/namespaces/shop/pods/a"),
        (SESSIONS, "/apis/wasession.dev/v1alpha1/namespaces/shop/whatsappsessions/a"),
        (LEASES, "/apis/coordination.k8s.io/v1/namespaces/shop/leases/a"),
    ],
)
async def test_get_asks_for_one_object(resource: Resource, path: str) -> None:
    """The core group and the others have different roots."""
    server = answers(Response(status=200, body=POD))

    assert await server.kube.get(resource, namespace="shop", name="a") == POD
    assert ("GET", path, None) == (server.requests[0].method, server.requests[0].path, server.requests[0].body)


async def test_cluster_scoped_objects_have_no_namespace() -> None:
    """A quota and a namespace stand at the root."""
    server = answers(Response(status=200, body=POD), Response(status=200, body=POD))
    await server.kube.get(QUOTAS, namespace=None, name="default")
    await server.kube.get(NAMESPACES, namespace=None, name="shop")

    assert [
        "/apis/wasession.dev/v1alpha1/whatsappsessionquotas/default",
        "/api/v1/namespaces/shop",
    ] == [request.path for request in server.requests]


async def test_names_are_quoted() -> None:
    """A name cannot lead to another path."""
    server = answers(Response(status=200, body=POD))
    await server.kube.get(PODS, namespace="shop", name="../secrets/x")

    assert "/api/v1/namespaces/shop/pods/..%2Fsecrets%2Fx" == server.requests[0].path


def page(*names: str, version: str = "50", token: str = "") -> Response:
    """Return one page of a list."""
    items = [{"metadata": {"name": name}} for name in names]
    return Response(status=200, body={"metadata": {"resourceVersion": version, "continue": token}, "items": items})


async def test_a_list_is_read_in_pages() -> None:
    """The pages are put together, and belong to the moment of the first."""
    server = answers(page("a", "b", token="more"), page("c"))

    listing = await Kube(server, timeout=30, page=2).list(PODS, labels="x=y")

    assert ["a", "b", "c"] == [obj["metadata"]["name"] for obj in listing.objects]
    assert 50 == listing.version
    assert [
        (("limit", "2"), ("labelSelector", "x=y")),
        (("limit", "2"), ("labelSelector", "x=y"), ("continue", "more")),
    ] == [request.query for request in server.requests]


async def test_an_empty_list_has_a_version() -> None:
    """Some servers send null for no items."""
    server = answers(Response(status=200, body={"metadata": {"resourceVersion": "5"}, "items": None}))

    assert ([], 5) == await server.kube.list(PODS)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": "[]"},
        {"metadata": None, "items": []},
        {"metadata": {"resourceVersion": "5"}, "items": {"a": POD}},
        {"metadata": {"resourceVersion": "5"}, "items": [None]},
    ],
)
async def test_an_answer_that_is_no_list_is_none(body: dict[str, Any]) -> None:
    """Something else than the API server has answered: it must not be taken for a cluster without objects."""
    with pytest.raises(errors.Unreachable):
        await answers(Response(status=200, body=body)).kube.list(PODS)


async def test_an_object_without_metadata_is_listed_as_it_is() -> None:
    """An empty one is left out of the JSON."""
    server = answers(Response(status=200, body={"metadata": {"resourceVersion": "5"}, "items": [{"note": "x"}]}))

    assert ([{"note": "x"}], 5) == await server.kube.list(EVENTS)


async def test_a_list_whose_moment_was_forgotten_begins_anew() -> None:
    """410 in the middle: what was read is thrown away."""
    server = answers(page("a", token="more"), Response(status=410), page("b"))

    listing = await server.kube.list(PODS)

    assert ["b"] == [obj["metadata"]["name"] for obj in listing.objects]


async def test_a_list_that_is_forgotten_twice_is_an_error() -> None:
    """It is not tried for ever."""
    with pytest.raises(errors.Gone):
        await answers(Response(status=410), Response(status=410)).kube.list(PODS)


async def test_a_list_is_always_of_the_newest_state() -> None:
    """No resourceVersion in the query: an answer from a cache could be older than what was written."""
    server = answers(page())
    await server.kube.list(PODS)

    assert "resourceVersion" not in dict(server.requests[0].query)


async def test_a_status_is_patched_on_what_was_seen() -> None:
    """Version and UID are preconditions; the patch goes to the status subresource as a merge patch."""
    server = answers(Response(status=200, body=SESSION))

    await server.kube.patch_status(SESSIONS, observed=SESSION, patch={"state": "Queued"})

    request = server.requests[0]
    assert request.path.endswith("/whatsappsessions/a/status")
    assert MERGE_PATCH == request.content_type
    assert {"metadata": {"resourceVersion": "9", "uid": "s1"}, "status": {"state": "Queued"}} == request.body


@pytest.mark.parametrize(("grace", "expected"), [(None, {}), (5, {"gracePeriodSeconds": 5})])
async def test_a_deletion_names_the_uid(grace: int | None, expected: dict[str, int]) -> None:
    """The next pod of that name is never meant."""
    server = answers(Response(status=200, body=POD))

    await server.kube.delete(PODS, namespace="shop", name="a", uid="u1", grace=grace)

    body = server.requests[0].body or {}
    assert {"uid": "u1"} == body["preconditions"]
    assert expected == {name: value for name, value in body.items() if name == "gracePeriodSeconds"}


async def test_a_replacement_carries_the_version() -> None:
    """The object's own resourceVersion is the precondition."""
    server = answers(Response(status=200, body=POD))
    await server.kube.replace(LEASES, POD, within=3)

    assert ("PUT", POD, 3) == (server.requests[0].method, server.requests[0].body, server.requests[0].timeout)


async def test_a_creation_goes_to_the_objects_namespace() -> None:
    """The namespace is the manifest's."""
    server = answers(Response(status=201, body=POD))
    await server.kube.create(PODS, POD)

    assert ("POST", "/api/v1/namespaces/shop/pods") == (server.requests[0].method, server.requests[0].path)


async def test_every_call_has_a_time() -> None:
    """The usual one, where none is given."""
    server = answers(Response(status=200, body=POD))
    await server.kube.get(PODS, namespace="shop", name="a")

    assert 30 == server.requests[0].timeout


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(status=400), errors.Unprocessable),
        (Response(status=401), errors.Unauthorized),
        (Response(status=403), errors.Forbidden),
        (Response(status=404), errors.NotFound),
        (Response(status=409, body={"reason": "Conflict"}), errors.Conflict),
        (Response(status=409, body={"reason": "AlreadyExists"}), errors.AlreadyExists),
        (Response(status=410), errors.Gone),
        (Response(status=418), errors.Refused),
        (Response(status=422), errors.Unprocessable),
        (Response(status=429), errors.TooManyRequests),
        (Response(status=500), errors.ServerError),
        (Response(status=504), errors.ServerError),
        (Response(status=302), errors.Refused),
    ],
)
async def test_each_status_has_its_error(response: Response, error: type[errors.KubeError]) -> None:
    """Somebody handles each of these differently."""
    with pytest.raises(errors.KubeError) as raised:
        await answers(response).kube.get(PODS, namespace="shop", name="a")

    assert error is type(raised.value)


async def test_a_conflict_is_not_a_taken_name() -> None:
    """Two answers with one number, and two meanings."""
    with pytest.raises(errors.Conflict) as raised:
        await answers(Response(status=409, body={"reason": "Conflict"})).kube.get(PODS, namespace="s", name="a")

    assert not isinstance(raised.value, errors.AlreadyExists)


@pytest.mark.parametrize(("retry_after", "expected"), [(7.0, 7.0), (None, 1.0)])
async def test_a_busy_server_says_when_to_come_back(retry_after: float | None, expected: float) -> None:
    """Retry-After, or a second."""
    with pytest.raises(errors.TooManyRequests) as raised:
        await answers(Response(status=429, retry_after=retry_after)).kube.get(PODS, namespace="s", name="a")

    assert expected == raised.value.retry_after


async def test_the_servers_own_message_is_kept() -> None:
    """They name what is wrong better than a number."""
    body: dict[str, Any] = {"message": "exceeded quota: pods", "reason": "Forbidden"}
    with pytest.raises(errors.Forbidden, match="exceeded quota: pods") as raised:
        await answers(Response(status=403, body=body)).kube.get(PODS, namespace="s", name="a")

    assert (403, "Forbidden") == (raised.value.status, raised.value.reason)


async def test_an_unexpected_request_is_seen_by_the_test() -> None:
    """FakeKube itself: what a test's function plays server for."""

    def server(request: Request) -> Response:
        return Response(status=409) if request.method == "PATCH" else Response(status=200, body=POD)

    fake = FakeKube(server)
    with pytest.raises(errors.Conflict):
        await fake.kube.patch(PODS, namespace="shop", name="a", patch={})

    assert ["PATCH"] == [request.method for request in fake.writes]
