"""What a page may hold, and a receiver may leave, of messages: reading stops at a bound, and nothing is lost by it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.messages.contents import Text
from session_runner.messages.progress import Progress
from session_runner.outbox import events, notices, readings, requests
from session_runner.outbox.requests import NewMessage
from session_runner.receiving import inbox as inbox_module
from support.waiting import async_until
from unit.runner.inbox_harness import ADA, BOB, Receiving, T, becomes, ids, receiving
from unit.runner.test_inbox import Waiting, quick, session, settle

__all__ = ["quick", "session"]


def reading_stopped(session: Receiving) -> float | None:
    """What the metric says."""
    return session.metrics.registry.get_sample_value("whatsapp_runner_message_reading_stopped")


async def test_a_very_long_chat_is_read_in_parts(
    session: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first, and in its order; no more of it is held at once."""
    monkeypatch.setattr(inbox_module, "MOST_HELD", 4)
    read: list[int] = []
    original = inbox_module.Inbox._publish

    async def counted(self: Any, outbox: Any, who: Any, news: Any, reading: Any) -> None:
        read.append(len(news))
        await original(self, outbox, who, news, reading)

    monkeypatch.setattr(inbox_module.Inbox, "_publish", counted)
    for number in range(30):
        session.page.put(ADA, f"M{number}", t=T + number)
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, *(("message", f"M{number}") for number in range(30)))

    assert 4 == max(read)


async def test_a_long_chat_of_which_nothing_is_given(
    session: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for again with the next reading, and others have their turn."""
    monkeypatch.setattr(inbox_module, "MOST_HELD", 2)
    for number in range(9):
        session.page.put(ADA, f"M{number}")
    session.page.put(BOB, "B")
    content = session.page._content
    session.page._content = lambda key: None if ADA in key else content(key)  # type: ignore[method-assign]
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, ("message", "B"))


async def test_at_the_bound_nothing_more_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, the page keeps what is there, and with room again it is told."""
    waiting = Waiting()
    session = Receiving(deliveries=waiting)
    session.say(RunnerState.CONNECTED)
    await settle(session, tmp_path)
    monkeypatch.setattr(events, "MOST", 2)
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        session.put(ADA, "B")
        stopped = await async_until("it has stopped", lambda: asyncio.sleep(0, reading_stopped(session)), within=20)
        await asyncio.sleep(0.1)
        before = await ids(outbox)
        waiting.taken = True
        session.inbox.wake()
        await becomes(outbox, ("message", "A"), ("message", "B"))

    assert ([("message", "A")], 1.0) == (before, stopped)
    assert 1 == caplog.text.count("no more messages are read")
    assert ["state", "message", "message"] == waiting.given


@pytest.mark.parametrize("is_noted", [False, True])
async def test_at_the_bound_reading_stops_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_noted: bool
) -> None:
    """In the middle of a chat, whether the page told of it or not; the rest is read in its order when there is room."""
    monkeypatch.setattr(events, "MOST", 5)
    monkeypatch.setattr(inbox_module, "AT_ONCE", 2)
    waiting = Waiting()
    session = Receiving(deliveries=waiting)
    session.say(RunnerState.CONNECTED)
    await settle(session, tmp_path)
    async with receiving(session, tmp_path) as outbox:
        await asyncio.sleep(0.05)
        for number in range(15):
            key = session.page.put(ADA, f"M{number:02}", t=T + number)
            session.page.noted += [(ADA, key)] if is_noted else []
        session.page.put(BOB, "B")
        session.inbox.something_happened()
        await async_until("full", lambda: asyncio.sleep(0, waiting.given), lambda found: len(found) > 4, within=20)
        await asyncio.sleep(0.1)
        assert len(waiting.given) < 8
        waiting.taken = True
        session.inbox.wake()
        await async_until("all", lambda: ids(outbox), lambda found: len(found) == 16, within=20)
        of_ada = [identifier for _, identifier in await ids(outbox) if identifier != "B"]

    assert sorted(of_ada) == of_ada


async def test_at_the_bound_nothing_else_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statuses wait at their requests, as many as there are, and of the states the newest is told then."""
    waiting = Waiting()
    waiting.given.extend(["message"] * 2)
    monkeypatch.setattr(events, "MOST", 2)
    monkeypatch.setattr(notices, "MOST", 2)
    original, states = readings.begin, list[RunnerState]()

    def begin(database: Any, how: Any, state: readings.State) -> readings.Begun:
        states.append(state.state)
        return original(database, how, state)

    monkeypatch.setattr(readings, "begin", begin)
    session = Receiving(deliveries=waiting)
    session.say(RunnerState.CONNECTED)
    await settle(session, tmp_path)
    async with receiving(session, tmp_path) as outbox:
        for number in range(5):
            one = f"3EB{number}"
            request = NewMessage(identifier=one, given="1", digits="15550100701", content=Text(body="x"), accepted=T)
            await outbox.run(requests.add, request)
            await outbox.run(requests.record, one, Progress.SENT, time=T + 1.0)
        session.say(RunnerState.RECONNECTING)
        session.say(RunnerState.DEGRADED)
        session.inbox.wake()
        await async_until(
            "the newest state is seen",
            lambda: asyncio.sleep(0, states[-1:]),
            within=20,
            accept=lambda found: found == [RunnerState.DEGRADED],
        )
        assert ["message"] * 2 == waiting.given
        waiting.taken = True
        session.inbox.wake()
        await async_until("all", lambda: asyncio.sleep(0, waiting.given), lambda found: len(found) == 8, within=20)

    assert ["state", *["ack"] * 5] == waiting.given[2:]
