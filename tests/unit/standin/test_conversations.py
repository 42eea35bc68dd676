"""Messages to and from a linked device: what the server keeps, counts, withholds, refuses and finds out for it."""

import base64
from typing import Any

import pytest
from standin.controls import COMMANDS
from standin.conversations import CONVERSATIONS
from standin.errors import MalformedRequestError
from standin.frames import DeviceId, Frame, PageId
from standin.people import Lookup, Person
from unit.standin.exchange_harness import ExchangeHarness, frames_to, hello, types_to

PAGE = PageId("again")
FRIEND = "15550100777@c.us"


def do(harness: ExchangeHarness, device: DeviceId, command: str, **body: Any) -> list[Frame]:
    """Give a command; returns what the connected page gets."""
    return frames_to(PAGE, CONVERSATIONS[command](harness.exchange, device, body))


def say(harness: ExchangeHarness, **frame: Any) -> list[Frame]:
    """Let the connected page say something; returns what it gets."""
    return frames_to(PAGE, harness.exchange.received(PAGE, frame))


def send_from(harness: ExchangeHarness, *identifiers: str, to: str = FRIEND) -> list[Frame]:
    """Let the connected page send messages."""
    sent = (say(harness, type="send", id=identifier, to=to, kind="chat", body="hi") for identifier in identifiers)
    return [frame for frames in sent for frame in frames]


def login(harness: ExchangeHarness, device: DeviceId, page: str) -> list[Frame]:
    """Connect anew; returns the frames of the login."""
    return frames_to(page, harness.exchange.opened(PageId(page), hello(device=device)))


def test_a_message_is_kept_until_the_page_has_stored_it() -> None:
    """Sent while nobody was connected or to a page that died: it comes at each login, in order, until then."""
    harness = ExchangeHarness()
    device = harness.linked()
    for text in ("one", "two"):
        assert [] == do(harness, device, "send", text=text)
    first, second = (frame for frame in login(harness, device, PAGE) if frame["type"] == "message")
    say(harness, type="stored", stanza=first["stanza"])
    again = [frame for frame in login(harness, device, PAGE) if frame["type"] == "message"]
    say(harness, type="stored", stanza=second["stanza"])

    assert ["one", "two"] == [first["body"], second["body"]]
    assert [second] == again
    assert "message" not in [frame["type"] for frame in login(harness, device, PAGE)]


def test_receipts_are_kept_too() -> None:
    """One frame per receiver, each message once however often it arrived; at the next login if the page is away."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    send_from(harness, "A", "B", "A")
    send_from(harness, "C", to="15550100778@c.us")
    harness.exchange.closed(PAGE)
    do(harness, device, "receipt")
    do(harness, device, "receipt", ids=["B"], level=3)
    receipts = [frame for frame in login(harness, device, PAGE) if frame["type"] == "receipt"]

    assert [(["A", "B"], FRIEND, 2), (["C"], "15550100778@c.us", 2), (["B"], FRIEND, 3)] == [
        (frame["ids"], frame["from"], frame["level"]) for frame in receipts
    ]


def test_every_arrival_is_counted() -> None:
    """The second one of an id is listed as the second one."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    send_from(harness, "A", "B", "A")

    assert [("A", 1), ("B", 1), ("A", 2)] == [
        (message["id"], message["arrival"]) for message in harness.exchange.devices.get(device).sent_messages()
    ]


def test_acks_are_given_withheld_late_or_refused() -> None:
    """What was withheld is acknowledged once acks are given again, each message once."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    do(harness, device, "acks", mode="withheld")
    withheld = send_from(harness, "A", "A", "B")
    released = do(harness, device, "acks", mode="given")
    do(harness, device, "acks", mode="late", seconds=7)
    late = harness.exchange.received(PAGE, {"type": "send", "id": "C", "to": FRIEND})
    do(harness, device, "acks", mode="refused")

    assert [] == withheld
    assert ["A", "B"] == [frame["id"] for frame in released]
    assert [7.0] == [effect.seconds for effect in late]  # type: ignore[union-attr]
    assert [{"type": "nack", "id": "D", "code": 463}] == send_from(harness, "D")


def test_a_time_lock_refuses_first_contacts() -> None:
    """Who has written, or was written to before, is none."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    send_from(harness, "A", to="15550100701@c.us")
    do(harness, device, "send", text="hi", **{"from": "15550100702"})
    COMMANDS["restrict"](harness.exchange, device, {"kind": "timelock", "until": 2_000_000})
    answers = [send_from(harness, "B", to=f"1555010070{number}@c.us")[0]["type"] for number in (1, 2, 3)]
    COMMANDS["restrict"](harness.exchange, device, {"kind": "none"})

    assert ["ack", "ack", "nack"] == answers
    assert ["ack"] == [frame["type"] for frame in send_from(harness, "C", to="15550100703@c.us")]


def test_a_file_travels_by_a_link() -> None:
    """The message carries name, type, size and digest, and where the bytes are."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    data = base64.b64encode(b"bytes").decode()
    (frame,) = do(
        harness, device, "send", text="look", type="image", data=data, mimetype="image/png", filename="a.png", id="ID"
    )
    media = harness.exchange.account.media

    assert ("ID", "image", "look", "image/png", "a.png", 5) == tuple(
        frame[name] for name in ("id", "kind", "body", "mimetype", "filename", "size")
    )
    assert b"bytes" == media.get(frame["media"]).head(100)
    assert media.at(frame["link"].rpartition("/")[2]) == media.get(frame["media"])
    assert [{"type": "media-link", "media": frame["media"], "link": None}] == (
        media.expire(gone=True) and say(harness, type="media-wanted", media=frame["media"])
    )


def test_own_messages_and_changes_say_whose_they_are() -> None:
    """The owner's go to somebody; an edit and a revoke are of its author's message, a reaction of anybody's."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    frames = [
        *do(harness, device, "send", text="mine", to="15550100777", id="M"),
        *do(harness, device, "edit", target="M", text="new", to="15550100777"),
        *do(harness, device, "revoke", target="T", **{"from": "15550100777"}),
        *do(harness, device, "react", target="M", emoji="!", mine=True, **{"from": "15550100777"}),
    ]

    assert [
        ("chat", None, "mine", True, None),
        ("protocol", "message_edit", "new", True, {"id": "M", "fromMe": True}),
        ("protocol", "sender_revoke", "", None, {"id": "T", "fromMe": False}),
        ("reaction", None, "!", None, {"id": "M", "fromMe": True}),
    ] == [tuple(frame.get(name) for name in ("kind", "subtype", "body", "own", "target")) for frame in frames]


def test_a_message_that_cannot_be_read_has_no_content_until_it_is_filled() -> None:
    """Under the same id, and each is kept by itself."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    frames = [
        *do(harness, device, "send", id="C", text="secret", ciphertext=True),
        *do(harness, device, "fill", id="C", text="secret"),
    ]

    assert [("C", "ciphertext", ""), ("C", "chat", "secret")] == [
        (frame["id"], frame["kind"], frame["body"]) for frame in frames
    ]
    assert 2 == len({frame["stanza"] for frame in frames})


def test_the_history_comes_in_pieces_with_the_first_login() -> None:
    """The next piece when the page has stored one; a page that died gets the same again, a later login none."""
    harness = ExchangeHarness()
    device = harness.linked()
    harness.exchange.account.history = [{"id": f"H{number}"} for number in range(120)]
    effects = harness.exchange.opened(PAGE, hello(device=device))
    pieces = [frame for frame in frames_to(PAGE, effects) if frame["type"] == "history"]
    pieces += [frame for frame in login(harness, device, PAGE) if frame["type"] == "history"]
    while following := say(harness, type="history-stored", chunk=pieces[-1]["chunk"]):
        pieces += following

    assert ["success", "synced", "history"] == types_to(PAGE, effects)
    assert [(1, 33, 50), (1, 33, 50), (2, 66, 50), (3, 100, 20)] == [
        (frame["chunk"], frame["progress"], len(frame["messages"])) for frame in pieces
    ]
    assert "history" not in [frame["type"] for frame in login(harness, device, PAGE)]


def test_a_lookup_ends_in_one_of_four_ways() -> None:
    """Somebody, nobody, an error, or nothing at all; the server notes who was asked for."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    people = harness.exchange.account.people
    people.add(Person(number="1", lid="11", spellings=("01",), by_lid=True))
    people.add(Person(number="2", whatsapp=False))
    people.add(Person(number="3", lookup=Lookup.FAILS))
    people.add(Person(number="4", lookup=Lookup.SILENT))
    somebody = {"wid": "1@c.us", "lid": "11", "byLid": True}
    asked = ["01@c.us", "11@lid", "2@c.us", "3@c.us", "4@c.us", "5@c.us"]
    answers = [say(harness, type="query-exists", query="q", wid=wid) for wid in asked]

    assert [
        [{"type": "looked-up", "query": "q", "found": somebody}],
        [{"type": "looked-up", "query": "q", "found": somebody}],
        [{"type": "looked-up", "query": "q", "found": None}],
        [{"type": "lookup-failed", "query": "q", "code": 500}],
        [],
        [{"type": "looked-up", "query": "q", "found": {"wid": "5@c.us", "lid": None, "byLid": False}}],
    ] == answers
    assert asked == harness.exchange.devices.get(device).lookups


def test_who_writes_is_named_by_the_lid_where_whatsapp_does_so() -> None:
    """The number comes with it, unless it is hidden."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    people = harness.exchange.account.people
    people.add(Person(number="1", lid="11"))
    people.add(Person(number="2", lid="22", by_lid=True))
    people.add(Person(number="3", lid="33", by_lid=True, hidden=True))
    named = [do(harness, device, "send", text="hi", **{"from": number})[0] for number in "1234"]

    assert [("1", "1", "11"), ("22@lid", "2", "22"), ("33@lid", None, "33"), ("4", None, None)] == [
        (frame["from"], frame.get("number"), frame.get("lid")) for frame in named
    ]


@pytest.mark.parametrize("person", [Person(number="+1"), Person(number="1", lid="x"), Person(number="1", by_lid=True)])
def test_people_who_cannot_be_are_refused(person: Person) -> None:
    """Before a test goes on with them."""
    with pytest.raises(MalformedRequestError):
        ExchangeHarness().exchange.account.people.add(person)


def test_what_is_no_message_is_noted() -> None:
    """Read marks, typing and rejected calls."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    say(harness, type="signal", kind="composing", to=FRIEND)

    assert [{"kind": "composing", "to": FRIEND}] == harness.exchange.devices.get(device).signals


def test_a_page_that_was_unlinked_while_it_spoke_is_closed() -> None:
    """Its last words are no fault."""
    harness = ExchangeHarness()
    harness.exchange.unlink(harness.connected(PAGE))

    assert ["close"] == types_to(PAGE, harness.exchange.received(PAGE, {"type": "stored", "stanza": "s1"}))
