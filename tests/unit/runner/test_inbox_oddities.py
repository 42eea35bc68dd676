"""What strangers make up, what fails in between, and people who turn out to be one: nothing is lost, or told twice."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.outbox import events, seen
from session_runner.receiving import inbox as inbox_module
from support.waiting import async_until
from unit.runner.failing import full_once
from unit.runner.inbox_harness import ADA, BOB, Receiving, becomes, chat, reaction, receiving
from unit.runner.test_inbox import quick as quick  # noqa: PLC0414 -- a fixture
from unit.runner.test_inbox import session as session  # noqa: PLC0414 -- a fixture


async def test_what_its_author_made_up_ends_nothing(session: Receiving, tmp_path: Path) -> None:
    """A name that was cut within an emoji, a size and times that no file and no clock has: it is told all the same."""
    made_up: dict[str, Any] = {
        "body": "cut \ud83d",
        "filename": "\ud83d",
        "mimetype": "application/pdf",
        "editTime": 9e18,
    }
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A", type="document", size=1.8e19, **made_up)
        session.put(BOB, "B", body="\ud83d", reactions=[reaction(BOB, "\ud83d", t=-5), reaction(ADA, "+", t=9e18)])
        session.put(ADA, "C", type="document", size=-1)
        await becomes(outbox, *(("message", one) for one in "AC"), ("message", "B"), *[("reaction", "B")] * 2)

        stored = await outbox.run(events.after, 0, most=10)
    assert 3 == sum("\ufffd" in event.body.decode() for event in stored)


async def test_a_reaction_outlives_a_write_that_failed(
    session: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page tells once that there is one, and no reading by the timer asks for it."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        monkeypatch.setattr(inbox_module, "WHOLE", 1000.0)
        await asyncio.sleep(0.2)
        failed = full_once(seen, "sift", monkeypatch)
        session.put(ADA, "A", reactions=[reaction(ADA, "+")])
        await becomes(outbox, ("message", "A"), ("reaction", "A"))
    assert failed


async def test_two_who_turn_out_to_be_one_react_once(session: Receiving, tmp_path: Path) -> None:
    """Neither again nor the other way round, and what is in their chat is not told again."""
    liked = reaction("8@lid", "+")
    known = liked | {"by": chat("8@lid", number=ADA.partition("@")[0])}
    expected = ("message", "A"), ("message", "G"), ("reaction", "G"), ("message", "L")
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, *expected[:1])
        session.put(BOB, "G", reactions=[liked])
        await becomes(outbox, *expected[:3])
        session.put("8@lid", "L")
        await becomes(outbox, *expected)
        session.put("8@lid", "L", reactions=[])
        session.put(BOB, "G", reactions=[known])
        session.put(ADA, "A", reactions=[known])
        await becomes(outbox, *expected, ("reaction", "A"))


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


async def test_events_that_are_lost_while_all_is_read(session: Receiving, tmp_path: Path) -> None:
    """All is read once more, with the reactions: they may be in a chat that was read before."""
    session.page.lost = False
    session.page.put(ADA, "A")
    session.page.put(BOB, "B")
    listed: list[str] = []
    original = session.page._list

    def listing(**wanted: Any) -> dict[str, Any]:
        listed.append(wanted["id"])
        if listed == [ADA, BOB]:
            session.page.lost = True
            session.put(BOB, "C")
        return original(**wanted)

    session.page._list = listing  # type: ignore[method-assign]
    async with receiving(session, tmp_path):
        await async_until("both again", lambda: asyncio.sleep(0, session.page.reacted), lambda all_: len(all_) >= 6)

    assert [True, True, True, True, False, False] == session.page.reacted[:6]
