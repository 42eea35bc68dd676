"""The way to the API server, against a server on loopback: credentials that change, answers that do not come."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from unit.runtime.fakes import FakeClock
from whatsapp_operator.runtime.kube.client import MERGE_PATCH, Request
from whatsapp_operator.runtime.kube.connection import (
    RELOAD_EVERY,
    BadCredentials,
    Connection,
    Credentials,
    credentials_path,
)
from whatsapp_operator.runtime.kube.errors import RequestTimeout, Unreachable
from whatsapp_operator.runtime.kube.resources import Json
from whatsapp_operator.runtime.process.metrics import Metrics

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """An HTTP server on loopback, and the kubeconfig that leads to it."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.handler: Handler = self._fine
        self.kubeconfig = folder / "kubeconfig"
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    def login(self, token: str) -> None:
        """Write a kubeconfig with this token."""
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
                    "users": [{"name": "u", "user": {"token": token}}],
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "x",
                }
            )
        )

    @property
    def tokens(self) -> list[str]:
        """The tokens that requests came with."""
        return [request.headers.get("Authorization", "") for request in self.requests]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self.handler(request)

    async def _fine(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "Pod"})


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that answers everything."""
    server = Server(tmp_path)
    await server.start()
    server.login("first")
    yield server
    await server.stop()


@pytest.fixture
async def connection(server: Server, clock: FakeClock) -> AsyncIterator[Connection]:
    """A connection to it."""
    credentials = Credentials(clock=clock, kubeconfig=server.kubeconfig)
    await credentials.load()
    connection = Connection(credentials, user_agent="whatsapp-operator/test", metrics=Metrics())
    yield connection
    await connection.close()


def get(timeout: float = 5) -> Request:
    """Return some request."""
    return Request(method="GET", path="/api/v1/pods", query=(("limit", "2"),), timeout=timeout)


async def test_a_request_arrives_as_it_was_made(connection: Connection, server: Server) -> None:
    """Method, path, query, token and user agent."""
    response = await connection.send(get())

    request = server.requests[0]
    assert (200, {"kind": "Pod"}) == (response.status, response.body)
    assert ("GET", "/api/v1/pods?limit=2") == (request.method, request.path_qs)
    assert ("Bearer first", "whatsapp-operator/test") == (server.tokens[0], request.headers["User-Agent"])


@pytest.mark.usefixtures("server")
async def test_a_connection_is_kept_from_one_resync_to_the_next(connection: Connection) -> None:
    """The library's own connector closes it after 15 s."""
    await connection.send(get())
    session = connection._api.rest_client.pool_manager

    assert session is not None
    assert session.connector is not None
    assert 75.0 == session.connector._keepalive_timeout


async def test_requests_are_counted_as_client_go_does(connection: Connection, server: Server) -> None:
    """By status, method and host; no answer is a code, too, and an odd one makes no series of its own."""

    async def odd(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=599)

    await connection.send(get())
    server.handler = odd
    await connection.send(get())
    await server.stop()
    with pytest.raises(Unreachable):
        await connection.send(get())
    value = connection._metrics.registry.get_sample_value
    host = f"127.0.0.1:{server.port}"

    assert [1.0, 1.0, 1.0] == [
        value("rest_client_requests_total", {"code": code, "method": "GET", "host": host})
        for code in ("200", "other", "<error>")
    ]


async def test_a_merge_patch_is_sent_as_one(connection: Connection, server: Server) -> None:
    """Null removes a field, so it must survive on the way; the content type says how to read it."""
    patch = {"status": {"admission": None}}
    await connection.send(Request(method="PATCH", path="/x", body=patch, content_type=MERGE_PATCH, timeout=5))

    assert MERGE_PATCH == server.requests[0].headers["Content-Type"]
    assert patch == json.loads(server.bodies[0])


BODIES: list[Json] = [
    {"data": {"number": 2**63 - 1, "fraction": 0.5, "yes": True, "none": None}},
    {"note": "ü, 🙂, \u2028 and \\ \" ' <a&b>", "empty": "", "list": [], "map": {}},
    {"metadata": {"annotations": {"a.b/c~d": "{}", "x": "2026-01-31T12:00:00Z"}}},
    {"deep": [[{"deeper": [{"kind": "V1Pod", "attribute_map": {}, "openapi_types": {}}]}]]},
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_before_each_write_it_is_asked_whether_it_may_be(
    server: Server, connection: Connection, method: str
) -> None:
    """Asked before anything is sent: what it asks may end the process."""
    asked: list[int] = []
    connection._before_write = lambda: asked.append(len(server.requests))
    await connection.send(Request(method=method, path="/x", body=None if method == "GET" else {}, timeout=5))

    assert ([] if method == "GET" else [0]) == asked


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", BODIES)
async def test_the_library_changes_no_body(connection: Connection, server: Server, method: str, body: Json) -> None:
    """Its `param_serialize` is made for generated models: what it does to plain JSON on the way is nothing."""
    await connection.send(Request(method=method, path="/x", body=body, timeout=5))

    assert body == json.loads(server.bodies[0])


async def test_the_library_escapes_a_query_once(connection: Connection, server: Server) -> None:
    """A selector and a continue token arrive as they were given; a path is taken as it is."""
    query = (("labelSelector", "a.b/c=d,e in (f,g),!h"), ("continue", "eyJ2IjoibWV0YS5r+/=="), ("watch", "a b&c=%41"))
    await connection.send(Request(method="GET", path="/api/v1/namespaces/x%2Fy/pods", query=query, timeout=5))

    request = server.requests[0]
    assert list(query) == list(request.query.items())
    assert request.raw_path.startswith("/api/v1/namespaces/x%2Fy/pods?")


@pytest.mark.parametrize("status", [403, 404, 409, 422, 429, 500])
async def test_an_unhappy_status_is_an_answer(connection: Connection, server: Server, status: int) -> None:
    """What it means is the verbs' business."""

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({"reason": "Because"}, status=status, headers={"Retry-After": "3"})

    server.handler = refuse
    response = await connection.send(get())

    assert (status, {"reason": "Because"}, 3.0) == (response.status, response.body, response.retry_after)


async def test_a_hanging_server_is_given_up(connection: Connection, server: Server) -> None:
    """The request's own time counts, also while the body is on its way."""

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"kind":')
        await asyncio.sleep(60)
        return response

    server.handler = hang

    with pytest.raises(RequestTimeout, match=r"no answer within 0.2 s: GET /api/v1/pods"):
        await connection.send(get(timeout=0.2))


async def test_a_server_that_is_down_is_unreachable(connection: Connection, server: Server) -> None:
    """Connection refused; the cause is kept."""
    await server.stop()

    with pytest.raises(Unreachable) as raised:
        await connection.send(get())

    assert raised.value.__cause__ is not None


async def test_a_cut_connection_is_unreachable(connection: Connection, server: Server) -> None:
    """Nobody knows whether the request was carried out."""

    async def cut(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    server.handler = cut

    with pytest.raises(Unreachable):
        await connection.send(get())


async def test_a_page_of_a_proxy_is_no_answer(connection: Connection, server: Server) -> None:
    """200 with HTML comes from something in front of the API server."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>Sign in</html>")

    server.handler = page

    with pytest.raises(Unreachable, match="not JSON"):
        await connection.send(get())


async def test_a_refusal_without_json_keeps_its_text(connection: Connection, server: Server) -> None:
    """A load balancer's 503 is told in its own words."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="upstream is down", status=503)

    server.handler = page
    response = await connection.send(get())

    assert (503, {"message": "upstream is down"}) == (response.status, response.body)


async def test_a_renewed_token_is_used_after_a_minute(connection: Connection, server: Server, clock: FakeClock) -> None:
    """The kubelet renews a pod's token in its file; it is read again in time."""
    await connection.send(get())
    server.login("second")
    await connection.send(get())
    await clock.advance(RELOAD_EVERY)
    await connection.send(get())

    assert ["Bearer first", "Bearer first", "Bearer second"] == server.tokens


async def test_a_refused_token_is_read_again_at_once(connection: Connection, server: Server) -> None:
    """401: the file may hold a newer one, and the request is made once more."""

    async def only_second(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer second"
        return web.json_response({"kind": "Pod"}, status=200 if good else 401)

    server.handler = only_second
    server.login("second")
    response = await connection.send(get())

    assert 200 == response.status
    assert ["Bearer first", "Bearer second"] == server.tokens


async def test_a_token_that_stays_refused_is_reported(connection: Connection, server: Server) -> None:
    """One more try, not an endless loop."""

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=401)

    server.handler = refuse
    response = await connection.send(get())

    assert (401, 2) == (response.status, len(server.requests))


async def test_an_unreadable_file_keeps_the_old_credentials(
    connection: Connection, server: Server, clock: FakeClock
) -> None:
    """Somebody is just writing it: the next minute will do."""
    server.kubeconfig.write_text("")
    await clock.advance(RELOAD_EVERY)

    response = await connection.send(get())

    assert 200 == response.status


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "clusters: [}", "current-context: x"])
async def test_useless_credentials_are_named(tmp_path: Path, clock: FakeClock, text: str | None) -> None:
    """The message says which file."""
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)

    with pytest.raises(BadCredentials, match="kubeconfig"):
        await Credentials(clock=clock, kubeconfig=path).load()


async def test_outside_of_a_pod_the_service_account_is_missing(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says that a pod's account was looked for."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(BadCredentials, match="service account"):
        await Credentials(clock=clock).load()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, None),
        ({"KUBECONFIG": "/some/file"}, Path("/some/file")),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": "/some/file"}, Path("/some/file")),
        ({}, Path.home() / ".kube" / "config"),
    ],
)
def test_where_credentials_come_from(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: Path | None
) -> None:
    """A pod's own account, unless a kubeconfig is named."""
    for name in ("KUBERNETES_SERVICE_HOST", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert expected == credentials_path()


async def test_a_proxy_of_the_environment_is_not_used(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for the world outside; the token must not go there."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert 200 == (await connection.send(get())).status


@pytest.mark.slow
def test_the_librarys_models_are_not_loaded() -> None:
    """Raw calls only: touching CoreV1Api or a model costs up to 100 MB."""
    code = (
        "import sys, whatsapp_operator.runtime.process.operator, whatsapp_operator.runtime.kube.connection as c;"
        "from kubernetes.aio.client.api_client import ApiClient;"
        "loaded = [m for m in sys.modules if m.startswith('kubernetes.aio.client.')];"
        "print(len([m for m in loaded if '.models.' in m]), len([m for m in loaded if '.api.' in m]))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    ).stdout

    assert "0 0" == printed.strip()
