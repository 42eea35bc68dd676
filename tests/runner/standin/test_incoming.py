"""What comes in, and how a page that is away, new or slow to understand gets it."""

import pytest
from playwright.async_api import BrowserContext
from runner.standin.conftest import OpenTab
from runner.standin.linked import FRIEND, Linked, before_the_page
from runner.standin.tabs import Tab, wait_for_value
from standin import Mode, StandIn

NUMBER = FRIEND.partition("@")[0]
NOTE = "WPP.on('chat.new_message', (msg) => window.__new.push([msg.type, msg.body, msg.id.fromMe]))"
OFFLINE_END = """load('WAWebBackendEventBus').BackendEventBus.on('offline_delivery_end',
  () => { window.__atEnd = load('WAWebMsgCollection').MsgCollection.map((msg) => msg.body) });"""


async def linked_and_noting(open_tab: OpenTab, standin: StandIn) -> Linked:
    """Link a tab that notes every new message."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.page.evaluate(f"() => {{ window.__new = []; {NOTE} }}")
    return linked


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_what_waited_is_brought_before_the_end_of_delivery(
    open_tab: OpenTab, standin: StandIn, context: BrowserContext
) -> None:
    """All of it, in order, each id once, stored and shown before the page says so; the next login brings none."""
    linked = await Linked.link(await open_tab(), standin)
    await linked.page.close()
    for number in range(3):
        await linked.phone.send(linked.device, f"message {number}", id=f"ID{number}")
    await linked.phone.send(linked.device, "message 1 once more", id="ID1")
    await context.add_init_script(before_the_page(OFFLINE_END))
    tab = await Tab.open(context, standin.page_url)
    await tab.connected()
    again = Linked(tab, standin, linked.device)
    await again.stored()

    await wait_for_value(lambda: tab.page.evaluate("window.__atEnd"), [f"message {number}" for number in range(3)])
    await tab.page.reload()
    await tab.connected()
    assert ["message 2"] == await tab.page.evaluate(
        "require('WAWebMsgCollection').MsgCollection.map((msg) => msg.body)"
    )


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_the_history_of_a_first_synchronisation_is_new_to_nobody(open_tab: OpenTab, standin: StandIn) -> None:
    """More than one piece of it: chats and messages are there, own ones too, and no event told of them."""
    entries = [
        {"text": f"old {number}", "id": f"H{number}", "t": 1000 + number, "from": NUMBER} for number in range(70)
    ]
    await standin.phone.add_history(*entries, {"text": "mine", "id": "MINE", "t": 2000, "to": NUMBER})
    linked = await linked_and_noting(open_tab, standin)
    await linked.wait_for("WPP.conn.getHistorySyncProgress()", {"progress": 100, "paused": False, "inProgress": False})
    await linked.wait_for("store.getModelsArray().at(-1)?.body", "mine")

    assert [*(f"old {number}" for number in range(51, 70)), "mine"] == await linked.texts()
    assert 71 == len(await linked.texts(options="{count: -1}"))
    assert [] == await linked.page.evaluate("window.__new")
    await linked.reload()
    assert 71 == len(await linked.texts(options="{count: -1}"))


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_a_message_that_cannot_be_read_yet(open_tab: OpenTab, standin: StandIn) -> None:
    """It is told of twice by wa-js, under one id; after a reload the content changes a message that nobody calls new."""
    linked = await linked_and_noting(open_tab, standin)
    await linked.phone.send(linked.device, "", id="C1", ciphertext=True, **{"from": NUMBER})
    await linked.wait_for("window.__new", [["ciphertext", "", False]])
    await linked.phone.fill(linked.device, "now", identifier="C1", **{"from": NUMBER})
    await linked.wait_for("window.__new", [["ciphertext", "", False], ["chat", "now", False]])
    await linked.phone.send(linked.device, "", id="C2", ciphertext=True, **{"from": NUMBER})
    await linked.stored()
    await linked.reload()
    await linked.phone.fill(linked.device, "later", identifier="C2", **{"from": NUMBER})
    await linked.wait_for("store.map((msg) => [msg.type, msg.body])", [["chat", "later"]])

    assert ["now", "later"] == await linked.texts()


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_own_messages_and_replies(open_tab: OpenTab, standin: StandIn) -> None:
    """What the owner writes on the phone comes as from me; a reply names what it answers, and wa-js finds that."""
    linked = await linked_and_noting(open_tab, standin)
    await linked.phone.send(linked.device, "mine", id="M1", to=NUMBER)
    await linked.phone.send(linked.device, "reply", quoted="M1", **{"from": NUMBER})
    await linked.wait_for("window.__new", [["chat", "mine", True], ["chat", "reply", False]])

    assert f"true_{FRIEND}_M1" == await linked.ask("String(store.getModelsArray().at(-1).quotedMsgId)")
    await linked.ask(
        f"(await WPP.chat.sendTextMessage('{FRIEND}', 'back', {{linkPreview: false, quotedMsg: 'true_{FRIEND}_M1'}})).id"
    )
    assert [("back", "M1")] == [(one["body"], one["quoted"]) for one in await linked.phone.messages(linked.device)]


@pytest.mark.parametrize("mode", [Mode.LEGACY])
async def test_presence_typing_and_calls(open_tab: OpenTab, standin: StandIn) -> None:
    """Others are seen typing and heard calling; the page's typing, read marks and a rejected call reach the phone."""
    linked = await Linked.link(await open_tab(wa_js=True), standin)
    await linked.phone.send(linked.device, "hello", id="H1", **{"from": NUMBER})
    await linked.stored()
    await linked.page.evaluate(
        """() => { window.__seen = []; const note = (one) => window.__seen.push(one);
          WPP.on('chat.presence_change', ({id, state, isOnline}) => note([String(id), state, isOnline]));
          WPP.on('call.incoming_call', ({id, sender, isVideo}) => note([id, String(sender), isVideo])) }"""
    )
    await linked.phone.presence(linked.device, "composing", **{"from": NUMBER})
    await linked.phone.call(linked.device, id="CALL1", video=True, **{"from": NUMBER})
    await linked.wait_for("window.__seen", [[FRIEND, "composing", True], ["CALL1", FRIEND, True]])
    await linked.ask("await WPP.call.reject('CALL1')")
    await linked.ask(f"await WPP.chat.markIsComposing('{FRIEND}')")
    await linked.ask(f"(await WPP.chat.markIsRead('{FRIEND}')).unreadCount")

    signals = [
        {"kind": "reject", "call": "CALL1", "to": FRIEND},
        {"kind": "composing", "to": FRIEND},
        {"kind": "read", "to": FRIEND, "last": "H1"},
    ]

    await wait_for_value(lambda: linked.phone.signals(linked.device), signals)
