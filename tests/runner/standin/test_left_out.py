"""Each module about messages is there for a reason: without it, and it alone, something of wa-js fails."""

import asyncio
from collections import deque

import pytest
from playwright.async_api import Browser, BrowserContext, Error
from runner.standin.conftest import WA_JS, WA_JS_CONFIG
from runner.standin.linked import FRIEND, Linked, before_the_page
from runner.standin.tabs import Tab
from standin import Mode, StandIn

QUIET = "{linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false}"
WITH_FRIEND = {"from": FRIEND.partition("@")[0]}
PROFILES = 3
""" At once: most of a load is waiting. """
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
    "WAWebProfilePicThumbCollection": f"(await WPP.contact.getProfilePictureUrl('{FRIEND}')) === undefined",
    "WAWebTextStatusCollection": f"(await WPP.contact.getStatus('{FRIEND}')) === null",
    "WAWebUserPrefsGeneral": "WPP.profile.getMyProfileName() === 'Stand-in'",
    "WAWebLinkPreviewChatAction": "(await WPP.whatsapp.functions.fetchLinkPreview('https://x.org')).data.title === 'A link'",
    "WALinkify": "WPP.whatsapp.functions.findFirstWebLink('see https://x.org') === 'https://x.org'",
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


class Profile:
    """A linked profile in which page after page is loaded, each without one module."""

    def __init__(self, context: BrowserContext, standin: StandIn, device: str) -> None:
        self._context = context
        self._standin = standin
        self._device = device

    @classmethod
    async def link(cls, context: BrowserContext, standin: StandIn) -> "Profile":
        """Link it; a friend has written, and so has the owner."""
        linked = await Linked.link(await Tab.open(context, standin.page_url), standin)
        await standin.phone.send(linked.device, "one", id="T1", **WITH_FRIEND)
        for name in ("OWN", "OWN2"):
            await standin.phone.send(linked.device, "mine", id=name, to=WITH_FRIEND["from"])
        await linked.stored()
        await linked.page.close()
        await context.add_init_script(WA_JS_CONFIG)
        await context.add_init_script(path=WA_JS)
        return cls(context, standin, linked.device)

    async def load(self, left_out: str = "") -> Linked:
        """Load the page, which then hears of a reply, a reaction and a call of its own."""
        page, phone = await self._context.new_page(), self._standin.phone
        await page.add_init_script(before_the_page(f"if (load) delete load('__debug').modulesMap['{left_out}'];"))
        await page.goto(self._standin.page_url)
        tab = Tab(page)
        await tab.wait_for_facts(full=True)
        await tab.connected()
        await page.evaluate(LISTEN)
        await phone.send(self._device, "reply", quoted="OWN", **WITH_FRIEND)
        await phone.react(self._device, "OWN", "!", mine=True, **WITH_FRIEND)
        await phone.call(self._device, **WITH_FRIEND)
        return Linked(tab, self._standin, self._device)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [Mode.LEGACY, Mode.MODERN])
async def test_without_it_something_fails(browser: Browser, user_agent: str, standin: StandIn, mode: Mode) -> None:
    """All expressions hold on the whole page; each fails on a page that lacks its module."""
    cases = [(module, holds) for of, module, holds in CASES if of is mode]
    untried = deque(cases)
    kept: list[str] = []
    failed: list[str] = []

    async def work(*, whole: bool) -> None:
        async with await browser.new_context(user_agent=user_agent) as context:
            profile = await Profile.link(context, standin)
            while untried:
                module, holds = untried.popleft()
                page = await profile.load(module)
                if await answer(page, holds) is True:
                    kept.append(module)
                await page.page.close()
            if whole:
                page = await profile.load()
                once = dict.fromkeys(holds for _, holds in cases)
                failed.extend([holds for holds in once if await answer(page, holds) is not True])

    await asyncio.gather(*(work(whole=number == 0) for number in range(min(PROFILES, len(cases)))))

    assert ([], []) == (failed, kept)
