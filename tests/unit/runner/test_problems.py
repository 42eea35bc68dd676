"""Errors of every layer, over a raw connection to the server as `__main__` starts it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from session_runner.http.app import serve
from session_runner.http.errors import ApiError, BadRequestError, errors_as, problems
from session_runner.metrics.metrics import Metrics
from support.runner_parts import make_api, make_parts

HOST = b"\r\nHost: x\r\n"


def now() -> datetime:
    """A clock that stands still."""
    return datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a served API."""
    (tmp_path / "state").write_text("state-token")
    server, port = await serve(make_api(make_parts(), tmp_path), port=0, metrics=Metrics())
    yield port
    await server.cleanup()


async def ask(port: int, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; return status, headers and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    body = b"" if sent.startswith(b"HEAD") else await reader.readexactly(int(headers["Content-Length"]))
    writer.close()
    return int(head[0].split()[1]), headers, body


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"hunter2\r\n\r\n", 400, "BadRequest"),
        (b"\x16\x03\x01\x02\x00\x01\xfc\r\n\r\n", 400, "BadRequest"),
        (b"GET /healthz HTTP/9.9" + HOST + b"\r\n", 400, "BadRequest"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400, "BadRequest"),
        (b"BREW /v1/state HTTP/1.1" + HOST + b"\r\n", 400, "BadRequest"),
        (b"GET http://[hunter2/ HTTP/1.1" + HOST + b"\r\n", 400, "BadRequest"),
        (b"GET /\xff HTTP/1.1" + HOST + b"\r\n", 400, "BadRequest"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1" + HOST + b"\r\n", 400, "BadRequest"),
        (b"GET /healthz HTTP/1.1" + HOST + b"X: hunter2\x00\r\n\r\n", 400, "BadRequest"),
        (b"GET /healthz HTTP/1.1" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 400, "BadRequest"),
        (b"GET /healthz HTTP/1.1" + HOST + b"A: b\r\n" * 500 + b"\r\n", 400, "BadRequest"),
        (b"POST /healthz HTTP/1.1" + HOST + b"Content-Length: hunter2\r\n\r\n", 400, "BadRequest"),
        (b"GET /v1/state HTTP/1.1" + HOST + b"Authorization: Bearer \xff\r\n\r\n", 401, "Unauthorized"),
        (b"GET /%zz%ff%00 HTTP/1.1" + HOST + b"\r\n", 404, "NotFound"),
        (b"GET //[ HTTP/1.1" + HOST + b"\r\n", 404, "NotFound"),
        (b"OPTIONS * HTTP/1.1" + HOST + b"\r\n", 404, "NotFound"),
        (b"CONNECT a:80 HTTP/1.1" + HOST + b"\r\n", 404, "NotFound"),
        (b"GET /healthz HTTP/1.1" + HOST + b"Expect: hunter2\r\n\r\n", 417, "ExpectationFailed"),
        (b"GET /none HTTP/1.1" + HOST + b"Expect: hunter2\r\n\r\n", 417, "ExpectationFailed"),
    ],
    ids=range(19),
)
async def test_every_layer_answers_with_a_problem(port: int, sent: bytes, status: int, code: str) -> None:
    """Also where no route and no middleware was asked; nothing that was sent is repeated."""
    got, headers, body = await ask(port, sent)
    document = json.loads(body)

    assert (status, status, code) == (got, document["status"], document["error"]["code"])
    assert ("application/problem+json", "no-store") == (headers["Content-Type"], headers["Cache-Control"])
    assert b"hunter2" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(("path", "allow"), [("/v1/state", "GET"), ("/metrics", "GET"), ("/readyz", "GET,HEAD")])
async def test_a_wrong_method_gets_the_right_ones(port: int, method: str, path: str, allow: str) -> None:
    """405 with Allow, without asking for a token first."""
    got, headers, body = await ask(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert (405, allow, "MethodNotAllowed") == (got, headers["Allow"], json.loads(body)["error"]["code"])


@pytest.mark.parametrize(("path", "status"), [("/v1/state", 405), ("/v1/qr", 405), ("/healthz", 200), ("/none", 404)])
async def test_head_is_for_the_probes(port: int, path: str, status: int) -> None:
    """A long-poll or a code without its body helps nobody."""
    got, _, _ = await ask(port, f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert status == got


async def test_an_application_below_may_write_errors_in_its_own_way() -> None:
    """Routes in another API's shape: their errors are theirs alone, those beside them stay problems."""

    def other(error: ApiError) -> web.Response:
        return web.json_response({"error": {"message": str(error), "code": 100}}, status=error.status)

    async def refuse(_: web.Request) -> web.Response:
        raise BadRequestError("no")

    below = web.Application(middlewares=[errors_as(other)])
    below.router.add_get("/messages", refuse)
    app = web.Application(middlewares=[problems])
    app.router.add_get("/refuse", refuse)
    app.add_subapp("/v24.0", below)
    async with TestClient(TestServer(app)) as client:
        theirs, unknown = await client.get("/v24.0/messages"), await client.get("/v24.0/none")
        ours = await client.get("/refuse")

        assert {"error": {"message": "no", "code": 100}} == await theirs.json()
        assert (404, ["error"]) == (unknown.status, list(await unknown.json()))
        assert "application/problem+json" == ours.content_type
