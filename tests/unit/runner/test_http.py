"""The HTTP API with a real server and client on loopback and a store the test speaks into."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.vocabulary import RunnerState, StateReason, TokenScope
from session_runner.host.sandbox import Sandbox
from session_runner.http.app import serve
from session_runner.http.auth import TokenFolder, require
from session_runner.http.errors import UnauthorizedError
from session_runner.metrics.metrics import Metrics
from support.runner_parts import make_api, make_parts

T0 = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


class Api8080:
    """A served API with its store."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.now = T0
        self.folder = folder
        parts = make_parts(clock=lambda: self.now, session_uid="session-1", pod_uid="pod-1", settings=settings)
        self.store, self.door, self.numbers = parts.base.store, parts.base.commands, parts.base.numbers
        for scope in ("state", "link", "admin"):
            (folder / scope).write_text(f"{scope}-token\n")
        self.made = make_api(parts, folder)
        self.client = TestClient(TestServer(self.made))

    def connect(self) -> None:
        """Say Connected."""
        self.store.publish(
            state=RunnerState.CONNECTED,
            reason=StateReason.AS_EXPECTED,
            message="Linked and connected.",
            linked=True,
            linked_time=T0,
            durable_time=T0 + timedelta(seconds=60),
            round=1,
        )

    async def get(self, path: str, *, token: str | None = "admin-token", accept: str = "*/*") -> ClientResponse:
        """GET with a token."""
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {token}"} if token is not None else {})
        return await self.client.get(path, headers=headers)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api8080]:
    """A fresh API."""
    made = Api8080(tmp_path)
    async with made.client:
        yield made


async def error_code(response: ClientResponse) -> str:
    """The word of an error; its whole form is checked, too."""
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = await response.json()
    assert list(document) == ["type", "title", "status", "detail", "error"]
    assert (document["type"], document["status"]) == ("about:blank", response.status)
    assert document["title"]
    assert sorted(document["error"]) == ["code", "message"]
    assert document["error"]["message"] == document["detail"] != ""
    return str(document["error"]["code"])


@pytest.mark.parametrize("others", ["Bearer other", "Bearer admin-token", "Basic dXNlcjpwYXNz", ""])
async def test_two_authorizations_are_none(api: Api8080, others: str) -> None:
    """In either order: what stands before the runner may look at the other one."""
    for shown in (["Bearer admin-token", others], [others, "Bearer admin-token"]):
        headers = [("Authorization", value) for value in shown]
        async with api.client.get("/v1/state", headers=headers) as response:
            assert 401 == response.status


async def test_the_state_has_all_its_fields(api: Api8080) -> None:
    """The document is the published one, times in RFC 3339."""
    api.store.sandbox = Sandbox(browser=True, user_namespace=False)
    api.store.browser_version = "156.0.7204.49"
    api.connect()
    api.store.probed = T0 - timedelta(seconds=2.26)
    response = await api.get("/v1/state", token="state-token")

    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert await response.json() == {
        "sessionUID": "session-1",
        "podUID": "pod-1",
        "revision": 2,
        "state": "Connected",
        "reason": "AsExpected",
        "message": "Linked and connected.",
        "since": "2026-11-22T18:00:00Z",
        "linked": True,
        "browserSandbox": True,
        "userNamespace": False,
        "browserVersion": "156.0.7204.49",
        "accountRevision": None,
        "accountExpected": None,
        "settingsDigest": None,
        "linkedTime": "2026-11-22T18:00:00Z",
        "durableTime": "2026-11-22T18:01:00Z",
        "logoutTime": None,
        "logoutReason": None,
        "round": 1,
        "probeAgeSeconds": 2.3,
    }


async def test_before_the_first_look_the_age_is_not_known(api: Api8080) -> None:
    """A starting runner answers, too: with nulls where nothing is known."""
    document = await (await api.get("/v1/state")).json()

    assert (document["state"], document["probeAgeSeconds"], document["linkedTime"]) == ("Starting", None, None)


async def test_a_long_poll_answers_with_the_change(api: Api8080) -> None:
    """A caller that has the newest revision waits, and gets the next one the moment it comes."""
    waiting = asyncio.create_task(api.get("/v1/state?after=1&wait=50"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    api.connect()

    async with asyncio.timeout(10):
        assert (await (await waiting).json())["revision"] == 2


@pytest.mark.parametrize(
    "query", ["", "?wait=50", "?after=0&wait=50", "?after=7&wait=50", "?after=1&wait=0", "?after=1"]
)
async def test_nobody_waits_who_does_not_have_the_newest(api: Api8080, query: str) -> None:
    """Without `after`, with an older one, with one of an earlier pod, or without `wait`: at once."""
    async with asyncio.timeout(10):
        assert (await api.get(f"/v1/state{query}")).status == 200


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "after=1.5", "wait=nan", "wait=inf", "wait=-1", "wait=x", "after=9" * 9]
)
async def test_a_wrong_parameter_is_refused(api: Api8080, query: str) -> None:
    """The error names what is wrong."""
    response = await api.get(f"/v1/state?{query}")

    assert (response.status, await error_code(response)) == (400, "BadRequest")


async def test_the_longest_wait_is_cut(api: Api8080, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that no clock holds is a long wait, and no fault."""
    monkeypatch.setattr("session_runner.http.session_routes.MAX_WAIT_SECONDS", 0.01)

    async with asyncio.timeout(10):
        assert (await api.get("/v1/state?after=1&wait=1e308")).status == 200


@pytest.mark.parametrize("query", ["after=1&after=2", "wait=0&wait=0", "after=1&wait=0&after="])
async def test_a_parameter_that_is_given_twice_is_refused(api: Api8080, query: str) -> None:
    """Which one was meant, nobody can know."""
    response = await api.get(f"/v1/state?{query}")

    assert (response.status, await error_code(response)) == (400, "BadRequest")


@pytest.mark.parametrize("query", ["x=1", "x=1&x=2", "After=x", "&&", "=", "watch"])
async def test_a_parameter_that_nobody_knows_is_ignored(api: Api8080, query: str) -> None:
    """As everywhere on the web."""
    assert (await api.get(f"/v1/state?{query}")).status == 200


async def test_a_refusal_does_not_repeat_what_was_sent(api: Api8080) -> None:
    """What was pasted into the wrong place may be a secret."""
    response = await api.get("/v1/state?wait=hunter2", accept="hunter2")

    assert response.status == 400
    assert "hunter2" not in await response.text()


@pytest.mark.parametrize("token", [None, "", "wrong", "state-toke", "state-tokenx", "st\u00e4te"])
@pytest.mark.parametrize("path", ["/v1/state", "/v1/qr"])
async def test_without_a_right_token_nothing_is_answered(api: Api8080, path: str, token: str | None) -> None:
    """No token, an empty one and a wrong one are 401 with the way to authenticate."""
    response = await api.get(path, token=token)

    assert (response.status, await error_code(response)) == (401, "Unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_header_that_is_no_text_is_a_wrong_token(tmp_path: Path) -> None:
    """Its bytes come as surrogates; anybody may send them, so they must not become a fault with a traceback."""
    (tmp_path / "state").write_text("state-token\n")

    with pytest.raises(UnauthorizedError):
        require(TokenFolder(tmp_path), "Bearer \udcff\udcfe", TokenScope.STATE)


@pytest.mark.parametrize("header", ["state-token", "Basic state-token", "Bearer", "Bearer  ", "bearerstate-token"])
async def test_only_the_bearer_form_counts(api: Api8080, header: str) -> None:
    """A token in another form is no token."""
    response = await api.client.get("/v1/state", headers={"Authorization": header})

    assert response.status == 401


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        ("/v1/state", "state-token", 200),
        ("/v1/state", "admin-token", 200),
        ("/v1/state", "link-token", 403),
        ("/v1/qr", "link-token", 200),
        ("/v1/qr", "admin-token", 200),
        ("/v1/qr", "state-token", 403),
    ],
)
async def test_each_route_has_its_scope(api: Api8080, path: str, token: str, expected: int) -> None:
    """The token of another scope is known and still not enough; admin opens all."""
    api.store.show_code("text", lifetime=20)
    response = await api.get(path, token=token)

    assert expected == response.status
    if expected == 403:
        assert await error_code(response) == "Forbidden"


async def test_an_empty_token_file_opens_nothing(api: Api8080) -> None:
    """An empty file turns its scope off instead of admitting an empty token."""
    (api.folder / "state").write_text("\n")

    assert (await api.get("/v1/state", token="")).status == 401
    assert (await api.get("/v1/state", token="state-token")).status == 401


async def test_a_token_of_two_scopes_opens_both(api: Api8080) -> None:
    """Who puts the same token into two files gets what both allow."""
    for scope in ("state", "link"):
        (api.folder / scope).write_text("shared")
    api.store.show_code("text", lifetime=20)

    assert (await api.get("/v1/state", token="shared")).status == 200
    assert (await api.get("/v1/qr", token="shared")).status == 200


async def test_a_new_token_counts_at_once(api: Api8080) -> None:
    """The files are read at every request, as a Secret may be replaced."""
    (api.folder / "state").write_text("fresh")

    assert (await api.get("/v1/state", token="fresh")).status == 200
    assert (await api.get("/v1/state", token="state-token")).status == 401


async def test_the_code_as_json(api: Api8080) -> None:
    """Text, times and round; never cached."""
    api.connect()
    api.store.show_code("2@a,b,c,d,1", lifetime=60)
    response = await api.get("/v1/qr", accept="application/json")

    assert response.headers["Cache-Control"] == "no-store"
    assert response.content_type == "application/json"
    assert await response.json() == {
        "text": "2@a,b,c,d,1",
        "issuedTime": "2026-11-22T18:00:00Z",
        "expiryTime": "2026-11-22T18:01:00Z",
        "round": 1,
    }


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "image/png"),
        ("image/*", "image/png"),
        ("image/svg+xml, image/png;q=0.5", "image/svg+xml"),
        ("text/html, image/svg+xml;q=0.1", "image/svg+xml"),
        (" , ", "application/json"),
        ("*", "application/json"),
        ("IMAGE/PNG", "image/png"),
        ("image/svg+xml;q=0.2, image/png;q=0.9", "image/png"),
        ("image/*;q=0.5, image/svg+xml", "image/svg+xml"),
        ("*/*;q=0.1, image/*", "image/png"),
        ("image/*, image/png;q=0", "image/svg+xml"),
        ("image/png;charset=utf-8;q=1.0", "image/png"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "application/json"),
    ],
)
async def test_the_code_in_the_form_that_is_asked_for(api: Api8080, accept: str, expected: str) -> None:
    """JSON unless the caller wants a picture."""
    api.store.show_code("2@a,b,c,d,1", lifetime=60)
    response = await api.get("/v1/qr", accept=accept)
    body = await response.read()

    assert expected == response.content_type
    assert body.startswith(PNG_MAGIC) == (expected == "image/png")
    assert (b"<svg" in body) == (expected == "image/svg+xml")


async def test_two_accept_headers_are_one(api: Api8080) -> None:
    """A header may be sent in pieces."""
    api.store.show_code("2@a,b,c,d,1", lifetime=60)
    headers = [("Authorization", "Bearer admin-token"), ("Accept", "text/html"), ("Accept", "image/png")]
    response = await api.client.get("/v1/qr", headers=headers)

    assert "image/png" == response.content_type


@pytest.mark.parametrize("accept", ["png", "image/png, x", "a/b/c", ";", "\u00ff", f"image/png, {'x' * 5000}/*"])
async def test_an_accept_header_that_is_none_is_refused(api: Api8080, accept: str) -> None:
    """The error shows what one looks like."""
    response = await api.get("/v1/qr", accept=accept)

    assert (response.status, await error_code(response)) == (400, "BadRequest")


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/gif, audio/*"])
async def test_a_form_nobody_offers_is_refused(api: Api8080, accept: str) -> None:
    """406 names the forms there are, also when there is no code."""
    response = await api.get("/v1/qr", accept=accept)

    assert (response.status, await error_code(response)) == (406, "NotAcceptable")


@pytest.mark.parametrize("accept", ["application/json", "image/png"])
async def test_without_a_code_there_is_404_in_json(api: Api8080, accept: str) -> None:
    """The error tells the state, and is JSON whatever was asked for."""
    api.connect()
    response = await api.get("/v1/qr", accept=accept)

    assert (response.status, await error_code(response)) == (404, "NoCode")
    assert "Connected" in await response.text()


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/state/", "/../etc/passwd"])
async def test_unknown_paths_are_json_errors(api: Api8080, path: str) -> None:
    """404 in the form of all errors."""
    response = await api.get(path)

    assert (response.status, await error_code(response)) == (404, "NotFound")


async def test_wrong_methods_are_json_errors(api: Api8080) -> None:
    """405 tells which method is allowed."""
    response = await api.client.post("/v1/state")

    assert (response.status, await error_code(response)) == (405, "MethodNotAllowed")
    assert response.headers["Allow"] == "GET"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_the_probes_need_no_token_and_no_page(api: Api8080, path: str) -> None:
    """They answer while nothing but the event loop runs."""
    response = await api.get(path, token=None)

    assert (response.status, await response.text()) == (200, "ok\n")


async def test_metrics_name_no_session(api: Api8080) -> None:
    """Prometheus text with the runner's prefix; no identity in labels or values."""
    api.connect()
    text = await (await api.get("/metrics", token=None)).text()
    samples = [line for line in text.splitlines() if not line.startswith("#")]

    assert all(line.startswith("whatsapp_runner_") for line in samples)
    assert 'whatsapp_runner_state{state="Starting"} 1.0' in samples
    assert "session-1" not in text


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ("wrong", 401), ("link-token", 403), ("state-token", 200), ("admin-token", 200)]
)
async def test_metrics_may_need_a_token(tmp_path: Path, token: str | None, status: int) -> None:
    """The one that observes; probes need none all the same."""
    closed = Api8080(tmp_path, settings={"METRICS_NEED_TOKEN": "true"})
    async with closed.client:
        assert status == (await closed.get("/metrics", token=token)).status
        assert 200 == (await closed.get("/healthz", token=None)).status


async def test_a_fault_of_ours_is_a_json_error(api: Api8080, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception is told without its text, which is for the log."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.store, "newer_than", broken)
    response = await api.get("/v1/state")

    assert (response.status, await error_code(response)) == (500, "InternalError")
    assert "secret detail" not in await response.text()


async def test_the_contract_is_served(api: Api8080) -> None:
    """The OpenAPI document, to everybody."""
    response = await api.get("/v1/openapi.yaml", token=None)

    assert response.content_type == "application/yaml"
    assert (await response.text()).startswith("openapi: 3.1.0")
    assert json.dumps(await response.text())


async def test_a_caller_that_hangs_up_within_its_body_is_no_fault(
    api: Api8080, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is logged of it, and the next one is answered."""
    server, port = await serve(api.made, port=0, metrics=Metrics())
    head = "POST /v1/pairing-code HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer link-token\r\nContent-Length: 99\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}half".encode())
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await asyncio.sleep(0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    await server.cleanup()

    assert [] == [record for record in caplog.records if record.exc_info]
    assert b" 200 " in answer
