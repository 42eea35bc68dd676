"""What the session says is so, within seconds: entered by an event or by a reload, seen first by a new pod, and left.

In English and in German, where no text of the page is known: what then still tells it are modules, calls and events.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from runner.conftest import Start
from standin.harness import StandIn
from standin.settings import Timing
from support.runner_process import Folders, RunnerProcess, link, settings_for, start_runner
from support.waiting import async_until

UNLINKED = "unlinked"
both_languages = pytest.mark.parametrize("language", ["en", "de"])


async def qr_status(runner: RunnerProcess) -> int:
    """What GET /v1/qr answers."""
    status, _, _ = await runner.get("/v1/qr", scope="link")
    return status


async def reload_into(standin: StandIn, device: str, *, seconds: float = 1.5) -> None:
    """Let the page load itself anew; its document takes so long that something can be done to the device before."""
    loads = (await standin.phone.loads())["total"]
    await standin.phone.set_delay(seconds)
    await standin.phone.reload(device)

    async def loaded() -> bool:
        return bool((await standin.phone.loads())["total"] > loads)

    await async_until("the next document is asked for", loaded, within=30)
    await standin.phone.set_delay(0)


@both_languages
async def test_what_an_unlinked_page_meets_ends(language: str, mode: str, start: Start, standin: StandIn) -> None:
    """No network, a ban, an outage: no code meanwhile, and a code afterwards, though nobody tells that they are over."""
    if (mode, language) in {("legacy", "de"), ("modern", "en")}:
        pytest.skip("each mode in one language, to save time")
    await standin.phone.set_language(language)
    async with start() as runner:
        await runner.code()
        await standin.phone.offline(UNLINKED)
        await runner.wait_for_state("Offline", reason="NetworkUnreachable")
        assert 404 == await qr_status(runner)
        await standin.phone.online(UNLINKED)
        await runner.wait_for_state("QRPending")
        await runner.code()
        await standin.phone.ban(UNLINKED, expire=6)
        document = await runner.wait_for_state("TemporarilyBanned")
        assert "(code 402) for 6 s" in document["message"]
        assert 404 == await qr_status(runner)
        await runner.wait_for_state("QRPending", deadline=30)
        await runner.code()
        await standin.phone.service_unavailable(UNLINKED)
        await runner.wait_for_state("ServiceUnavailable")
        assert 404 == await qr_status(runner)
        await standin.phone.online(UNLINKED)
        await runner.wait_for_state("QRPending", deadline=30)
        await link(runner, standin)


@pytest.mark.parametrize(("language", "silent"), [("en", True), ("de", False)])
async def test_a_reload_into_a_ban_is_seen(
    language: str,
    mode: str,
    start: Start,
    standin: StandIn,
    *,
    silent: bool,
) -> None:
    """By its screen alone where that is known, else by the event that comes before wa-js listens; a new pod repeats it."""
    if (mode == "legacy") is silent:
        pytest.skip("each mode in one way, to save time")
    await standin.phone.set_language(language)
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.service_unavailable(device, silent=False)
        await runner.wait_for_state("ServiceUnavailable")
        await standin.phone.online(device)
        await runner.wait_for_state("Connected")
        await reload_into(standin, device)
        await standin.phone.service_unavailable(device, silent=silent)
        await runner.wait_for_state("ServiceUnavailable")
        await standin.phone.online(device)
        await runner.wait_for_state("Connected")
        await reload_into(standin, device)
        await standin.phone.ban(device, expire=3600, silent=silent)
        document = await runner.wait_for_state("TemporarilyBanned")
        assert silent or "(code 402)" in document["message"]
        await runner.kill()
    async with start(POD_UID="pod-2") as runner:
        await runner.wait_for_state("TemporarilyBanned")


@both_languages
async def test_a_ban_that_is_over_hides_nothing(language: str, start: Start, standin: StandIn) -> None:
    """Before a stream is up the connection is lost: that is reported, and the next pod opens the page."""
    await standin.phone.set_language(language)
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.ban(device, expire=5)
        await runner.wait_for_state("TemporarilyBanned")
        await standin.phone.unreachable(device)
        await runner.wait_for_state("Reconnecting", deadline=30)
        await runner.wait_for_state("Offline", reason="NoConnection")
        await runner.kill()
    await standin.phone.online(device)
    async with start(POD_UID="pod-2") as runner:
        await runner.wait_for_state("Connected")
        assert "TemporarilyBanned" not in [state for state, _ in runner.seen]


@both_languages
async def test_a_ban_on_the_screen_alone_is_no_conflict(
    language: str, mode: str, start: Start, standin: StandIn
) -> None:
    """Of a session that was connected; the next pod repeats it. In a language that is not known it is an unknown screen."""
    if (mode, language) in {("legacy", "de"), ("modern", "en")}:
        pytest.skip("each mode in one language, to save time")
    await standin.phone.set_language(language)
    async with start() as runner:
        device = await link(runner, standin)
        await asyncio.sleep(7)  # so that the chats are seen twice
        await standin.phone.ban(device, expire=3600, silent=True)
        if language == "en":
            await runner.wait_for_state("TemporarilyBanned", deadline=20)
        else:
            await runner.wait_for_state("Degraded", reason="UnknownScreen", deadline=30)
        assert "Conflict" not in [state for state, _ in runner.seen]
        await runner.kill()
    if language == "en":
        async with start(POD_UID="pod-2") as runner:
            await runner.wait_for_state("TemporarilyBanned")


async def test_a_logout_under_an_outage_is_reported_when_that_ends(mode: str, start: Start, standin: StandIn) -> None:
    """It is said for its time, and only then the page links again."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.service_unavailable(UNLINKED)
        await standin.phone.service_unavailable(device)
        await runner.wait_for_state("ServiceUnavailable")
        await standin.phone.unlink(device)
        await runner.wait_for_state("Loading")
        await runner.wait_for_state("ServiceUnavailable")
        await asyncio.sleep(4)  # longer than a logout is reported
        await standin.phone.online(UNLINKED)
        await runner.wait_for_state("LoggedOut", reason="Relinking")
        await runner.wait_for_state("QRPending")


async def test_a_code_that_lost_its_connection_is_offline_at_once(mode: str, start: Start, standin: StandIn) -> None:
    """Long before the connection check, and for no longer than that; a round of codes that follows another is none."""
    assert mode
    async with start(CONNECTION_CHECK_TIMEOUT="40s") as runner:
        code = await runner.code()
        await standin.phone.expire_qr()
        await runner.code(other_than=code["text"])
        assert "Offline" not in [state for state, _ in runner.seen]
        await standin.phone.unreachable(UNLINKED)
        began = time.monotonic()
        await runner.wait_for_state("Offline", reason="NoConnection")
        assert time.monotonic() - began < 6  # a second and the page's own pause, on a busy machine
        assert 404 == await qr_status(runner)
        await standin.phone.online(UNLINKED)
        await runner.wait_for_state("QRPending")
        await runner.code()


@both_languages
async def test_a_takeover_is_seen_over_another_window(language: str, mode: str, start: Start, standin: StandIn) -> None:
    """The page's notice of what is new is left alone then, and nothing reloads."""
    if (mode, language) in {("legacy", "de"), ("modern", "en")}:
        pytest.skip("known by its words, or by the page's mutex, which the older page has not")
    await standin.phone.set_language(language)
    async with start() as runner:
        device = await link(runner, standin)
        loads = (await standin.phone.loads())["total"]
        await standin.phone.dialog(device, kind="action-required")
        await runner.wait_for_state("ActionRequired", reason="DialogOpen")
        await standin.phone.open_other_tab()
        began = time.monotonic()
        await runner.wait_for_state("Conflict", reason="OtherTab")
        assert time.monotonic() - began < 3
        await asyncio.sleep(11)  # longer than the notice is left alone
        assert "Conflict" == (await runner.state())["state"]
        assert (await standin.phone.loads())["total"] == loads


@both_languages
async def test_a_passkey_is_waited_for_until_it_is_over(language: str, start: Start, standin: StandIn) -> None:
    """Known by the browser's own call; its confirmation is a screen like no other, and neither is a missing code."""
    await standin.phone.set_language(language)
    async with start(CONNECTION_CHECK_TIMEOUT="2s") as runner:
        await standin.phone.scan_with_passkey((await runner.code())["text"])
        document = await runner.wait_for_state("PasskeyRequired")
        assert " until 20" in document["message"]
        assert 404 == await qr_status(runner)
        await standin.phone.confirm_passkey()
        await asyncio.sleep(5)
        assert "PasskeyRequired" == (await runner.state())["state"]
        await standin.phone.end_passkey()
        await runner.wait_for_state("QRPending")
        await standin.phone.scan_with_passkey((await runner.code())["text"])
        await runner.wait_for_state("PasskeyRequired")
        await standin.phone.link_with_passkey()
        await runner.wait_for_state("Connected")


async def test_a_connected_page_is_believed_for_as_long_as_it_is_so(mode: str, start: Start, standin: StandIn) -> None:
    """Restricted with its end, over a reload and in the next pod; Loading as soon as the page leaves; Reconnecting while it resumes."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        for kind, reason in (("capping", "MessagesCapped"), ("timelock", "TimeLock")):
            await standin.phone.restrict(device, kind=kind, until=1_900_000_000)
            document = await runner.wait_for_state("Restricted", reason=reason)
            assert "until 2030-03-17T17:46:40Z" in document["message"]
        await reload_into(standin, device, seconds=4)
        began = time.monotonic()
        await runner.wait_for_state("Loading")
        assert time.monotonic() - began < 3  # before the next document is there
        document = await runner.wait_for_state("Restricted", reason="TimeLock")
        assert "until 2030-03-17T17:46:40Z" in document["message"]
        await standin.phone.restrict(device, kind="none")
        await runner.wait_for_state("Connected")
        await standin.phone.sync_slow(device, seconds=9)
        await standin.phone.drop(device)
        await runner.wait_for_state("Reconnecting", reason="Resuming")
        runner.seen.clear()
        await runner.wait_for_state("Connected")
        assert {"Reconnecting", "Connected"} == {state for state, _ in runner.seen}
        await standin.phone.restrict(device, kind="timelock", until=1_900_000_000)
        await runner.wait_for_state("Restricted", reason="TimeLock")
        await runner.kill()
    async with start(POD_UID="pod-2") as runner:
        document = await runner.wait_for_state("Restricted", reason="TimeLock")

    assert "until 2030-03-17T17:46:40Z" in document["message"]


async def test_a_page_that_gives_its_first_sync_up_says_why(start: Start, standin: StandIn) -> None:
    """It logs itself out; the reason stands until a person asks, over pods."""
    async with start(ON_LOGOUT="Wait") as runner:
        device = await standin.phone.scan((await runner.code())["text"], sync_seconds=600)
        await runner.wait_for_state("Syncing", reason="FirstSync")
        await standin.phone.logout(device, reason="syncd_failure")
        first = await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")
        await runner.kill()
    async with start(ON_LOGOUT="Wait", POD_UID="pod-2") as runner:
        second = await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")

    assert "because its data could not be synced" in first["message"] == second["message"]


@both_languages
async def test_a_window_is_never_connected(language: str, mode: str, start: Start, standin: StandIn) -> None:
    """The one that is known to be harmless is acknowledged after its time; the rest is shown and left.

    In another language it is known by the preference of the page, which the older page has not.
    """
    is_known = (mode, language) != ("legacy", "de")
    if (mode, language) == ("modern", "en"):
        pytest.skip("known by the words as the older page, and by the preference as in German")
    await standin.phone.set_language(language)
    async with start() as runner:
        device = await link(runner, standin)
        await asyncio.sleep(1)  # so that no other look is due
        began = time.monotonic()
        await standin.phone.dialog(device, kind="action-required")
        document = await runner.wait_for_state("ActionRequired", reason="DialogOpen")
        shown = time.monotonic()
        assert shown - began < 2  # half a second, on a machine that is not busy
        assert is_known is ("notice of what is new" in document["message"])
        if is_known:
            await runner.wait_for_state("Connected")
            assert 8 < time.monotonic() - shown < 16
            await standin.phone.dialog(device, kind="passkey")
            await runner.wait_for_state("PasskeyRequired" if language == "en" else "ActionRequired")
            await standin.phone.dialog(device, kind="terms")
            await runner.wait_for_state("ActionRequired")
        await asyncio.sleep(13)
        assert "ActionRequired" == (await runner.state())["state"]


@pytest.fixture
async def brief(mode: str) -> AsyncIterator[StandIn]:
    """A stand-in whose codes live shortly."""
    timing = Timing(first_ref=5, next_ref=2, first_sync=0.5, backoff_base=0.3, backoff_limit=1)
    async with StandIn.start(mode=mode, timing=timing) as page:
        yield page


async def test_no_dead_code_is_served(brief: StandIn, folders: Folders) -> None:
    """Not after its life on a page that is frozen, not after a reload, and a new round comes within 3 s."""
    environment = folders.environment(**settings_for(brief), STARTUP_TIMEOUT="120s", LAUNCH_TIMEOUT="90s")
    async with start_runner(folders, environment) as runner:
        code = await runner.code()
        await brief.phone.expire_qr()
        expired = time.monotonic()
        renewed = await runner.code(other_than=code["text"])
        assert time.monotonic() - expired < 3
        await brief.phone.busy(UNLINKED, seconds=9)
        await asyncio.sleep(6.5)
        assert 404 == await qr_status(runner)
        fresh = await runner.code(other_than=renewed["text"])
        await reload_into(brief, UNLINKED, seconds=8)

        async def shown() -> str:
            return (await runner.get("/v1/qr", scope="link"))[2].decode()

        # The browser tells of the reload a moment after the server has it; the next document may show its own code by then.
        await async_until("the dead code to be gone", shown, lambda body: fresh["text"] not in body, within=5)
        after = await runner.code()

        assert after["text"] != fresh["text"]
