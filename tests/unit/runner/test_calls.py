"""A call that comes in is told once, with its end, and rejected if that is wanted, whoever dies meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgspec
import pytest
from session_protocol.vocabulary import CallHandling, RunnerState
from session_runner.messages.events import Call, Event
from session_runner.outbox import calls, events
from session_runner.outbox.calls import PageCall
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.receiving import calls as calls_module
from session_runner.receiving.calls import Calls
from support.at_work import at_work
from support.waiting import async_until
from unit.runner.failing import full_once
from unit.runner.inbox_harness import ADA, NOW, Receiving, T, chat, published


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    for name, seconds in {"WHILE_RINGING": 0.01, "PAUSE": 0.02}.items():
        monkeypatch.setattr(calls_module, name, seconds)


def rings(session: Receiving, identifier: str = "CALL1", who: str = ADA, **more: Any) -> None:
    """Let somebody call."""
    session.page.ringing[identifier] = {"id": identifier, "who": chat(who), "t": T - 1} | more


@contextlib.asynccontextmanager
async def watching(
    session: Receiving, folder: Path, handling: CallHandling = CallHandling.IGNORE
) -> AsyncIterator[tuple[Outbox, Calls]]:
    """Have the calls of a connected session watched."""
    session.say(RunnerState.CONNECTED)
    made = Calls(store=session.store, page=session.linked_page, inbox=session.inbox, handling=lambda: handling)
    async with open_outbox(folder / "messages.sqlite") as outbox, at_work(made.work(outbox)):
        yield outbox, made


async def calls_of(outbox: Outbox) -> list[tuple[str, str]]:
    """Give call and status of each event."""
    return [(event.data.id, event.data.status) for event in await published(outbox) if isinstance(event.data, Call)]


def is_rejected(identifier: str, found: list[tuple[str, str]]) -> bool:
    """Whether that call is told as rejected."""
    return (identifier, "rejected") in found


async def becomes(outbox: Outbox, *expected: tuple[str, str]) -> list[Event]:
    """Wait for these events, and see that they stay all."""
    await async_until(f"{expected}", lambda: calls_of(outbox), lambda found: len(found) >= len(expected), within=20)
    await asyncio.sleep(0.05)
    assert list(expected) == await calls_of(outbox)
    return await published(outbox)


async def test_a_call_is_published_with_its_end(tmp_path: Path) -> None:
    """When it rings, and when it does not any more; the page is asked meanwhile, and tells neither twice."""
    session = Receiving()
    async with watching(session, tmp_path) as (outbox, watch):
        rings(session, video=True)
        watch.something_happened()
        await becomes(outbox, ("CALL1", "offered"))
        session.page.ringing.clear()
        session.later(seconds=20)
        offered, ended = await becomes(outbox, ("CALL1", "offered"), ("CALL1", "ended"))

    assert isinstance(offered.data, Call)
    assert isinstance(ended.data, Call)
    assert offered.data.person is not None
    assert ("15550100701", True, T - 1) == (offered.data.person.wa_id, offered.data.video, offered.data.timestamp)
    assert (offered.chat, T + 20) == (ended.chat, ended.data.timestamp)
    assert not session.page.rejected


async def test_the_next_runner_does_not_publish_it_again(tmp_path: Path) -> None:
    """While it rings on, and when it is over; after a reload the page may list it again."""
    session = Receiving()
    rings(session)
    async with watching(session, tmp_path) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"))
    async with watching(session, tmp_path) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"))
        session.page.ringing.clear()
        await becomes(outbox, ("CALL1", "offered"), ("CALL1", "ended"))
        rings(session)
        await becomes(outbox, ("CALL1", "offered"), ("CALL1", "ended"))


async def test_what_was_only_noted_is_published_by_the_next_runner(tmp_path: Path) -> None:
    """One that died between the two; also when the call is over by then."""
    session = Receiving()
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        ringing = [msgspec.convert({"id": one, "who": chat(ADA)}, type=PageCall) for one in ("A", "B")]
        assert 2 == await outbox.run(calls.note, ringing, session.inbox.taking())
        await outbox.run(calls.rejected, "B", now=T)
    async with watching(session, tmp_path) as (outbox, _):
        await async_until("all", lambda: calls_of(outbox), lambda found: len(found) == 4, within=20)
        found = await calls_of(outbox)

    assert {("A", "offered"), ("A", "ended"), ("B", "offered"), ("B", "rejected")} == set(found)
    assert all(
        found.index((one, "offered")) < found.index((one, end)) for one, end in (("A", "ended"), ("B", "rejected"))
    )


async def test_a_call_is_rejected(tmp_path: Path) -> None:
    """If the settings say so: told as offered, then as rejected."""
    session = Receiving()
    rings(session)
    async with watching(session, tmp_path, CallHandling.REJECT) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"), ("CALL1", "rejected"))

    assert ["CALL1"] == session.page.rejected


async def test_a_call_that_cannot_be_rejected(tmp_path: Path) -> None:
    """It is tried three times, and its end is none of ours; one that is over by then is not rejected either."""
    session = Receiving()
    rings(session)
    session.page.fails += ["call_reject.js"] * 2
    session.page.answers["call_reject.js"] = "gone"
    tries: list[str] = []
    call = session.page.call

    async def counted(script: str, argument: Any = None) -> Any:
        tries.append(script)
        return await call(script, argument)

    session.page.call = counted  # type: ignore[method-assign]
    async with watching(session, tmp_path, CallHandling.REJECT) as (outbox, _):
        await async_until("tries", lambda: asyncio.sleep(0, tries.count("calls_list.js")), lambda n: n > 6, within=20)
        assert [("CALL1", "offered")] == await calls_of(outbox)
        session.page.ringing.clear()
        await becomes(outbox, ("CALL1", "offered"), ("CALL1", "ended"))

    assert calls_module.MOST_TRIES == tries.count("call_reject.js")


async def test_what_was_tried_is_not_remembered_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many calls come."""
    monkeypatch.setattr(calls_module, "_MOST_TRIED", 1)
    session = Receiving()
    async with watching(session, tmp_path, CallHandling.REJECT) as (outbox, watch):
        for one in ("A", "B"):
            rings(session, one)
            watch.something_happened()
            await async_until("it", lambda: calls_of(outbox), partial(is_rejected, one), within=20)

    assert 1 == len(watch._tries)


async def test_a_call_waits_while_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows have a bound of their own; it is rejected meanwhile."""
    session, full = Receiving(), True
    monkeypatch.setattr(events, "is_full", lambda *_: full)
    rings(session)
    async with watching(session, tmp_path, CallHandling.REJECT) as (outbox, _):
        await async_until("rejected", lambda: asyncio.sleep(0, session.page.rejected), bool, within=20)
        assert [] == await calls_of(outbox)
        full = False
        await becomes(outbox, ("CALL1", "offered"), ("CALL1", "rejected"))


async def test_a_page_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    """One that fails, or gives something that is no list of calls; nothing ends by that."""
    session = Receiving()
    rings(session)
    session.page.fails.append("calls_list.js")
    async with watching(session, tmp_path) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"))
        session.page.answers["calls_list.js"] = [{"id": "CALL2", "who": {"id": "nobody"}}]
        await asyncio.sleep(0.05)
        del session.page.answers["calls_list.js"]
        await becomes(outbox, ("CALL1", "offered"))


async def test_a_volume_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is told once there is some."""
    session, failed = Receiving(), full_once(calls, "note", monkeypatch)
    rings(session)
    async with watching(session, tmp_path) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"))
    assert failed


async def test_a_session_that_is_not_connected_ends_no_call(tmp_path: Path) -> None:
    """Its page lists nothing, which says nothing."""
    session = Receiving()
    rings(session)
    async with watching(session, tmp_path) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"))
        session.say(RunnerState.RECONNECTING)
        await asyncio.sleep(0.05)
        session.page.ringing.clear()
        await becomes(outbox, ("CALL1", "offered"))


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    """The file alone."""
    async with open_outbox(tmp_path / "messages.sqlite") as opened:
        yield opened


async def test_calls_have_a_bound(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it none is told, until those before are a day old."""
    monkeypatch.setattr(calls, "MOST", 2)
    session = Receiving()
    ringing = [msgspec.convert({"id": f"C{one}", "who": chat(ADA)}, type=PageCall) for one in range(3)]
    assert 2 == await outbox.run(calls.note, ringing, session.inbox.taking())
    session.later(hours=25)
    assert 1 == await outbox.run(calls.note, ringing[1:], session.inbox.taking())

    def known(database: Connection) -> list[tuple[str, bool]]:
        return [(row["id"], row["ended"] is None) for row in database.execute("SELECT * FROM calls ORDER BY place")]

    assert [("C1", False), ("C2", True)] == await outbox.run(known)


async def test_a_call_that_a_page_never_forgets(tmp_path: Path) -> None:
    """It is over after five minutes, and is no other call a day later."""
    session = Receiving()
    rings(session)
    async with watching(session, tmp_path) as (outbox, _):
        await becomes(outbox, ("CALL1", "offered"))
        for minutes in (6, 60 * 25, 60 * 25):
            session.later(minutes=minutes)
            await becomes(outbox, ("CALL1", "offered"), ("CALL1", "ended"))


async def test_a_call_of_a_group(outbox: Outbox) -> None:
    """It is with nobody, and a call of a person may be one of a group; a clock in the future is not believed."""
    session = Receiving()
    given = [
        {"id": "G", "who": chat("123@g.us"), "t": NOW.timestamp() * 1000 + 9e9},
        {"id": "P", "who": chat(ADA), "group": True},
    ]
    await outbox.run(calls.note, msgspec.convert(given, type=list[PageCall]), session.inbox.taking())
    assert 2 == await outbox.run(calls.publish, session.inbox.taking())
    of_group, of_person = [event.data for event in await published(outbox)]

    assert isinstance(of_group, Call)
    assert isinstance(of_person, Call)
    assert ("123@g.us", None, True, T) == (of_group.chat, of_group.person, of_group.group, of_group.timestamp)
    assert of_person.group
    assert of_person.person is not None


def test_nothing_of_a_call_is_written_for_people() -> None:
    """Who calls stays out of logs."""
    assert "701" not in repr(msgspec.convert({"id": "A", "who": chat(ADA)}, type=PageCall))
