"""The Cloud API's routes for files over a real server: what clients send in all its forms, and what they need in the answers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import BytesPayload, FormData, MultipartWriter
from session_runner.http import media as routes
from session_runner.http.cloud_api import largest_body
from session_runner.http.cloud_bodies import LARGEST_BODY
from session_runner.media import media as store
from support.runner_parts import PHONE
from unit.runner.test_cloud_api import Served, failure
from unit.runner.test_cloud_api import served as served  # noqa: PLC0414 -- a fixture

Part = tuple[str, Any, dict[str, str]]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300_000)


def form(*parts: Part) -> FormData:
    """A form with these parts in this order."""
    data = FormData()
    data._is_multipart = True
    for name, value, more in parts:
        data.add_field(name, value, **more)
    return data


FILE: Part = ("file", PNG, {"filename": "a b.png", "content_type": "image/jpeg"})
TYPE: Part = ("type", "image/png", {})
PRODUCT: Part = ("messaging_product", "whatsapp", {})


async def upload(served: Served, data: Any, **more: Any) -> Any:
    """POST a form."""
    return await served.call("POST", f"/v24.0/{PHONE}/media", data=data, **more)


@pytest.mark.parametrize(
    "parts",
    [
        [FILE, PRODUCT, TYPE],
        [PRODUCT, TYPE, FILE, ("ttl_minutes", "60", {})],
        [PRODUCT, FILE],
        [PRODUCT, ("file", BytesPayload(PNG, content_type="image/png"), {})],
    ],
    ids=["the file first", "the file last", "no type", "a file without a name"],
)
async def test_an_upload_can_be_had_again(served: Served, parts: list[Part]) -> None:
    """In whatever order its parts came, with all fields that clients need, at an absolute address."""
    identifier = (await (await upload(served, form(*parts))).json())["id"]
    document = await (await served.call("GET", f"/v21.0/{identifier}?phone_number_id={PHONE}")).json()
    url = document.pop("url")
    content = await served.call("GET", url.removeprefix(str(served.client.make_url("")).rstrip("/")))

    assert identifier.isdecimal()
    assert identifier.startswith(PHONE)
    assert {
        "messaging_product": "whatsapp",
        "mime_type": "image/png",
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "file_size": len(PNG),
        "id": identifier,
    } == document
    assert (200, PNG, "image/png") == (content.status, await content.read(), content.content_type)
    assert {"no-store", "nosniff"} < set(content.headers.values())
    assert content.headers["Content-Disposition"].startswith("attachment")


async def test_an_unknown_file_cannot_be_sent(served: Served) -> None:
    """By either way of sending, each with its own error; a known one can."""
    of_file = {"to": "15550100777", "type": "image", "image": {"id": "1" * 30}}
    response = await served.call("POST", "/v1/messages", json=of_file)
    assert (404, "NoFile") == (response.status, (await response.json())["error"]["code"])
    assert (400, 131053) == await failure(await served.send(of_file | {"messaging_product": "whatsapp"}))

    identifier = (await (await upload(served, form(FILE))).json())["id"]
    assert 200 == (await served.call("POST", "/v1/messages", json=of_file | {"image": {"id": identifier}})).status


async def test_the_address_is_the_one_that_the_client_knows(served: Served) -> None:
    """Behind a proxy it has the proxy's scheme, host and prefix; what is no host is refused."""
    identifier = (await (await upload(served, form(FILE))).json())["id"]
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "chat.example", "X-Forwarded-Prefix": "/a/b"}
    document = await (await served.call("GET", f"/v24.0/{identifier}", headers=proxied)).json()

    assert f"https://chat.example/a/b/v24.0/{identifier}/content" == document["url"]
    bad = await served.call("GET", f"/v24.0/{identifier}", headers={"X-Forwarded-Host": "a b"})
    assert (400, 100) == await failure(bad)


async def test_a_deleted_file_is_gone(served: Served) -> None:
    """Deleting is a success once."""
    identifier = (await (await upload(served, form(FILE))).json())["id"]
    path = f"/v24.0/{identifier}"

    assert {"success": True} == await (await served.call("DELETE", path)).json()
    assert (400, 100) == await failure(await served.call("DELETE", path))
    assert (400, 100) == await failure(await served.call("GET", f"{path}/content"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (form(PRODUCT, TYPE), (400, 131008)),
        (form(FILE, ("messaging_product", "sms", {})), (400, 100)),
        (form(("file", b"", {"filename": "x"})), (400, 131008)),
        (form(FILE, FILE), (400, 100)),
        (form(*[("a", "b", {})] * 17), (400, 100)),
        (form(("type", "x" * 2000, {}), FILE), (400, 100)),
        (b"{}", (400, 100)),
    ],
    ids=["no file", "another product", "an empty file", "two files", "many parts", "a long field", "no form"],
)
async def test_what_is_no_upload_is_refused(served: Served, data: Any, expected: tuple[int, int]) -> None:
    """With the documented code."""
    assert expected == await failure(await upload(served, data))


async def test_parts_in_parts_are_refused(served: Served) -> None:
    """And what only says that it is a form."""
    with MultipartWriter("form-data") as outer, MultipartWriter("mixed") as inner:
        inner.append(b"x")
        outer.append(inner)
    assert (400, 100) == await failure(await upload(served, outer))
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (400, 100) == await failure(await upload(served, b"nothing of it", headers=kind))
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for part in (b'Content-Disposition: form-data; name="\x12"', b"Content-Length: 9"):
        parts = b"--x\r\n" + part + b"\r\n\r\nabc\r\n--x--\r\n"
        assert 400 == (await upload(served, parts, headers=kind)).status
    kind = {"Content-Type": "multipart/form-data"}
    assert (400, 100) == await failure(await upload(served, b"nothing of it", headers=kind))


async def test_a_file_that_is_too_large_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what its head says, with the size; without that, as soon as it is."""
    monkeypatch.setattr(routes, "LARGEST_UPLOAD", 1000)
    response = await upload(served, form(FILE))
    assert (400, 131053) == await failure(response)
    assert str(len(PNG))[:3] in (await response.json())["error"]["error_data"]["details"]

    monkeypatch.undo()
    monkeypatch.setattr(store, "LARGEST", 1000)
    assert (400, 131053) == await failure(await upload(served, form(FILE)))


async def test_an_upload_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told so, and nothing is left."""
    monkeypatch.setattr(routes, "PATIENCE", 0.05)
    monkeypatch.setattr(routes, "SLOWEST", 10**12)

    async def slow() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc'
        await asyncio.sleep(0.5)
        yield b"\r\n--x--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (400, 100) == await failure(await upload(served, slow(), headers=kind))


async def test_only_the_token_for_sending_opens_it(served: Served) -> None:
    """Each of the routes; another session's number has none."""
    for method, path in (("POST", f"{PHONE}/media"), ("GET", f"{PHONE}1" + "0" * 14), ("DELETE", PHONE + "0" * 15)):
        assert (401, 190) == await failure(await served.call(method, f"/v24.0/{path}", token="wrong"))
        assert (403, 10) == await failure(await served.call(method, f"/v24.0/{path}", token="state-token"))
    assert (400, 100) == await failure(await served.call("POST", "/v24.0/999/media", data=form(FILE)))


def test_only_uploads_and_messages_have_large_bodies() -> None:
    """Every other route keeps the limit for all."""
    assert routes.LARGEST_UPLOAD == largest_body("POST", f"/v24.0/{PHONE}/media?messaging_product=whatsapp")
    assert LARGEST_BODY == largest_body("POST", f"/v24.0/{PHONE}/messages")
    assert LARGEST_BODY == largest_body("POST", "/v1/messages")
    for method, target in (("GET", f"/v24.0/{PHONE}/media"), ("POST", "/v1/logout"), ("POST", "/v24.0/a/media")):
        assert 0 == largest_body(method, target)
