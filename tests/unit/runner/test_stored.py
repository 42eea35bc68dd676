"""What the page has stored as it is told on request: pure shapes, the same as in events."""

from typing import Any

import msgspec
import pytest
from session_protocol.reading import Chat, KnownPerson, StoredMessage
from session_runner.account.rates import Bucket, take_one
from session_runner.messages.events import Message, Person
from session_runner.messages.incoming import PageMessage, Who
from session_runner.messages.stored import PageChat, chat_of, read_cursor, stored_message, write_cursor

ADA = Person(user_id="ZZ.1", wa_id="15550100701", name="Ada")
ADAS = Who(id="15550100701@c.us", number="15550100701")
GROUP = Who(id="120363000000000001@g.us")


def message(**more: Any) -> PageMessage:
    """A text of Ada's."""
    given: dict[str, Any] = {"key": "false_15550100701@c.us_A1", "id": "A1", "own": False, "t": 7.0, "type": "chat"}
    return msgspec.convert(given | {"who": msgspec.to_builtins(ADAS), "body": "Hello"} | more, type=PageMessage)


def as_read(given: PageMessage, media_id: str = "") -> StoredMessage:
    """Tell it as one of Ada's chat."""
    return stored_message(given, chat="ZZ.1", person=ADA, media_id=media_id)


def test_a_stored_message_is_read_as_an_event_is() -> None:
    """Each field that both have has the same name and form."""
    event = Message(id="A1", chat="ZZ.1", person=ADA, timestamp=7, content={"type": "text", "text": {"body": "Hello"}})

    written = msgspec.to_builtins(as_read(message()))
    assert written.items() >= {k: v for k, v in msgspec.to_builtins(event).items() if k != "person"}.items()
    assert msgspec.to_builtins(ADA) == written["person"]
    assert {"late"} == {field.encode_name for field in msgspec.structs.fields(Message)} - written.keys()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "revoked", "body": ""}, {"deleted": True}),
        ({"type": "revoked", "edit": "E"}, {"deleted": True}),
        ({"edit": "E"}, {"edited": True}),
        ({"type": "ciphertext"}, {"waiting": True}),
        ({"forwarded": True}, {"forwarded": True}),
        ({"own": True, "ack": 3}, {"own": True, "status": "read"}),
        ({"own": True, "ack": 0}, {"own": True, "status": "handed_over"}),
        ({"own": True, "ack": -1}, {"own": True, "status": "failed"}),
        ({"own": True, "ack": 1e300}, {"own": True, "status": "handed_over"}),
        ({"ack": 3}, {}),
    ],
)
def test_what_became_of_a_message_is_shown(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Taken back, edited, not readable yet, sent on; of an own one how far it has come, and of others nothing."""
    plain = msgspec.to_builtins(as_read(message()))
    changed = {
        name: value for name, value in msgspec.to_builtins(as_read(message(**given))).items() if name != "content"
    }
    assert expected == {name: value for name, value in changed.items() if value != plain[name]}


def test_an_answer_names_what_it_answers() -> None:
    """By its bare id, and whose it was."""
    found = as_read(message(quoted="B2", quotedOwn=True)).context
    assert found is not None
    assert ("B2", True) == (found.id, found.own)


@pytest.mark.parametrize(("media_id", "expected"), [("1040", {"id": "1040"}), ("", {})])
def test_a_file_has_an_id_if_it_can_be_had(media_id: str, expected: dict[str, str]) -> None:
    """One that cannot is shown without."""
    content = as_read(message(type="image", mimetype="image/png"), media_id).content
    assert {"mime_type": "image/png", "sha256": ""} | expected == content["image"]


def test_a_group_has_its_own_id() -> None:
    """And nobody whom it is with."""
    group = chat_of(PageChat(who=GROUP, t=0, unread=-1, archived=True, name="Team"), None)
    assert Chat(id=GROUP.id, group=True, name="Team", marked_unread=True, archived=True) == group


def test_a_chat_names_whom_it_is_with() -> None:
    """By the id that never changes."""
    chat = chat_of(PageChat(who=ADAS, t=9.5, unread=2, archived=False), ADA)
    person = KnownPerson(user_id="ZZ.1", wa_id="15550100701", name="Ada")
    assert Chat(id="ZZ.1", group=False, person=person, timestamp=9, unread=2) == chat


@pytest.mark.parametrize(("place", "kind"), [([7.5, "15550100701@c.us"], tuple[float, str]), ("false_a_b", str)])
def test_a_cursor_gives_its_place_back(place: Any, kind: Any) -> None:
    """Whatever place it is."""
    found = read_cursor(write_cursor(place), kind)
    assert place == (list(found) if isinstance(found, tuple) else found)


@pytest.mark.parametrize("cursor", ["", "?", "ä", "e30", "x" * 1025, "AAAA", write_cursor([1])])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """Whatever it is."""
    with pytest.raises(ValueError, match=r"."):
        read_cursor(cursor, tuple[float, str])


def test_nothing_of_people_stands_in_logs() -> None:
    """Neither numbers nor names nor texts."""
    chat = chat_of(PageChat(who=ADAS, t=9.5, unread=2, archived=False, name="Ada"), ADA)
    text = (
        f"{chat} {chat.person} {as_read(message())} {PageChat(who=ADAS, t=9.5, unread=2, archived=False, name='Ada')}"
    )
    assert not [one for one in ("15550100701", "Ada", "Hello") if one in text]


def test_what_is_left_grows_with_time() -> None:
    """Up to the most that may be done at once, and never by a clock that went back."""
    full = Bucket(left=2, at=100)
    first = take_one(full, now=100, most=2, every=60)
    assert first is not None
    last = take_one(first, now=100, most=2, every=60)
    assert last is not None
    assert take_one(last, now=159, most=2, every=60) is None
    assert take_one(last, now=90, most=2, every=60) is None
    assert Bucket(left=0, at=160) == take_one(last, now=160, most=2, every=60)
    assert Bucket(left=1, at=9e9) == take_one(last, now=9e9, most=2, every=60)
