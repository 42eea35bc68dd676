"""Messages whose files are named by links, from the request to the page: fetched from a server on loopback."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from session_protocol.live_settings import LiveSettings, MediaLimits
from session_protocol.pacing import FirstContacts, Pacing
from session_protocol.vocabulary import PacingType, RunnerState
from session_runner.media import links
from session_runner.messages import links as rules
from session_runner.messages.contents import Document, Image, Text
from session_runner.messages.errors import MediaError, NoMediaRoomError
from session_runner.outbox import preparing as rows
from session_runner.webhooks.guard import refusal
from support.waiting import async_until
from unit.runner.messaging_harness import running
from unit.runner.preparing_harness import PNG, Linked
from unit.runner.preparing_harness import linked as linked  # noqa: PLC0414 -- a fixture


async def test_the_page_gets_what_the_link_leads_to(linked: Linked, caplog: pytest.LogCaptureFixture) -> None:
    """By its content, whatever its server calls it; then nothing of it is left on the volume, and no link in a log."""
    caplog.set_level(logging.DEBUG, "session_runner")
    async with linked.running():
        identifier = await linked.send()
        await linked.session.becomes(identifier, "handed_over")
        await async_until("no file", lambda: asyncio.sleep(0, linked.files), lambda files: files == [])

    content = linked.page.asked[0]["content"]
    assert ("image/png", "a.png") == (content["mime_type"], content["filename"])
    assert ["/a.png"] == linked.site.asked
    assert linked.page.files[0].parent == linked.folder / "media"
    assert linked.site.url not in caplog.text
    assert linked.site.url.encode() not in (linked.folder / "messages.sqlite").read_bytes()


async def test_a_message_behind_it_waits_and_other_chats_do_not(linked: Linked) -> None:
    """The order within a chat is kept while a file comes."""
    there = asyncio.Event()

    async def slowly() -> web.Response:
        await there.wait()
        return web.Response(body=PNG)

    linked.site.answers["/a.png"] = slowly
    async with linked.running():
        await linked.ask(Text(body="before"))
        await linked.send()
        behind = await linked.ask(Text(body="behind"))
        other = await linked.ask(Text(body="other"), to="15550100888")
        await linked.session.becomes(other, "handed_over")
        assert "accepted" == await linked.session.status(behind)
        there.set()
        await linked.session.becomes(behind, "handed_over")

    assert ["before", "other", "", "behind"] == [text for _, _, text in linked.page.given]


@pytest.mark.parametrize(
    ("written", "asked"),
    [("/a.png?key=a%2Fb%7E%41&at=1", "/a.png?key=a%2Fb%7E%41&at=1"), ("/a.png?key=ü|", "/a.png?key=%C3%BC%7C")],
)
async def test_a_link_is_asked_for_as_it_is_written(linked: Linked, written: str, asked: str) -> None:
    """Letter by letter, since its signature may be of those; what no request can have is escaped."""
    async with linked.running():
        await linked.session.becomes(await linked.send(written), "handed_over")

    assert [asked] == linked.site.raw


async def test_files_that_are_still_fetched_take_nobodys_turn(linked: Linked) -> None:
    """A stranger's file whose server is slow, and what is behind it, hold up no text to another stranger."""
    never = asyncio.Event()
    linked.site.answers["/a.png"] = never.wait
    strangers = ["15550100801", "15550100802"]
    linked.page.strangers = set(strangers)
    linked.page.people |= {number: number for number in strangers}
    pace = Pacing(type=PacingType.CUSTOM, first_contacts=FirstContacts(burst=1, interval=60))
    linked.session.live.replace(LiveSettings(pacing=pace))
    async with linked.running():
        await linked.send(to=strangers[0])
        await linked.ask(Text(body="behind"), to=strangers[0])
        other = await linked.ask(Text(body="other"), to=strangers[1])
        await linked.session.becomes(other, "handed_over")

    assert ["other"] == [text for _, _, text in linked.page.given]


async def test_a_redirect_is_followed_a_few_times(linked: Linked) -> None:
    """Each of them to an address that the guard is asked about; too many, or to nowhere, fail the message."""
    asked: list[tuple[str, int]] = []

    def guard(_address: object, target: Any, _destinations: object) -> None:
        asked.append((target.host, target.port))

    def to(location: str) -> Callable[[], web.Response]:
        return lambda: web.Response(status=302, headers={"Location": location})

    port = int(linked.site.url.rpartition(":")[2])
    linked.site.answers |= {
        "/1": to("/2"),
        "/2": to(f"http://localhost:{port}/a.png"),
        "/round": to("/round"),
        "/file": to("file:///etc/passwd"),
    }
    linked.session.guard = guard
    async with linked.running():
        followed = await linked.send("/1")
        await linked.session.becomes(followed, "handed_over")
        assert "redirects more than 3 times" in await linked.failed(await linked.send("/round"))
        assert "redirects to where" in await linked.failed(await linked.send("/file"))

    assert [("127.0.0.1", port), ("127.0.0.1", port), ("localhost", port)] == asked[1:4]  # the first: at the request


async def test_what_is_not_allowed_is_not_connected_to(linked: Linked) -> None:
    """An address is refused at once, a name when it is looked up, a redirect where it leads; the last two as `failed`."""
    port = linked.site.url.rpartition(":")[2]
    linked.session.guard = refusal
    async with linked.running():
        for host in ("127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[::1]"):
            with pytest.raises(MediaError, match=r"image\.link: The link's host is"):
                await linked.ask(Image(link=f"https://{host}/a.png"))
        with pytest.raises(MediaError, match="WEBHOOK_DESTINATIONS"):
            await linked.ask(Image(link="https://10.0.0.1/a.png"))
        loopback = await linked.ask(Image(link=f"http://localhost:{port}/a.png"))
        reason = await linked.failed(loopback)

    assert ([], "The link's host is an address of the pod") == (linked.site.asked, reason[:40])


async def test_the_operators_setting_opens_addresses(linked: Linked) -> None:
    """That of webhooks, as it is at the time of the fetch."""
    seen: list[Any] = []
    linked.session.guard = lambda _, __, destinations: seen.append(destinations)
    linked.session.live.replace(LiveSettings(destinations=("automation",)))
    async with linked.running():
        await linked.session.becomes(await linked.send(), "handed_over")

    assert {"automation"} == {name for destinations in seen for name in destinations.namespaces}


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({"status": 404}, "answered 404"),
        ({"body": b""}, "empty"),
        ({"body": b"%PDF-1.7"}, "application/pdf"),
        ({"body": PNG, "headers": {"Content-Encoding": "gzip"}}, "compresses"),
        ({"body": PNG[:8] + bytes(5 << 20)}, "5242880 are the most"),
    ],
    ids=["not there", "empty", "of another type", "compressed", "too large"],
)
async def test_what_cannot_be_sent_fails_at_once(linked: Linked, response: dict[str, Any], reason: str) -> None:
    """With the documented code and the reason; nothing of it stays, and it holds up nothing."""
    linked.site.answers["/a.png"] = lambda: web.Response(**response)
    async with linked.running():
        identifier = await linked.send()
        behind = await linked.ask(Text(body="behind"))
        assert reason in await linked.failed(identifier)
        await linked.session.becomes(behind, "handed_over")

    assert (["/a.png"], []) == (linked.site.asked, linked.files)


async def test_a_size_that_nobody_knows_is_bounded_on_the_way(linked: Linked) -> None:
    """A server may send for ever."""

    class Endless(web.StreamResponse):
        async def write_eof(self, _data: bytes = b"") -> None:
            while True:
                await self.write(PNG)

    linked.site.answers["/a.png"] = Endless
    async with linked.running():
        assert "more than 5242880 bytes" in await linked.failed(await linked.send())


@pytest.mark.parametrize("trouble", ["status", "breaks", "hangs", "late", "gone"])
async def test_a_server_in_trouble_is_asked_again(
    linked: Linked, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few times; when it is over the file comes, and else the message fails."""
    monkeypatch.setattr(links, "SILENCE", 0.05 if trouble == "hangs" else 30)
    monkeypatch.setattr(links, "seconds_for", lambda _: 0.05 if trouble == "late" else 30)

    async def hang() -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    class Broken(web.StreamResponse):
        async def write_eof(self, _data: bytes = b"") -> None:
            await self.write(PNG[:1000])
            assert self._req is not None
            assert self._req.transport is not None
            self._req.transport.close()

    answers: dict[str, Any] = {
        "status": lambda: web.Response(status=503),
        "breaks": lambda: Broken(headers={"Content-Length": str(len(PNG))}),
    }
    linked.site.answers["/never.png"] = answers.get(trouble, hang)
    if trouble == "gone":
        linked.site.url = "http://127.0.0.1:9"
    async with linked.running():
        never = await linked.send("/never.png")
        assert "server" in await linked.failed(never)
        if trouble == "status":
            twice = iter([web.Response(status=429), web.Response(body=PNG)])
            linked.site.answers["/a.png"] = lambda: next(twice)
            await linked.session.becomes(await linked.send(), "handed_over")

    most = 0 if trouble == "gone" else rules.TRIES
    least = 2 if trouble in ("hangs", "late") else most  # a try may be over before it has reached the server
    assert least <= linked.site.asked.count("/never.png") <= most


async def test_what_is_tried_later_holds_up_no_other_file(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait for a server in trouble."""
    monkeypatch.setattr(rows, "MOST", 2)
    monkeypatch.setattr(rules, "_FIRST_PAUSE", 30)
    linked.site.answers["/b.png"] = lambda: web.Response(status=503)
    async with linked.running():
        for number in range(3):
            await linked.send("/b.png", to=f"1555010080{number}")
        await linked.session.becomes(await linked.send(), "handed_over")

    assert ["/a.png"] == [path for path in linked.site.asked if path != "/b.png"]


async def test_a_runner_that_ends_begins_again(linked: Linked) -> None:
    """What it was fetching is fetched by the next one, under the same id."""
    begun = asyncio.Event()

    async def hang() -> web.Response:
        begun.set()
        await asyncio.sleep(30)
        return web.Response()

    linked.site.answers["/a.png"] = hang
    async with linked.running():
        identifier = await linked.send()
        await begun.wait()
    linked.site.answers["/a.png"] = lambda: web.Response(body=PNG)
    async with linked.running():
        await linked.session.becomes(identifier, "handed_over")

    assert [identifier] == [given for given, _, _ in linked.page.given]


async def test_a_file_that_ends_its_runner_is_not_tried_for_ever(linked: Linked) -> None:
    """Each try is noted before it is made."""
    async with running(linked.session, linked.folder, works=False) as outbox:
        identifier = await linked.send()
        query = f"UPDATE requests SET tries = {rules.TRIES}"
        await outbox.run(lambda database: database.execute(query))
    async with linked.running():
        assert await linked.failed(identifier)

    assert [] == linked.site.asked


async def test_a_fault_of_ours_fails_its_message_alone(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its tries; the next one's file is fetched all the same."""
    keep = linked.media.keep_for

    async def broken(message: str, content: Any, upload: Any, **more: Any) -> None:
        if content.caption == "broken":
            raise RuntimeError("a fault")
        await keep(message, content, upload, **more)

    monkeypatch.setattr(linked.media, "keep_for", broken)
    async with linked.running():
        bad = await linked.ask(Image(link=linked.site.url + "/a.png", caption="broken"))
        good = await linked.send(to="15550100888")
        await linked.session.becomes(good, "handed_over")
        assert await linked.failed(bad)


async def test_a_file_waits_for_room(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no failed try; after a day nobody waits any more."""
    tries = 0

    async def none(_: int) -> None:
        nonlocal tries
        tries += 1
        raise NoMediaRoomError("There is no room.")

    monkeypatch.setattr(linked.media, "make_room", none)
    async with linked.running():
        identifier = await linked.send()
        await async_until("tries", lambda: asyncio.sleep(0, tries), lambda count: count > 2 * rules.TRIES, every=0.01)
        assert "accepted" == await linked.session.status(identifier)
        linked.session.later(days=1)
        assert "no room" in await linked.failed(identifier)


async def test_a_disk_that_does_not_take_it_is_not_the_servers_fault(linked: Linked) -> None:
    """It is no room, too."""

    async def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(NoMediaRoomError):
        await links.fetch(
            linked.site.url + "/a.png",
            type("Full", (), {"write": full})(),
            most=1 << 20,
            destinations=linked.preparer._destinations(),
            extra_ca=None,
            guard=lambda *_: None,
        )


async def test_a_logout_meanwhile_leaves_nothing(linked: Linked) -> None:
    """The message has failed by then, so its file is dropped."""
    begun, there = asyncio.Event(), asyncio.Event()

    async def slowly() -> web.Response:
        begun.set()
        await there.wait()
        return web.Response(body=PNG)

    linked.site.answers["/a.png"] = slowly
    async with linked.running():
        identifier = await linked.send(kind=Document)
        await begun.wait()
        linked.session.say(RunnerState.LOGGED_OUT, linked=False)
        await linked.session.becomes(identifier, "failed")
        there.set()
        await async_until("no task", lambda: asyncio.sleep(0, linked.preparer._tasks), lambda tasks: not tasks)

    assert ([], []) == (linked.page.given, linked.files)


async def test_the_sessions_limits_count_as_they_are_now(linked: Linked) -> None:
    """For an upload when it is sent, for a link while it comes; what is left out is as in the Cloud API."""
    live = linked.session.live
    async with linked.running():
        large = await linked.upload(PNG[:8] + bytes(6 << 20))
        with pytest.raises(MediaError, match="image takes 5242880"):
            await linked.ask(Image(media=large))
        live.replace(LiveSettings(media_limits=MediaLimits(image=7 << 20)))
        await linked.session.becomes(await linked.ask(Image(media=large)), "handed_over")
        live.replace(LiveSettings(media_limits=MediaLimits(image=1000)))
        assert "1000 are the most" in await linked.failed(await linked.send())
        with pytest.raises(MediaError, match="image takes 1000"):
            await linked.ask(Image(media=large))
