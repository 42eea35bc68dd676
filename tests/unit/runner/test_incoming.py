"""What of the page's store is news, and what is in a message, by all forms of both."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.messages.incoming import (
    CIPHERTEXT,
    WAITING,
    WAITING_AFTER,
    Entry,
    Known,
    News,
    PageMessage,
    PageReaction,
    Who,
    content_of,
    is_news,
    news_of,
    reaction_changes,
    reactions_of,
    seconds_of,
    seen_type,
    size_of,
)
from session_runner.messages.texts import well_formed

NOW = 1_796_000_000.0
ADA = {"id": "15550100701@c.us", "number": "15550100701"}
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nitem1.TEL;type=CELL;waid=15550100701:+1 555 010 0701\nTEL:5\nEND:VCARD"


def entry(kind: str = "chat", **more: Any) -> Entry:
    """Make an entry."""
    return Entry(key="false_15550100701@c.us_A", id="A", own=False, t=NOW, type=kind, **more)


def known(kind: str = "chat", *, edit: str = "", age: float = 0.0, reactions: dict[str, str] | None = None) -> Known:
    """Make what is known."""
    return Known(type=kind, edit=edit, reactions=reactions or {}, noticed=NOW - age)


def message(kind: str, **more: Any) -> PageMessage:
    """Make a message as the page gives it."""
    given_ = {"key": "K", "id": "A", "own": False, "t": NOW, "type": kind, "who": ADA} | more
    return msgspec.convert(given_, type=PageMessage)


def by(one: PageReaction) -> str:
    """Whose it is."""
    return "me" if one.mine else one.by.id


def liked(who: str, emoji: str) -> PageReaction:
    """Make a reaction."""
    return PageReaction(by=Who(id=f"{who}@c.us"), mine=False, emoji=emoji, t=NOW)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (entry(), None, News.MESSAGE),
        (entry(), known(), None),
        (entry(edit="E"), known(), News.EDITED),
        (entry(edit="E"), known(edit="E"), None),
        (entry(edit="E"), known("revoked"), None),
        (entry("revoked"), known(), News.DELETED),
        (entry("revoked"), known("revoked"), None),
        (entry("revoked"), known(CIPHERTEXT), None),
        (entry("revoked"), known(WAITING), News.DELETED),
        (entry("revoked"), None, News.DELETED),
        (entry(CIPHERTEXT), None, None),
        (entry(CIPHERTEXT), known(CIPHERTEXT, age=WAITING_AFTER - 1), None),
        (entry(CIPHERTEXT), known(CIPHERTEXT, age=WAITING_AFTER), News.WAITING),
        (entry(CIPHERTEXT), known(WAITING, age=WAITING_AFTER), None),
        (entry(), known(CIPHERTEXT), News.MESSAGE),
        (entry(), known(WAITING), News.MESSAGE),
        (entry("e2e_notification"), None, None),
    ],
)
def test_what_is_news(now: Entry, before: Known | None, expected: News | None) -> None:
    """By what a message was and what it is."""
    assert expected is news_of(now, before, now=NOW)


KINDS = st.sampled_from(["chat", "image", "revoked", CIPHERTEXT, "protocol"])


@given(st.lists(st.tuples(KINDS, st.sampled_from(["", "E1", "E2"]), st.integers(0, 100)), max_size=8))
def test_nothing_is_news_twice(steps: list[tuple[str, str, int]]) -> None:
    """Seen again as it is, a message is never news, whatever it went through."""
    seen, now = None, NOW
    for kind, edit, seconds in steps:
        now += seconds
        for first in (True, False):
            one = entry(kind, edit=edit)
            news = news_of(one, seen, now=now)
            assert first or news is None
            seen = Known(
                type=seen_type(one, seen, news), edit=edit, reactions={}, noticed=seen.noticed if seen else now
            )
            assert not is_news(one, seen, by, now=now)


def test_reactions_that_are_new_changed_or_gone() -> None:
    """And none where the page was not asked."""
    now = entry(reactions=[liked("1", "👍"), liked("2", "🎉"), liked("3", "👎"), liked("4", "")])
    before = {"2@c.us": "👍", "3@c.us": "👎", "5@c.us": "👍"}
    changes = [(one.by, one.emoji) for one in reaction_changes(now, before, by)]

    assert [("1@c.us", "👍"), ("2@c.us", "🎉"), ("5@c.us", None)] == changes
    assert [] == reaction_changes(entry(), before, by)
    assert {"1@c.us": "👍", "2@c.us": "🎉", "3@c.us": "👎"} == reactions_of(now, by)
    assert is_news(now, known(reactions=before), by, now=NOW)
    assert not is_news(entry(), known(reactions=before), by, now=NOW)
    assert is_news(entry("protocol"), known(), by, now=NOW)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (message("chat", body="Hello"), {"type": "text", "text": {"body": "Hello"}}),
        (message("chat"), {"type": "text", "text": {"body": ""}}),
        (
            message("image", mimetype="image/jpeg", digest="B64", caption="Hi", filename="x"),
            {"type": "image", "image": {"id": "7", "mime_type": "image/jpeg", "sha256": "B64", "caption": "Hi"}},
        ),
        (
            message("document", mimetype="application/pdf", digest="B64", filename="a.pdf"),
            {
                "type": "document",
                "document": {"id": "7", "mime_type": "application/pdf", "sha256": "B64", "filename": "a.pdf"},
            },
        ),
        (
            message("ptt", mimetype="audio/ogg; codecs=opus", caption="no"),
            {"type": "audio", "audio": {"id": "7", "mime_type": "audio/ogg; codecs=opus", "sha256": "", "voice": True}},
        ),
        (
            message("sticker", animated=True),
            {"type": "sticker", "sticker": {"id": "7", "mime_type": "", "sha256": "", "animated": True}},
        ),
        (
            message("location", latitude=1.5, longitude=0.0, place="Home\nStreet 1"),
            {
                "type": "location",
                "location": {"latitude": 1.5, "longitude": 0.0, "name": "Home", "address": "Street 1"},
            },
        ),
        (
            message("location", latitude=1.5, longitude=2.5),
            {"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}},
        ),
        (message("location"), {"type": "unsupported", "unsupported": {"type": "location"}}),
        (message("vcard"), {"type": "unsupported", "unsupported": {"type": "vcard"}}),
        (message("poll_creation"), {"type": "unsupported", "unsupported": {"type": "poll_creation"}}),
        (
            message("vcard", body=CARD),
            {
                "type": "contacts",
                "contacts": [
                    {
                        "name": {"formatted_name": "Ada"},
                        "phones": [{"phone": "+1 555 010 0701", "wa_id": "15550100701"}, {"phone": "5"}],
                    }
                ],
            },
        ),
        (
            message("multi_vcard", cards=["FN:One", "nothing"]),
            {
                "type": "contacts",
                "contacts": [{"name": {"formatted_name": "One"}}, {"name": {"formatted_name": ""}}],
            },
        ),
    ],
)
def test_what_is_in_a_message(given_: PageMessage, expected: dict[str, Any]) -> None:
    """In the form that the Cloud API has for it; what has none says what it is."""
    assert expected == content_of(given_, media_id="7")


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "x" * 200},
        {"t": -1},
        {"body": "x" * 70_000},
        {"who": {"id": "status@broadcast"}},
        {"who": {"id": "1@c.us", "number": "1\n2"}},
        {"cards": ["x" * 9000]},
    ],
)
def test_what_has_no_bounds_is_no_message(wrong: dict[str, Any]) -> None:
    """Nothing of it is looked at."""
    with pytest.raises(msgspec.ValidationError):
        message("chat", **wrong)


def test_half_a_character_is_none() -> None:
    """Wherever it stands; a whole one stays."""
    given_ = {"na\ud83dme": ["\ud83d", "\U0001f600 \udc00x", "plain", 5, None, True]}

    assert {"na\ufffdme": ["\ufffd", "\U0001f600 \ufffdx", "plain", 5, None, True]} == well_formed(given_)


@pytest.mark.parametrize(
    ("time", "expected"), [(NOW, NOW), (NOW * 1000, NOW), (-1, 0), (9.2e18, 4e9), (0, 0), (4.0e9, 4e9)]
)
def test_a_time_is_one_by_any_clock(time: float, expected: float) -> None:
    """An author's clock may say anything."""
    assert expected == seconds_of(time)


@pytest.mark.parametrize(("given_", "expected"), [(None, None), (5.0, 5), (0, 0), (-1, None), (1.8e19, None)])
def test_a_size_is_one_or_unknown(given_: float | None, expected: int | None) -> None:
    """Whoever sends a file says how large it is."""
    assert expected == size_of(given_)


def test_nobody_reads_numbers_and_texts_by_accident() -> None:
    """What is logged of a message has neither."""
    shown = f"{message('chat', body='Hello')} {entry()} {message('chat').who} {known(reactions={'1555': '👍'})}"

    assert "Hello" not in shown
    assert "1555" not in shown
