"""The scripts on a page by another hand than the stand-in: what they read must not be a habit of one page.

The runner's own init script and probe, with the real wa-js, in a real browser; `second_page.js` is the page.
"""

import asyncio

import pytest
from runner.second import Open, Second, browser, opened  # noqa: F401 -- fixtures
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.page import scripts
from session_runner.states.classify import classify
from session_runner.states.facts import Ban, Dialog, Facts, Passkey
from session_runner.states.history import History, remember
from session_runner.states.policy import Policy
from support.waiting import async_until

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBER_OF_SECONDS = 1_900_000_000


def at_once(facts: Facts) -> tuple[State, Reason]:
    """What the first look at a page says that was connected a moment ago."""
    history = remember(History(linked=True, healthy_comms=True), facts, policy=Policy(), now=0)
    return classify(facts, history, policy=Policy(), now=0)[:2]


async def test_a_restriction_has_many_forms(opened: Open) -> None:  # noqa: F811
    """A status in small letters, in a record, or beside the quota; an end as a number, as a text, or among several things."""
    second = await opened()
    await second.control("connected")
    for status, quota in (
        ("capped", {"cycle": {"from": 1, "to": NUMBER_OF_SECONDS}}),
        ({"status": "CAPPED"}, {"validTill": NUMBER_OF_SECONDS * 1000}),
        (None, {"status": "CAPPED", "cycle": NUMBER_OF_SECONDS}),
    ):
        await second.control("be", {"capping": "NONE"})
        await second.facts(capped=False)
        await second.control("be", {"capping": status, "quota": quota})
        assert NUMBER_OF_SECONDS == (await second.facts(capped=True)).restricted_until
    await second.control("be", {"locked": True})
    for event in ((NUMBER_OF_SECONDS,), ("ACTIVE", "2030-03-17T17:46:40Z"), (True, {"expiresAt": NUMBER_OF_SECONDS})):
        await second.control("cmd", "reachout_timelock_state_change", *event)
        assert NUMBER_OF_SECONDS == (await second.facts(time_locked=True)).restricted_until
        await second.control("cmd", "reachout_timelock_state_change")
        await second.facts(restricted_until=None)
    assert ("reachout_timelock_state_change", None) in second.woken


@pytest.mark.parametrize("generation", ["legacy", "modern"])
async def test_an_event_before_the_library_listens_counts(generation: str, opened: Open) -> None:  # noqa: F811
    """A ban, and the reason of a logout: the library listens a second later."""
    second = await opened(generation, early={"tell": ["account_temporarily_banned", {"code": 402, "expire": "3600"}]})
    await second.facts(ban=Ban(code="402", expires=3600))
    second = await opened(generation, early={"logsOut": ["storage_quota_exceeded"]})

    await second.control("logsOut", "syncd_timeout")
    await second.facts(injected=True)

    assert ["storage_quota_exceeded", "syncd_timeout"] == [
        detail for name, detail in second.woken if name == "logout_reason"
    ]


@pytest.mark.parametrize("generation", ["legacy", "modern"])
async def test_the_events_of_a_late_module_count(generation: str, opened: Open) -> None:  # noqa: F811
    """In a bundle that the page fetches when the library has already looked at all the others."""
    second = await opened(generation, late=["WAWebCmd", "WAWebBackendEventBus", "WAWebLogoutReason"])
    await second.control("bring")
    await asyncio.sleep(1)
    await second.control("tell", "account_temporarily_banned", {"code": 402, "expire": "3600"})
    await second.facts(ban=Ban(code="402", expires=3600))
    await second.control("logsOut", "syncd_timeout")
    await async_until("the reason is told", lambda: _woken(second), lambda names: "logout_reason" in names, within=5)


async def test_a_ban_may_be_announced_before_the_stream_ends(opened: Open) -> None:  # noqa: F811
    """Seconds before: it is none while the page receives, and one in any language when that ends without the chats."""
    second = await opened()
    await second.control("screen", "<h1>Chats</h1><ul><li>Anna</li></ul>")
    await second.control("connected")
    await second.facts(registered=True, stream="CONNECTED")
    await asyncio.sleep(2.5)  # so that the chats were there at two looks, of which the page has the second by itself
    await second.control("tell", "account_temporarily_banned", {"code": 402, "expire": 3600})
    await asyncio.sleep(3)
    await second.facts(stream="CONNECTED", ban=None)
    await second.control("socket", {"stream": "DISCONNECTED"})
    await second.control("screen", "<h1>Du bist gesperrt</h1>")
    await second.facts(ban=Ban(code="402", expires=3600))
    await second.control("socket", {"stream": "SYNCING"})
    await second.facts(ban=None)


async def test_a_page_that_is_refused_as_too_old_says_so_at_once(opened: Open) -> None:  # noqa: F811
    """It loads itself anew in the same moment, so that no look finds it."""
    second = await opened()
    await second.control("outdated")
    await async_until("the runner was woken", lambda: _woken(second), lambda names: "needsUpdate" in names, within=5)


async def _woken(second: Second) -> list[str]:
    return [name for name, _ in second.woken]


async def test_the_reason_in_the_address_is_of_one_logout(opened: Open) -> None:  # noqa: F811
    """Also where the page has tidied its address; not of the next logout of the same document."""
    second = await opened(query="?logout_reason=1")
    await second.page.evaluate("history.replaceState(null, '', '/')")
    await second.facts(registered=False, logout_reason="syncd_failure")
    await second.control("connected")
    await second.facts(registered=True, logout_reason=None)
    await second.control("code", "r1")
    await second.facts(registered=False, logout_reason=None)


async def test_another_tab_is_known_by_what_it_leaves(opened: Open) -> None:  # noqa: F811
    """Its window over a page that has lost the mutex, also when it has given that back; a mutex that nobody has is none."""
    second = await opened()
    await second.facts(foreign_mutex=False)
    await second.control("connected")
    await second.control("be", {"mutex": "", "holds": False})
    await second.facts(foreign_mutex=False, dialog=None)
    await second.control("over", "<div role=dialog>Anderswo offen<button>Ja</button><button>Nein</button></div>")
    await second.facts(foreign_mutex=True, dialog=Dialog.OTHER)
    await second.control("away")
    await second.control("be", {"mutex": "t2:init_1"})
    await second.facts(foreign_mutex=True, dialog=None)
    await second.control("be", {"holds": True, "comms": None})
    await second.facts(foreign_mutex=False, comms=False)


async def test_a_window_wakes_the_runner_at_once(opened: Open) -> None:  # noqa: F811
    """That it opens, becomes another and closes, though no event of the page says so; a page that is busy with itself wakes nobody."""
    second = await opened()
    await second.control("connected")

    async def woken(times: int) -> None:
        async def wakes() -> int:
            return second.woken.count(("window", None))

        await async_until(f"the window was told {times} times", wakes, lambda count: count == times, within=2)

    await second.control("over", "<div role=dialog hidden>Etwas<button>Ja</button></div>")
    await second.page.evaluate(
        """() => new Promise((done) => {
          let turns = 0;
          const timer = setInterval(() => {
            document.body.append(document.createElement('p'));
            if ((turns += 1) === 200) { clearInterval(timer); done(); }
          }, 5);
        })"""
    )
    await woken(0)
    await second.page.evaluate("document.querySelector('[role=dialog]').hidden = false")
    await woken(1)
    await second.control("over", "<div role=dialog>WhatsApp is open in another window.<button>Close</button></div>")
    await woken(2)
    await second.control("away")
    await woken(3)


async def test_a_code_that_is_drawn_late_wakes_the_runner(opened: Open) -> None:  # noqa: F811
    """The page has it before it is on the screen; each other one wakes, too."""
    second = await opened()
    await second.control("code", "r1", {"isShown": False})
    await second.facts(socket="UNPAIRED", code=None)

    async def codes() -> int:
        return second.woken.count(("code", None))

    for times, shown in ((1, "r1"), (2, "r2")):
        await second.control("screen", f'<div data-ref="{shown},k,k,s,1"><canvas></canvas></div>')
        await async_until("the code woke", codes, times.__eq__)
    await second.page.evaluate("document.querySelector('[data-ref]').setAttribute('data-ref', 'r3,k,k,s,1')")
    await async_until("the code woke", codes, lambda count: count == 3)


async def test_a_takeover_is_seen_behind_another_window(opened: Open) -> None:  # noqa: F811
    """The page's notice of what is new stands; another tab takes over, and its window comes over or beneath it, or not at all."""
    second = await opened()
    notice = "<div role=dialog>What's new on WhatsApp Web<button>Continue</button></div>"
    for other, kind in (
        ("<div role=dialog>WhatsApp is open in another window.<button>Use here</button></div>", Dialog.OTHER_WINDOW),
        ("<div role=dialog>WhatsApp ist anderswo offen<button>Hier</button><button>Zu</button></div>", Dialog.OTHER),
        ("", Dialog.WHATS_NEW),
    ):
        await second.control("connected")
        await second.control("be", {"mutex": "t1:init_1", "holds": True})
        await second.control("over", notice)
        before = await second.facts(dialog=Dialog.WHATS_NEW, stream="CONNECTED")
        assert State.ACTION_REQUIRED is at_once(before)[0]
        await second.control("be", {"mutex": "t2:init_2", "holds": False})
        await second.control("socket", {"stream": "DISCONNECTED"})
        if other:
            await second.control("over", other)
        facts = await second.facts(dialog=kind, stream="DISCONNECTED")
        assert (State.CONFLICT, Reason.OTHER_TAB) == at_once(facts)
        await second.control("away")


async def test_a_screen_beside_the_root_is_read(opened: Open) -> None:  # noqa: F811
    """A ban and an outage whose screens lie over the page; they are over with them."""
    second = await opened()
    for text, fact in (("You’re temporarily banned. Code: 101", "ban"), ("Service unavailable", "unavailable")):
        await second.control("over", f"<h1>{text}</h1>")
        expected = Ban(code="101") if fact == "ban" else True
        await second.facts(**{fact: expected})
        await second.control("away")
        await second.facts(ban=None, unavailable=False)


async def test_a_ban_on_the_screen_alone_is_no_conflict(opened: Open) -> None:  # noqa: F811
    """In the place of the chats of a page that is synced: a ban by its first words, in another language no conflict either.

    A chat that says the same is none, nor is a window, and whoever was replaced keeps the chats.
    """
    second = await opened()
    chats = "<h1>Chats</h1><ul><li>Anna</li><li>You're temporarily banned</li></ul><p>Code: 7</p>"
    history = History(linked=True, healthy_comms=True, silent_since=0)

    async def shown(screen: str, **expected: object) -> tuple[State, Reason]:
        await second.control("screen", screen)
        facts = await second.facts(comms=False, synced=True, **expected)
        return classify(facts, remember(history, facts, policy=Policy(), now=60), policy=Policy(), now=60)[:2]

    await second.control("screen", chats)
    await second.control("connected")
    await second.facts(registered=True, synced=True)
    await asyncio.sleep(2.5)  # so that the chats were there at two looks
    await second.facts(registered=True, ban=None, other_screen=False)
    await second.control("be", {"comms": None})
    await second.control("socket", {"stream": "DISCONNECTED"})

    assert (State.CONFLICT, Reason.REPLACED) == await shown(chats, ban=None, other_screen=False)
    ban = "<div><h1>You’re temporarily banned</h1><p>Code: 101</p></div>"
    assert (State.TEMPORARILY_BANNED, Reason.BANNED) == await shown(ban, ban=Ban(code="101"), other_screen=True)
    assert (State.TEMPORARILY_BANNED, Reason.BANNED) == await shown(chats + ban, ban=Ban(code="101"))
    foreign = "<h1>Du bist vorübergehend gesperrt</h1>"
    assert (State.DEGRADED, Reason.UNKNOWN_SCREEN) == await shown(foreign, ban=None, other_screen=True)
    assert (State.CONFLICT, Reason.REPLACED) == await shown(chats, ban=None, other_screen=False)


async def test_a_screen_that_is_kept_and_not_shown_is_not_read(opened: Open) -> None:  # noqa: F811
    """A code under another screen, and the windows and screens of a page that has all of them ready."""
    second = await opened()
    await second.control("code", "r1")
    await second.facts(code="r1,k,k,s,1")
    await second.control(
        "over", "<p hidden>Service unavailable</p><div role=dialog hidden>You are temporarily banned</div>"
    )
    await second.page.evaluate("document.querySelector('[data-ref]').hidden = true")

    await second.facts(code=None, ban=None, unavailable=False, dialog=None)


async def test_a_passkey_that_was_given_up_leads_back_to_the_same_code(opened: Open) -> None:  # noqa: F811
    """The page asks while it shows the code, then shows a screen, then that code again."""
    second = await opened()
    await second.control("code", "r1")
    await second.facts(code="r1,k,k,s,1", passkey=None)
    await second.page.evaluate(
        "navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32) } }).catch(() => {})"
    )
    await second.control("screen", "<p>Einen Moment</p>")
    assert (await second.facts(code=None)).passkey is not None
    await second.control("code", "r1")
    await second.facts(code="r1,k,k,s,1", passkey=None)


async def test_the_screens_of_a_passkey_follow_each_other(opened: Open) -> None:  # noqa: F811
    """The first is known by its words alone, the second by nothing; a code ends them. The last may also come by itself."""
    second = await opened()
    for first in ("Continue on WhatsApp Web", "Confirm on your phone"):
        await second.control("code", "r1")
        await second.facts(code="r1,k,k,s,1", passkey=None)
        await second.control("screen", f"<p>{first}</p>")
        await second.facts(code=None, passkey=Passkey())
        await second.control("screen", "<p>Fast fertig</p>")
        await second.facts(code=None, passkey=Passkey())
    await second.control("connected")
    await second.facts(registered=True, passkey=None)


async def test_a_code_that_is_not_in_the_document_is_asked_of_the_library(opened: Open) -> None:  # noqa: F811
    """Four of its fields and the platform; its age is known, wherever it is."""
    second = await opened()
    await second.control("code", "r1", {"isShown": False})
    assert (await second.facts(socket="UNPAIRED", code=None)).code_age is not None
    assert "r1," == (await second.page.evaluate(scripts.script("code.js")))[:3]
    await second.control("code", "r2")
    age = (await second.facts(code="r2,k,k,s,1")).code_age

    assert age is not None
    assert age < 20
