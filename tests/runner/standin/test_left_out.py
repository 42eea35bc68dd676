"""Each module about messages is there for a reason: without it, and it alone, something of wa-js fails."""

import pytest
from playwright.async_api import BrowserContext, Error
from runner.standin.conftest import WA_JS, WA_JS_CONFIG, OpenTab
from runner.standin.linked import FRIEND, Linked, before_the_page
from runner.standin.tabs import Tab
from standin import Mode, StandIn

QUIET = "{linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false}"
KEY = f"false_{FRIEND}_T1"
OWN = f"true_{FRIEND}_OWN"
FOUND = f"(await WPP.chat.getMessages('{FRIEND}', {{count: 5}})).length > 1"
ASKED = "(await WPP.contact.queryExists('15550100888@c.us')).wid.user === '15550100888'"
OLDER = f"(await WPP.chat.getMessageById('{KEY}')).body === 'one'"
REACTED = f"(await WPP.chat.sendReactionToMessage('{OWN}', '!')).sendMsgResult.messageSendResult === 'OK'"
EDITED = f"(await WPP.chat.editMessage('{OWN}', 'new', {QUIET})).id === '{OWN}'"
LISTEN = """() => {
  window.__replied = new Promise((resolve) => {
    WPP.on('chat.new_message', (msg) => { if (msg.body === 'reply') resolve(true) }) });
  window.__reacted = new Promise((resolve) => { WPP.on('chat.new_reaction', () => resolve(true)) }) }"""
TYPING = f"(await WPP.chat.markIsComposing('{FRIEND}')) === undefined"
REVOKED = f"(await WPP.chat.deleteMessage('{FRIEND}', '{OWN}2', true, true)).isRevoked"

BOTH = {
    "WAWebLidPnCache": ASKED,
    "WAWebApiContact": ASKED,
    "WAWebQueryExistsJob": ASKED,
    "WAWebChatMessageSearch": OLDER,
    "WAWebMsgActionCapability": EDITED,
    "WAWebSendMessageEditAction": EDITED,
    "WAWebSendReactionMsgAction": REACTED,
    "WAWebReactionsStore": f"(await WPP.chat.getReactions('{OWN}')).reactions.length >= 0",
    "WAWebUpdateUnreadChatAction": f"(await WPP.chat.markIsRead('{FRIEND}')).unreadCount >= 0",
    "WAWebChatForwardMessage": f"(await WPP.chat.forwardMessages('{FRIEND}', ['{OWN}']), true)",
    "WAWebMsgType": REVOKED,
    "WAWebSendMsgResultAction": REVOKED,
    "WAWebChatPresence": TYPING,
    "WAWebPresenceCollection": "Boolean(WPP.whatsapp.PresenceStore.on)",
    "WAWebCallCollection": "Boolean(WPP.whatsapp.CallStore.processIncomingCall)",
    "WAWebVoipWaCallEnums": "await WPP.call.reject()",
    "WAWebVoipStackInterface": "await WPP.call.reject()",
    "WAWebQuotedMsgModelUtils": "await window.__replied",
    "WAWebReactionsModelCollection": "await window.__reacted",
    "WAWebHistorySyncProgressModel": "WPP.conn.getHistorySyncProgress().progress === 100",
}
""" The module, and an expression that holds with it. """
CASES = [
    *((Mode.MODERN, module, holds) for module, holds in BOTH.items()),
    (Mode.MODERN, "WAWebDBMessageFindLocal", FOUND),
    (Mode.LEGACY, "WAWebMsgFindQuery", FOUND),
]


async def answer(linked: Linked, holds: str) -> object:
    """Evaluate the expression; an error, or no answer in time, is a no."""
    try:
        return await linked.ask(
            f"await Promise.race([(async () => {holds})(), new Promise((end) => setTimeout(end, 2000))])"
        )
    except Error:
        return False


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [Mode.LEGACY, Mode.MODERN])
async def test_without_it_something_fails(
    open_tab: OpenTab, standin: StandIn, context: BrowserContext, mode: Mode
) -> None:
    """All expressions hold on the whole page; each fails on a page that lacks its module."""
    friend = {"from": FRIEND.partition("@")[0]}
    linked = await Linked.link(await open_tab(), standin)
    await context.add_init_script(WA_JS_CONFIG)
    await context.add_init_script(path=WA_JS)

    async def load(left_out: str = "") -> Linked:
        page = await context.new_page()
        await page.add_init_script(before_the_page(f"if (load) delete load('__debug').modulesMap['{left_out}'];"))
        await page.goto(standin.page_url)
        tab = Tab(page)
        await tab.wait_for_facts(full=True)
        await tab.connected()
        # Each page hears of a reply, a reaction and a call of its own.
        await page.evaluate(LISTEN)
        await standin.phone.send(linked.device, "reply", quoted="OWN", **friend)
        await standin.phone.react(linked.device, "OWN", "!", mine=True, **friend)
        await standin.phone.call(linked.device, **friend)
        return Linked(tab, standin, linked.device)

    await standin.phone.send(linked.device, "one", id="T1", **friend)
    for name in ("OWN", "OWN2"):
        await standin.phone.send(linked.device, "mine", id=name, to=friend["from"])
    await linked.stored()
    await linked.page.close()
    cases = [(module, holds) for of, module, holds in CASES if of is mode]
    kept = []
    for module, holds in cases:
        page = await load(module)
        if await answer(page, holds) is True:
            kept.append(module)
        await page.page.close()
    whole = await load()
    failed = [holds for holds in dict.fromkeys(holds for _, holds in cases) if await answer(whole, holds) is not True]

    assert ([], []) == (failed, kept)
