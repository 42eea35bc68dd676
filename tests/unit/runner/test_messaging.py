"""A message from the request to its last receipt, and each way in which that is disturbed."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.commands import MAX_WAITING
from session_runner.messages.contents import Text
from session_runner.messages.errors import (
    KeyInUseError,
    KeyReusedError,
    NobodyThereError,
    NotLinkedError,
    NotReadyError,
    NoUserIdError,
    QueueFullError,
)
from session_runner.messages.progress import LONGEST_WAIT, SHORTEST_WAIT, TRIES
from session_runner.messages.requests import SendRequest
from session_runner.outbox import people, schema
from session_runner.sending import handing_over, messaging
from support.waiting import async_until
from unit.runner.messaging_harness import FRIEND, Session, running


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A connected session that tries again at once."""
    monkeypatch.setattr(messaging, "RETRY", 0.01)
    made = Session()
    made.say(RunnerState.CONNECTED)
    made.door.open(made.page)
    return made


async def test_a_message_goes_its_way(session: Session, tmp_path: Path) -> None:
    """It is handed over once, and followed as often as the page tells that there is something to know."""
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        await session.becomes(identifier, "handed_over")
        for ack, status in ((1, "sent"), (2, "delivered"), (3, "read")):
            session.page.acks[identifier] = ack
            session.messaging.acks_changed()
            await session.becomes(identifier, status)

    assert [(identifier, f"{FRIEND}@c.us", "Hello")] == session.page.given


async def test_what_happened_while_it_was_away_is_seen_at_once(session: Session, tmp_path: Path) -> None:
    """However short it was: no event tells of it, as the page had none to tell it to."""
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        await session.becomes(identifier, "handed_over")
        session.say(RunnerState.RECONNECTING)
        session.page.acks[identifier] = 3
        session.say(RunnerState.CONNECTED)
        await session.becomes(identifier, "read")

    assert 1 == len(session.page.given)


async def test_a_backlog_goes_without_a_pause(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it at once, in its order, although a round takes some of it."""
    monkeypatch.setattr(handing_over, "AT_ONCE", 3)
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        sent = [await session.send(str(number)) for number in range(10)]
        session.say(RunnerState.CONNECTED)
        await session.becomes(sent[-1], "handed_over")

    assert sent == [identifier for identifier, _, _ in session.page.given]


async def test_what_whatsapp_refused_has_failed(session: Session, tmp_path: Path) -> None:
    """And only that; without a word it stays with the page."""
    async with running(session, tmp_path):
        refused, silent = await session.send("no"), await session.send("well")
        await session.becomes(silent, "handed_over")
        session.page.acks[refused] = -1
        session.messaging.acks_changed()
        await session.becomes(refused, "failed")
        found = await session.messaging.find(refused)

        assert "handed_over" == await session.status(silent)
    assert found is not None
    assert 131000 == found.error


async def test_it_waits_for_the_connection(session: Session, tmp_path: Path) -> None:
    """What is asked for meanwhile goes when the session is connected again, in its order."""
    session.say(RunnerState.RECONNECTING)
    async with running(session, tmp_path):
        first, second = await session.send("one"), await session.send("two")
        await asyncio.sleep(0.05)
        before = list(session.page.given)
        session.say(RunnerState.CONNECTED)
        await session.becomes(second, "handed_over")

    assert ([], [first, second]) == (before, [one[0] for one in session.page.given])


async def test_a_page_that_died_with_a_message_gets_it_once(session: Session, tmp_path: Path) -> None:
    """It has stored it, which is found out before it is told again."""
    session.page.dies_with = {"Hello"}
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        await session.becomes(identifier, "handed_over")

    assert 1 == len(session.page.given)


async def test_the_next_runner_goes_on(session: Session, tmp_path: Path) -> None:
    """With what was accepted by one that ended before its page was told."""
    async with running(session, tmp_path, works=False):
        identifier = await session.send("Hello")
    successor = Session()
    successor.page = session.page
    successor.say(RunnerState.CONNECTED)
    successor.door.open(successor.page)
    async with running(successor, tmp_path):
        await successor.becomes(identifier, "handed_over")

    assert [identifier] == [one[0] for one in session.page.given]


async def test_a_bad_message_holds_up_its_chat_alone(session: Session, tmp_path: Path) -> None:
    """Until it is given up, which it is only when the page says that it does not have it."""
    session.page.broken = {"bad"}
    async with running(session, tmp_path):
        bad, behind = await session.send("bad"), await session.send("behind")
        other = await session.send("other", to="15550100888")
        await session.becomes(other, "handed_over")
        await session.becomes(behind, "accepted")  # while the first is tried again it counts as begun for a moment
        session.later(seconds=SHORTEST_WAIT)
        await session.becomes(bad, "failed")
        await session.becomes(behind, "handed_over")

    assert ["other", "behind"] == [text for _, _, text in session.page.given]
    assert TRIES > 1


async def test_what_the_sender_wants_back_is_stored_with_the_message(session: Session, tmp_path: Path) -> None:
    """So that each status has it, whichever runner tells it."""
    request = SendRequest(given=FRIEND, digits=FRIEND, content=Text(body="Hello"), callback_data="order 7")
    async with running(session, tmp_path, works=False) as outbox:
        identifier = (await session.messaging.accept(request)).identifier
        row = await outbox.run(lambda database: database.execute("SELECT id, callback_data FROM requests").fetchone())
    assert (identifier, "order 7") == tuple(row)


async def test_what_waits_goes_in_one_call(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all chats; in each what is behind a message that the page does not take was not begun, and can still be refused."""
    monkeypatch.setattr(messaging, "RETRY", 30)  # while it is tried again it counts as begun for a moment
    session.page.broken = {"stuck"}
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        sent = [await session.send(str(number), to=f"1555010088{number % 3}") for number in range(9)]
        stuck, behind = await session.send("stuck"), await session.send("behind")
        session.say(RunnerState.CONNECTED)
        await session.becomes(sent[-1], "handed_over")
        await session.becomes(stuck, "handing_over")
        await session.becomes(behind, "accepted")
    assert 11 == session.page.calls[0]
    assert sent == [identifier for identifier, _, _ in session.page.given]


async def test_a_chat_that_the_page_is_still_at_holds_up_no_other(session: Session, tmp_path: Path) -> None:
    """However long: that is no failed try, nothing overtakes within the chat, and it goes on when the page says so."""
    session.page.hangs = {"slow"}
    async with running(session, tmp_path):
        slow, behind = await session.send("slow"), await session.send("behind")
        for number in range(3):
            await session.becomes(await session.send(str(number), to="15550100888"), "handed_over")
        session.later(seconds=SHORTEST_WAIT)
        await asyncio.sleep(0.2)
        assert "handing_over" == await session.status(slow)
        session.page.hangs.clear()
        session.messaging.wake()
        await session.becomes(behind, "handed_over")

    assert ["0", "1", "2", "slow", "behind"] == [text for _, _, text in session.page.given]


async def test_messages_of_which_no_page_was_asked_are_not_begun(session: Session, tmp_path: Path) -> None:
    """A page that went in the moment before: the phone that unlinks next leaves them refused and not in doubt."""
    session.door.close()
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        await asyncio.sleep(0.1)
        session.say(RunnerState.LOGGED_OUT, linked=False)
        await session.becomes(identifier, "failed")
    assert [] == session.page.calls


async def test_a_page_with_too_many_commands_has_begun_nothing(session: Session, tmp_path: Path) -> None:
    """So nothing counts as begun, and the next round hands it over."""
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        session.door._asked = MAX_WAITING
        session.say(RunnerState.CONNECTED)
        await asyncio.sleep(0.1)
        before = await session.status(identifier)
        session.door._asked = 0
        await session.becomes(identifier, "handed_over")

    assert ("accepted", 1) == (before, len(session.page.given))


async def test_a_message_of_yesterday_is_not_sent(session: Session, tmp_path: Path) -> None:
    """Nobody expects it any more."""
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        identifier = await session.send("Good morning")
        session.later(seconds=LONGEST_WAIT)
        session.say(RunnerState.CONNECTED)
        await session.becomes(identifier, "failed")

    assert [] == session.page.given


async def test_without_a_page_no_try_is_counted(session: Session, tmp_path: Path) -> None:
    """A browser that starts anew has refused nothing."""
    session.door.close()
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        await asyncio.sleep(0.3)
        session.later(seconds=SHORTEST_WAIT)
        session.door.open(session.page)
        await session.becomes(identifier, "handed_over")

    assert 1 == len(session.page.given)


async def test_a_logout_ends_what_waits(session: Session, tmp_path: Path) -> None:
    """Another phone may be linked next, whose messages these are not."""
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        session.say(RunnerState.LOGGED_OUT, linked=False)
        await session.becomes(identifier, "failed")
        with pytest.raises(NotLinkedError):
            await session.send("to nobody")


async def test_another_account_sends_nothing_of_the_first(session: Session, tmp_path: Path) -> None:
    """Also where nobody saw the time between the two, and the page was told of a message."""
    session.store.show_account("+15550100001")
    session.page.broken = {"perhaps"}
    async with running(session, tmp_path):
        perhaps = await session.send("perhaps")
        await session.becomes(perhaps, "handing_over")
        session.say(RunnerState.OFFLINE)
        waits = await session.send("Hello")
        session.page.broken = set()
        session.store.show_account("+15550100002")
        session.say(RunnerState.CONNECTED)
        await session.becomes(waits, "failed")
        await session.becomes(perhaps, "handed_over")
        own = await session.send("mine")
        await session.becomes(own, "handed_over")

    assert ["mine"] == [text for _, _, text in session.page.given]


async def test_the_page_knows_of_another_account_first(session: Session, tmp_path: Path) -> None:
    """It is told whose message it is, and does not take it."""
    session.store.show_account("+15550100001")
    session.page.own = "15550100002"
    async with running(session, tmp_path):
        identifier = await session.send("Hello")
        await session.becomes(identifier, "handing_over")
        await asyncio.sleep(0.05)
        session.store.show_account("+15550100002")
        await session.becomes(identifier, "handed_over")

    assert [] == session.page.given


async def test_a_number_is_looked_up(session: Session, tmp_path: Path) -> None:
    """It goes to whom WhatsApp knows by it; nobody is refused; where it could not be asked, it goes as it is."""
    session.page.people = {"5511955501002": "551155501002", "15550100803": None}
    async with running(session, tmp_path):
        known, unknown = await session.send("Oi", to="5511955501002"), await session.send("Hi", to="15550100804")
        with pytest.raises(NobodyThereError):
            await session.send("Hello?", to="15550100803")
        await session.becomes(known, "handed_over")
        await session.becomes(unknown, "handed_over")

    assert ["551155501002@c.us", "15550100804@c.us"] == [chat for _, chat, _ in session.page.given]


async def test_the_same_key_is_the_same_message(session: Session, tmp_path: Path) -> None:
    """Another request with it is refused, and one that comes while the first is being stored."""
    async with running(session, tmp_path):
        first = await session.send("Hello", key="k")
        again = await session.send("Hello", key="k")
        with pytest.raises(KeyReusedError):
            await session.send("Other", key="k")
        both = await asyncio.gather(*(session.send("Two", key="k2") for _ in range(2)), return_exceptions=True)
        await session.becomes(first, "handed_over")

    assert first == again
    assert {str, KeyInUseError} == {type(one) for one in both}


async def test_the_queue_has_an_end(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told when to come again."""
    monkeypatch.setattr(messaging, "MOST_WAITING", 2)
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        for _ in range(2):
            await session.send("Hello")
        with pytest.raises(QueueFullError):
            await session.send("One more")


async def test_a_runner_without_its_profile_says_so(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was stored, so nothing is promised."""
    monkeypatch.setattr(messaging, "OPEN_SECONDS", 0.01)
    with pytest.raises(NotReadyError):
        await session.send("Hello")


async def test_a_message_that_the_volume_did_not_take_is_to_be_sent_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the runner, and nothing is sent."""

    def full(*_arguments: object, **_named: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("session_runner.outbox.requests.add", full)
    async with running(session, tmp_path):
        with pytest.raises(NotReadyError, match="did not take the message"):
            await session.send("Hello")

    assert [] == session.page.given


async def test_a_full_volume_is_waited_out(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is taken meanwhile, which is logged once; with room again a message goes."""
    monkeypatch.setattr(messaging, "OPEN_SECONDS", 0.1)
    monkeypatch.setattr(messaging, "REOPEN", 0.01)
    settings = schema._SETTINGS
    monkeypatch.setattr(schema, "_SETTINGS", f"{settings}PRAGMA max_page_count = 1;")
    opening = asyncio.create_task(_send_when_open(session, tmp_path))
    await async_until("the volume is full", _now(caplog.records.__len__), bool, within=20)
    with pytest.raises(NotReadyError, match="no room"):
        await session.send("too early")
    monkeypatch.setattr(schema, "_SETTINGS", settings)
    await asyncio.wait_for(opening, 20)

    assert ["Hello"] == [text for _, _, text in session.page.given]
    assert 1 == sum("no room" in record.getMessage() for record in caplog.records)


def _now(look: Callable[[], int]) -> Callable[[], Awaitable[int]]:
    async def looked() -> int:
        return look()

    return looked


async def _send_when_open(session: Session, folder: Path) -> None:
    async with running(session, folder):
        await session.becomes(await session.send("Hello"), "handed_over")


def test_the_own_number_is_the_accounts(session: Session) -> None:
    """Before the page has told it nobody knows it, and without a phone there is none."""
    page = session.parts.base.page
    with pytest.raises(NotReadyError):
        page.own_number()
    session.store.show_account("+15550100001")
    known = page.own_number()
    session.say(RunnerState.QR_PENDING, linked=False)
    with pytest.raises(NotLinkedError):
        page.own_number()

    assert "15550100001" == known


async def test_a_person_is_addressed_by_user_id(session: Session, tmp_path: Path) -> None:
    """At the number that is known of them; without one it is refused."""

    async def send(user: str) -> str:
        request = SendRequest(given=user, digits="", content=Text(body="Hello"))
        return (await session.messaging.accept(request)).digits

    async with running(session, tmp_path) as outbox:
        known = await outbox.run(people.resolve, number=FRIEND, lid=None, new_user=lambda: "ZZ.1", now=0.0)
        hidden = await outbox.run(people.resolve, number=None, lid="900", new_user=lambda: "ZZ.2", now=0.0)

        assert FRIEND == await send(known.user_id)
        for user in (hidden.user_id, "ZZ.3"):
            with pytest.raises(NoUserIdError):
                await send(user)


async def test_what_waits_behind_one_message_holds_up_no_other_chat(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much it is: a chat whose first message the page does not take yet fills no round."""
    monkeypatch.setattr(handing_over, "AT_ONCE", 2)
    monkeypatch.setattr(messaging, "RETRY", 30)
    session.page.broken = {"stuck"}
    session.say(RunnerState.OFFLINE)
    async with running(session, tmp_path):
        for text in ("stuck", "behind", "behind"):
            await session.send(text)
        other = await session.send("other", to="15550100888")
        session.say(RunnerState.CONNECTED)
        await session.becomes(other, "handed_over")

    assert ["other"] == [text for _, _, text in session.page.given]
