"""The page adapter with a real browser: what the scripts read and do, where no phone can bring it about."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Page
from session_devtools.errors import WaitTimeout
from session_protocol.hosts import AllowedHosts
from session_protocol.vocabulary import StateReason
from session_runner.host.processes import descendants, processes
from session_runner.page import scripts
from session_runner.page.browser import BrowserPage, Listeners, open_browser
from session_runner.page.driver import start_driver
from session_runner.page.errors import CallFailedError
from session_runner.page.launch import LaunchPlan, user_agent
from session_runner.profile.certificates import trust
from session_runner.states.classify import classify
from session_runner.states.facts import Dialog, Facts
from session_runner.states.history import History, remember
from session_runner.states.policy import Policy
from standin.harness import StandIn
from support.runner_process import Folders
from support.waiting import async_until

PROGRAM = Path("/usr/lib/chromium/chromium-headless-shell")


@dataclass
class Open:
    """An open browser on the stand-in and what it reported."""

    browser: BrowserPage
    woken: list[str] = field(default_factory=list)
    loaded: list[bool] = field(default_factory=list)
    blocked: int = 0

    async def facts(self, *, deadline: float = 40, **expected: object) -> Facts:
        """Probe until the facts have these values."""
        try:
            return await async_until(
                f"facts with {expected}",
                lambda: self.browser.probe(deadline=20),
                lambda facts: all(getattr(facts, name) == value for name, value in expected.items()),
                within=deadline,
            )
        except WaitTimeout as late:
            page = await self.browser.page.evaluate(
                "() => [location.href, document.readyState, document.documentElement.outerHTML.slice(0, 600)]"
            )
            raise AssertionError(f"{late}; of {page}") from late


@pytest.fixture
async def opened(folders: Folders, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """The adapter's own browser, with the page fetched."""
    monkeypatch.setenv("HOME", str(folders.home))
    await trust(standin.ca_file, home=folders.home, deadline=60)
    plan = LaunchPlan(
        executable=PROGRAM,
        user_data=folders.profile,
        cache_dir=folders.cache,
        allowed_hosts=AllowedHosts(standin.allowed_hosts),
        user_agent=user_agent("156.0.1.1"),
    )
    reported: list[str] = []
    blocked: list[None] = []
    loaded: list[bool] = []
    listeners = Listeners(
        woken=lambda name, _detail: reported.append(name),
        unfetched=lambda failure, _of_document: reported.append(f"net:: {failure.message}"),
        blocked=lambda: blocked.append(None),
        navigating=lambda _is_pending: None,
        loaded=loaded.append,
    )
    playwright = await start_driver()
    browser = await open_browser(plan, playwright, listeners)
    try:
        # The browser drops what it is fetching when an interface of the machine comes or goes, as other tests' do.
        for _ in range(5):
            reported.clear()
            await browser.navigate(standin.page_url, deadline=60, without_cache=False)
            if await boots(browser, reported):
                break
        yield Open(browser, woken=reported, loaded=loaded)
    finally:
        assert await browser.close(deadline=30)


async def boots(browser: BrowserPage, reported: list[str]) -> bool:
    """Whether the page comes up, or lost a script on the way."""
    facts = await async_until(
        "the page, or the loss of a script",
        lambda: browser.probe(deadline=20),
        lambda facts: facts.injected or any(name.startswith("net::") for name in reported),
        within=60,
    )
    if facts.injected:  # by the page's own word; the tests ask wa-js, too
        await browser.page.wait_for_function("() => WPP.isFullReady", timeout=60_000)
    return facts.injected


async def link(opened: Open, standin: StandIn) -> Facts:
    """Scan the code on the screen and wait for the connected page."""
    code = await opened.facts(socket="UNPAIRED", registered=False)
    while code.code is None:
        code = await opened.facts(socket="UNPAIRED")
    await standin.phone.scan(code.code)
    return await opened.facts(stream="CONNECTED", synced=True)


async def second_tab(opened: Open, standin: StandIn) -> Page:
    """Open a second page of the same profile in spite of the adapter, as a person with developer tools would."""
    context = opened.browser.context
    for listener in context._impl_obj.listeners("page"):
        context._impl_obj.remove_listener("page", listener)
    page = await context.new_page()
    await page.goto(standin.page_url)
    return page


NEVER_SETTLES = """
    let count = 0;
    setInterval(() => window.__d?.(`WAWebNews${count++}`, [], () => {}), 200);
"""
A_MINUTE_LATER = "() => { const now = performance.now.bind(performance); performance.now = () => now() + 60_000; }"


async def test_a_code_is_shown_as_long_as_wa_js_waits_for_more_modules(opened: Open, standin: StandIn) -> None:
    """It gives the page a second without a new one; who wants to link a phone need not wait for it, but not for ever."""
    await opened.browser.page.add_init_script(NEVER_SETTLES)
    await opened.browser.navigate(standin.page_url, deadline=60)
    facts = await opened.facts(socket="UNPAIRED", registered=False)
    while facts.code is None:
        facts = await opened.facts(socket="UNPAIRED")

    assert await opened.browser.page.evaluate("() => WPP.isInjected") is False
    assert (facts.booted, facts.injected, facts.refused, facts.ban, facts.document) == (True, True, False, None, None)
    assert facts.code_lifetime is not None
    assert facts.code_age is not None
    await opened.browser.page.evaluate(A_MINUTE_LATER)
    facts = await opened.facts(injected=False)

    assert (facts.booted, facts.registered, facts.code, facts.socket) == (True, None, None, None)


async def test_every_fact_of_a_linked_page_is_read(mode: str, opened: Open, standin: StandIn) -> None:
    """Both generations give every fact that decides, and events wake the runner."""
    assert mode
    facts = await link(opened, standin)

    assert (facts.registered, facts.socket, facts.stream, facts.synced) == (True, "CONNECTED", "CONNECTED", True)
    assert (facts.online, facts.comms, facts.foreign_mutex, facts.needs_update) == (True, True, False, False)
    assert (facts.code, facts.dialog, facts.ban, facts.unavailable) == (None, None, None, False)
    assert facts.version
    assert {"state", "stream"} <= set(opened.woken)


async def test_another_tab_makes_a_conflict_of_the_first(mode: str, opened: Open, standin: StandIn) -> None:
    """The second tab takes the session; the first sees the foreign mutex and the dialog and is told as OtherTab."""
    assert mode
    await link(opened, standin)
    await second_tab(opened, standin)
    facts = await opened.facts(dialog=Dialog.OTHER_WINDOW, foreign_mutex=True)
    without_dialog = Facts.parse(
        {
            "booted": True,
            "injected": True,
            "registered": True,
            "socket": facts.socket,
            "stream": facts.stream,
            "synced": True,
            "foreignMutex": facts.foreign_mutex,
        }
    )
    history = remember(History(linked=True), without_dialog, policy=Policy(), now=0)

    assert classify(facts, History(linked=True), policy=Policy(), now=0).reason is StateReason.OTHER_TAB
    assert classify(without_dialog, history, policy=Policy(), now=2).reason is StateReason.OTHER_TAB


SHOW = """([html, acknowledged]) => {
  window.__d('WAWebUserPrefsUiRefresh', [], (exports) => {
    exports.getWebUiRefreshNuxAcknowledged = () => (acknowledged === null ? Promise.resolve(false) : acknowledged);
    exports.acknowledgeNux = () => { throw new Error('called'); };
  });
  document.querySelectorAll('.of-the-test').forEach((one) => one.remove());
  document.body.insertAdjacentHTML('beforeend', `<div class="of-the-test">${html}</div>`);
}"""
NEWS = "<div role=dialog><p>Neues in WhatsApp Web</p>{}</div>"
BUTTON = "<button>Weiter</button>"
ENGLISH = "<div role=dialog><h1>What\u2019s new on WhatsApp Web</h1><div role=button>Continue</div></div>"
WINDOWS = {
    "its shape and the preference": (NEWS.format(BUTTON), False, Dialog.WHATS_NEW),
    "several elements": (f"<div data-animate-modal-popup=true>{NEWS.format(BUTTON)}</div>", False, Dialog.WHATS_NEW),
    "a cross beside the button": (NEWS.format(f"<button><svg></svg></button>{BUTTON}"), False, Dialog.WHATS_NEW),
    "its heading, of an older page": (ENGLISH, None, Dialog.WHATS_NEW),
    "its heading, acknowledged before": (ENGLISH, True, Dialog.OTHER),
    "acknowledged before": (NEWS.format(BUTTON), True, Dialog.OTHER),
    "another language, of an older page": (NEWS.format(BUTTON), None, Dialog.OTHER),
    "two buttons": (NEWS.format(BUTTON * 2), False, Dialog.OTHER),
    "no button": (NEWS.format(""), False, Dialog.OTHER),
    "a link": (NEWS.format(f"<a href=#>mehr</a>{BUTTON}"), False, Dialog.OTHER),
    "a box to tick": (NEWS.format(f"<input type=checkbox>{BUTTON}"), False, Dialog.OTHER),
    "two windows": (NEWS.format(BUTTON) * 2, False, Dialog.OTHER),
    "another matter": (f"<div role=dialog>Speicher voll{BUTTON}</div>", False, Dialog.OTHER),
    "the passkey check": (
        f"<div role=dialog>Quick security check with Passkey{BUTTON}</div>",
        False,
        Dialog.PASSKEY_CHECK,
    ),
    "hidden": (f"<div hidden>{NEWS.format(BUTTON)}</div>", False, None),
}


async def test_a_harmless_window_is_known_by_more_than_its_text(opened: Open) -> None:
    """By shape and preference, with the text as a witness; nothing else is ever clicked."""
    await opened.facts(socket="UNPAIRED")
    seen, acknowledged = {}, {}
    for name, (html, preference, _) in WINDOWS.items():
        await opened.browser.page.evaluate(SHOW, [html, preference])
        seen[name] = (await opened.browser.probe(deadline=20)).dialog
        acknowledged[name] = await opened.browser.ask("acknowledge.js", deadline=20)

    assert {name: expected for name, (_, _, expected) in WINDOWS.items()} == seen
    assert {
        name: "acknowledged" if dialog is Dialog.WHATS_NEW else "gone" for name, dialog in seen.items()
    } == acknowledged


async def test_a_window_that_the_page_opens_is_closed(opened: Open, standin: StandIn) -> None:
    """A second page would take the session over; it is closed before it can."""
    await link(opened, standin)
    await opened.browser.page.evaluate("url => { window.open(url) }", standin.page_url)
    pages = opened.browser.context
    await async_until("the second page is closed", lambda: asyncio.sleep(0, len(pages.pages) == 1), within=20)
    facts = await opened.facts(stream="CONNECTED", foreign_mutex=False)

    assert facts.dialog is None


async def test_only_the_page_itself_wakes(opened: Open) -> None:
    """What a frame in it calls by the same name is none of its events."""
    await opened.facts(socket="UNPAIRED")
    await opened.browser.page.evaluate(
        """async () => {
          const frame = document.body.appendChild(document.createElement('iframe'));
          await frame.contentWindow.__sessionWake('frame', null);
          await window.__sessionWake('page', null);
        }"""
    )

    assert ["page"] == [name for name in opened.woken if name in ("frame", "page")]


async def test_a_page_that_changes_its_address_stays_the_same_document(opened: Open) -> None:
    """Only another document takes the facts of the last one along."""
    await opened.facts(socket="UNPAIRED")
    opened.loaded.clear()
    await opened.browser.page.evaluate("() => { history.pushState(null, '', '/?somewhere'); location.hash = 'else' }")
    await opened.facts(socket="UNPAIRED")
    assert [] == opened.loaded
    await opened.browser.page.evaluate("() => { location.reload() }")
    await async_until("another document", lambda: asyncio.sleep(0, opened.loaded == [False]), within=20)


async def test_the_library_knows_the_code_of_the_screen(opened: Open) -> None:
    """Where a page drew its code in another way, wa-js and the platform's name give the same text."""
    shown = await opened.facts(socket="UNPAIRED")
    while shown.code is None:
        shown = await opened.facts(socket="UNPAIRED")

    assert await opened.browser.ask("code.js", deadline=20) == shown.code


async def test_an_order_is_refused_while_it_is_not_needed(opened: Open, standin: StandIn) -> None:
    """Asking for new codes restarts the page's socket, so neither a fresh nor a linked page is touched."""
    await opened.facts(socket="UNPAIRED")
    assert await opened.browser.ask("refresh.js", deadline=20) == "not needed"
    await link(opened, standin)

    assert await opened.browser.ask("refresh.js", deadline=20) == "not needed"
    assert (await opened.facts(registered=True)).stream == "CONNECTED"


async def test_the_browser_looks_as_it_shall(opened: Open) -> None:
    """The viewport, the user agent without the headless word, a secure context, analytics off."""
    seen = await opened.browser.page.evaluate(
        "() => [innerWidth, innerHeight, navigator.userAgent, isSecureContext, navigator.language,"
        " window.WPPConfig.disableGoogleAnalytics, window.WPPConfig.linkPreviewApiServers.length]"
    )

    assert seen[:2] == [1024, 768]
    assert "Headless" not in seen[2]
    assert seen[3:] == [True, "en-US", True, 0]


async def test_no_feature_that_playwright_asks_for_is_lost(opened: Open) -> None:
    """Chromium takes the last list alone, so ours names all that a Playwright of this version names."""
    assert opened.browser.page is not None
    running = [_command_line(process.pid) for process in descendants(os.getpid(), processes())]
    lists = [
        [argument.partition("=")[2].split(",") for argument in arguments if argument.startswith("--enable-features=")]
        for arguments in running
        if arguments
        and arguments[0].endswith("headless-shell")
        and not any(argument.startswith("--type=") for argument in arguments)
    ]

    assert [2] == [len(given) for given in lists]
    theirs, ours = lists[0]
    assert set(ours) == {*theirs, "NetworkServiceInProcess2"}


async def test_the_browser_keeps_no_spare_processes(opened: Open) -> None:
    """Network and GPU code live in the main one and no zygote waits, which saves a session 20 MB."""
    assert opened.browser.page is not None
    running = [_command_line(process.pid) for process in descendants(os.getpid(), processes())]
    kinds = [
        argument.removeprefix("--type=")
        for arguments in running
        for argument in arguments
        if argument.startswith("--type=")
    ]

    assert 1 == kinds.count("renderer")
    assert [] == [kind for kind in kinds if kind in ("zygote", "gpu-process")]
    assert [] == [
        arguments
        for arguments in running
        if any("NetworkService" in argument for argument in arguments if "sub-type" in argument)
    ]


def _command_line(pid: int) -> list[str]:
    """A process's command line; some of a browser's write it with blanks."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ").split()


async def test_the_scripts_survive_frames(opened: Open) -> None:
    """Init scripts run in frames, too; the bridge keeps out of them."""
    await opened.facts(socket="UNPAIRED")
    own = await opened.browser.page.evaluate(
        "() => { const f = document.body.appendChild(document.createElement('iframe'));"
        " return [typeof window.__session, typeof f.contentWindow.__session] }"
    )

    assert own == ["object", "undefined"]
    assert scripts.BINDING == "__sessionWake"


STORE = """async ({ size, abort }) => {
  const opening = indexedDB.open('of-the-test', 1);
  const database = await new Promise((done) => {
    opening.onupgradeneeded = () => opening.result.createObjectStore('things');
    opening.onsuccess = () => done(opening.result);
  });
  const transaction = database.transaction('things', 'readwrite');
  for (let at = 0; at < size; at += 1) {
    const bytes = new Uint8Array(1 << 20);
    for (let part = 0; part < bytes.length; part += 1 << 16) crypto.getRandomValues(bytes.subarray(part, part + (1 << 16)));
    transaction.objectStore('things').put(bytes, `${at}`);
  }
  if (abort) transaction.abort();
  const outcome = await new Promise((done) => {
    transaction.onabort = () => done(transaction.error?.name ?? 'aborted');
    transaction.oncomplete = () => done('stored');
  });
  database.close();
  return outcome;
}"""


@pytest.fixture
def small_profile(folders: Folders) -> Iterator[None]:
    """A profile volume of 24 MiB, in memory."""
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folders.profile]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=50)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs root: {error}")
    yield
    subprocess.run(["umount", folders.profile], check=True, timeout=50)


@pytest.mark.root
async def test_a_database_without_room_is_a_fact(small_profile: None, opened: Open) -> None:
    """By what the browser reports, without a word of the page; what a page gives up by itself is no failure."""
    assert small_profile is None
    page = opened.browser.page
    outcomes = [await page.evaluate(STORE, {"size": 1, "abort": abort}) for abort in (False, True)]
    before = await opened.facts(injected=True)
    outcomes.append(await page.evaluate(STORE, {"size": 40, "abort": False}))
    after = await opened.facts(storage_failed=True)

    assert ["stored", "aborted"] == outcomes[:2]
    assert outcomes[2] in ("QuotaExceededError", "UnknownError")
    assert not before.storage_failed
    assert "storage" in opened.woken
    assert after.injected


async def test_garbage_is_collected_when_it_is_asked_for(opened: Open) -> None:
    """V8 leaves it in a page at rest: what nobody holds any more is gone, and what somebody holds is not."""
    page = opened.browser.page
    await page.evaluate(
        "() => { window.held = { kept: true }; window.left = new WeakRef(window.held);"
        " window.gone = new WeakRef(Array.from({ length: 200000 }, (_, index) => ({ index }))); }"
    )
    await opened.browser.collect_garbage()

    assert [True, False] == await page.evaluate("() => [!!window.left.deref(), !!window.gone.deref()]")


async def test_a_page_takes_files_and_calls_after_each_new_document(opened: Open, tmp_path: Path) -> None:
    """By the one session of DevTools that there is; a call that a new document interrupts fails, and the next does not."""
    browser, file = opened.browser, tmp_path / "file"
    file.write_bytes(b"content")
    for _ in range(2):
        await browser.attach(file)
        size = await browser.page.evaluate("() => window.__session.takeFile().size")
        await browser.page.evaluate("() => { window.__session.inbox.take = () => new Promise(() => {}); }")
        waiting = asyncio.ensure_future(browser.call("inbox_take.js", {"again": False}))
        await asyncio.sleep(0.2)
        await browser.page.reload()
        with pytest.raises(CallFailedError):
            await asyncio.wait_for(waiting, 10)
        await opened.facts(injected=True)
        await browser.page.wait_for_function("() => WPP.isFullReady", timeout=60_000)

        assert 7 == size
        assert [] == (await browser.call("inbox_take.js", {"again": False}))["chats"]


async def test_a_message_that_cannot_be_read_holds_up_no_other(opened: Open, standin: StandIn) -> None:
    """It is given as an entry, and without its content: the runner passes over it."""
    code = await opened.facts(socket="UNPAIRED", registered=False)
    device = await standin.phone.scan(code.code or "")
    await opened.facts(stream="CONNECTED", synced=True)
    for identifier in ("A", "B"):
        await standin.phone.send(device, identifier, id=identifier, **{"from": "15550100777"})
    browser = opened.browser
    await browser.page.wait_for_function("() => WPP.whatsapp.MsgStore.getModelsArray().length > 1", timeout=20_000)
    await browser.page.evaluate(
        "() => { const isA = (key) => String(key).endsWith('_A');"
        " const bad = (msg) => new Proxy(msg, { get: (of, name) => name === 'vcardList' ? [null] : of[name] });"
        " const { message, newest } = window.__session;"
        " window.__session.message = async (key) => isA(key) ? bad(await message(key)) : message(key);"
        " window.__session.newest = async (...of) => (await newest(...of)).map((msg) => isA(msg.id) ? bad(msg) : msg); }"
    )
    taken = await browser.call("inbox_take.js", {"again": False})
    entries = {entry["id"]: entry for entry in taken["chats"][0]["entries"]}
    keys = [entries["A"]["key"], entries["B"]["key"]]
    early = await browser.call("inbox_read.js", {"keys": keys})
    await browser.page.evaluate("performance.now = () => 61_000")  # what it has not by then it has not at all
    read = await browser.call("inbox_read.js", {"keys": keys})

    assert ("later", "B") == (early[0], early[1]["body"])
    assert ("who" in entries["A"], "who" in entries["B"]) == (False, True)
    assert {} == read[0]
    assert "B" == read[1]["body"] == entries["B"]["body"]
