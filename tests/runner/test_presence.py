"""A linked session is not a person who looks at the page: the phone counts how often one seemed to."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from runner.conftest import Start
from session_protocol import signed_calls
from session_protocol.live_settings import LiveSettings, write_live_settings
from session_protocol.signed_calls import Credentials
from session_protocol.token_hashes import OPERATOR_FILE
from session_protocol.vocabulary import Presence
from session_runner.account.presence import WEEK
from session_runner.profile.saved_state import read_saved_state, write_saved_state
from standin.harness import StandIn
from support.runner_process import Folders, RunnerProcess, link
from support.waiting import async_until

KEY = "c" * 64


async def presence(standin: StandIn, device: str) -> tuple[bool, int]:
    """Whether the page says that a person looks, and how often it began to."""
    described = await standin.phone.device(device)
    assert described is not None
    return described["available"], described["timesAvailable"]


async def test_a_session_is_never_available_by_itself(start: Start, standin: StandIn, mode: str) -> None:
    """Not when it is linked, not after a lost connection, not at the next start."""
    async with start() as runner:
        device = await link(runner, standin)
        linked = await presence(standin, device)
        await standin.phone.unreachable(device)  # a connection that is only cut may be back before anybody has seen it
        await runner.wait_for_state("Reconnecting", "Offline")
        await standin.phone.online(device)
        await runner.wait_for_state("Connected")
        dropped = await presence(standin, device)
        await runner.stop()
    async with start() as runner:
        await runner.wait_for_state("Connected")
        started = await presence(standin, device)

    assert mode in ("legacy", "modern")
    assert [(False, 0)] * 3 == [linked, dropped, started]


async def test_a_session_is_available_for_a_moment_after_a_week(
    start: Start, standin: StandIn, folders: Folders
) -> None:
    """Once, and then not again; the next pod knows of it."""
    path = folders.profile / "runner.json"
    async with start() as runner:
        device = await link(runner, standin)
        await async_until("the time to be stored", lambda: _time(folders), lambda known: known, within=20, every=0.1)
        await runner.stop()
    saved = read_saved_state(path)
    assert saved.available_time is not None
    write_saved_state(path, replace(saved, available_time=saved.available_time - WEEK - timedelta(hours=1)))
    async with start() as runner:
        await runner.wait_for_state("Connected")
        await async_until(
            "a moment", lambda: presence(standin, device), lambda seen: seen == (True, 1), within=20, every=0.1
        )
        await async_until(
            "its end", lambda: presence(standin, device), lambda seen: seen == (False, 1), within=40, every=0.1
        )
        await runner.stop()
    again = read_saved_state(path).available_time

    assert again is not None
    assert again >= saved.available_time


async def _time(folders: Folders) -> bool:
    return read_saved_state(folders.profile / "runner.json").available_time is not None


async def test_an_edit_reaches_the_open_page(start: Start, standin: StandIn, mode: str) -> None:
    """There and back; a document that the page loads anew appears as the last edit said."""
    async with start() as runner:
        device = await link(runner, standin)
        await change(runner, LiveSettings(presence=Presence.AVAILABLE))
        await seen(standin, device, available=True)
        await standin.phone.reload(device)
        await async_until(
            "it to be available again", lambda: presence(standin, device), lambda now: now == (True, 2), within=30
        )
        await change(runner, LiveSettings())
        await seen(standin, device, available=False)

    assert mode in ("legacy", "modern")


async def change(runner: RunnerProcess, settings: LiveSettings) -> None:
    """Bring other settings, as the operator does."""
    (runner.folders.tokens / OPERATOR_FILE).write_text(KEY)
    target, body = "/v1/settings", write_live_settings(settings)
    unsigned = {"Authorization": signed_calls.SCHEME}
    async with runner.client.get(f"{runner.url}/v1/state", headers=unsigned) as answer:
        nonce = answer.headers["Session-Nonce"]
    digest = signed_calls.content_digest(body)
    signature = signed_calls.sign_request(KEY, pod_uid="pod-1", nonce=nonce, method="PUT", target=target, digest=digest)
    headers = {
        "Authorization": signed_calls.authorization(Credentials(nonce, signature)),
        "Content-Digest": digest,
    }
    async with runner.client.put(runner.url + target, data=body, headers=headers) as answer:
        assert 200 == answer.status


async def seen(standin: StandIn, device: str, *, available: bool) -> None:
    """Wait until the phone sees it so."""
    await async_until(
        "the edit to arrive", lambda: presence(standin, device), lambda now: now[0] is available, within=30, every=0.1
    )


async def test_who_wants_to_be_available_is(start: Start, standin: StandIn) -> None:
    """From its start on."""
    settings = write_live_settings(LiveSettings(presence=Presence.AVAILABLE)).decode()
    async with start(LIVE_SETTINGS=settings) as runner:
        device = await link(runner, standin)
        await seen(standin, device, available=True)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_database_that_fails_is_shown(start: Start, standin: StandIn, *, language: str, stream: bool) -> None:
    """In whatever language the page says it, and whether or not it still receives anything."""
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.storage_failed(device, language=language, stream=stream)
        shown = await runner.wait_for_state("Degraded", reason="StorageFailed", deadline=20)

    assert "profile volume" in shown["message"]
