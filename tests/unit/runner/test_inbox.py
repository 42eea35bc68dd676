"""What the page has stored becomes events, once each, in whatever order it comes and whoever dies meanwhile."""

import asyncio
from datetime import timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.messages.contents import Text
from session_runner.messages.errors import NotReadyError
from session_runner.messages.events import Ack, Event, Message, Reaction
from session_runner.messages.progress import Progress
from session_runner.outbox import events, media, requests, seen
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.outbox.requests import NewMessage
from session_runner.receiving import inbox as inbox_module
from support.waiting import async_until
from unit.runner.failing import Died, dying_at, full_once
from unit.runner.inbox_harness import ADA, BOB, NOW, Receiving, T, becomes, chat, ids, published, reaction, receiving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    for name, seconds in {"RETRY": 0.01, "AGAIN": 0.02, "SETTLED": 0.02, "WHOLE": 0.1}.items():
        monkeypatch.setattr(inbox_module, name, seconds)


@pytest.fixture
async def session(tmp_path: Path) -> Receiving:
    """A session that was linked yesterday, and has read all that came with its link."""
    made = Receiving()
    made.say(RunnerState.CONNECTED)
    await settle(made, tmp_path)
    return made


async def settle(session: Receiving, folder: Path) -> None:
    """Let the first synchronisation be over; the file is older than the link."""
    async with open_outbox(folder / "messages.sqlite") as outbox:
        await outbox.run(seen.opened, now=(session.linked - timedelta(days=1)).timestamp())
        await outbox.run(seen.reading, linked=session.linked.timestamp(), now=session.linked.timestamp())
        await outbox.run(seen.caught_up, time=session.linked.timestamp(), synchronised=True)


async def test_what_arrives_is_published_once(session: Receiving, tmp_path: Path) -> None:
    """As often as it is read."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A", body="Hello")
        await becomes(outbox, ("message", "A"))
        session.put(ADA, "B", body="again", quoted="A")
        session.say(RunnerState.RECONNECTING)
        session.say(RunnerState.CONNECTED)
        await becomes(outbox, ("message", "A"), ("message", "B"))
        first, second = [event.data for event in await published(outbox)]

    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert {"type": "text", "text": {"body": "Hello"}} == first.content
    assert first.person is not None
    assert ("15550100701", first.chat, False) == (first.person.wa_id, second.chat, first.late)
    assert second.context is not None


async def test_what_happens_in_a_moments_absence_is_read(
    session: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where that was over before it was looked at: the page had nobody to tell of it."""
    for name in ("SETTLED", "WHOLE"):
        monkeypatch.setattr(inbox_module, name, 3600.0)
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        await async_until("all was read", lambda: asyncio.sleep(0, session.inbox._whole.at), within=20)
        session.page.put(ADA, "B")
        session.say(RunnerState.RECONNECTING)
        session.say(RunnerState.CONNECTED)
        await becomes(outbox, ("message", "A"), ("message", "B"))


async def test_what_arrives_is_read_while_whatsapp_answers_no_message(session: Receiving, tmp_path: Path) -> None:
    """The page is connected then, whatever the state is called."""
    session.say(RunnerState.DEGRADED, reason=StateReason.MESSAGES_UNANSWERED)
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))


async def test_without_an_event_the_timer_finds_it(session: Receiving, tmp_path: Path) -> None:
    """A page that died between storing and telling has told nobody."""
    async with receiving(session, tmp_path) as outbox:
        await asyncio.sleep(0.05)
        session.page.put(ADA, "A", body="silent")
        await becomes(outbox, ("message", "A"))


async def test_neither_time_nor_order_matters(session: Receiving, tmp_path: Path) -> None:
    """Two of one second, one that comes an hour late, one that is older than all that is asked for."""
    async with receiving(session, tmp_path) as outbox:
        for identifier in "ABCDE":
            session.put(ADA, identifier)
        await becomes(outbox, *(("message", one) for one in "ABCDE"))
        session.put(ADA, "LATE", t=T - 3600)
        await becomes(outbox, *(("message", one) for one in "ABCDE"), ("message", "LATE"))
        session.put(ADA, "OLD", t=T - 30 * 86400)
        await becomes(outbox, *(("message", one) for one in "ABCDE"), ("message", "LATE"), ("message", "OLD"))
        late = (await published(outbox))[5].data

    assert isinstance(late, Message)
    assert late.late


async def test_a_chat_is_read_in_its_order(session: Receiving, tmp_path: Path) -> None:
    """Also when it is longer than a piece of it, and than what is stored at once."""
    for number in range(70):
        session.page.put(ADA, f"M{number}", t=T + number)
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, *(("message", f"M{number}") for number in range(70)))


@pytest.mark.parametrize("gives", [True, False])
async def test_what_the_page_did_not_give_is_read(session: Receiving, tmp_path: Path, *, gives: bool) -> None:
    """And what is behind it in its chat with it, so that the order is kept."""
    session.page.gives = gives
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A", t=T - 5)
        await becomes(outbox, ("message", "A"))
        session.page.put(ADA, "B", t=T - 4)
        session.put(ADA, "C", t=T - 3)
        await becomes(outbox, ("message", "A"), ("message", "B"), ("message", "C"))

    assert [f"false_{ADA}_{name}" for name in ("BC" if gives else "ABC")] == session.page.read


async def test_what_arrives_with_the_link_is_new_to_nobody(tmp_path: Path) -> None:
    """However long it goes on coming; what was written since is, and what comes late once that is over."""
    session = Receiving(linked=NOW - timedelta(minutes=1))
    session.page.synchronised = False
    session.page.put(ADA, "H1", t=T - 3600)
    session.page.put(ADA, "NEW", t=T - 10)
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(seen.opened, now=T - 7200.0)
    session.say(RunnerState.CONNECTED)
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, ("message", "NEW"))
        session.put(ADA, "H2", t=T - 1800)
        await asyncio.sleep(0.1)
        session.page.synchronised = True
        session.page.put(BOB, "H3", t=T - 1800)
        await async_until("over", lambda: is_synchronised(outbox), within=20)
        session.put(ADA, "LATE", t=T - 1800)
        await becomes(outbox, ("message", "NEW"), ("message", "LATE"))

    assert not [key for key in session.page.read if "_H" in key]


async def is_synchronised(outbox: Outbox) -> bool:
    """Whether the first synchronisation counts as over."""
    row = await outbox.run(lambda database: database.execute("SELECT synchronised FROM reading").fetchone())
    return bool(row and row[0])


async def test_a_page_that_does_not_say_that_it_has_synchronised(tmp_path: Path) -> None:
    """It is believed to have after half an hour."""
    session = Receiving(linked=NOW - timedelta(minutes=31))
    session.page.synchronised = False
    session.say(RunnerState.CONNECTED)
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(seen.opened, now=0.0)
    async with receiving(session, tmp_path) as outbox:
        await async_until("over", lambda: is_synchronised(outbox), within=20)


async def test_an_account_from_before_its_messages_were_asked_for(tmp_path: Path) -> None:
    """What it had then is as if it had come with the link."""
    session = Receiving(linked=NOW - timedelta(days=10))
    session.page.put(ADA, "BEFORE", t=T - 60)
    session.say(RunnerState.CONNECTED)
    async with receiving(session, tmp_path) as outbox:
        await async_until("over", lambda: is_synchronised(outbox), within=20)
        session.put(ADA, "A", t=T + 1)
        await becomes(outbox, ("message", "A"))


async def test_what_cannot_be_read_yet(session: Receiving, tmp_path: Path) -> None:
    """It is told when it can be; after a while that it waits, and then again under the same id."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "SOON", type="ciphertext")
        session.put(ADA, "AFTER")
        await becomes(outbox, ("message", "AFTER"))
        session.put(ADA, "SOON", type="chat", body="now")
        await becomes(outbox, ("message", "AFTER"), ("message", "SOON"))
        session.put(BOB, "NEVER", type="ciphertext")
        await asyncio.sleep(0.1)
        session.later(seconds=61)
        await becomes(outbox, ("message", "AFTER"), ("message", "SOON"), ("message", "NEVER"))
        session.put(BOB, "NEVER", type="chat", body="after all")
        await becomes(outbox, *(("message", one) for one in ("AFTER", "SOON", "NEVER", "NEVER")))
        waits, filled = [event.data for event in (await published(outbox))[2:]]

    assert isinstance(waits, Message)
    assert isinstance(filled, Message)
    assert ({"type": "ciphertext"}, True) == (waits.content["unsupported"], waits.waiting)
    assert ("after all", False) == (filled.content["text"]["body"], filled.waiting)


async def test_changes_are_published(session: Receiving, tmp_path: Path) -> None:
    """Edits, revokes and reactions, each once, and when a reaction goes."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A", body="one")
        session.put(ADA, "B", body="two")
        await becomes(outbox, ("message", "A"), ("message", "B"))
        session.put(ADA, "A", body="one, edited", edit="E1", editTime=T * 1000.0 + 5000)
        session.put(ADA, "B", type="revoked", body=None)
        session.put(ADA, "A", body="one, edited", reactions=[reaction(ADA, "👍"), reaction("9@c.us", "👎", mine=True)])
        expected = [("message.edited", "A"), ("reaction", "A"), ("reaction", "A"), ("message.deleted", "B")]
        await becomes(outbox, ("message", "A"), ("message", "B"), *expected)
        session.put(ADA, "A", body="one, edited", reactions=[])
        await becomes(outbox, ("message", "A"), ("message", "B"), *expected, ("reaction", "A"), ("reaction", "A"))
        data = [event.data for event in await published(outbox)]

    edited, liked, mine, gone = data[2], data[3], data[4], data[6]
    assert isinstance(edited, Message)
    assert isinstance(liked, Reaction)
    assert isinstance(mine, Reaction)
    assert isinstance(gone, Reaction)
    assert ("one, edited", T + 5) == (edited.content["text"]["body"], edited.timestamp)
    assert ("👍", False, liked.chat) == (liked.emoji, liked.own, liked.person and liked.person.user_id)
    assert ("👎", True, mine.chat) == (mine.emoji, mine.own, mine.person and mine.person.user_id)
    assert gone.emoji is None


async def test_a_reaction_to_what_is_older_than_what_is_read(session: Receiving, tmp_path: Path) -> None:
    """It is told, what was said to it long ago is not, and neither is the message."""
    old = [reaction(ADA, "👍", t=T - 90000), reaction("8@lid", "🎉", t=T * 1000.0)]
    async with receiving(session, tmp_path) as outbox:
        session.page.noted.append((ADA, "another"))
        session.page.put(ADA, "OLD", t=T - 30 * 86400, reactions=old)
        session.inbox.something_happened()
        await becomes(outbox, ("reaction", "OLD"))


async def test_groups_name_who_wrote(session: Receiving, tmp_path: Path) -> None:
    """And react under the group, not under whom they are."""
    group = "1203630@g.us"
    async with receiving(session, tmp_path) as outbox:
        session.put(group, "G1", author=chat(ADA), name="Ada")
        session.put(group, "G2", own=True)
        session.put(group, "G1", author=chat(ADA), reactions=[reaction(BOB, "👍"), reaction("9@c.us", "👎", mine=True)])
        await becomes(outbox, ("message", "G1"), ("reaction", "G1"), ("reaction", "G1"), ("message", "G2"))
        first, liked, mine, second = [event.data for event in await published(outbox)]

    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert isinstance(liked, Reaction)
    assert isinstance(mine, Reaction)
    assert first.person is not None
    assert (group, True, "Ada", "15550100701") == (first.chat, first.group, first.person.name, first.person.wa_id)
    assert (group, "15550100702") == (liked.chat, liked.person and liked.person.wa_id)
    assert (None, None) == (mine.person, second.person)


async def test_what_was_sent_over_the_api_is_no_event(session: Receiving, tmp_path: Path) -> None:
    """Its caller has statuses, each once; what the owner writes on the phone is one, and that they took it back."""
    async with receiving(session, tmp_path) as outbox:
        await outbox.run(
            requests.add,
            NewMessage(
                identifier="OURS",
                given="+1",
                digits="15550100701",
                content=Text(body="x"),
                accepted=T,
                callback_data="order 7",
            ),
        )
        await outbox.run(requests.handed_over, "OURS", page_key="key", time=T + 1.0)
        await outbox.run(requests.record, "OURS", Progress.SENT, time=T + 2.0)
        session.put(ADA, "OURS", own=True)
        session.put(ADA, "OURS", own=True, edit="OURS")
        session.put(ADA, "MINE", own=True)
        await becomes(outbox, ("ack", "OURS"), ("message", "MINE"))
        await outbox.run(requests.record, "OURS", Progress.FAILED, time=T + 3.0, error=131000)
        session.inbox.wake()
        await becomes(outbox, ("ack", "OURS"), ("message", "MINE"), ("ack", "OURS"))
        session.put(ADA, "OURS", own=True, type="revoked")
        session.put(ADA, "MINE", own=True, reactions=[reaction(ADA, "👍", identifier="OURS")])
        await becomes(outbox, ("ack", "OURS"), ("message", "MINE"), ("ack", "OURS"), ("message.deleted", "OURS"))
        acks = [event.data for event in await published(outbox) if isinstance(event.data, Ack)]

    assert [("sent", None), ("failed", 131000)] == [(ack.status, ack.error_code) for ack in acks]
    assert {("15550100701", "order 7")} == {(ack.person.wa_id, ack.callback_data) for ack in acks}


async def test_the_file_of_a_message_is_noted(session: Receiving, tmp_path: Path) -> None:
    """In the same transaction, under the id in the event, so that it can be fetched by it."""
    async with receiving(session, tmp_path) as outbox:
        session.put(
            ADA,
            "F",
            type="document",
            mimetype="application/pdf",
            digest="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            filename="a.pdf",
            size=7,
        )
        session.put(ADA, "G", type="image")
        await becomes(outbox, ("message", "F"), ("message", "G"))
        first, second = [event.data for event in await published(outbox)]
        assert isinstance(first, Message)
        assert isinstance(second, Message)
        found = await outbox.run(media.find, first.content["document"]["id"], now=NOW.timestamp())
        other = await outbox.run(media.find, second.content["image"]["id"], now=NOW.timestamp())

    assert found is not None
    assert other is not None
    assert (f"false_{ADA}_F", "application/pdf", bytes(range(32)).hex(), 7, "a.pdf", False) == (
        found.page_key,
        found.mime_type,
        found.sha256,
        found.size,
        found.filename,
        found.stored,
    )
    assert ("application/octet-stream", None, None) == (other.mime_type, other.sha256, other.size)


async def test_what_is_no_message_is_passed_over(session: Receiving, tmp_path: Path) -> None:
    """Counted, marked as seen, and not tried again; the rest is told."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "BAD", body="x" * 70_000)
        session.put(ADA, "x" * 200)
        session.put("status@broadcast", "S")
        session.put(ADA, "NOTE", type="e2e_notification")
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        await asyncio.sleep(0.3)

    assert 1 == session.page.read.count(f"false_{ADA}_BAD")
    assert f"false_{ADA}_NOTE" not in session.page.read
    assert (session.metrics.registry.get_sample_value("whatsapp_runner_unreadable_messages_total") or 0) >= 3


@pytest.mark.parametrize(
    ("script", "answer"),
    [("inbox_take.js", None), ("inbox_chats.js", {}), ("inbox_list.js", "no"), ("inbox_read.js", [])],
)
async def test_a_page_that_answers_otherwise_is_asked_again(
    session: Receiving, tmp_path: Path, script: str, answer: Any
) -> None:
    """And what it then gives is told."""
    session.page.answers[script] = answer
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await asyncio.sleep(0.1)
        session.page.answers.clear()
        await becomes(outbox, ("message", "A"))


@pytest.mark.parametrize("script", ["inbox_take.js", "inbox_chats.js", "inbox_list.js", "inbox_read.js"])
async def test_a_page_that_dies_meanwhile_is_read_again(session: Receiving, tmp_path: Path, script: str) -> None:
    """Whatever it was doing: what it had noted is lost, what it has stored is not."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        session.page.fails.append(script)
        session.put(ADA, "B")
        await becomes(outbox, ("message", "A"), ("message", "B"))


async def test_a_chat_that_the_page_does_not_list_holds_up_no_other(session: Receiving, tmp_path: Path) -> None:
    """What is in it is told once the page tells it, however late that is; so is a message that it gives later."""
    session.page.put(ADA, "A")
    session.page.put(BOB, "B")
    session.page.put(BOB, "LATER")
    later = f"false_{BOB}_LATER"
    session.page.untold = {ADA, later}
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, ("message", "B"))
        session.now += timedelta(days=9)
        session.put(BOB, "C", t=T + 9 * 86400)
        await becomes(outbox, ("message", "B"), ("message", "C"))
        session.page.untold = set()
        expected = {("message", name) for name in ("A", "B", "C", "LATER")}
        await async_until("all are told", lambda: ids(outbox), lambda found: expected == set(found))


async def test_what_is_gone_when_it_is_read(session: Receiving, tmp_path: Path) -> None:
    """Nothing is told of it, and the others are."""
    session.page.put(ADA, "A")
    session.page.put(ADA, "B")
    session.page.chats[ADA][0]["key"] = "false_elsewhere"
    original = session.page._content

    def content(key: str) -> dict[str, Any] | None:
        return None if key == "false_elsewhere" else original(key)

    session.page._content = content  # type: ignore[method-assign]
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, ("message", "B"))


class Waiting:
    """Somebody who gets every event, and has got none."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.taken = False

    def add_for(self, database: Connection, event: Event, place: int) -> None:
        """Note it."""
        assert database.in_transaction
        assert place > 0
        self.given.append(event.type)

    def waiting(self, database: Connection) -> tuple[int, int]:
        """All of them, until they are taken."""
        assert database
        return 0 if self.taken else len(self.given), 0


async def test_a_runner_may_die_between_any_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each call of the page and each transaction, one after the other: each message is told once."""
    for step in range(24):  # a round of reading has fewer
        folder = tmp_path / str(step)
        folder.mkdir()
        session = Receiving()
        session.say(RunnerState.CONNECTED)
        await settle(session, folder)
        session.page.put(ADA, "A")
        session.page.put(ADA, "B", type="ciphertext")
        session.page.put(BOB, "C", reactions=[reaction(BOB, "👍")])
        await dies_at(step, session, folder, monkeypatch)
        session.page.put(ADA, "B", type="chat", body="filled")
        successor = Receiving()
        successor.page = session.page
        successor.page.lost = True
        successor.door.open(successor.page)
        successor.inbox._random = session.inbox._random
        successor.say(RunnerState.CONNECTED)
        async with receiving(successor, folder) as outbox:
            await async_until("all of it", lambda: ids(outbox), lambda found: len(found) >= 4, within=20)
            await asyncio.sleep(0.02)
            found = await ids(outbox)

        assert [("message", "A"), ("message", "B"), ("message", "C"), ("reaction", "C")] == sorted(found), step


async def dies_at(step: int, session: Receiving, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run until this step, and end there as a kill does."""
    with dying_at(step, session.page, monkeypatch):
        async with open_outbox(folder / "messages.sqlite") as outbox:
            with pytest.raises(Died):
                await asyncio.wait_for(session.inbox.work(outbox), 20)


async def test_the_state_is_published_and_that_a_link_is_needed(tmp_path: Path) -> None:
    """Each once, also over the next runner."""
    session = Receiving()
    session.say(RunnerState.CONNECTED)

    async def kinds() -> list[str]:
        rows = await outbox.run(events.after, 0, most=100)
        return [row.kind for row in rows]

    async with receiving(session, tmp_path) as outbox:
        await async_until("told", kinds, lambda found: found == ["state"], within=20)
        session.say(RunnerState.QR_PENDING, linked=False)
        await async_until("told", kinds, lambda found: len(found) == 3, within=20)
        session.say(RunnerState.LOADING, linked=None)
        await async_until("told", kinds, lambda found: len(found) == 4, within=20)
    successor = Receiving()
    successor.inbox._random = lambda size: bytes([255]) * size
    successor.say(RunnerState.LOADING, linked=False)
    async with receiving(successor, tmp_path) as outbox:
        await asyncio.sleep(0.05)

        assert ["state", "state", "link-needed", "state"] == await kinds()


async def test_nothing_is_answered_while_the_file_is_closed(session: Receiving) -> None:
    """It is said that the runner is not ready."""
    with pytest.raises(NotReadyError):
        await session.inbox.newest()


async def test_a_database_without_room_is_tried_again(
    session: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser keeps the room that is left, and what is not stored is read again."""
    full_once(seen, "take", monkeypatch)
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
