"""What happens to a linked page: networks, bans, updates and the two conflicts, each by its fingerprint.

Nothing here needs wa-js; the two tests that prove what wa-js hears of a ban and of a 503 ask for it.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright
from runner.standin.conftest import CHROMIUM, OpenTab
from runner.standin.tabs import Tab, wait_for_value
from standin import Mode, StandIn, Variant

one_mode = pytest.mark.parametrize("mode", [Mode.LEGACY])
""" For behaviour in which the two generations of the page do not differ. """


async def link(open_tab: OpenTab, standin: StandIn) -> tuple[Tab, str]:
    """Open a page and link it; returns the tab and the device."""
    tab = await open_tab()
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    return tab, device


def loads_of(standin: StandIn) -> Callable[[], Awaitable[Any]]:
    """Make a reader of the number of document loads."""

    async def read() -> Any:
        return (await standin.phone.loads())["total"]

    return read


async def test_a_reload_keeps_the_login(open_tab: OpenTab, standin: StandIn) -> None:
    """The second load logs in from storage, shows no code and is counted for the same device and profile."""
    tab, device = await link(open_tab, standin)
    await tab.page.reload()
    await tab.connected()
    loads = await standin.phone.loads()

    assert None is (await tab.facts())["qr"]
    assert (2, {device: 2}, [2]) == (loads["total"], loads["byDevice"], list(loads["byProfile"].values()))


@pytest.mark.parametrize(
    "lose",
    ["localStorage.clear()", "new Promise((done) => { indexedDB.deleteDatabase('signal-storage').onsuccess = done })"],
    ids=["localStorage", "IndexedDB"],
)
async def test_losing_either_half_of_the_login_is_a_logout(open_tab: OpenTab, standin: StandIn, lose: str) -> None:
    """With one half gone the next load clears the other and shows a code; the phone still lists the device."""
    tab, device = await link(open_tab, standin)
    await tab.page.evaluate(f"async () => {{ await {lose} }}")
    await tab.page.reload()
    await tab.qr()

    assert False is (await tab.facts())["registered"]
    assert [(device, False)] == [(one["id"], one["connected"]) for one in await standin.phone.devices()]


async def test_unlinking_on_the_phone_shows_a_code_again(open_tab: OpenTab, standin: StandIn) -> None:
    """A connected page reloads itself and waits for a scan."""
    tab, device = await link(open_tab, standin)
    await standin.phone.unlink(device)
    await tab.qr()

    assert [] == await standin.phone.devices()
    assert 2 == await loads_of(standin)()


@one_mode
async def test_unlinking_while_away_is_found_out_at_the_next_login(open_tab: OpenTab, standin: StandIn) -> None:
    """A page with the login of an unlinked device loses it when it comes back."""
    tab, device = await link(open_tab, standin)
    await tab.page.goto("about:blank")
    await standin.phone.unlink(device)
    await tab.page.goto(standin.page_url)
    await tab.qr()

    assert False is (await tab.facts())["registered"]


async def test_offline_and_back(open_tab: OpenTab, standin: StandIn) -> None:
    """Without network a synchronised page keeps its screen and tries on; with network it is back without a reload."""
    tab, device = await link(open_tab, standin)
    await standin.phone.offline(device)
    await tab.wait_for_facts(
        online=False, state="OPENING", stream="DISCONNECTED", mode="MAIN", info="OFFLINE", synced=True
    )
    await standin.phone.online(device)
    await tab.connected()

    assert True is (await tab.facts())["online"]
    assert 1 == await loads_of(standin)()


@one_mode
async def test_offline_before_the_first_synchronisation(open_tab: OpenTab, standin: StandIn) -> None:
    """A page that loads its login without network says so on a screen of its own."""
    tab, device = await link(open_tab, standin)
    await standin.phone.offline(device)
    await tab.page.reload()
    facts = await tab.wait_for_facts(online=False, mode="OFFLINE", title="Computer not connected")

    assert (True, False) == (facts["registered"], facts["synced"])


@one_mode
async def test_a_refused_socket_is_not_offline(open_tab: OpenTab, standin: StandIn) -> None:
    """The server is out of reach, the network is not: the page opens again and again and stays online."""
    tab, device = await link(open_tab, standin)
    await standin.phone.unreachable(device)
    facts = await tab.wait_for_facts(state="OPENING", info="OPENING", stream="DISCONNECTED")

    assert True is facts["online"]
    await standin.phone.online(device)
    await tab.connected()


@one_mode
async def test_a_dropped_socket_comes_back(open_tab: OpenTab, standin: StandIn) -> None:
    """One cut, one reconnect, no reload."""
    tab, device = await link(open_tab, standin)
    await tab.page.evaluate(
        """() => { window.__states = [];
          require('WAWebSocketModel').Socket.on('change:state', (_, state) => window.__states.push(state)) }"""
    )
    await standin.phone.drop(device)
    await wait_for_value(lambda: tab.page.evaluate("window.__states"), ["OPENING", "PAIRING", "CONNECTED"])
    await tab.connected()

    assert 1 == await loads_of(standin)()


@one_mode
async def test_a_network_that_dies_silently_is_noticed(
    open_tab: OpenTab, context: BrowserContext, standin: StandIn
) -> None:
    """The browser's own offline switch is seen at once, and the page is back when it ends."""
    tab, _ = await link(open_tab, standin)
    await context.set_offline(True)
    await tab.wait_for_facts(online=False)
    await context.set_offline(False)
    await tab.wait_for_facts(online=True)
    await tab.connected()

    assert 1 == await loads_of(standin)()


@one_mode
async def test_slow_synchronisation(open_tab: OpenTab, standin: StandIn) -> None:
    """Between login and the end of the synchronisation the page says SYNCING."""
    tab = await open_tab()
    device = await standin.phone.scan(await tab.qr(), sync_seconds=60)
    facts = await tab.wait_for_facts(
        state="CONNECTED", stream="SYNCING", mode="SYNCING", info="SYNCING", registered=True
    )

    assert False is facts["synced"]
    await standin.phone.sync_slow(device, seconds=0)
    await tab.page.reload()
    await tab.connected()


async def test_a_second_connection_replaces_the_first(
    open_tab: OpenTab, browser: Browser, context: BrowserContext, user_agent: str, standin: StandIn
) -> None:
    """A copied profile takes over; the first page looks connected, has no comms and neither reloads nor reconnects."""
    tab, device = await link(open_tab, standin)
    copy = await browser.new_context(user_agent=user_agent, storage_state=await context.storage_state(indexed_db=True))
    other = await Tab.open(copy, standin.page_url)
    await other.connected()
    facts = await tab.wait_for_facts(comms=False)

    assert {
        "state": "CONNECTED",
        "stream": "DISCONNECTED",
        "mode": "MAIN",
        "info": "NORMAL",
        "synced": True,
        "registered": True,
        "online": True,
        "needsUpdate": False,
        "hasMutex": True,
        "dialog": None,
    }.items() <= facts.items()
    assert {device: 2} == (await standin.phone.loads())["byDevice"]
    await tab.page.reload()  # which is a takeover
    await tab.connected()
    await other.wait_for_facts(comms=False)
    await copy.close()


async def test_replaced_by_the_phone_alone(open_tab: OpenTab, standin: StandIn) -> None:
    """The phone can play the second connection; the device is then not connected."""
    tab, device = await link(open_tab, standin)
    await standin.phone.replaced(device)
    facts = await tab.wait_for_facts(state="CONNECTED", stream="DISCONNECTED", comms=False)

    async def connected() -> Any:
        return (await standin.phone.devices())[0]["connected"]

    await wait_for_value(connected, expected=False)
    assert (True, None) == (facts["registered"], facts["dialog"])


async def test_a_second_tab_evicts_the_first(open_tab: OpenTab, context: BrowserContext, standin: StandIn) -> None:
    """The new tab takes the mutex and connects; the old one shows the dialog, and its button takes it back."""
    tab, _ = await link(open_tab, standin)
    other = await Tab.open(context, standin.page_url)
    await other.connected()
    facts = await tab.wait_for_facts(dialog=..., hasMutex=False)

    assert "open in another window" in facts["dialog"]
    assert ("CONNECTED", "DISCONNECTED", True) == (facts["state"], facts["stream"], facts["comms"])
    assert facts["mutex"]
    await tab.page.get_by_role("button", name="Use here").click()
    await tab.connected()
    await other.wait_for_facts(dialog=..., hasMutex=False)


@one_mode
async def test_a_tab_may_give_way(open_tab: OpenTab, context: BrowserContext, standin: StandIn) -> None:
    """With the one-shot flag a starting tab shows the dialog itself and leaves the first one connected."""
    tab, _ = await link(open_tab, standin)
    await tab.page.evaluate("require('WAWebUserPrefsTabMutex').setNoTakeover(true)")
    other = await Tab.open(context, standin.page_url)
    await other.wait_for_facts(dialog=..., hasMutex=False, state="UNLAUNCHED")

    assert True is (await tab.facts())["hasMutex"]
    assert None is await tab.page.evaluate("localStorage.getItem('no-takeover')")


async def test_a_temporary_ban(open_tab: OpenTab, standin: StandIn, mode: Mode) -> None:
    """The page shows it and tells it in its mode's way; it meets a new load too, until the ban ends."""
    tab = await open_tab(wa_js=True)
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.page.evaluate(
        """() => { window.__bans = [];
          WPP.on('conn.backend_event', (name, payload) => {
            if (name === 'account_temporarily_banned') window.__bans.push(['bus', payload]) });
          WPP.whatsapp.Cmd.on('account_temporarily_banned_from_bridge', (payload) => {
            window.__bans.push(['bridge', payload]) }) }"""
    )
    await standin.phone.ban(device, code=402, expire=90, message="Too many messages.")
    await tab.wait_for_facts(title="You're temporarily banned", comms=False)
    payload = {"banned": True, "code": 402, "message": "Too many messages.", "url": "", "expire": 90}
    channel = "bus" if mode is Mode.LEGACY else "bridge"

    assert [[channel, payload]] == await tab.page.evaluate("window.__bans")
    await tab.page.reload()
    facts = await tab.wait_for_facts(title="You're temporarily banned")
    assert True is facts["registered"]
    await standin.phone.online(device)
    await tab.page.reload()
    await tab.connected()


async def test_a_locked_account_ends_the_login(open_tab: OpenTab, standin: StandIn) -> None:
    """403 clears the login and tells the reason in the address."""
    tab, device = await link(open_tab, standin)
    await standin.phone.ban(device, code=403)
    await tab.qr()

    assert tab.page.url.endswith("/?logout_reason=3")


async def test_service_unavailable(open_tab: OpenTab, standin: StandIn, mode: Mode) -> None:
    """503 shows its screen and is told in the mode's way; the page comes back by itself when it ends."""
    tab = await open_tab(wa_js=True)
    device = await standin.phone.scan(await tab.qr())
    await tab.connected()
    await tab.page.evaluate(
        """() => { window.__channels = new Set();
          WPP.on('conn.backend_event', (name) => {
            if (name === 'service_unavailable_503') window.__channels.add('bus') });
          WPP.whatsapp.Cmd.on('service_unavailable_503_from_bridge', () => window.__channels.add('bridge')) }"""
    )
    await standin.phone.service_unavailable(device)
    await tab.wait_for_facts(title="Service unavailable")

    assert ["bus" if mode is Mode.LEGACY else "bridge"] == await tab.page.evaluate("[...window.__channels]")
    await standin.phone.online(device)
    await tab.connected()
    await tab.wait_for_facts(title="Chats")
    assert 1 == await loads_of(standin)()


async def test_a_logout_with_a_reason(open_tab: OpenTab, standin: StandIn) -> None:
    """A reason with a code stands in the address after the logout; one without leaves a plain reload."""
    tab, device = await link(open_tab, standin)
    await standin.phone.logout(device, reason="syncd_failure")
    device = await standin.phone.scan(await tab.qr())
    assert tab.page.url.endswith("/?logout_reason=1")
    await tab.page.goto(standin.page_url)
    await tab.connected()
    await standin.phone.logout(device, reason="md_opt_out")
    await tab.qr()

    assert standin.page_url == tab.page.url


@one_mode
async def test_updates(open_tab: OpenTab, standin: StandIn) -> None:
    """An announced update sets the flag alone; a refused version reloads at once and logs in again."""
    tab, device = await link(open_tab, standin)
    await standin.phone.needs_update(device)
    await tab.wait_for_facts(needsUpdate=True, state="CONNECTED", stream="CONNECTED")
    assert 1 == await loads_of(standin)()
    await standin.phone.needs_update(device, reload=True)
    await wait_for_value(loads_of(standin), 2)
    await tab.wait_for_facts(needsUpdate=False, state="CONNECTED", stream="CONNECTED")


@one_mode
async def test_windows_over_the_page(open_tab: OpenTab, standin: StandIn) -> None:
    """The phone opens the dialogs a runner must recognise; the state below stays connected. The screen can be locked."""
    tab, device = await link(open_tab, standin)
    await standin.phone.dialog(device, kind="passkey")
    passkey = (await tab.wait_for_facts(dialog=...))["dialog"]
    await tab.page.get_by_role("button", name="Continue").click()
    await tab.wait_for_facts(dialog=None)
    await standin.phone.dialog(device, kind="action-required")
    news = (await tab.wait_for_facts(dialog=...))["dialog"]
    await tab.page.get_by_role("button", name="Continue").click()
    await standin.phone.screen_lock(device)
    await tab.wait_for_facts(dialog=None, state="SCREEN_LOCKED", title="Screen locked")
    await standin.phone.screen_lock(device, locked=False)
    await tab.connected()

    assert "Log out of WhatsApp Web" in passkey
    assert "What's new on WhatsApp Web" in news


@pytest.mark.parametrize("mode", [Mode.MODERN])
async def test_the_notice_of_what_is_new_remembers_its_button(open_tab: OpenTab, standin: StandIn) -> None:
    """The page's own preference says whether it was pressed; a window with other contents leaves that alone."""
    acknowledged = "window.require('WAWebUserPrefsUiRefresh').getWebUiRefreshNuxAcknowledged()"
    await standin.phone.set_language("de")
    tab, device = await link(open_tab, standin)
    await standin.phone.dialog(device, kind="action-required")
    await tab.wait_for_facts(dialog=...)
    before = await tab.page.evaluate(acknowledged)
    await tab.page.get_by_role("button", name="Weiter").click()
    await tab.wait_for_facts(dialog=None)
    await standin.phone.dialog(device, kind="terms")
    terms = (await tab.wait_for_facts(dialog=...))["dialog"]

    assert (False, True) == (before, await tab.page.evaluate(acknowledged))
    assert "Lies sie" in terms


@one_mode
async def test_an_account_that_demands_a_passkey(open_tab: OpenTab, standin: StandIn) -> None:
    """The scan ends at the passkey screen; nothing is linked."""
    tab = await open_tab()
    await standin.phone.scan_with_passkey(await tab.qr())
    facts = await tab.wait_for_facts(title="Continue on WhatsApp Web")

    assert (False, None) == (facts["registered"], facts["qr"])
    assert [] == await standin.phone.devices()


@one_mode
async def test_a_profile_on_disk_keeps_the_login(standin: StandIn, home: Path, user_agent: str, tmp_path: Path) -> None:
    """After a clean end of the browser a new one with the same profile is connected without a scan."""
    async with async_playwright() as playwright:
        for first in (True, False):
            context = await playwright.chromium.launch_persistent_context(
                tmp_path / "profile", executable_path=CHROMIUM, env={"HOME": str(home)}, user_agent=user_agent
            )
            tab = await Tab.open(context, standin.page_url)
            if first:
                await standin.phone.scan(await tab.qr())
            await tab.connected()
            await context.close()

    assert [2] == list((await standin.phone.loads())["byDevice"].values())


@one_mode
async def test_pages_that_never_come_up(open_tab: OpenTab, browser: Browser, standin: StandIn) -> None:
    """Unsupported, splash and 503 define no module; a browser that calls itself headless is always turned away."""
    modules = "'__d' in window || 'require' in window"
    headless = await browser.new_context()
    tab = await Tab.open(headless, standin.page_url)
    assert not await tab.page.evaluate(modules)
    assert "WhatsApp works with Google Chrome 100+" == (await tab.facts())["title"]
    await headless.close()
    await standin.phone.set_variant(Variant.SPLASH)
    tab = await open_tab()
    await tab.page.wait_for_load_state("networkidle")
    assert not await tab.page.evaluate(modules)
    assert 1 == await tab.page.locator("#app progress").count()
    await standin.phone.set_variant(Variant.UNAVAILABLE)
    response = await tab.page.reload()
    assert response is not None
    assert 503 == response.status
    variants = [load["variant"] for load in (await standin.phone.loads())["loads"]]

    assert ["unsupported", "splash", "unavailable"] == variants
