"""The unmodified wa-js accepts the page: it gets ready, and its calls for codes, messages and lists work."""

import asyncio
import base64
import time

import pytest
import segno
from playwright.async_api import BrowserContext
from runner.standin.conftest import OpenTab
from runner.standin.tabs import wait_for_value
from standin import Mode, PhoneRefusedError, StandIn

FRIEND = "15550100777@c.us"


async def test_it_gets_ready_on_an_unlinked_page(open_tab: OpenTab, mode: Mode) -> None:
    """Injected, ready and full-ready come within seconds, and the state reads as a page that waits for a scan."""
    started = time.monotonic()
    tab = await open_tab(wa_js=True)
    seconds = time.monotonic() - started
    await tab.wait_for_facts(state="UNPAIRED", mode="QR", info="NORMAL")
    seen = await tab.page.evaluate(
        """() => ({ loader: WPP.loader.loaderType, ready: WPP.isReady, registered: WPP.conn.isRegistered(),
          authenticated: WPP.conn.isAuthenticated(), idle: WPP.conn.isIdle(), online: WPP.conn.isOnline(),
          data: WPP.conn.getStreamData(), loaded: WPP.conn.isMainLoaded() ?? null,
          newEnough: WPP.conn.isWhatsAppVersionGTE('2.3000.0') })"""
    )

    assert seconds < 10
    assert {
        "loader": "meta",
        "ready": True,
        "registered": False,
        "authenticated": False,
        "idle": False,
        "online": True,
        "data": {"mode": "QR", "info": "NORMAL"},
        "loaded": False if mode is Mode.LEGACY else None,
        "newEnough": True,
    } == seen


FOUND = {
    "Socket": "WAWebSocketModel",
    "Stream": "WAWebStreamModel",
    "Conn": "WAWebConnModel",
    "Cmd": "WAWebCmd",
    "BackendEventBus": "WAWebBackendEventBus",
    "NetworkStatus": ("WAWebNetworkStatus", "default"),
    "Wid": ("WAWebWid", "default"),
    "MsgKey": ("WAWebMsgKey", "default"),
    "MsgModel": ("WAWebMsgModel", "Msg"),
    "ChatModel": ("WAWebChatModel", "Chat"),
    "MsgStore": ("WAWebMsgCollection", "MsgCollection"),
    "ChatStore": ("WAWebChatCollection", "ChatCollection"),
    "ContactStore": ("WAWebContactCollection", "ContactCollection"),
    "OpaqueData": ("WAWebMediaOpaqueData", "default"),
    "LinkDeviceEvents": "WAWebLinkDeviceEvents",
    "functions.isLoggedIn": "WAWebUserPrefsIsLoggedIn",
    "functions.isRegistered": "WAWebUserPrefsMultiDevice",
    "functions.findOrCreateLatestChat": "WAWebFindChatAction",
    "functions.addAndSendMsgToChat": "WAWebSendMsgChatAction",
    "functions.genLinkDeviceCodeForPhoneNumber": "WAWebAltDeviceLinkingApi",
}
""" What wa-js finds by its conditions: the module, and the name of the export where it differs. """


@pytest.mark.parametrize("mode", [Mode.MODERN])
async def test_every_condition_finds_its_own_module(open_tab: OpenTab) -> None:
    """No module carries a name by which wa-js would take it for another one."""
    tab = await open_tab(wa_js=True)
    wanted = {
        name: [where, "WAWebLinkDeviceEvents" if name == "LinkDeviceEvents" else name.rpartition(".")[2]]
        if isinstance(where, str)
        else list(where)
        for name, where in FOUND.items()
    }
    missed = await tab.page.evaluate(
        """(wanted) => Object.entries(wanted).filter(([name, [id, key]]) => {
          const found = name.split('.').reduce((at, part) => at?.[part], WPP.whatsapp);
          return found === undefined || found !== require(id)[key] }).map(([name]) => name)""",
        wanted,
    )

    assert [] == missed


async def test_its_code_and_the_shown_code_agree(open_tab: OpenTab) -> None:
    """GetAuthCode gives the first four of the five fields that data-ref and the picture carry."""
    tab = await open_tab(wa_js=True)
    shown = await tab.qr()
    code = await tab.page.evaluate("WPP.conn.getAuthCode()")
    platform = await tab.page.evaluate("require('WAWebCompanionRegClientUtils').DEVICE_PLATFORM")

    assert shown == f"{code['fullCode']},{platform}"

    async def drawn() -> list[str]:
        rows: list[str] = await tab.page.evaluate(
            """() => { const canvas = document.querySelector('[data-ref] canvas'), pen = canvas.getContext('2d');
              const dark = (x, y) => pen.getImageData(x, y, 1, 1).data[0] < 128 ? '1' : '0';
              const size = canvas.width / 4, steps = [...Array(size).keys()];
              return steps.map((y) => steps.map((x) => dark(4 * x + 2, 4 * y + 2)).join('')) }"""
        )
        return rows

    picture = segno.make_qr(shown, error="L").matrix_iter(border=4)
    await wait_for_value(drawn, ["".join(str(int(cell)) for cell in row) for row in picture])


async def test_linking_is_reported_by_its_events(open_tab: OpenTab, standin: StandIn, mode: Mode) -> None:
    """After the scan the modes go SYNCING, MAIN; `conn.authenticated` comes in legacy mode alone."""
    tab = await open_tab(wa_js=True)
    await tab.record("conn.stream_mode_changed", "conn.authenticated", "conn.main_loaded")
    await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.wait_for_facts(mode="MAIN", info="NORMAL")
    events = await tab.recorded()
    own = await tab.page.evaluate("WPP.conn.getMyUserId().toString()")
    modes = [event[1] for event in events if event[0] == "conn.stream_mode_changed"]
    others = {event[0] for event in events} - {"conn.stream_mode_changed"}

    assert ['"SYNCING"', '"MAIN"'] == modes
    assert ({"conn.main_loaded", "conn.authenticated"} if mode is Mode.LEGACY else set()) == others
    assert f"{(await standin.phone.devices())[0]['number']}@c.us" == own


async def test_text_goes_out_and_its_acks_come_back(open_tab: OpenTab, standin: StandIn) -> None:
    """SendTextMessage resolves with ack 1; the phone's receipts arrive as 2 and 3."""
    tab = await open_tab(wa_js=True)
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.record("chat.msg_ack_change")
    sent = await tab.page.evaluate(f"WPP.chat.sendTextMessage('{FRIEND}', 'good morning', {{linkPreview: false}})")
    await standin.phone.receipt(device, level=2)
    await standin.phone.receipt(device, level=3)

    async def acks() -> list[str]:
        return [event[1][:8] for event in await tab.recorded()]

    await wait_for_value(acks, ['{"ack":1', '{"ack":2', '{"ack":3'])
    assert (1, "OK") == (sent["ack"], sent["sendMsgResult"]["messageSendResult"])
    (message,) = await standin.phone.messages(device)
    assert sent["id"] == f"true_{FRIEND}_{message['id']}"
    assert (FRIEND, "chat", "good morning") == (message["to"], message["kind"], message["body"])


async def test_files_go_out_and_media_come_in(open_tab: OpenTab, standin: StandIn) -> None:
    """SendFileMessage delivers the bytes; downloadMedia gives the bytes of an incoming file."""
    tab = await open_tab(wa_js=True)
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    data = base64.b64encode(b"hello").decode()
    sent = await tab.page.evaluate(
        f"""WPP.chat.sendFileMessage('{FRIEND}', 'data:text/plain;base64,{data}',
          {{type: 'document', filename: 'a.txt', caption: 'read this'}})"""
    )
    (message,) = await standin.phone.messages(device)

    assert (1, "document", "a.txt", "read this", data) == (
        sent["ack"],
        *(message[name] for name in ("kind", "filename", "body", "data")),
    )

    await standin.phone.send(device, "look", id="3EB0FF", type="image", data=data, mimetype="image/png")
    answer = await tab.page.evaluate(
        """async () => { const id = 'false_15550100999@c.us_3EB0FF';
          while (!WPP.whatsapp.MsgStore.get(id)) await new Promise((resolve) => setTimeout(resolve, 20));
          const blob = await WPP.chat.downloadMedia(id);
          return [blob.type, await blob.text()] }"""
    )
    assert ["image/png", "hello"] == answer


async def test_incoming_text_is_an_event_and_fills_the_lists(open_tab: OpenTab, standin: StandIn) -> None:
    """chat.new_message tells of it, also when it was sent while no page was connected; chat and contact are listed."""
    tab = await open_tab(wa_js=True)
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.page.evaluate(
        """() => { window.__texts = [];
          WPP.on('chat.new_message', (msg) => window.__texts.push([msg.body, msg.id.fromMe])) }"""
    )
    await standin.phone.send(device, "while connected")
    await wait_for_value(lambda: tab.page.evaluate("window.__texts"), [["while connected", False]])
    await standin.phone.unreachable(device)
    await tab.wait_for_facts(state="OPENING")
    await standin.phone.send(device, "while away")
    assert 1 == (await standin.phone.devices())[0]["waitingMessages"]
    await standin.phone.online(device)
    await wait_for_value(lambda: tab.page.evaluate("window.__texts.length"), 2)
    lists = await tab.page.evaluate(
        """async () => [(await WPP.chat.list({onlyWithUnreadMessage: true})).map((chat) => chat.id.toString()),
          (await WPP.contact.list()).map((contact) => contact.id.toString())]"""
    )

    assert [["15550100999@c.us"], ["15550100999@c.us"]] == lists


async def test_a_new_round_ends_the_old_codes(open_tab: OpenTab, standin: StandIn, mode: Mode) -> None:
    """Each mode's way to refresh gives new codes; the ones before cannot be scanned any more."""
    tab = await open_tab(wa_js=True)
    old = await tab.qr()
    if mode is Mode.LEGACY:
        await tab.page.evaluate("WPP.conn.refreshQR()")
    else:
        assert await tab.page.evaluate("WPP.conn.refreshQR().catch((error) => error.message)") == (
            "o.Cmd.refreshQR is not a function"
        )
        await tab.page.evaluate("void require('WAWebLaunchSocketUtils').refreshQR()")

    async def changed() -> bool:
        return (await tab.facts()).get("qr") not in {old, None}

    await wait_for_value(changed, expected=True)
    with pytest.raises(PhoneRefusedError, match="expired") as caught:
        await standin.phone.scan(old)
    assert 410 == caught.value.status
    await standin.phone.scan(await tab.qr())
    await tab.connected()


async def test_a_phone_number_links_by_code(open_tab: OpenTab, standin: StandIn) -> None:
    """The eight characters that wa-js gets for a number link the page when they are typed on the phone."""
    tab = await open_tab(wa_js=True)
    await tab.qr()
    code = await tab.page.evaluate("WPP.conn.startLinkDeviceCodeForPhoneNumber('15550100321')")
    device = await standin.phone.enter_code(f"{code[:4]}-{code[4:]}".lower())
    await tab.connected()

    assert [device] == [one["id"] for one in await standin.phone.devices()]


async def test_logout_forgets_everything(open_tab: OpenTab, standin: StandIn, mode: Mode) -> None:
    """The user's logout unlinks the phone's device and shows a code; conn.logout resolves in legacy mode alone."""
    tab = await open_tab(wa_js=True)
    await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.page.evaluate(
        """() => { const note = (name) => (event) => localStorage.setItem(`seen-${name}`, String(event));
          WPP.on('conn.logout', note('conn.logout'));
          WPP.whatsapp.Cmd.on('logout_from_bridge', note('bridge')) }"""
    )
    await tab.page.evaluate("() => { WPP.conn.logout().then((done) => localStorage.setItem('seen-resolved', done)) }")
    await tab.qr()
    seen = await tab.page.evaluate(
        "['conn.logout', 'resolved', 'bridge'].filter((name) => localStorage.getItem(`seen-${name}`))"
    )

    assert (["conn.logout", "resolved"] if mode is Mode.LEGACY else ["bridge"]) == seen
    assert [] == await standin.phone.devices()
    assert 2 == (await standin.phone.loads())["total"]


async def test_an_idle_page_is_reported(open_tab: OpenTab, standin: StandIn) -> None:
    """When the round is over, wa-js says so, and that there is no code any more."""
    tab = await open_tab(wa_js=True)
    await tab.qr()
    await tab.record("conn.qrcode_idle", "conn.auth_code_change")
    await standin.phone.expire_qr()
    await tab.wait_for_facts(state="UNPAIRED_IDLE")
    await wait_for_value(tab.recorded, [["conn.qrcode_idle"], ["conn.auth_code_change", "null"]])

    assert await tab.page.evaluate("WPP.conn.isIdle()")


async def test_changes_of_a_linked_page_are_reported(open_tab: OpenTab, standin: StandIn) -> None:
    """Network, updates and the reason of a logout arrive as events in both modes."""
    tab = await open_tab(wa_js=True)
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.record("conn.online", "conn.needs_update")
    await standin.phone.offline(device)
    await tab.wait_for_facts(online=False)
    await standin.phone.online(device)
    await tab.connected()
    await standin.phone.needs_update(device)
    await wait_for_value(tab.recorded, [["conn.online", "false"], ["conn.online", "true"], ["conn.needs_update"]])
    await tab.page.evaluate(
        "() => { WPP.on('conn.logout_reason', (reason) => localStorage.setItem('seen-reason', reason)) }"
    )
    await standin.phone.logout(device, reason="account_locked")
    await tab.qr()

    assert "account_locked" == await tab.page.evaluate("localStorage.getItem('seen-reason')")


async def test_the_policy_keeps_other_scripts_out(open_tab: OpenTab, context: BrowserContext) -> None:
    """A script tag is refused and eval is too, while evaluate and init scripts work."""
    tab = await open_tab()
    with pytest.raises(Exception, match=r"(?i)content security policy|blocked|inline"):
        await asyncio.wait_for(tab.page.add_script_tag(content="window.__smuggled = true"), 5)
    # In a later turn: what evaluate itself runs is exempt from the page's policy.
    refused = await tab.page.evaluate(
        """() => new Promise((resolve) => { setTimeout(() => {
          try { resolve(new Function('return 1')()) } catch (error) { resolve(error.name) } }, 10) })"""
    )

    assert "EvalError" == refused
    assert not await tab.page.evaluate("'__smuggled' in window")
    assert context.pages == [tab.page]
