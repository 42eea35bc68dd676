"""The API side against a real HTTP server that a plain function plays."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from local_cluster.provisioner.kube import USER_AGENT, ApiError, Conflict, Expired, HttpKube, Kind, NotFound
from local_cluster.provisioner.kubeconfig import Access
from local_cluster.provisioner.mirror import Mirror

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CLAIM = {"metadata": {"uid": "u1", "name": "login", "resourceVersion": "5"}}
PATH = f"{Kind.VOLUMES.value}/x"


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[HttpKube]:
    """A client of a server that answers as the function says."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        access = Access(server=str(server.make_url("/")), tls=None, token="secret")
        async with HttpKube(access) as kube:
            yield kube


def answering(status: int, body: Any) -> Handler:
    """A server that always says the same."""

    async def handler(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    return handler


def streaming(*lines: str) -> Handler:
    """A server whose watches send these lines and end; its lists hold one claim."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "9"}, "items": [CLAIM]})
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(f"{line}\n".encode())
        return response

    return handler


async def test_a_list_knows_where_a_watch_goes_on() -> None:
    """Items and version."""
    async with serving(streaming()) as kube:
        listing = await kube.list_all(Kind.CLAIMS)

    assert (listing.items, listing.version) == ((CLAIM,), "9")


async def test_each_request_says_who_asks() -> None:
    """The token proves it, and the audit log names the program."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"kind": "PersistentVolume"})

    async with serving(handler) as kube:
        await kube.get(PATH)

    assert (seen[0].path, seen[0].headers["Authorization"]) == (PATH, "Bearer secret")
    assert seen[0].headers["User-Agent"] == USER_AGENT


async def test_a_merge_says_that_it_is_one() -> None:
    """The API server would take plain JSON for another kind of patch, or refuse it."""
    seen: list[tuple[str, str, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.content_type, await request.json()))
        return web.json_response({})

    async with serving(handler) as kube:
        await kube.merge(PATH, {"metadata": {"finalizers": []}})

    assert seen == [("PATCH", "application/merge-patch+json", {"metadata": {"finalizers": []}})]


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (409, Conflict), (410, Expired), (403, ApiError), (500, ApiError)]
)
async def test_refusals_that_somebody_handles_have_a_class(status: int, error: type[ApiError]) -> None:
    """With what the API server said."""
    async with serving(answering(status, {"message": "the reason"})) as kube:
        with pytest.raises(error, match="the reason") as raised:
            await kube.create(Kind.VOLUMES.value, {})

    assert type(raised.value) is error


async def test_a_server_that_is_away_is_an_error_of_the_api() -> None:
    """Whoever tries again later need not know of sockets."""
    async with HttpKube(Access(server="http://127.0.0.1:1", tls=None)) as kube:
        with pytest.raises(ApiError, match="failed"):
            await kube.list_all(Kind.CLAIMS)
        with pytest.raises(ApiError, match="failed"):
            await anext(kube.watch(Kind.CLAIMS, version="1"))


async def test_a_client_that_was_not_opened_says_so() -> None:
    """A mistake of the program, not of the cluster."""
    with pytest.raises(RuntimeError, match="async with"):
        await HttpKube(Access(server="http://127.0.0.1:1", tls=None)).list_all(Kind.CLAIMS)


async def test_a_watch_tells_changes_until_it_ends() -> None:
    """Added, modified and deleted, in order."""
    lines = [json.dumps({"type": kind, "object": CLAIM}) for kind in ("ADDED", "MODIFIED", "DELETED")]

    async with serving(streaming(*lines)) as kube:
        changes = [change async for change in kube.watch(Kind.CLAIMS, version="9")]

    assert [change.deleted for change in changes] == [False, False, True]


async def test_a_long_object_is_one_line() -> None:
    """A claim with a megabyte of annotations is legal."""
    large = {"metadata": {**CLAIM["metadata"], "annotations": {"a": "x" * 2**20}}}

    async with serving(streaming(json.dumps({"type": "ADDED", "object": large}))) as kube:
        changes = [change async for change in kube.watch(Kind.CLAIMS, version="9")]

    assert changes[0].item == large


@pytest.mark.parametrize(("code", "error"), [(410, Expired), (500, ApiError)])
async def test_a_watch_that_cannot_go_on_says_why(code: int, error: type[ApiError]) -> None:
    """An expired one is listed again at once, anything else after a pause."""
    line = json.dumps({"type": "ERROR", "object": {"code": code, "message": "too old"}})

    async with serving(streaming(line)) as kube:
        with pytest.raises(error, match="too old"):
            await anext(kube.watch(Kind.CLAIMS, version="9"))


async def test_a_mirror_holds_what_the_server_has() -> None:
    """The list, then the changes; each wakes the controller."""
    other = {"metadata": {"uid": "u2", "name": "other"}}
    lines = (json.dumps({"type": "ADDED", "object": other}), json.dumps({"type": "DELETED", "object": CLAIM}))
    woken = asyncio.Event()
    pictures: list[set[str]] = []

    def note() -> None:
        pictures.append(set(mirror.items))
        if len(pictures) == 3:
            woken.set()

    async with serving(streaming(*lines)) as kube:
        mirror = Mirror(kube, Kind.CLAIMS, on_change=note)
        task = asyncio.create_task(mirror.follow())
        await asyncio.wait_for(woken.wait(), 5)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert pictures[:3] == [{"u1"}, {"u1", "u2"}, {"u2"}]


async def test_a_mirror_makes_good_what_a_watch_missed() -> None:
    """A watch that ends is followed by a list, which has no claim that went unnoticed."""
    answers = iter([[CLAIM], []])
    empty = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return web.Response(text="")
        items = next(answers, [])
        return web.json_response({"metadata": {"resourceVersion": "9"}, "items": items})

    def note() -> None:
        if not mirror.items:
            empty.set()

    async with serving(handler) as kube:
        mirror = Mirror(kube, Kind.CLAIMS, on_change=note)
        task = asyncio.create_task(mirror.follow())
        await asyncio.wait_for(empty.wait(), 5)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert mirror.items == {}


async def test_a_mirror_outlives_an_api_server_that_goes_away(caplog: pytest.LogCaptureFixture) -> None:
    """The last picture stays, one line is logged, and it goes on once the server is back."""
    answers = iter([200, 200, 500, 500, 200])
    lists = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return web.Response(text="")
        status = next(answers, None)
        if status is None:
            lists.set()
        return web.json_response({"metadata": {"resourceVersion": "9"}, "items": [CLAIM]}, status=status or 200)

    async with serving(handler) as kube:
        mirror = Mirror(kube, Kind.CLAIMS, on_change=lambda: None)
        task = asyncio.create_task(mirror.follow())
        await asyncio.wait_for(lists.wait(), 10)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert set(mirror.items) == {"u1"}
    assert caplog.text.count("lost the API server") == 1
