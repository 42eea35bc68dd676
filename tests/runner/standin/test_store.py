"""What a page has sent and got is there again after a reload and in the next browser, and is new to nobody."""

import os
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from runner.standin.conftest import CHROMIUM, WA_JS, WA_JS_CONFIG, OpenTab
from runner.standin.linked import FRIEND, Linked
from runner.standin.tabs import Tab
from standin import Mode, StandIn

FRIENDS_NUMBER = FRIEND.partition("@")[0]


async def test_a_conversation_survives_a_reload(open_tab: OpenTab, standin: StandIn) -> None:
    """Chats, unread counts, texts in their order and acks; only the last message is shown, the rest is found."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.send("first")
    now = int((await linked.phone.messages(linked.device))[0]["t"])
    for text, seconds in (("second", now + 1), ("third", now + 1), ("an hour late", now - 3600)):
        await linked.phone.send(linked.device, text, t=seconds, **{"from": FRIENDS_NUMBER})
    await linked.phone.receipt(linked.device, level=3)
    await linked.stored()
    await linked.reload()
    order = ["an hour late", "first", "second", "third"]

    assert [["third", None]] == await linked.ask("store.map((msg) => [msg.body, msg.isNewMsg ?? null])")
    assert [[FRIEND, 3]] == await linked.ask(
        "(await WPP.chat.list()).map((chat) => [String(chat.id), chat.unreadCount])"
    )
    assert order == await linked.texts()
    assert order[2:] == await linked.texts(options="{count: 2}")
    first = f"(await WPP.chat.getMessages('{FRIEND}', {{count: 20}})).find((msg) => msg.body === 'first')"
    assert 3 == await linked.ask(f"({first}).ack")
    after = await linked.ask(f"String(({first}).id)")
    assert order[2:] == await linked.texts(options=f"{{count: 20, id: '{after}', direction: 'after'}}")
    assert order[:1] == await linked.texts(options=f"{{count: 20, id: '{after}', direction: 'before'}}")
    assert "first" == await linked.ask(f"(await WPP.chat.getMessageById('{after}')).body")


async def test_what_was_not_acknowledged_is_sent_again(open_tab: OpenTab, standin: StandIn) -> None:
    """By the page itself after a reload, under the same id; the phone counts both. Once acknowledged, never again."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.phone.acks(linked.device, "withheld")
    identifier = await linked.send("hello")
    await linked.wait_for("store.map((msg) => msg.ack)", [0])
    await linked.reload()

    assert [("hello", 1), ("hello", 2)] == await linked.deliveries()
    assert {identifier} == {one["id"] for one in await linked.phone.messages(linked.device)}
    await linked.phone.acks(linked.device, "given")
    await linked.wait_for("store.map((msg) => msg.ack)", [1])
    await linked.reload()
    assert 2 == len(await linked.deliveries())


async def test_a_message_waits_for_the_connection(open_tab: OpenTab, standin: StandIn) -> None:
    """What is sent while the server is out of reach arrives once when it is back."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.phone.unreachable(linked.device)
    await linked.tab.wait_for_facts(state="OPENING")
    await linked.send("patient")
    await linked.phone.online(linked.device)
    await linked.wait_for("store.map((msg) => msg.ack)", [1])

    assert [("patient", 1)] == await linked.deliveries()


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_acks_come_late_or_as_a_refusal(open_tab: OpenTab, standin: StandIn) -> None:
    """A late ack is waited for; a refused message has failed for good, and is not sent again."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.phone.acks(linked.device, "late", seconds=0.5)
    await linked.send("slow")

    assert [0] == await linked.ask("store.map((msg) => msg.ack)")
    await linked.wait_for("store.map((msg) => msg.ack)", [1])
    await linked.phone.acks(linked.device, "refused")
    answer = await linked.ask(f"(await WPP.chat.sendTextMessage('{FRIEND}', 'no', {{linkPreview: false}}))")
    await linked.reload()
    assert (-1, 463) == (answer["ack"], answer["sendMsgResult"]["errorCode"])
    assert [("slow", 1), ("no", 1)] == await linked.deliveries()


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_the_next_browser_has_it_too(standin: StandIn, home: Path, tmp_path: Path, user_agent: str) -> None:
    """Closed cleanly and opened again on the same profile: no code, the same chat, and what was still to be sent goes."""
    async with async_playwright() as playwright:

        async def browse() -> Linked | None:
            context = await playwright.chromium.launch_persistent_context(
                tmp_path, executable_path=CHROMIUM, env={**os.environ, "HOME": str(home)}, user_agent=user_agent
            )
            await context.add_init_script(WA_JS_CONFIG)
            await context.add_init_script(path=WA_JS)
            tab = await Tab.open(context, standin.page_url)
            await tab.wait_for_facts(full=True)
            devices = await standin.phone.devices()
            if not devices:
                return await Linked.link(tab, standin)
            await tab.connected()
            return Linked(tab, standin, devices[0]["id"])

        linked = await browse()
        assert linked is not None
        await linked.phone.send(linked.device, "hello", **{"from": FRIENDS_NUMBER})
        await linked.stored()
        await linked.phone.acks(linked.device, "withheld")
        await linked.send("answer")
        await linked.page.context.close()
        again = await browse()
        assert again is not None

        assert ["hello", "answer"] == await again.texts()
        assert [("answer", 1), ("answer", 2)] == await again.deliveries()
        await again.page.context.close()


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_a_new_link_begins_empty(open_tab: OpenTab, standin: StandIn) -> None:
    """A logout takes the chats with it."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.send("hello")
    await linked.phone.unlink(linked.device)
    again = await Linked.link(linked.tab, standin)
    await again.tab.wait_for_facts(full=True)

    assert 0 == await again.ask("WPP.whatsapp.ChatStore.length + store.length")
