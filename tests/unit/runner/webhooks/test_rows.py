"""The rows of deliveries: how long they stay, how many, and what a process that dies leaves behind."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from session_runner.outbox import deliveries
from session_runner.outbox.outbox import Outbox
from session_runner.store import StateStore
from session_runner.webhooks.recorder import account_of
from session_runner.webhooks.retries import GIVE_UP, LONGEST_OF_ALL
from session_runner.webhooks.shapes import body_for
from unit.runner.webhooks.receivers import ACCOUNT, NOW, Receiver, Sessions, message, receiving, text_of, webhook

DAY = 24 * 3600.0


async def refuse_all(outbox: Outbox, *, now: float) -> None:
    """Make a dead letter of everything that is due."""
    while due := await outbox.run(deliveries.due, webhook="bot", now=now, longest=LONGEST_OF_ALL, most=50):
        for delivery in due:
            await outbox.run(deliveries.died, delivery.place, webhook="bot", now=now, problem="no")


@pytest.mark.parametrize("bound", ["rows", "bytes"])
async def test_of_many_dead_letters_the_oldest_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """So that a receiver that refuses everything stops nothing else."""
    if bound == "rows":
        monkeypatch.setattr(deliveries, "MOST_DEAD", 3)
    else:
        size = len(body_for(message("0"), webhook("http://127.0.0.1:1/"), ACCOUNT) or b"")
        monkeypatch.setattr(deliveries, "MOST_DEAD_BYTES", 3 * size + size // 2)
    session = Sessions(tmp_path, (webhook("http://127.0.0.1:1/"),))
    async with session.outbox() as outbox:
        for number in range(5):
            await session.store(outbox, str(number))
            await refuse_all(outbox, now=number)
        letters = await outbox.run(deliveries.dead_letters, webhook="bot", most=10)

    assert ["evt-5", "evt-4", "evt-3"] == [letter.identifier for letter in letters]


async def test_a_sweep_takes_what_is_too_old_and_what_nobody_wants(tmp_path: Path) -> None:
    """Dead letters after a week, those of a webhook that is gone after an hour; what waits stays."""
    session = Sessions(tmp_path, (webhook("http://127.0.0.1:1/"), webhook("http://127.0.0.1:1/", "gone")))
    now = session.now().timestamp()
    async with session.outbox() as outbox:
        await session.store(outbox, "a")
        await refuse_all(outbox, now=now)
        await session.store(outbox, "b")
        await outbox.run(deliveries.sweep, now=now + 60, webhooks=["bot"])
        soon = await outbox.run(deliveries.backlog)
        await outbox.run(deliveries.sweep, now=now + 2 * 3600, webhooks=["bot"])
        later = await outbox.run(deliveries.backlog)
        await outbox.run(deliveries.sweep, now=now + 8 * DAY, webhooks=["bot"])
        last = await outbox.run(deliveries.backlog)

    assert (1, 1, 2) == (soon["bot"].waiting, soon["bot"].dead, soon["gone"].waiting)
    assert {"bot"} == set(later)
    assert (1, 0) == (last["bot"].waiting, last["bot"].dead)


async def test_what_a_webhook_waits_for_is_measured(tmp_path: Path) -> None:
    """Whoever stores events stops reading when there is too much; neither a dead letter nor what was taken stops it."""
    session = Sessions(tmp_path, (webhook("http://127.0.0.1:1/"),))
    async with session.outbox() as outbox:
        none = await outbox.run(deliveries.most_waiting)
        for text in ("a", "b"):
            await session.store(outbox, text, chat=text)
        both, size = await outbox.run(deliveries.most_waiting)
        await outbox.run(deliveries.delivered, 2)
        one, half = await outbox.run(deliveries.most_waiting)
        await refuse_all(outbox, now=1.0)

        assert ((0, 0), 2, 1, size / 2) == (none, both, one, half)
        assert (0, 0) == await outbox.run(deliveries.most_waiting)


async def test_a_redriven_letter_has_three_days_again(tmp_path: Path) -> None:
    """However old its event is."""
    session = Sessions(tmp_path, (webhook("http://127.0.0.1:1/"),))
    async with session.outbox() as outbox:
        await session.store(outbox, "a")
        now = session.now().timestamp() + GIVE_UP
        await refuse_all(outbox, now=now)
        assert 1 == await outbox.run(deliveries.redrive, webhook=None, identifiers=None, now=now)
        (delivery,) = await outbox.run(deliveries.due, webhook="bot", now=now, longest=LONGEST_OF_ALL, most=5)

    assert (now, 0) == (delivery.created, delivery.tries)


PROCESS = """
import asyncio, os, signal, sys
from pathlib import Path
from session_runner.outbox import deliveries
from unit.runner.webhooks.receivers import Sessions, webhook
from unit.runner.webhooks import receivers

folder, url, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def dies(*_given, **_named):
    os.kill(os.getpid(), signal.SIGKILL)


async def main():
    session = Sessions(folder, (webhook(url),))
    if step == "stored, not committed":
        from session_runner.webhooks import recorder

        add = deliveries.add
        recorder.deliveries.add = lambda *given, **named: (add(*given, **named), dies())
    if step == "answered, not noted":
        deliveries.delivered = dies
    async with session.outbox() as outbox:
        for number in range(3):
            await session.store(outbox, str(number))
        if step == "committed":
            dies()
        from support.at_work import at_work

        async with at_work(session.deliverer.work(outbox)):
            await session.settles()
            dies()


asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("step", "first", "last"),
    [
        ("stored, not committed", [], []),
        ("committed", [], ["0", "1", "2"]),
        ("answered, not noted", ["0"], ["0", "1", "2"]),
        ("all noted", ["0", "1", "2"], []),
    ],
)
async def test_a_process_that_is_killed_loses_nothing(
    tmp_path: Path, step: str, first: list[str], last: list[str]
) -> None:
    """What was committed comes, what was not comes from the page again; a repeated delivery is the same bytes."""
    receiver = Receiver()
    async with receiving(receiver):
        script = tmp_path / "process.py"
        script.write_text(PROCESS)
        tests = Path(__file__).parents[3]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            str(tmp_path),
            f"{receiver.url}/hook",
            step,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *filter(None, sys.path)])},
        )
        assert -signal.SIGKILL == await asyncio.wait_for(process.wait(), 60)
        before = list(receiver.texts)
        session = Sessions(tmp_path, (webhook(receiver),))
        async with session.running():
            await session.settles()

    assert (first, last) == (before, receiver.texts[len(before) :])
    for text in set(receiver.texts):
        assert 1 == len({arrival.body for arrival in receiver.requests if text_of(arrival.body) == text})


def test_a_chat_is_not_shown() -> None:
    """It may be a number."""
    delivery = deliveries.Delivery(place=1, identifier="evt", chat="15550100999", body=b"text", tries=0, created=0)

    assert "1555" not in repr(delivery)
    assert "text" not in json.dumps(repr(delivery))


def test_the_linked_number_is_the_webhooks() -> None:
    """Without one nothing is lost: the number is left empty."""
    store = StateStore(clock=lambda: NOW)
    before = account_of(store, "104")
    store.show_account("+15550100001")

    assert ("104", "", "15550100001") == (before.phone_number_id, before.digits, account_of(store, "104").digits)
