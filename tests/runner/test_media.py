"""Files go out and come in as pywa, unmodified but for its base URL, and plain requests have it."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pywa.errors import WhatsAppError
from runner.conftest import Start
from runner.sender import FRIEND, PHONE, Sender
from session_runner.messages.ids import received_id
from standin.harness import StandIn
from support.runner_process import TOKENS, Folders, link
from support.waiting import async_until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
MB = 1024 * 1024


async def upload(sender: Sender, size: int, *, head: bytes = b"%PDF-1.7\n") -> tuple[int, dict[str, Any]]:
    """Upload a file of so many bytes, which nobody holds whole; gives status and document."""

    async def pieces() -> AsyncIterator[bytes]:
        yield head
        for start in range(len(head), size, MB):
            yield bytes(min(MB, size - start))

    with aiohttp.MultipartWriter("form-data") as form:
        part = form.append(pieces(), {"Content-Type": "application/pdf"})
        part.set_content_disposition("form-data", name="file", filename="large.pdf")
    url, headers = f"{sender.runner.url}/v24.0/{PHONE}/media", {"Authorization": f"Bearer {TOKENS['send']}"}
    timeout = aiohttp.ClientTimeout(total=120)
    async with sender.runner.client.post(url, data=form, headers=headers, timeout=timeout) as answer:
        return answer.status, await answer.json()


async def post(sender: Sender, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """POST a message; gives status and document."""
    url, headers = f"{sender.runner.url}/v24.0/{PHONE}/messages", {"Authorization": f"Bearer {TOKENS['send']}"}
    body = {"messaging_product": "whatsapp", "to": FRIEND} | body
    async with sender.runner.client.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


def peaks(sender: Sender) -> list[int]:
    """Bytes of memory that the runner and its driver have had at most."""
    found = []
    for pid in (sender.runner.process.pid, *(one.pid for one in sender.runner.descendants())):
        command, status = (Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "status"))
        if "headless-shell" not in command:
            found.append(1024 * next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line))
    return found


async def test_pywa_sends_files(sender: Sender, mode: str, folders: Folders) -> None:
    """It uploads them itself; they arrive once, byte by byte, with caption and name; the wrong kind and a private link are refused."""
    assert mode
    image = await sender.by_pywa("send_image", to=FRIEND, image=PNG, mime_type="image/png", caption="Look")
    document = await sender.by_pywa("send_document", to=FRIEND, document=b"%PDF-1.7 x", filename="bill.pdf")
    for sent in (image, document):
        await sender.becomes(sent.id, "sent")
    with pytest.raises(WhatsAppError, match="131053"):
        await sender.by_pywa("send_video", to=FRIEND, video=PNG, mime_type="video/mp4")
    with pytest.raises(WhatsAppError, match="131053"):
        await sender.by_pywa("send_image", to=FRIEND, image="https://10.0.0.1/a.png")
    arrived = [
        (one["id"], one["kind"], one["body"], one["filename"], one["sha256"], one["arrival"])
        for one in await sender.phone.messages(sender.device)
    ]

    assert [
        (image.id, "image", "Look", "image.jpg", hashlib.sha256(PNG).hexdigest(), 1),
        (document.id, "document", "", "bill.pdf", hashlib.sha256(b"%PDF-1.7 x").hexdigest(), 1),
    ] == arrived
    assert 3 == len(list((folders.profile / "media").iterdir()))


async def test_pywa_has_its_upload_back(sender: Sender) -> None:
    """Under an id of digits, at an absolute address, until it is deleted."""
    media = await sender.by_pywa("upload_media", media=PNG, mime_type="image/jpeg", filename="a.jpg")
    url = await sender.by_pywa("get_media_url", media_id=media.id)

    assert (media.id, "image/png", len(PNG)) == (url.id, url.mime_type, url.file_size)
    assert PNG == await sender.by_pywa("get_media_bytes", url=url.url)
    assert await sender.by_pywa("delete_media", media_id=media.id)
    with pytest.raises(WhatsAppError, match="100"):
        await sender.by_pywa("get_media_url", media_id=media.id)


async def test_a_waiting_file_is_sent_though_it_was_deleted(sender: Sender) -> None:
    """It was uploaded, sent and deleted by its client while the server was away; it arrives once when it is back."""
    await sender.phone.unreachable(sender.device)
    await sender.runner.wait_for_state("Reconnecting", "Offline")
    _, media = await upload(sender, 2 * MB)
    status, answer = await post(sender, {"type": "document", "document": {"id": media["id"]}})
    await sender.by_pywa("delete_media", media_id=media["id"])
    await sender.phone.online(sender.device)
    identifier = answer["messages"][0]["id"]
    await sender.becomes(identifier, "sent")
    (arrived,) = await sender.phone.messages(sender.device)

    assert (200, identifier, 2 * MB, "large.pdf") == (status, arrived["id"], arrived["size"], arrived["filename"])


@pytest.mark.parametrize("megabytes", [16, 64, 100])
async def test_a_large_file_is_never_held_whole(sender: Sender, megabytes: int) -> None:
    """It goes out; neither the runner nor the driver grows by nearly as much, and the session stays connected."""
    before = peaks(sender)
    status, media = await upload(sender, megabytes * MB)
    sent, answer = await post(sender, {"type": "document", "document": {"id": media["id"]}})
    await sender.becomes(answer["messages"][0]["id"], "sent")
    (arrived,) = await sender.phone.messages(sender.device)
    grown = [after - at_first for after, at_first in zip(peaks(sender), before, strict=True)]

    assert (200, 200, megabytes * MB) == (status, sent, arrived["size"])
    assert 2 == len(grown)
    assert max(grown) < 16 * MB, grown
    assert "Connected" == (await sender.runner.state())["state"]


async def test_bad_messages_among_good_ones_hold_up_nothing(sender: Sender, folders: Folders) -> None:
    """A file that is gone from the volume, a sound that is none, a link to nowhere: each fails, the others arrive."""
    sent: list[str] = []

    async def say(**body: Any) -> str:
        _, answer = await post(sender, body)
        sent.append(answer["messages"][0]["id"])
        return sent[-1]

    await sender.phone.unreachable(sender.device)
    await sender.runner.wait_for_state("Reconnecting", "Offline")
    await say(type="text", text={"body": "one"})
    _, media = await upload(sender, MB)
    gone = await say(type="document", document={"id": media["id"]})
    (folders.profile / "media" / media["id"]).unlink()
    await say(type="text", text={"body": "two"})
    _, media = await upload(sender, 1000, head=b"RIFF\x24\0\0\0WAVE")
    silent = await say(type="audio", audio={"id": media["id"], "voice": True})
    nowhere = await say(type="image", image={"link": "https://nowhere.invalid/a.png"})
    await say(type="text", text={"body": "three"})
    await sender.phone.online(sender.device)
    bad = [await sender.becomes(identifier, "failed") for identifier in (gone, silent, nowhere)]
    await sender.becomes(sent[-1], "sent")
    arrived = [one["body"] for one in await sender.phone.messages(sender.device)]

    assert ["one", "two", "three"] == arrived
    assert [131053] * 3 == [one["errorCode"] for one in bad]
    assert bad[0]["errorDetails"] is None
    assert "cannot be read" in bad[1]["errorDetails"]
    assert "not found" in bad[2]["errorDetails"]


async def received(sender: Sender, name: str, **about: Any) -> str:
    """Have a message with a file come in; gives the file's id, as an event tells it, once it is known."""
    await sender.gets("", id=name, **about)
    identifier = received_id(PHONE, f"false_{FRIEND}@c.us_{name}")

    async def look() -> int:
        return (await sender.runner.get_json(f"/v24.0/{identifier}", scope="send"))[0]

    await async_until("the file is known", look, lambda status: status == 200, within=60)
    return identifier


async def test_pywa_downloads_a_file(sender: Sender, mode: str) -> None:
    """With its type, size and digest; and sends it on by the same id."""
    assert mode
    data = base64.b64encode(PNG).decode()
    identifier = await received(sender, "F1", type="image", data=data, mimetype="image/png")
    url = await sender.by_pywa("get_media_url", media_id=identifier)

    assert ("image/png", len(PNG), hashlib.sha256(PNG).hexdigest()) == (url.mime_type, url.file_size, url.sha256)
    assert PNG == await sender.by_pywa("get_media_bytes", url=url.url)
    assert PNG == await sender.by_pywa("get_media_bytes", url=url.url)
    sent = await sender.by_pywa("send_image", to=FRIEND, image=identifier)
    await sender.becomes(sent.id, "sent")
    (arrived,) = await sender.phone.messages(sender.device)
    assert url.sha256 == arrived["sha256"]


async def test_an_expired_link_is_renewed_or_an_error(sender: Sender) -> None:
    """By the phone, as long as it has the file; then the error says why."""
    first = await received(sender, "F1", type="document", size=100_000, mimetype="application/pdf")
    await sender.phone.expire_media()
    status, _, content = await sender.runner.get(f"/v24.0/{first}/content", scope="send")
    second = await received(sender, "F2", type="document", size=100_000, mimetype="application/pdf")
    await sender.phone.expire_media(gone=True)
    refused, answer = await sender.runner.get_json(f"/v24.0/{second}/content", scope="send")

    assert (200, 100_000) == (status, len(content))
    assert (400, 131052) == (refused, answer["error"]["code"])
    assert "expired" in answer["error"]["error_data"]["details"]


@pytest.mark.parametrize("megabytes", [16, 64, 100])
async def test_a_large_file_comes_in_by_pieces(sender: Sender, megabytes: int) -> None:
    """Neither the runner nor the driver grows by nearly as much."""
    identifier = await received(sender, "F1", type="document", size=megabytes * MB, mimetype="application/pdf")
    before, digest, size = peaks(sender), hashlib.sha256(), 0
    url, headers = f"{sender.runner.url}/v24.0/{identifier}", {"Authorization": f"Bearer {TOKENS['send']}"}
    timeout = aiohttp.ClientTimeout(total=200)
    async with sender.runner.client.get(f"{url}/content", headers=headers, timeout=timeout) as answer:
        assert 200 == answer.status
        async for piece in answer.content.iter_chunked(MB):
            size += len(piece)
            digest.update(piece)
    async with sender.runner.client.get(url, headers=headers) as answer:
        known = await answer.json()

    assert (megabytes * MB, digest.hexdigest()) == (size, known["sha256"])
    grown = [after - at_first for after, at_first in zip(peaks(sender), before, strict=True)]
    assert grown[0] < 48 * MB, grown
    assert grown[1] < 56 * MB, (
        grown
    )  # the driver's garbage, which it collects late on a busy machine, whatever the size


async def test_a_killed_runner_sends_the_file_once(start: Start, standin: StandIn) -> None:
    """What was answered is sent by the next runner, also if this one was in the middle of it."""
    async with start() as runner:
        device = await link(runner, standin)
        await runner.stop()  # a login of the last minute does not survive a kill
    async with start() as runner:
        await runner.wait_for_state("Connected")
        sender = Sender(runner, standin, device)
        _, media = await upload(sender, 8 * MB)
        status, answer = await post(sender, {"type": "document", "document": {"id": media["id"]}})
        await runner.kill()
    async with start() as runner:
        await runner.wait_for_state("Connected")
        sender = Sender(runner, standin, device)
        await sender.becomes(answer["messages"][0]["id"], "sent")
        arrived = await sender.phone.messages(device)

    assert (200, [(8 * MB, 1)]) == (status, [(one["size"], one["arrival"]) for one in arrived])
