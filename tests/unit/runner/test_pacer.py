"""A session keeps to its pace: what goes at once, what later, and what not at all."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from session_protocol.live_settings import LiveSettings
from session_protocol.pacing import FirstContacts, Pacing
from session_protocol.vocabulary import PacingType, RunnerState, StateReason, WaitReason
from session_runner.messages.contents import Deletion, Reaction
from session_runner.messages.errors import FirstContactsForbiddenError, MessageError, PacedError, PacedToOneError
from session_runner.messages.pacing import LONGEST_EXPECTED, Turn
from session_runner.messages.progress import LONGEST_WAIT, SHORTEST_WAIT
from session_runner.outbox.outbox import Outbox
from session_runner.sending import messaging
from session_runner.store import Restriction
from support.waiting import async_until
from unit.runner.messaging_harness import FRIEND, NOW, Session, running

STRANGERS = [f"1555010080{number}" for number in range(10)]
SLOW = Pacing(type=PacingType.CUSTOM, first_contacts=FirstContacts(burst=2, interval=60))


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A connected session that writes to two strangers at once, and then to one a minute."""
    monkeypatch.setattr(messaging, "RETRY", 0.01)
    made = Session()
    made.say(RunnerState.CONNECTED)
    made.door.open(made.page)
    made.page.strangers = set(STRANGERS)
    made.page.people = {number: number for number in (FRIEND, *STRANGERS)}
    made.live.replace(LiveSettings(pacing=SLOW))
    return made


@pytest.fixture
async def outbox(session: Session, tmp_path: Path) -> AsyncIterator[Outbox]:
    """Its outbox, while it is at work."""
    async with running(session, tmp_path) as opened:
        yield opened


async def writes(session: Session, numbers: list[str], text: str = "Hello") -> list[str]:
    """Send to each; gives the ids."""
    return [await session.send(text, to=number) for number in numbers]


def went_to(session: Session) -> list[str]:
    """Whom the page was given messages for."""
    return [chat.partition("@")[0] for _, chat, _ in session.page.given]


async def later(session: Session, seconds: float) -> None:
    """Let time pass, and a round after it."""
    session.later(seconds=seconds)
    session.messaging.acks_changed()
    await asyncio.sleep(0.1)


@pytest.mark.usefixtures("outbox")
async def test_strangers_are_written_to_one_by_one(session: Session) -> None:
    """A reply that is asked for later overtakes them; whoever asks is told why it waits, and until when."""
    ids = await writes(session, STRANGERS[:4])
    reply = await session.send("Of course")
    await session.becomes(reply, "handed_over")
    turns = [await session.messaging.turn(identifier) for identifier in ids]
    for identifier in ids[2:]:  # the next one's time counts from when this one went
        await later(session, 90)
        await session.becomes(identifier, "handed_over")

    assert [*STRANGERS[:2], FRIEND, *STRANGERS[2:4]] == went_to(session)
    assert [None, None] == turns[:2]
    assert all(isinstance(turn, Turn) and turn.reason is WaitReason.FIRST_CONTACTS for turn in turns[2:])
    (third, fourth) = (turn.at - NOW.timestamp() for turn in turns[2:] if turn is not None)
    assert 30 <= third <= 90
    assert 30 <= fourth - third <= 90


@pytest.mark.usefixtures("outbox")
async def test_what_has_waited_for_its_turn_is_tried_as_long_as_anything_else(session: Session) -> None:
    """Its page may be away for a moment just then: the time before its turn is none in which it was tried."""
    session.live.replace(
        LiveSettings(pacing=Pacing(type=PacingType.CUSTOM, first_contacts=FirstContacts(burst=1, interval=300)))
    )
    first, second = await writes(session, STRANGERS[:2])
    await session.becomes(first, "handed_over")
    session.page.broken = {"Hello"}
    session.later(seconds=SHORTEST_WAIT)
    session.messaging.acks_changed()
    await session.becomes(second, "handing_over")
    await asyncio.sleep(0.5)
    tried = await session.status(second)
    session.page.broken = set()
    await session.becomes(second, "handed_over")

    assert "handing_over" == tried


async def test_the_next_runner_keeps_the_pace(session: Session, tmp_path: Path) -> None:
    """It reads what went; what was planned stays so."""
    async with running(session, tmp_path):
        ids = await writes(session, STRANGERS[:3])
        await session.becomes(ids[1], "handed_over")
        turn = await session.messaging.turn(ids[2])
    successor = Session()
    successor.page = session.page
    successor.say(RunnerState.CONNECTED)
    successor.door.open(successor.page)
    successor.live.replace(LiveSettings(pacing=SLOW))
    async with running(successor, tmp_path):
        await asyncio.sleep(0.1)

        assert "accepted" == await successor.status(ids[2])
        assert turn == await successor.messaging.turn(ids[2])


@pytest.mark.usefixtures("outbox")
async def test_turning_it_off_sends_what_waits(session: Session) -> None:
    """In the running pod, at once."""
    ids = await writes(session, STRANGERS[:5])
    await session.becomes(ids[1], "handed_over")
    session.live.replace(LiveSettings(pacing=Pacing(type=PacingType.NONE)))
    await session.becomes(ids[-1], "handed_over")

    assert STRANGERS[:5] == went_to(session)


async def test_whoever_writes_is_no_stranger_any_more(session: Session, outbox: Outbox) -> None:
    """By what was seen of the chat meanwhile, or by what the page says when they are answered."""
    ids = await writes(session, STRANGERS[:4])
    await session.becomes(ids[1], "handed_over")

    def see(database: sqlite3.Connection) -> None:
        database.execute("INSERT INTO people (user_id, number) VALUES ('ZZ.1', ?)", (STRANGERS[2],))
        row = "(chat, id, own, type, edit, reactions, noticed, kept_from) VALUES ('ZZ.1', ?, 0, ?, '', '', 0, 0)"
        for identifier, kind in (("N", "e2e_notification"), ("A", "chat")):
            database.execute(f"INSERT INTO seen {row}", (identifier, kind))

    await outbox.run(see)
    await later(session, 1)
    await session.becomes(ids[2], "handed_over")
    session.page.strangers = set()
    answer = await session.send("Thank you", to=STRANGERS[3])
    await session.becomes(answer, "handed_over")

    assert [*STRANGERS[:3], STRANGERS[3], STRANGERS[3]] == went_to(session)


@pytest.mark.usefixtures("outbox")
async def test_who_is_a_stranger_is_asked_later_too(session: Session) -> None:
    """Of what was accepted while the page was away; a page that does not know has strangers alone."""
    session.say(RunnerState.RECONNECTING)
    friends = await writes(session, [FRIEND] * 3)
    ids = await writes(session, STRANGERS[:3])
    session.say(RunnerState.CONNECTED)
    await session.becomes(ids[1], "handed_over")
    await later(session, 1)
    session.say(RunnerState.RECONNECTING)
    more = await writes(session, STRANGERS[3:5])
    session.page.strangers = None
    session.say(RunnerState.CONNECTED)
    await later(session, 1)

    assert [FRIEND] * 3 + STRANGERS[:2] == went_to(session)
    assert "handed_over" == await session.status(friends[0])
    assert await session.messaging.turn(more[0]) is not None


@pytest.mark.usefixtures("outbox")
async def test_reactions_and_changes_count_nowhere(session: Session) -> None:
    """To a stranger, too: each is about a message that was counted, or that somebody else wrote."""
    session.page.others = {"3AF0"}
    (first, second) = await writes(session, STRANGERS[:2])
    await session.becomes(second, "handed_over")
    reaction = await session.ask(Reaction(message="3AF0", emoji="x"), to=STRANGERS[2])
    deletion = (await session.messaging.change(Deletion(message=first))).identifier
    await session.becomes(reaction, "handed_over")
    await session.becomes(deletion, "handed_over")


async def refused(session: Session, to: str = STRANGERS[-1]) -> MessageError:
    """Send what is refused."""
    with pytest.raises(MessageError) as caught:
        await session.send("Hello", to=to)
    return caught.value


@pytest.mark.usefixtures("outbox")
async def test_what_would_wait_too_long_is_refused(session: Session) -> None:
    """With the seconds after which it would be taken, and the Cloud API's code; others are taken on."""
    custom = FirstContacts(burst=2, interval=60, per_day=3)
    session.live.replace(LiveSettings(pacing=Pacing(type=PacingType.CUSTOM, first_contacts=custom)))
    ids = await writes(session, STRANGERS[:3])
    await session.becomes(ids[1], "handed_over")
    error = await refused(session)
    await session.becomes(await session.send("Yes"), "handed_over")

    assert isinstance(error, PacedError)
    assert 24 * 3600 - LONGEST_EXPECTED == error.retry_after
    await later(session, error.retry_after)
    assert await session.send("Hello", to=STRANGERS[-1])


@pytest.mark.usefixtures("outbox")
async def test_a_days_end_is_kept_when_nothing_waits(session: Session) -> None:
    """What went is looked at for each request, also when it would be the first to wait."""
    custom = FirstContacts(burst=2, interval=60, per_day=2)
    session.live.replace(LiveSettings(pacing=Pacing(type=PacingType.CUSTOM, first_contacts=custom)))
    ids = await writes(session, STRANGERS[:2])
    await session.becomes(ids[1], "handed_over")

    assert isinstance(await refused(session), PacedError)


async def test_one_person_is_not_flooded(session: Session, tmp_path: Path) -> None:
    """Beyond what would go in an hour the code is the Cloud API's for that."""
    error: MessageError | None = None
    async with running(session, tmp_path, works=False):
        for _ in range(messaging.MOST_WAITING):
            try:
                await session.send("Hello")
            except MessageError as found:
                error = found
                break
        await session.send("Hello", to=STRANGERS[0])

    assert isinstance(error, PacedToOneError)


@pytest.mark.usefixtures("outbox")
async def test_what_waited_too_long_has_failed(session: Session) -> None:
    """It says so: a pace that was slowed down meanwhile does not keep what was expected."""
    ids = await writes(session, STRANGERS[:5])
    await session.becomes(ids[1], "handed_over")
    slower = FirstContacts(burst=2, interval=60, per_day=2)
    session.live.replace(LiveSettings(pacing=Pacing(type=PacingType.CUSTOM, first_contacts=slower)))
    await later(session, LONGEST_WAIT)
    await session.becomes(ids[4], "failed")
    found = await session.messaging.find(ids[4])

    assert found is not None
    assert PacedError.code == found.error


@pytest.mark.parametrize("reason", [StateReason.TIME_LOCK, StateReason.MESSAGES_CAPPED])
@pytest.mark.usefixtures("outbox")
async def test_what_whatsapp_forbids_is_refused(session: Session, reason: StateReason) -> None:
    """At once and with the end, as far as it is known; what waited has failed with the same code; replies go."""
    ids = await writes(session, STRANGERS[:3])
    await session.becomes(ids[1], "handed_over")
    session.say(RunnerState.RESTRICTED, reason=reason)
    session.store.restriction = Restriction(reason, NOW.timestamp() + 100)
    error = await refused(session)
    session.store.restriction = Restriction(reason)
    endless = await refused(session)
    reply = await session.send("Of course")
    await session.becomes(reply, "handed_over")
    await session.becomes(ids[2], "failed")
    found = await session.messaging.find(ids[2])

    assert isinstance(error, FirstContactsForbiddenError)
    assert (131048, 100, 3600) == (error.code, error.retry_after, endless.retry_after)
    assert "2026-11-30T00:01:40Z" in str(error)
    assert found is not None
    assert 131048 == found.error
    session.store.restriction = None
    assert await session.send("Hello", to=STRANGERS[4])


@pytest.mark.usefixtures("outbox")
async def test_new_terms_hold_everything(session: Session) -> None:
    """Nobody gets anything before the owner has accepted them, so that nothing is given to the page."""
    session.say(RunnerState.RESTRICTED, reason=StateReason.TERMS_NOT_ACCEPTED)
    session.store.restriction = Restriction(StateReason.TERMS_NOT_ACCEPTED)
    ids = await writes(session, [FRIEND, STRANGERS[0]])
    await asyncio.sleep(0.1)
    before = went_to(session)
    session.say(RunnerState.CONNECTED)
    await session.becomes(ids[1], "handed_over")

    assert [] == before


@pytest.mark.usefixtures("outbox")
async def test_a_fresh_link_is_slower(session: Session) -> None:
    """With strangers, for a week."""
    session.store.publish(
        state=RunnerState.CONNECTED, reason=StateReason.AS_EXPECTED, message="", linked_time=NOW, durable_time=None, round=0, linked=True
    )  # fmt: skip
    ids = await writes(session, STRANGERS[:2])
    await session.becomes(ids[0], "handed_over")
    turn = await session.messaging.turn(ids[1])

    assert turn is not None
    assert 60 <= turn.at - NOW.timestamp() <= 180


@pytest.mark.usefixtures("outbox")
async def test_what_waits_for_its_turn_is_measured_apart(session: Session) -> None:
    """How many, and since when; the oldest that the page is to get is another one."""
    ids = await writes(session, STRANGERS[:4])
    await session.becomes(ids[1], "handed_over")
    latest = session.messaging._metrics.oldest

    async def look() -> tuple[float | None, float | None, int]:
        return latest.latest.accepted, latest.latest.paced, latest.latest.paced_count

    await async_until("it is measured", look, lambda found: found == (None, NOW.timestamp(), 2), within=5)
    samples = {sample.name for family in latest.collect() for sample in family.samples}
    assert {"whatsapp_runner_messages_paced", "whatsapp_runner_messages_oldest_timestamp_seconds"} == samples
