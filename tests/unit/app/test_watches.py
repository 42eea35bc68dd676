"""kopf as a source of events: what is asked of it, and what it must not do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import kopf
import pytest
from aiohttp import web
from unit.runtime.fakes import FakeClock
from whatsapp_operator.app import watches
from whatsapp_operator.runtime.kube.connection import Credentials
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS, Json
from whatsapp_operator.runtime.kube.resync import Stream
from whatsapp_operator.runtime.process.config import MANAGED_SELECTOR, SELECTORS


@pytest.fixture
def settings() -> kopf.OperatorSettings:
    """The settings that kopf gets."""
    return watches.settings(request_timeout=timedelta(seconds=30), page=500)


def test_requests_and_watches_are_bounded(settings: kopf.OperatorSettings) -> None:
    """No default of minutes, none of for ever; whole seconds where the API server takes no others."""
    assert 30 == settings.networking.request_timeout
    assert ("300", "330") == (str(settings.watching.server_timeout), str(settings.watching.client_timeout))
    assert 70 == settings.watching.inactivity_timeout
    limit: int | None = settings.queueing.worker_limit
    assert limit is None


def test_nothing_is_scanned_paused_or_posted(settings: kopf.OperatorSettings) -> None:
    """No watch on CRDs and namespaces, no peering, no Kubernetes events of kopf's own."""
    assert settings.scanning.disabled
    assert settings.peering.standalone
    assert settings.posting.level > logging.CRITICAL


async def test_no_handler_keeps_state_on_objects() -> None:
    """Only on.event and login: others would write annotations or finalizers onto people's objects."""
    registry = watches.registry(on_event=lambda *_: None, credentials=_credentials(Path("x")), namespaced=False)

    assert 6 == len(registry._watching.get_all_handlers())
    assert [] == list(registry._changing.get_all_handlers())
    assert [] == list(registry._spawning.get_all_handlers())
    assert [] == list(registry._indexing.get_all_handlers())


class Server:
    """Enough of an API server for kopf's watches: discovery, lists, and watches that stay open."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        self.port = 0
        self.end = asyncio.Event()
        self.breaks = False
        """ The watch of pods ends with an error. """

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def start(self) -> None:
        """Listen."""
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        plurals = {resource.plural: resource for resource in SELECTORS}
        if request.path in ("/api", "/apis"):
            found = {resource.group: resource.version for resource in SELECTORS if resource.group}
            groups = [_group(*group) for group in found.items()] if request.path == "/apis" else []
            return web.json_response({"versions": ["v1"], "groups": groups})
        kinds = [resource for resource in SELECTORS if request.path == resource.path().rpartition("/")[0]]
        if kinds:
            resources = [_resource(kind.plural, namespaced=kind.namespaced) for kind in kinds]
            resources += [_resource("namespaces", namespaced=False)]  # kopf does not begin before it has found them
            return web.json_response({"resources": resources})
        plural = request.path.rsplit("/", 1)[-1]
        if plural not in plurals:
            return web.json_response({}, status=404)
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "10"}, "items": [_object(f"old-{plural}", 5)]})
        response = web.StreamResponse()
        await response.prepare(request)
        if plural == "pods" and self.breaks:
            await response.write(b'{"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd"}}\n')
        elif plural == "pods":
            await response.write(b'{"type": "MODIFIED", "object": {"metadata": {"name": "new", "namespace": "shop", ')
            await response.write(b'"uid": "u9", "resourceVersion": "11"}}}\n')
        await self.end.wait()
        return response


def _group(name: str, version: str) -> Json:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def _resource(plural: str, *, namespaced: bool) -> Json:
    verbs = ["get", "list", "watch", "create", "patch", "delete"]
    return {
        "name": plural,
        "kind": plural.title(),
        "singularName": plural[:-1],
        "namespaced": namespaced,
        "verbs": verbs,
    }


def _object(name: str, version: int) -> Json:
    return {"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": str(version)}}


def _credentials(path: Path) -> Credentials:
    return Credentials(clock=FakeClock(), kubeconfig=path)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that is up."""
    server = Server()
    await server.start()
    yield server
    server.end.set()
    await server.runner.cleanup()


def kubeconfig(server: Server, folder: Path) -> Path:
    """Write a kubeconfig that leads to the server."""
    path = folder / "kubeconfig"
    path.write_text(
        f'{{"clusters": [{{"name": "c", "cluster": {{"server": "http://127.0.0.1:{server.port}"}}}}],'
        '"users": [{"name": "u", "user": {"token": "secret"}}],'
        '"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}'
    )
    return path


async def test_an_error_in_a_watch_ends_the_watching(server: Server, tmp_path: Path) -> None:
    """Kopf gives up on any error but 410; the process hears of it by an exception, and ends."""
    server.breaks = True
    before = asyncio.all_tasks()
    server.end.set()

    with pytest.raises(Exception, match="Error in the watch-stream"):
        async with asyncio.timeout(30):
            await watches.watch(
                on_event=lambda *_: None,
                credentials=_credentials(kubeconfig(server, tmp_path)),
                namespaces=(),
                request_timeout=timedelta(seconds=5),
                page=500,
                on_started=lambda: None,
                stop=asyncio.Event(),
            )
    # kopf leaves its other watches behind in this case; in the operator the end of the event loop ends them.
    left = asyncio.all_tasks() - before
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def test_events_arrive_and_watches_are_narrowed(server: Server, tmp_path: Path) -> None:
    """All five kinds are listed and watched; pods, claims and Services by our label; each event reaches the runtime."""
    path = kubeconfig(server, tmp_path)
    delivered: list[tuple[Stream, str | None, str]] = []
    complete = asyncio.Event()

    def on_event(stream: Stream, kind: str | None, obj: Json) -> None:
        delivered.append((stream, kind, obj["metadata"]["name"]))
        if len(delivered) >= 6:
            complete.set()

    stop = asyncio.Event()
    watching = asyncio.create_task(
        watches.watch(
            on_event=on_event,
            credentials=_credentials(path),
            namespaces=(),
            request_timeout=timedelta(seconds=5),
            page=500,
            on_started=lambda: None,
            stop=stop,
        )
    )
    async with asyncio.timeout(30):
        await complete.wait()
        stop.set()
        server.end.set()
        await watching

    assert (Stream(PODS, None), "MODIFIED", "new") in delivered
    assert (Stream(SESSIONS, None), None, "old-whatsappsessions") in delivered
    selectors = {request.path.rsplit("/", 1)[-1]: request.query.get("labelSelector") for request in _watched(server)}
    assert {resource.plural: labels or None for resource, labels in SELECTORS.items()} == selectors
    assert MANAGED_SELECTOR == selectors["pods"]
    assert {"Bearer secret"} == {request.headers.get("Authorization") for request in server.requests}
    assert {"GET"} == {request.method for request in server.requests}


def _watched(server: Server) -> list[Any]:
    return [request for request in server.requests if "watch" in request.query]
