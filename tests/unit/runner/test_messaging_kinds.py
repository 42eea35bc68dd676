"""Messages that are about another one, and read marks: what is found out before they are taken, and what after."""

import asyncio
from pathlib import Path
from sqlite3 import Connection

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.messages.contents import Deletion, Edit, Forward, Reaction
from session_runner.messages.errors import BadParameterError, NotLinkedError, QueueFullError, UnsupportedKindError
from session_runner.messages.requests import ReadMark
from session_runner.outbox import marks, people
from session_runner.sending import messaging, read_marks
from support.waiting import async_until
from unit.runner.messaging_harness import FRIEND, Session, running

READ = ReadMark(message="3AF0", typing=False)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A connected session that tries again at once, to which somebody has written."""
    monkeypatch.setattr(messaging, "RETRY", 0.01)
    made = Session()
    made.say(RunnerState.CONNECTED)
    made.door.open(made.page)
    made.page.others = {"3AF0"}
    return made


async def marked(session: Session) -> list[tuple[str, bool]]:
    """Give what the page was told that was read."""
    return session.page.marked


async def test_a_reply_names_what_it_answers(session: Session, tmp_path: Path) -> None:
    """To the page, which finds it under its id; where it is not, the reply fails, and holds up nothing."""
    async with running(session, tmp_path):
        reply = await session.send("Yes", reply_to="3AF0")
        lost, behind = await session.send("No", reply_to="3AF1"), await session.send("behind")
        await session.becomes(reply, "handed_over")
        await session.becomes(lost, "failed")
        await session.becomes(behind, "handed_over")
        found = await session.messaging.find(lost)

    assert found is not None
    assert (131009, ["3AF0", None]) == (found.error, [one["about"] for one in session.page.asked])


async def test_a_message_is_sent_on_from_any_chat(session: Session, tmp_path: Path) -> None:
    """The page finds it when it sends, so nobody is asked before; where it is not, it fails, and holds up nothing."""
    session.page.people = {FRIEND: FRIEND}
    async with running(session, tmp_path):
        there, lost = await session.ask(Forward(message="3AF0")), await session.ask(Forward(message="3AF1"))
        await session.becomes(there, "handed_over")
        await session.becomes(lost, "failed")
        found = await session.messaging.find(lost)

    assert found is not None
    assert (131009, [("forward", "3AF0")]) == (found.error, [(one["kind"], one["about"]) for one in session.page.asked])


async def test_what_the_page_has_no_function_for_fails(session: Session, tmp_path: Path) -> None:
    """A reply is not sent without its quote, and a mark is not waited for; neither holds up what comes after."""
    session.page.lacks_functions = True
    async with running(session, tmp_path):
        reply, behind = await session.send("Yes", reply_to="3AF0"), await session.send("behind")
        await session.becomes(reply, "failed")
        await session.becomes(behind, "handed_over")
        found = await session.messaging.find(reply)
        with pytest.raises(UnsupportedKindError, match="cannot mark"):
            await session.messaging.mark(READ)

    assert found is not None
    assert 131051 == found.error


async def test_what_is_about_nothing_is_refused(session: Session, tmp_path: Path) -> None:
    """If the page says so in time; one of our own messages may be waiting before it."""
    session.page.people = {FRIEND: FRIEND}
    async with running(session, tmp_path):
        with pytest.raises(BadParameterError, match="not in the chat"):
            await session.send("No", reply_to="3AF1")
        session.say(RunnerState.OFFLINE)
        first = await session.send("one")
        session.say(RunnerState.CONNECTED)
        own, other = await session.send("two", reply_to=first), await session.ask(Reaction(message="3AF0", emoji="x"))
        await session.becomes(own, "handed_over")
        await session.becomes(other, "handed_over")

    assert [None, first, "3AF0"] == [one["about"] for one in session.page.asked]


async def test_a_message_is_marked_at_once(session: Session, tmp_path: Path) -> None:
    """And is nothing to do any more then; what the page does not have is refused."""
    async with running(session, tmp_path, works=False) as outbox:
        await session.messaging.mark(ReadMark(message="3AF0", typing=True))
        with pytest.raises(BadParameterError):
            await session.messaging.mark(ReadMark(message="3AF1", typing=False))

        assert [] == await outbox.run(marks.due, account=None, now=0, most=10)
    assert [("3AF0", True)] == session.page.marked


async def test_the_page_learns_where_a_read_message_is(session: Session, tmp_path: Path) -> None:
    """By the ids that its chat may have; of what nobody has told it searches."""

    def see(database: Connection) -> None:
        lid = "204990555000111"
        person = people.resolve(database, number="15550100777", lid=lid, new_user=lambda: "ZZ.1", now=0.0)
        for chat, identifier, own in (
            (person.user_id, "3AF0", 0),
            (person.user_id, "3AF2", 1),
            ("7-1@g.us", "3AF1", 0),
        ):
            row = (chat, identifier, own)
            database.execute("INSERT INTO seen VALUES (?, ?, ?, 'chat', '', '{}', 0, 0)", row)

    session.page.others = {"3AF0", "3AF1", "3AF2"}
    async with running(session, tmp_path, works=False) as outbox:
        await outbox.run(see)
        for identifier in ("3AF0", "3AF1", "3AF2"):
            await session.messaging.mark(ReadMark(message=identifier, typing=False))

    assert [["204990555000111@lid", "15550100777@c.us"], [], []] == session.page.named


@pytest.mark.parametrize("reason", ["the connection", "the page", "an error"])
async def test_a_mark_is_not_lost_while_the_page_is_away(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """It is set when it is back, and nobody is shown typing so late."""
    monkeypatch.setattr(messaging, "TICK", 0.01)
    match reason:
        case "the connection":
            session.say(RunnerState.OFFLINE)
        case "the page":
            session.door.close()
        case _:
            session.page.broken = {"3AF0"}
    async with running(session, tmp_path):
        await session.messaging.mark(ReadMark(message="3AF0", typing=True))
        await asyncio.sleep(0.05)
        session.later(seconds=read_marks.PAUSE)
        session.page.broken = set()
        session.door.open(session.page)
        session.say(RunnerState.CONNECTED)
        await async_until("it is marked", lambda: marked(session), bool, within=20)

    assert [("3AF0", False)] == session.page.marked


async def test_a_message_that_cannot_be_marked_holds_up_no_other(session: Session, tmp_path: Path) -> None:
    """The page fails with the oldest of them; the others are marked in the same round."""
    session.page.broken, session.page.others = {"3AF0"}, {"3AF0", "3AF1"}
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        for message in ("3AF0", "3AF1"):
            await session.messaging.mark(ReadMark(message=message, typing=False))
            session.later(seconds=1)
        session.say(RunnerState.CONNECTED)
        await async_until("the other is marked", lambda: marked(session), bool, within=20)

    assert [("3AF1", False)] == session.page.marked


async def test_the_next_runner_sets_a_mark(session: Session, tmp_path: Path) -> None:
    """With what its predecessor answered, unless another account is linked meanwhile, or nobody."""
    session.say(RunnerState.OFFLINE)
    session.store.show_account("+15550100001")
    async with running(session, tmp_path, works=False) as outbox:
        await session.messaging.mark(READ)
        account = session.messaging._page.account
    async with running(session, tmp_path, works=False) as outbox:
        own = await outbox.run(marks.due, account=account, now=0, most=10)
        others = await outbox.run(marks.due, account="another", now=0, most=10)
        gone = await outbox.run(marks.due, account=account, now=0, most=10)

    assert (["3AF0"], [], []) == (own, others, gone)


async def test_a_logout_forgets_marks(session: Session, tmp_path: Path) -> None:
    """There is nobody to whom they would be told."""
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path) as outbox:
        await session.messaging.mark(READ)
        session.say(RunnerState.LOGGED_OUT, linked=False)
        with pytest.raises(NotLinkedError):
            await session.messaging.mark(READ)

        async def left() -> list[str]:
            return await outbox.run(marks.due, account=None, now=0, most=10)

        await async_until("none is left", left, lambda found: found == [], within=20)


async def test_marks_have_an_end(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of time and of number; the same one asked for again is one."""
    monkeypatch.setattr(read_marks, "MOST_WAITING", 1)
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path, works=False) as outbox:
        await session.messaging.mark(READ)
        await session.messaging.mark(READ)
        with pytest.raises(QueueFullError):
            await session.messaging.mark(ReadMark(message="3AF1", typing=False))
        accepted = session.now.timestamp()
        kept = await outbox.run(marks.due, account=None, now=accepted + marks.KEPT, most=10)

        assert ["3AF0"] == kept
        assert [] == await outbox.run(marks.due, account=None, now=accepted + marks.KEPT + 1, most=10)


async def test_a_change_follows_its_message(session: Session, tmp_path: Path) -> None:
    """Also where that has not gone yet: the order within a chat is kept, and nobody is looked up again."""
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        text = await session.send("Helo")
        edit = (await session.messaging.change(Edit(message=text, body="Hello"))).identifier
        deletion = (await session.messaging.change(Deletion(message=text))).identifier
        session.page.people = {FRIEND: None}
        session.say(RunnerState.CONNECTED)
        late = (await session.messaging.change(Deletion(message=text))).identifier
        await session.becomes(late, "handed_over")

    assert [(text, None), (edit, text), (deletion, text), (late, text)] == [
        (given[0], one["about"]) for given, one in zip(session.page.given, session.page.asked, strict=True)
    ]
