"""Files beside the messages: up and down in pieces from the second host, and links that have expired."""

import hashlib

import pytest
from runner.standin.conftest import OpenTab
from runner.standin.linked import FRIEND, Linked
from standin import Mode, StandIn

pytestmark = pytest.mark.parametrize("mode", [Mode.LEGACY])

FROM = {"from": FRIEND.partition("@")[0]}
MB = 1024 * 1024
DIGEST = """async (blob) => { const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return [blob.type, blob.size, Array.from(new Uint8Array(digest), (one) => one.toString(16).padStart(2, '0')).join('')] }"""


def shown(message: str) -> str:
    """Fetch a file through wa-js and give type, size and digest."""
    return f"await WPP.chat.downloadMedia('false_{FRIEND}_{message}').then({DIGEST}, (error) => error.code)"


async def test_a_large_file_comes_in(open_tab: OpenTab, standin: StandIn) -> None:
    """What wa-js fetches has the size and the digest that the message says; also after a reload."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    about = {"type": "document", "size": 20 * MB, "mimetype": "application/pdf", "filename": "large.pdf"}
    await linked.phone.send(linked.device, "read this", id="F1", **about, **FROM)
    await linked.stored()
    await linked.reload()
    facts = await linked.ask(
        "store.map((msg) => [msg.type, msg.size, msg.filename, msg.caption, atob(msg.filehash)])[0]"
    )
    digest = facts.pop().encode("latin-1").hex()

    assert ["document", 20 * MB, "large.pdf", "read this"] == facts
    assert ["application/pdf", 20 * MB, digest] == await linked.ask(shown("F1"))


async def test_a_large_file_goes_out(open_tab: OpenTab, standin: StandIn) -> None:
    """The phone counts and digests what arrived; nothing of it went through the socket."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.ask(
        f"""(await WPP.chat.sendFileMessage('{FRIEND}', new File([new Uint8Array({20 * MB}).fill(7)], 'sevens.bin'),
          {{type: 'document', caption: 'sevens'}})).id"""
    )
    (message,) = await linked.phone.messages(linked.device)

    assert (20 * MB, hashlib.sha256(b"\x07" * (20 * MB)).hexdigest(), "sevens.bin", "sevens") == tuple(
        message[name] for name in ("size", "sha256", "filename", "body")
    )
    assert "data" not in message


async def test_an_expired_link_is_renewed_by_the_phone(open_tab: OpenTab, standin: StandIn) -> None:
    """The page asks for a new one; a file that the phone has no more cannot be had."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    for name in ("F1", "F2"):
        await linked.phone.send(linked.device, "", id=name, type="image", size=1000, mimetype="image/png", **FROM)
    await linked.stored()

    assert 2 == await linked.phone.expire_media()
    assert ["image/png", 1000] == (await linked.ask(shown("F1")))[:2]
    await linked.phone.send(linked.device, "", id="F3", type="image", size=1000, mimetype="image/png", **FROM)
    await linked.stored()
    await linked.phone.expire_media(gone=True)
    assert "media_not_found" == await linked.ask(shown("F3"))
