"""Reactions, places and people's cards as clients of the Cloud API write them, and what the page is given of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.messages.contents import (
    Contacts,
    Content,
    Forward,
    Location,
    Preview,
    Reaction,
    Text,
    for_page,
    kind_of,
    read_stored,
    stored,
)
from session_runner.messages.errors import MessageError
from session_runner.messages.requests import SendRequest, read_message, read_request
from session_runner.messages.vcards import read_card

ADA = {"name": {"formatted_name": "Ada Lovelace"}}


def read(kind: str, given: Any, **more: Any) -> SendRequest:
    """Read a request of some kind."""
    body = {"messaging_product": "whatsapp", "to": "15550100777", "type": kind, kind: given} | more
    request = read_request(json.dumps(body).encode())
    assert isinstance(request, SendRequest)
    return request


def card(**changes: Any) -> list[str]:
    """Give the lines of a card without its frame."""
    return read_card(ADA | changes, field="contacts[0]").vcard.split("\n")[2:-1]


@pytest.mark.parametrize(("emoji", "expected"), [("\U0001f44d", "\U0001f44d"), ("", ""), (None, "")])
def test_a_reaction_names_its_message(emoji: str | None, expected: str) -> None:
    """One without an emoji takes away what there is; what it answers besides is not looked at."""
    request = read("reaction", {"message_id": "3AF0", "emoji": emoji}, context={"message_id": "3AF1"})

    assert (Reaction(message="3AF0", emoji=expected), None) == (request.content, request.reply_to)


@pytest.mark.parametrize("latitude", [52.5, "52.5"])
def test_a_place_is_read_in_every_form(latitude: float | str) -> None:
    """Numbers may be texts; a name that is null is none."""
    request = read("location", {"latitude": latitude, "longitude": -13, "name": None, "address": "Unter den Linden"})

    assert Location(latitude=52.5, longitude=-13.0, address="Unter den Linden") == request.content


def test_a_card_has_what_whatsapp_shows() -> None:
    """Each part in its line, in the order of the format."""
    lines = card(
        name={"formatted_name": "Dr. Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "prefix": "Dr."},
        org={"company": "Engines, Ltd", "department": "Notes", "title": "Countess"},
        phones=[{"phone": "+1 555 010 0777", "type": "Mobile", "wa_id": "15550100777"}, {"wa_id": "15550100778"}, {}],
        emails=[{"email": "ada@example.org", "type": "WORK"}],
        urls=[{"url": "https://example.org"}],
        addresses=[{"street": "1 Square", "city": "London", "type": "HOME"}, {"type": "WORK"}],
        birthday="1815-12-10",
    )

    assert [
        "N:Lovelace;Ada;;Dr.;",
        "FN:Dr. Ada Lovelace",
        "ORG:Engines\\, Ltd;Notes",
        "TITLE:Countess",
        "TEL;type=MOBILE;waid=15550100777:+1 555 010 0777",
        "TEL;waid=15550100778:+15550100778",
        "EMAIL;type=WORK:ada@example.org",
        "URL:https://example.org",
        "ADR;type=HOME:;;1 Square;London;;;",
        "BDAY:1815-12-10",
    ] == lines


def test_a_card_needs_a_name_alone() -> None:
    """Which stands in both lines, because some programs read the one and some the other."""
    assert ["N:;Ada Lovelace;;;", "FN:Ada Lovelace"] == card(org={})


@given(st.text(max_size=50), st.text(max_size=50))
def test_nothing_adds_a_line_to_a_card(name: str, label: str) -> None:
    """Neither a text nor the label of one."""
    text = f"x{name}"
    made = read_card(
        {"name": {"formatted_name": text}, "phones": [{"phone": text, "type": label}]}, field="contacts[0]"
    )

    names = [line.partition(":")[0].partition(";")[0] for line in made.vcard.splitlines()]
    assert ["BEGIN", "VERSION", "N", "FN", "TEL", "END"] == names


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("reaction", None, 131008),
        ("reaction", {"emoji": "x"}, 131008),
        ("reaction", {"message_id": "3AF0", "emoji": "x" * 33}, 131009),
        ("reaction", {"message_id": "3AF0", "emoji": 7}, 131009),
        ("location", {"latitude": 1}, 131008),
        ("location", {"latitude": 91, "longitude": 0}, 131009),
        ("location", {"latitude": "north", "longitude": 0}, 131009),
        ("location", {"latitude": True, "longitude": 0}, 131009),
        ("location", {"latitude": "nan", "longitude": 0}, 131009),
        ("location", {"latitude": 10**400, "longitude": 0}, 131009),
        ("location", {"latitude": 0, "longitude": 0, "name": "x" * 1025}, 131009),
        ("contacts", None, 131008),
        ("contacts", [], 131008),
        ("contacts", {}, 131009),
        ("contacts", [ADA] * 258, 131009),
        ("contacts", [{}], 131008),
        ("contacts", [{"name": {"first_name": "Ada"}}], 131008),
        ("contacts", [{"name": "Ada"}], 131009),
        ("contacts", [ADA | {"phones": [{"phone": 7}]}], 131009),
        ("text", {"body": "@15550100777", "mentions": "15550100777"}, 131009),
        ("text", {"body": "@15550100777", "mentions": ["15550100778"]}, 131009),
        ("text", {"body": "@15550100777", "mentions": [15550100777]}, 131009),
        ("text", {"body": "@15550100777", "mentions": ["15550100777"] * 51}, 131009),
        ("text", {"body": "@1", "mentions": ["1"]}, 131009),
        ("text", {"body": "x", "preview": "x"}, 131009),
        ("text", {"body": "x", "preview": {"url": "x"}}, 131008),
        ("text", {"body": "x", "preview": {"url": "x", "title": 7}}, 131009),
        ("text", {"body": "x", "preview": {"url": "y", "title": "Y"}}, 131009),
    ],
)
def test_a_wrong_part_has_its_code(kind: str, given: Any, code: int) -> None:
    """With the Cloud API's code, and the name of the part."""
    with pytest.raises(MessageError, match=kind) as caught:
        read(kind, given)

    assert code == caught.value.code


def test_a_text_may_have_mentions_and_a_preview() -> None:
    """Those that are asked for, and no others."""
    body, preview = "Hi @15550100777, see https://x.org", {"url": "https://x.org", "title": "X", "description": None}
    plain = Text(body=body)
    mentioning = Text(body=body, mentions=("15550100777",))

    assert plain == read("text", {"body": body, "preview_url": None, "mentions": None, "preview": None}).content
    assert mentioning == read("text", {"body": body, "mentions": ["+15550100777"]}).content
    assert Text(body=body, preview_url=True) == read("text", {"body": body, "preview_url": True}).content
    assert Text(body=body, preview=Preview(url="https://x.org", title="X")) == (
        read("text", {"body": body, "preview": preview}).content
    )
    assert "x.org" not in repr(read("text", {"body": body, "preview": preview}))


def test_a_message_is_sent_on_by_the_own_route_alone() -> None:
    """The Cloud API has no such type."""
    body = {"to": "15550100777", "type": "forward", "forward": {"message_id": "3AF0"}}
    assert Forward(message="3AF0") == read_message(json.dumps(body).encode()).content
    with pytest.raises(MessageError, match="type is none of the Cloud API's"):
        read("forward", {"message_id": "3AF0"})


@pytest.mark.parametrize(
    "content",
    [
        read("text", {"body": "Hello"}).content,
        read(
            "text", {"body": "@15550100777 x", "mentions": ["15550100777"], "preview": {"url": "x", "title": "X"}}
        ).content,
        Forward(message="3AF0"),
        Reaction(message="3AF0", emoji=""),
        Location(latitude=1.5, longitude=2.0, name="Here"),
        read("contacts", [ADA, ADA]).content,
    ],
)
def test_what_is_stored_is_what_was_asked_for(content: Content) -> None:
    """Of each kind, and the page gets the same parts by their names."""
    kind = kind_of(content)

    assert content == read_stored(kind, stored(content))
    assert json.loads(stored(content)) == json.loads(json.dumps(for_page(content)))
    assert not isinstance(content, Contacts) or "Ada" not in repr(content)
