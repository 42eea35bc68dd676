"""How long events stay, and how many: what somebody waits for always does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

import pytest
from session_protocol.vocabulary import WebhookEvent
from session_runner.messages.events import Event, StateChange
from session_runner.outbox import events, seen
from session_runner.outbox.schema import open_database


class Waiting:
    """Somebody who waits for so much."""

    def __init__(self, rows: int = 0, size: int = 0) -> None:
        self._waiting = rows, size

    def add_for(self, database: Connection, event: Event, place: int) -> None:
        """Nothing."""

    def waiting(self, _database: Connection) -> tuple[int, int]:
        """That much."""
        return self._waiting


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Connection]:
    """Ten events, one each second from 1000 on."""
    opened = open_database(tmp_path / "messages.sqlite")
    for number in range(10):
        moment = datetime.fromtimestamp(1000 + number, UTC)
        event = Event(id=f"EV{number}", type=WebhookEvent.STATE, time=moment, data=StateChange(state="Connected"))
        events.add(opened, event, Waiting())
    yield opened
    opened.close()


def places(database: Connection) -> list[int]:
    """Which are there."""
    return [row.place for row in events.after(database, 0, most=100)]


def test_what_is_old_goes(database: Connection) -> None:
    """After a day; places go on."""
    events.sweep(database, now=1005.5 + events.KEPT)
    recent = places(database)
    events.sweep(database, now=2000 + events.KEPT)

    assert ([7, 8, 9, 10], []) == (recent, places(database))
    assert 10 == events.newest(database)
    assert events.place_of(database, "EV3") is None


@pytest.mark.parametrize("bound", ["MOST", "MOST_BYTES"])
def test_so_much_is_kept(database: Connection, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """By number and by size."""
    size = len(events.after(database, 0, most=1)[0].body)
    monkeypatch.setattr(events, bound, 3 if bound == "MOST" else 3 * size)
    events.sweep(database, now=1010)

    assert [8, 9, 10] == places(database)


def test_only_what_is_waited_for_fills_it(database: Connection) -> None:
    """At the bound, by number or by size."""
    assert events.is_full(database, Waiting(events.MOST, 0))
    assert events.is_full(database, Waiting(0, events.MOST_BYTES))
    assert not events.is_full(database, Waiting(events.MOST - 1, events.MOST_BYTES - 1))
    assert not events.is_full(database, Waiting())


def test_what_was_seen_is_forgotten_when_it_is_asked_for_no_more(database: Connection) -> None:
    """A day later, to be sure."""
    seen.opened(database, now=0)
    now = 10 * seen.DAY
    seen.reading(database, linked=0, now=now)
    seen.caught_up(database, time=10 * seen.DAY, synchronised=True)
    for number in range(10):
        row = ("chat", str(number), number * seen.DAY)
        database.execute("INSERT INTO seen VALUES (?, ?, 0, 'chat', '', '{}', 0, ?)", row)
    seen.sweep(database, now=10 * seen.DAY)

    assert ["6", "7", "8", "9"] == [row["id"] for row in database.execute("SELECT id FROM seen ORDER BY id")]
    assert 7 * seen.DAY == seen.reading(database, linked=0, now=now).since
    seen.caught_up(database, time=10 * seen.DAY + 60, synchronised=True)
    assert 7 * seen.DAY == seen.reading(database, linked=0, now=now + 60).since
    assert not seen.reading(database, linked=5, now=now).synchronised


def test_a_clock_that_was_ahead_skips_no_message(database: Connection) -> None:
    """Set back by a year it is asked for the last days again, and what is read then counts; so it is without a time."""
    seen.opened(database, now=0)
    seen.reading(database, linked=0, now=0)
    seen.caught_up(database, time=365 * seen.DAY, synchronised=True)
    assert 7 * seen.DAY == seen.reading(database, linked=0, now=10 * seen.DAY).since
    seen.caught_up(database, time=11 * seen.DAY, synchronised=True)
    seen.caught_up(database, time=None, synchronised=True)
    assert 8 * seen.DAY == seen.reading(database, linked=0, now=20 * seen.DAY).since


def test_a_clock_that_was_ahead_forgets_nothing_that_is_read_again(database: Connection) -> None:
    """What was seen in the days that are asked for once more stays, or all of it would be told twice."""
    seen.opened(database, now=0)
    seen.reading(database, linked=0, now=0)
    for number in range(10):
        row = ("chat", str(number), number * seen.DAY)
        database.execute("INSERT INTO seen VALUES (?, ?, 0, 'chat', '', '{}', 0, ?)", row)
    seen.caught_up(database, time=365 * seen.DAY, synchronised=True)
    seen.sweep(database, now=10 * seen.DAY)

    assert ["6", "7", "8", "9"] == [row["id"] for row in database.execute("SELECT id FROM seen ORDER BY id")]
