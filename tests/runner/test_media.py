"""Files go out and come in as pywa, unmodified but for its base URL, and plain requests have it."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pywa.errors import WhatsAppError
from runner.sender import FRIEND, PHONE, Sender
from support.runner_process import TOKENS, Folders

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


async def test_pywa_sends_files(sender: Sender, mode: str, folders: Folders) -> None:
    """It uploads them itself; they arrive once, byte by byte, with caption and name; the wrong kind is refused."""
    assert mode
    image = await sender.by_pywa("send_image", to=FRIEND, image=PNG, mime_type="image/png", caption="Look")
    document = await sender.by_pywa("send_document", to=FRIEND, document=b"%PDF-1.7 x", filename="bill.pdf")
    for sent in (image, document):
        await sender.becomes(sent.id, "sent")
    with pytest.raises(WhatsAppError, match="131053"):
        await sender.by_pywa("send_video", to=FRIEND, video=PNG, mime_type="video/mp4")
    with pytest.raises(WhatsAppError, match="131053"):
        await sender.by_pywa("send_image", to=FRIEND, image="https://example.com/a.png")
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


async def test_a_large_file_is_never_held_whole(sender: Sender) -> None:
    """64 MB go out; neither the runner nor the driver grows by nearly as much, and the session stays connected."""

    def peaks() -> list[int]:
        """Bytes of memory that the runner and its driver have had at most."""
        found = []
        for pid in (sender.runner.process.pid, *(one.pid for one in sender.runner.descendants())):
            command, status = (Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "status"))
            if "headless-shell" not in command:
                found.append(1024 * next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line))
        return found

    before = peaks()
    status, media = await upload(sender, 64 * MB)
    sent, answer = await post(sender, {"type": "document", "document": {"id": media["id"]}})
    await sender.becomes(answer["messages"][0]["id"], "sent")
    (arrived,) = await sender.phone.messages(sender.device)
    grown = [after - at_first for after, at_first in zip(peaks(), before, strict=True)]

    assert (200, 200, 64 * MB) == (status, sent, arrived["size"])
    assert 2 == len(grown)
    assert max(grown) < 16 * MB
    assert "Connected" == (await sender.runner.state())["state"]
