"""Messages without a word from WhatsApp: what is measured of them, and when the session says so."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.messages.errors import NobodyThereError
from session_runner.messages.progress import LONGEST_SILENCE, Progress
from session_runner.outbox import requests
from session_runner.outbox.ages import Ages, ages
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.sending import messaging
from session_runner.states.unanswered import without_answers
from session_runner.states.verdicts import Verdict
from support.waiting import async_until
from unit.runner.messaging_harness import FRIEND, Session, running
from unit.runner.test_outbox import message

CONNECTED = Verdict(RunnerState.CONNECTED, StateReason.AS_EXPECTED, "Linked and connected.")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A connected session that tries again at once."""
    monkeypatch.setattr(messaging, "RETRY", 0.01)
    made = Session()
    made.say(RunnerState.CONNECTED)
    made.door.open(made.page)
    return made


async def given(outbox: Outbox, identifier: str, *, time: float, account: str | None = None) -> None:
    """Store a message that the page got at this time."""
    await outbox.run(requests.add, message(identifier, accepted=time, account=account))
    await outbox.run(requests.handed_over, identifier, page_key=f"key of {identifier}", time=time)


async def test_the_oldest_of_each_kind_is_measured(tmp_path: Path) -> None:
    """Of this account; what has no key is asked about by nobody, and an answer to a later one shows that there are some."""
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        nothing = await outbox.run(ages, account="mine")
        await given(outbox, "A", time=100.0)
        await given(outbox, "B", time=200.0, account="mine")
        await given(outbox, "C", time=50.0, account="another")
        await outbox.run(requests.add, message("D", accepted=300.0))
        await outbox.run(requests.add, message("E", accepted=10.0))
        await outbox.run(requests.handed_over, "E", page_key=None, time=11.0)
        silent = await outbox.run(ages, account="mine")
        await outbox.run(requests.record, "A", Progress.SENT, time=400.0)
        one_left = await outbox.run(ages, account="mine")
        await given(outbox, "F", time=500.0)
        await outbox.run(requests.record, "F", Progress.FAILED, time=501.0, error=131000)
        answered = await outbox.run(ages, account="mine")

    assert Ages() == nothing
    assert Ages(accepted=300.0, handed_over=100.0, unanswered=100.0) == silent
    assert Ages(accepted=300.0, handed_over=200.0, unanswered=200.0) == one_left
    assert Ages(accepted=300.0, handed_over=200.0, unanswered=None) == answered


async def test_all_that_wait_count_while_nobody_knows_whose_page_it_is(tmp_path: Path) -> None:
    """As of a new pod whose page does not load: what waits is no younger for that."""
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(requests.add, message("A", accepted=100.0, account="mine"))
        await outbox.run(requests.add, message("B", accepted=200.0, account="mine"))
        found = await outbox.run(ages, account=None, paced=["B"])

    assert Ages(accepted=100.0, paced=200.0, paced_count=1) == found


def test_a_connected_page_is_not_called_so_then() -> None:
    """Whatever else it is comes first; the message stays the same while it lasts."""
    answer = without_answers(CONNECTED, 1_795_996_800.0)

    assert (RunnerState.DEGRADED, StateReason.MESSAGES_UNANSWERED) == answer[:2]
    assert " since 2026-11-30T00:00:00Z" in answer.message
    assert CONNECTED == without_answers(CONNECTED, None)
    assert RunnerState.OFFLINE is without_answers(CONNECTED._replace(state=RunnerState.OFFLINE), 100.0).state


async def test_silence_is_reported_and_ends_with_an_answer(
    session: Session, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After its bound, and not for a page that is away; messages go on meanwhile."""

    async def silent() -> float | None:
        session.messaging.acks_changed()
        return session.store.unanswered

    async with running(session, tmp_path):
        first = await session.send("Hello?")
        await session.becomes(first, "handed_over")
        session.later(seconds=LONGEST_SILENCE)
        since = await async_until("it is told", silent, within=20)
        session.say(RunnerState.DEGRADED, reason=StateReason.MESSAGES_UNANSWERED)
        second = await session.send("Anybody?")
        await session.becomes(second, "handed_over")
        session.page.acks[second] = 1
        await async_until("it is over", silent, lambda now: now is None, within=20)

    assert session.now.timestamp() - LONGEST_SILENCE == since
    assert 1 == sum("not answered" in record.getMessage() for record in caplog.records)


async def test_messages_are_counted(session: Session, tmp_path: Path) -> None:
    """By kind and code, and nothing else is in a label."""
    session.page.people = {"15550100803": None}
    async with running(session, tmp_path):
        with pytest.raises(NobodyThereError):
            await session.send("nobody", to="15550100803")
        refused, sent, silent = [await session.send(text) for text in ("no", "yes", "well")]
        await session.becomes(silent, "handed_over")
        session.page.acks |= {refused: -1, sent: 2}
        session.messaging.acks_changed()
        await session.becomes(sent, "delivered")
        session.say(RunnerState.OFFLINE)
        waiting = await session.send("later")
        session.say(RunnerState.LOGGED_OUT, linked=False)
        await session.becomes(waiting, "failed")

    shown = generate_latest(session.parts.base.metrics.registry).decode().splitlines()
    assert {
        'whatsapp_runner_messages_accepted_total{kind="text"} 4.0',
        'whatsapp_runner_messages_refused_total{code="131026"} 1.0',
        "whatsapp_runner_messages_sent_total 1.0",
        'whatsapp_runner_messages_failed_total{code="131000"} 1.0',
        'whatsapp_runner_messages_failed_total{code="133010"} 1.0',
    } <= set(shown)
    assert FRIEND not in "".join(line for line in shown if line.startswith("whatsapp_runner_messages_"))
