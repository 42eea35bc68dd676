"""Events in the Cloud API's shape, read by pywa as it is, and by what its stricter clients check."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from pywa.client import WhatsApp
from session_protocol.vocabulary import WebhookEvent
from session_runner.messages.cloud_events import Account, Wanted, cloud_body
from session_runner.messages.events import (
    Ack,
    Call,
    Context,
    Data,
    Deleted,
    Event,
    History,
    Message,
    Person,
    Reaction,
    StateChange,
)
from support.events import read_event

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
OURS = Account(phone_number_id="104000000000001", digits="15550100001")
ADA = Person(user_id="ZZ.184650099123", wa_id="15550100999", name="Ada")
UNKNOWN = Person(user_id="ZZ.184650099124")
TEXT: dict[str, Any] = {"type": "text", "text": {"body": "Hello"}}
HELLO = Message(id="3A5F00C2", chat=ADA.user_id, person=ADA, timestamp=1795917283, content=TEXT)
ALL = Wanted(groups=True, edits=True, deletions=True)


def event(data: Data, kind: WebhookEvent = WebhookEvent.MESSAGE) -> Event:
    """Make an event."""
    return Event(id="EV01", type=kind, time=NOW, data=data)


def value_of(data: Data, kind: WebhookEvent = WebhookEvent.MESSAGE, wanted: Wanted = ALL) -> tuple[str, dict[str, Any]]:
    """Give field and value of a body."""
    body = cloud_body(event(data, kind), OURS, wanted)
    assert body is not None
    document = json.loads(body)
    (entry,) = document["entry"]
    (change,) = entry["changes"]
    assert ("whatsapp_business_account", OURS.phone_number_id) == (document["object"], entry["id"])
    assert {"display_phone_number": "15550100001", "phone_number_id": OURS.phone_number_id} == change["value"][
        "metadata"
    ]
    return change["field"], change["value"]


DELETED = Deleted(id="3A5F00C2", chat=ADA.user_id, person=ADA, timestamp=1795917290)
REACTION = Reaction(id="3EB0C767", chat=ADA.user_id, person=ADA, timestamp=1795917290, emoji="👍", target_own=True)
ACK = Ack(id="3EB0C767", status="delivered", person=ADA, timestamp=1795917290)
RINGS = Call(id="CALL1", chat=ADA.user_id, person=ADA, timestamp=1795917290, status="offered", video=True)
REJECTED = Call(id="CALL1", chat=ADA.user_id, person=ADA, timestamp=1795917292, status="rejected")
EVERY = [
    (WebhookEvent.MESSAGE, HELLO),
    (WebhookEvent.MESSAGE, Message(id="O", chat=ADA.user_id, own=True, person=ADA, timestamp=1, content=TEXT)),
    (WebhookEvent.EDITED, HELLO),
    (WebhookEvent.DELETED, DELETED),
    (WebhookEvent.REACTION, REACTION),
    (WebhookEvent.ACK, ACK),
    (WebhookEvent.CALL, RINGS),
    (WebhookEvent.CALL, REJECTED),
]


@pytest.mark.parametrize(("kind", "data"), EVERY, ids=[kind for kind, _ in EVERY])
def test_pywa_reads_every_one(kind: WebhookEvent, data: Data) -> None:
    """It looks at nothing but the first of each list, and loses what it cannot read."""
    client: Any = WhatsApp(phone_id=OURS.phone_number_id, token="t", server=None, filter_updates=True)
    body = cloud_body(event(data, kind), OURS, ALL)
    assert body is not None
    seen: list[Any] = []
    for register in (
        client.on_message,
        client.on_outgoing_message,
        client.on_edited_message,
        client.on_deleted_message,
        client.on_message_status,
        client.on_call_connect,
        client.on_call_terminate,
    ):
        register()(lambda _, update: seen.append(update))
    client.webhook_update_handler(body)

    (update,) = seen
    assert ADA.user_id == update.from_user.bsuid
    assert "15550100999" == update.from_user.wa_id


def test_a_message_has_all_that_clients_require() -> None:
    """`contacts` with a name and a user_id, the sender's digits, a time that is a text."""
    field, value = value_of(HELLO)

    assert "messages" == field
    assert [{"profile": {"name": "Ada"}, "wa_id": "15550100999", "user_id": ADA.user_id}] == value["contacts"]
    expected = {"from": "15550100999", "from_user_id": ADA.user_id, "id": "3A5F00C2", "timestamp": "1795917283", **TEXT}
    assert [expected] == value["messages"]


def test_an_own_message_is_an_echo() -> None:
    """And nothing else, so that no bot answers itself."""
    own = Message(id="O", chat=ADA.user_id, own=True, person=ADA, timestamp=1, content=TEXT)
    field, value = value_of(own)

    assert "smb_message_echoes" == field
    assert {"messaging_product", "metadata", "contacts", "message_echoes"} == set(value)
    (echo,) = value["message_echoes"]
    assert ("15550100001", "15550100999", ADA.user_id) == (echo["from"], echo["to"], echo["to_user_id"])


def test_a_call_rings_and_is_over() -> None:
    """It has no session, because nobody can take it here, so in the end it has failed."""
    field, value = value_of(RINGS, WebhookEvent.CALL)
    head = {"id": "CALL1", "from": "15550100999", "from_user_id": ADA.user_id, "to": "15550100001"}
    expected = {**head, "event": "connect", "timestamp": "1795917290", "direction": "USER_INITIATED"}

    assert ("calls", [expected]) == (field, value["calls"])
    (over,) = value_of(REJECTED, WebhookEvent.CALL)[1]["calls"]
    assert expected | {"event": "terminate", "status": "FAILED", "timestamp": "1795917292"} == over


def test_a_call_of_a_group() -> None:
    """It is told if what happens in groups is, and somebody is known who calls."""
    of_group = event(replace(RINGS, group=True), WebhookEvent.CALL)
    unknown = event(replace(RINGS, group=True, person=None), WebhookEvent.CALL)

    assert cloud_body(of_group, OURS, ALL) is not None
    assert cloud_body(of_group, OURS, Wanted()) is None
    assert cloud_body(unknown, OURS, ALL) is None


def test_a_piece_of_the_history() -> None:
    """A thread by the person's number, with phase and progress, and how far each message had come."""
    own = Message(
        id="O",
        chat=ADA.user_id,
        own=True,
        person=ADA,
        timestamp=2,
        content=TEXT,
        status="read",
        context=Context(id="A"),
    )
    failed = replace(own, id="F", status="failed", context=None)
    chunk = History(chat=ADA.user_id, person=ADA, messages=(HELLO, own, failed), chunk=3, progress=40, days=7)
    field, value = value_of(chunk, WebhookEvent.HISTORY)
    (history,) = value["history"]
    (thread,) = history["threads"]

    assert ("history", {"messaging_product", "metadata", "history"}) == (field, set(value))
    assert {"phase": 1, "chunk_order": 3, "progress": 40} == history["metadata"]
    assert "15550100999" == thread["id"]
    hello, mine, other = thread["messages"]
    assert ("15550100999", "DELIVERED") == (hello["from"], hello["history_context"]["status"])
    assert ("15550100001", "15550100999", "READ") == (mine["from"], mine["to"], mine["history_context"]["status"])
    assert ("ERROR", {"id": "A", "from": "15550100999"}) == (other["history_context"]["status"], mine["context"])


def test_the_last_piece_of_the_history() -> None:
    """It has no thread; of somebody whose number is not known the thread has the user_id."""
    last = History(chat="", chunk=9, progress=100, days=180)
    unknown = History(
        chat=UNKNOWN.user_id, person=UNKNOWN, messages=(replace(HELLO, person=UNKNOWN),), chunk=1, progress=0
    )
    of_group = History(chat="1@g.us", group=True, messages=(replace(HELLO, group=True),), chunk=1, progress=0)

    (piece,) = value_of(last, WebhookEvent.HISTORY)[1]["history"]
    assert {"metadata": {"phase": 2, "chunk_order": 9, "progress": 100}, "threads": []} == piece
    (piece,) = value_of(unknown, WebhookEvent.HISTORY)[1]["history"]
    assert (0, UNKNOWN.user_id) == (piece["metadata"]["phase"], piece["threads"][0]["id"])
    assert cloud_body(event(of_group, WebhookEvent.HISTORY), OURS, Wanted()) is None
    assert cloud_body(event(of_group, WebhookEvent.HISTORY), OURS, ALL) is not None


def test_somebody_without_a_known_number() -> None:
    """The number is left out, never made up."""
    _, value = value_of(Message(id="M", chat=UNKNOWN.user_id, person=UNKNOWN, timestamp=1, content=TEXT))

    assert [{"profile": {"name": ""}, "user_id": UNKNOWN.user_id}] == value["contacts"]
    assert {"from_user_id", "id", "timestamp", "type", "text"} == set(value["messages"][0])


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (Context(id="A", own=True), {"id": "A", "from": "15550100001"}),
        (Context(id="A"), {"id": "A", "from": "15550100999"}),
    ],
)
def test_a_reply_names_what_it_answers(context: Context, expected: dict[str, Any]) -> None:
    """And who wrote that."""
    reply = Message(id="R", chat=ADA.user_id, person=ADA, timestamp=1, content=TEXT, context=context)
    forwarded = Message(id="R", chat=ADA.user_id, person=ADA, timestamp=1, content=TEXT, forwarded=True)

    assert expected == value_of(reply)[1]["messages"][0]["context"]
    assert {"forwarded": True} == value_of(forwarded)[1]["messages"][0]["context"]


def test_a_group_is_named_and_only_published_when_wanted() -> None:
    """Its replies do not say who is answered: a member's number may be anybody's."""
    message = Message(
        id="G", chat="1203@g.us", group=True, person=ADA, timestamp=1, content=TEXT, context=Context(id="A")
    )
    _, value = value_of(message)

    assert "1203@g.us" == value["messages"][0]["group_id"]
    assert {"id": "A"} == value["messages"][0]["context"]
    assert cloud_body(event(message), OURS, Wanted()) is None


def test_changes_are_published_when_wanted() -> None:
    """Each with an id of its own, because clients know messages by it."""
    edit = value_of(HELLO, WebhookEvent.EDITED)[1]["messages"][0]
    revoke = value_of(DELETED, WebhookEvent.DELETED)[1]["messages"][0]

    assert ("EV01", "edit", {"original_message_id": "3A5F00C2", "message": TEXT}) == (
        edit["id"],
        edit["type"],
        edit["edit"],
    )
    assert ("EV01", {"original_message_id": "3A5F00C2"}) == (revoke["id"], revoke["revoke"])
    assert cloud_body(event(HELLO, WebhookEvent.EDITED), OURS, Wanted()) is None
    assert cloud_body(event(DELETED, WebhookEvent.DELETED), OURS, Wanted()) is None


def test_a_reaction_that_was_taken_away_has_no_emoji() -> None:
    """One that is there has."""
    gone = Reaction(id="3EB0C767", chat=ADA.user_id, person=ADA, timestamp=1)

    assert {"message_id": "3EB0C767", "emoji": "👍"} == value_of(REACTION, WebhookEvent.REACTION)[1]["messages"][0][
        "reaction"
    ]
    assert {"message_id": "3EB0C767"} == value_of(gone, WebhookEvent.REACTION)[1]["messages"][0]["reaction"]


def test_a_status_has_no_errors_but_where_it_failed() -> None:
    """An empty list breaks the most used client; a failed one needs all four texts."""
    _, value = value_of(ACK, WebhookEvent.ACK)
    failed = Ack(id="A", status="failed", person=ADA, timestamp=1, error_code=131026, callback_data="mine")
    _, refused = value_of(failed, WebhookEvent.ACK)
    odd = value_of(
        Ack(id="A", status="failed", person=ADA, timestamp=1, error_code=1, details="why"), WebhookEvent.ACK
    )[1]

    expected = {
        "id": "3EB0C767",
        "status": "delivered",
        "timestamp": "1795917290",
        "recipient_id": "15550100999",
        "recipient_user_id": ADA.user_id,
    }
    assert [expected] == value["statuses"]
    assert value["contacts"]
    (status,) = refused["statuses"]
    title = "Message undeliverable"
    assert [{"code": 131026, "title": title, "message": title, "error_data": {"details": title}}] == status["errors"]
    assert "mine" == status["biz_opaque_callback_data"]
    assert "why" == odd["statuses"][0]["errors"][0]["error_data"]["details"]


@pytest.mark.parametrize("waiting", [True, False])
def test_what_has_no_form_says_so(*, waiting: bool) -> None:
    """With the error that clients show; one that cannot be read yet says that it may come."""
    odd: dict[str, Any] = {"type": "unsupported", "unsupported": {"type": "poll_creation"}}
    _, value = value_of(Message(id="P", chat=ADA.user_id, person=ADA, timestamp=1, content=odd, waiting=waiting))
    (error,) = value["messages"][0]["errors"]

    assert 131051 == error["code"]
    assert waiting is ("yet" in error["error_data"]["details"])


def test_what_only_the_own_form_has() -> None:
    """The session's state, and what the own account did in a group, where nobody is the other side."""
    own = Message(id="G", chat="1203@g.us", group=True, own=True, timestamp=1, content=TEXT)

    assert cloud_body(event(StateChange(state="Connected"), WebhookEvent.STATE), OURS, ALL) is None
    assert cloud_body(event(own), OURS, ALL) is None


@pytest.mark.parametrize(("kind", "data"), EVERY, ids=[kind for kind, _ in EVERY])
def test_a_program_can_read_an_event(kind: WebhookEvent, data: Data) -> None:
    """Out of the bytes that are stored and sent, as what it was."""
    made = event(data, kind)

    assert made == read_event(made.body())
    assert ADA.user_id == made.chat


def test_nobody_reads_numbers_and_texts_by_accident() -> None:
    """What is logged of an event has neither."""
    shown = repr(event(HELLO))

    assert "Hello" not in shown
    assert "1555" not in shown
    assert "1555" not in repr(ADA)
    assert "" == event(StateChange(state="Connected"), WebhookEvent.STATE).chat
