"""A person keeps one `user_id`, whichever of number and LID is known first."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_runner.messages.events import Person
from session_runner.outbox import people
from session_runner.outbox.schema import open_database

NUMBER, LID = "15550100701", "900701"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Connection]:
    """An empty outbox."""
    opened = open_database(tmp_path / "messages.sqlite")
    yield opened
    opened.close()


class Known:
    """Who asks for people, with ids that count."""

    def __init__(self, database: Connection) -> None:
        self._database = database
        self._numbers = itertools.count(1)
        self.now = 0.0

    def ask(self, number: str | None = None, lid: str | None = None, name: str | None = None) -> Person:
        """Resolve somebody."""
        return people.resolve(
            self._database,
            number=number,
            lid=lid,
            name=name,
            new_user=lambda: people.user_id(next(self._numbers).to_bytes(8)),
            now=self.now,
        )


def test_an_id_is_digits_behind_a_prefix_of_no_country() -> None:
    """A client takes anything else for a group."""
    for random in (b"\0" * 8, b"\xff" * 8):
        assert re.fullmatch(r"ZZ\.[1-9][0-9]{14}", people.user_id(random))


@pytest.mark.parametrize("order", list(itertools.permutations([(NUMBER, None), (None, LID), (NUMBER, LID)])))
def test_number_and_lid_become_one(database: Connection, order: list[tuple[str | None, str | None]]) -> None:
    """In every order: the id that was given out first stays, the other is understood."""
    known = Known(database)
    given_ids = [known.ask(number, lid).user_id for number, lid in order]
    person = known.ask(NUMBER, LID)

    assert given_ids[0] == person.user_id == known.ask(None, LID).user_id == known.ask(NUMBER).user_id
    for one in given_ids:
        found = people.find(database, one)
        assert found is not None
        assert (person.user_id, NUMBER) == (found.user_id, found.wa_id)
    assert people.find(database, "ZZ.1") is None


def test_it_stays_over_a_restart(tmp_path: Path) -> None:
    """And the name that was last heard."""
    path = tmp_path / "messages.sqlite"
    first = open_database(path)
    with first:
        before = Known(first).ask(None, LID, "Ada")
    first.close()
    second = open_database(path)
    with second:
        after = Known(second).ask(NUMBER, LID)
    second.close()

    assert (before.user_id, None, "Ada") == (before.user_id, before.wa_id, before.name)
    assert Person(user_id=before.user_id, wa_id=NUMBER, name="Ada") == after


def test_a_number_may_be_given_to_somebody_else(database: Connection) -> None:
    """Then its old owner has none that is known, and keeps their id."""
    known = Known(database)
    ada = known.ask(NUMBER, LID)
    bob = known.ask(NUMBER, "900999")

    assert ada.user_id != bob.user_id
    assert known.ask(None, LID).wa_id is None
    assert known.ask(None, LID).user_id == ada.user_id
    assert known.ask("15550100888", LID).wa_id == "15550100888"


def test_what_was_seen_of_both_is_seen_of_one(database: Connection) -> None:
    """So that joining them brings nothing again, and what waits keeps its order."""
    known = Known(database)
    ada, other = known.ask(NUMBER), known.ask(None, LID)
    for chat, identifier in ((ada.user_id, "A"), (other.user_id, "A"), (other.user_id, "B")):
        database.execute("INSERT INTO seen VALUES (?, ?, 0, 'chat', '', '{}', 1, 1)", (chat, identifier))
    event = "INSERT INTO events (id, kind, chat, time, body) VALUES ('EV1', 'message', ?, 1, x'00')"
    database.execute(event, (other.user_id,))
    known.ask(NUMBER, LID)
    known.ask("15550100702", "900702")
    third = known.ask(None, "900703")
    known.ask(NUMBER, "900703")

    seen = database.execute("SELECT chat, id FROM seen ORDER BY id").fetchall()
    assert [(ada.user_id, "A"), (ada.user_id, "B")] == [tuple(row) for row in seen]
    assert ada.user_id == database.execute("SELECT chat FROM events").fetchone()[0]
    assert third.user_id != ada.user_id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([None, "1", "2"]), st.sampled_from([None, "7", "8"])), max_size=8))
def test_no_two_people_share_a_number_or_lid(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str | None, str | None]]
) -> None:
    """Whatever WhatsApp says in whatever order."""
    database = open_database(tmp_path_factory.mktemp("people") / "messages.sqlite")
    known = Known(database)
    ids = [known.ask(number, lid).user_id for number, lid in steps if number or lid]

    for one in ids:
        assert people.find(database, one) is not None
    database.close()


def test_who_is_silent_for_long_is_forgotten(database: Connection) -> None:
    """Not before 400 days without a word, which are counted up to when messages were last read; nor while a message of ours is kept."""
    known = Known(database)
    silent, spoke, written = known.ask(NUMBER, LID), known.ask("15550100702"), known.ask("15550100703")
    known.ask(None, "900702")
    joined = known.ask("15550100702", "900702")
    database.execute(
        "INSERT INTO requests (id, given, digits, progress, accepted) VALUES ('A', '', '15550100703', 'sent', 0)"
    )
    known.now = people.KEPT - 1
    known.ask("15550100702")
    people.sweep(database, read=people.KEPT)
    assert silent == known.ask(NUMBER)
    database.execute("UPDATE people SET noticed = 0 WHERE number IN (?, '15550100703')", (NUMBER,))
    people.sweep(database, read=people.KEPT + 1)

    assert people.find(database, silent.user_id) is None
    assert spoke.user_id == joined.user_id
    assert joined == people.find(database, spoke.user_id)
    assert written == people.find(database, written.user_id)
    assert silent.user_id != known.ask(NUMBER).user_id


def test_a_message_is_noted_once_a_week(database: Connection) -> None:
    """Most that is read of somebody writes nothing; whom an older runner knew counts from the first sweep on."""
    known = Known(database)
    known.ask(NUMBER)
    for known.now, expected in ((people.NOTICED_EVERY, 0.0), (people.NOTICED_EVERY + 1, people.NOTICED_EVERY + 1)):
        known.ask(NUMBER)
        assert expected == database.execute("SELECT noticed FROM people").fetchone()[0]
    database.execute("UPDATE people SET noticed = NULL")
    people.sweep(database, read=5.0)

    assert 5.0 == database.execute("SELECT noticed FROM people").fetchone()[0]
