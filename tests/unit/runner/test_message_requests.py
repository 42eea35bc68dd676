"""What clients of the Cloud API send, in all their ways of writing it, and what they are told instead of a pretence."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.messages import LONGEST_TEXT
from session_runner.messages.contents import Audio, Document, File, Image, Sticker, Text, Video, read_stored, stored
from session_runner.messages.errors import MessageError
from session_runner.messages.requests import ReadMark, SendRequest, read_message, read_request

TEXT = {"messaging_product": "whatsapp", "to": "15550100777", "type": "text", "text": {"body": "Hello"}}


def read(**changes: Any) -> tuple[str, str, str]:
    """Read a text with changes; gives the number as written and as digits, and the text."""
    request = read_request(json.dumps(TEXT | changes).encode())
    assert isinstance(request, SendRequest)
    assert isinstance(request.content, Text)
    return request.given, request.digits, request.content.body


def refused(body: bytes) -> int:
    """Give the code of the refusal."""
    with pytest.raises(MessageError) as caught:
        read_request(body)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"type": None},
        {"recipient_type": "individual", "context": None, "biz_opaque_callback_data": None},
        {"text": {"body": "Hello", "preview_url": False}},
        {"recipient": "ZZ.184650099123"},
        {"context": {"message_id": None}},
        {"image": None, "template": None},
    ],
)
def test_a_text_is_read_in_every_form(changes: dict[str, Any]) -> None:
    """What is not set may be null or left out; `to` wins over a user_id."""
    assert ("15550100777", "15550100777", "Hello") == read(**changes)


@pytest.mark.parametrize(("given", "expected"), [("order 7", "order 7"), ("", None), (None, None)])
def test_what_comes_back_in_each_status_is_kept(given: str | None, expected: str | None) -> None:
    """As pywa's `tracker` has it, and on the own route, too; an empty one is none."""
    body = json.dumps(TEXT | {"biz_opaque_callback_data": given}).encode()
    request = read_request(body)
    assert isinstance(request, SendRequest)
    assert expected == request.callback_data == read_message(body).callback_data


def test_a_person_may_be_addressed_by_user_id() -> None:
    """As clients do when they answer; whose number that is, the outbox knows."""
    assert ("ZZ.184650099123", "", "Hello") == read(to=None, recipient="ZZ.184650099123")


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("image", {"caption": "Look", "link": None, "filename": "not taken"}, Image(media="1" * 30, caption="Look")),
        ("image", {"link": "https://a.example/b"}, Image(media="1" * 30)),
        ("image", {"id": None, "link": " https://a.example/b#c "}, Image(link="https://a.example/b")),
        ("video", {"caption": None}, Video(media="1" * 30)),
        ("document", {"filename": "a" * 500}, Document(media="1" * 30, filename="a" * 240)),
        ("audio", {"voice": True}, Audio(media="1" * 30, ptt=True)),
        ("sticker", {"voice": True}, Sticker(media="1" * 30)),
    ],
)
def test_a_file_is_read_by_its_id(kind: str, given: dict[str, Any], expected: File) -> None:
    """With what its kind has beside it; what is stored of it is read again as the same."""
    body = TEXT | {"type": kind, kind: {"id": "1" * 30} | given}
    request = read_request(json.dumps(body).encode())

    assert isinstance(request, SendRequest)
    assert expected == request.content == read_stored(kind, stored(request.content))


@pytest.mark.parametrize(
    "written",
    [
        "+1 555 010-0777",
        "15550100777+",
        "(1) 555.010.0777",
        "0015550100777",
        "+1 (0) 555 010 0777",
        "\u202a+1\u202f555\u2011010\u200b0777\u202c",
        15550100777,
    ],
)
def test_a_number_is_read_in_every_notation(written: str | int) -> None:
    """It is told back as it was written."""
    assert (str(written), "15550100777") == read(to=written)[:2]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messaging_product": "telegram"}, 100),
        ({"to": None}, 131008),
        ({"to": None, "recipient": "US.184650099123"}, 131062),
        ({"to": None, "recipient": 7}, 131062),
        ({"to": "me"}, 131009),
        ({"to": "0555010077"}, 131009),
        ({"to": "+555010"}, 131009),
        ({"to": "1" * 16}, 131009),
        ({"to": "15550100777@c.us"}, 131009),
        ({"to": ["15550100777"]}, 131009),
        ({"to": True}, 131009),
        ({"to": " " * 100 + "15550100777"}, 131009),
        ({"to": "\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0660"}, 131009),
        ({"recipient_type": "group"}, 131009),
        ({"biz_opaque_callback_data": 7}, 131009),
        ({"biz_opaque_callback_data": "x" * 513}, 131009),
        ({"context": {"message_id": 7}}, 131009),
        ({"context": {"message_id": "true_15550100777@c.us_3EB0"}}, 131009),
        ({"text": None}, 131008),
        ({"text": "Hello"}, 131009),
        ({"text": {"body": 7}}, 131009),
        ({"text": {"body": " "}}, 131009),
        ({"text": {"body": "x" * (LONGEST_TEXT + 1)}}, 131009),
        ({"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}, 132001),
        ({"type": "interactive", "interactive": {"type": "button"}}, 131051),
        ({"type": "image", "image": {"id": "1"}}, 131009),
        ({"type": "image", "image": {"id": int("1" * 30)}}, 131009),
        ({"type": "image", "image": {"caption": "x"}}, 131008),
        ({"type": "image", "image": {"link": 7}}, 131009),
        ({"type": "image", "image": {"link": "ftp://example.com/a.png"}}, 131053),
        ({"type": "audio", "audio": {"id": "1" * 30, "caption": "x"}}, 131009),
        ({"type": "sticker", "sticker": None}, 131008),
        ({"type": "hologram"}, 131009),
        ({"status": "delivered", "message_id": "3EB0"}, 131009),
        ({"status": "read"}, 131008),
        ({"status": "read", "message_id": "3EB0", "typing_indicator": True}, 131009),
    ],
)
def test_what_is_not_sent_is_refused_with_its_code(changes: dict[str, Any], code: int) -> None:
    """The code is the Cloud API's, and the text says what to do."""
    assert code == refused(json.dumps(TEXT | changes).encode())


def test_a_reply_names_the_message() -> None:
    """By the id that an answer or a webhook gave."""
    request = read_request(json.dumps(TEXT | {"context": {"message_id": "3EB0C767"}}).encode())
    assert isinstance(request, SendRequest)

    assert "3EB0C767" == request.reply_to


@pytest.mark.parametrize("indicator", [None, {"type": "text"}])
def test_a_message_is_marked_as_read(indicator: dict[str, str] | None) -> None:
    """With or without showing that an answer is being written."""
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "3AF0", "typing_indicator": indicator}

    assert ReadMark(message="3AF0", typing=indicator is not None) == read_request(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b'"\xff"', b"[" * 5000, b"{}"])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Whatever it is."""
    assert 100 == refused(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.dictionaries(
            st.sampled_from(["messaging_product", "to", "type", "text", "body", "context", "message_id", "status"]),
            inner,
        ),
    )
)
def test_any_document_is_read_or_refused(document: Any) -> None:
    """Nothing else comes out of it than a request or one of our errors."""
    made = document | {"messaging_product": "whatsapp"} if isinstance(document, dict) else document
    read: object = None
    with contextlib.suppress(MessageError):
        read = read_request(json.dumps(made).encode())

    assert read is None or isinstance(read, SendRequest | ReadMark)


def test_nobody_reads_numbers_and_texts_by_accident() -> None:
    """What is logged of a request has neither."""
    shown = repr(read_request(json.dumps(TEXT).encode()))

    assert "1555" not in shown
    assert "Hello" not in shown
