"""Settings that a running pod takes up, as they are written, read and compared."""

import json
from typing import Any

import pytest
from session_protocol.live_settings import (
    LiveSettings,
    digest_of_settings,
    is_header_value,
    read_live_settings,
    write_live_settings,
)

BOT: dict[str, Any] = {
    "name": "bot",
    "url": "https://bot.example.com/",
    "format": "CloudAPI",
    "events": ["message"],
    "headers": [{"name": "X-Team", "value": "a b"}],
}


def settings(**more: Any) -> LiveSettings:
    """Read those of one webhook."""
    return read_live_settings(json.dumps({"webhooks": [BOT | more], "destinations": ["automation"]}))


def test_they_are_read_as_they_were_written() -> None:
    """Both sides compare what they have by its digest."""
    once = settings()

    assert once == read_live_settings(write_live_settings(once))
    assert digest_of_settings(once) == digest_of_settings(read_live_settings(write_live_settings(once)))
    assert digest_of_settings(once) != digest_of_settings(settings(name="other"))


def test_nothing_set_has_no_digest() -> None:
    """As a runner that knows no such settings."""
    assert digest_of_settings(LiveSettings()) is None
    assert LiveSettings() == read_live_settings("{}")


def test_a_pace_is_read_as_it_was_written() -> None:
    """The default one is nothing set, also for a side with other numbers for it; any other one has a digest."""
    document = {"pacing": {"type": "Custom", "firstContacts": {"burst": 5, "perDay": 50}, "messages": {"interval": 2}}}
    read = read_live_settings(json.dumps(document))

    assert read == read_live_settings(write_live_settings(read))
    assert (5, 60, 50, 300, 2) == (
        read.pacing.first_contacts.burst,
        read.pacing.first_contacts.interval,
        read.pacing.first_contacts.per_day,
        read.pacing.messages.burst,
        read.pacing.messages.interval,
    )
    assert digest_of_settings(read) is not None
    assert LiveSettings() == read_live_settings('{"pacing": {"type": "Default"}}')
    for wrong in ({"type": "Off"}, {"messages": {"burst": 0}}, {"firstContacts": {"interval": 301}}):
        with pytest.raises(ValueError, match=r"pacing"):
            read_live_settings(json.dumps({"pacing": wrong}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Bot"},
        {"name": "bot\n"},
        {"url": "https://shop:secret@bot.example.com/"},
        {"url": "https://bot.example.com/ a"},
        {"url": "file:///etc/passwd"},
        {"events": []},
        {"events": ["sent"]},
        {"secretName": "../tokens"},
        {"secretName": ".."},
        {"headers": [{"name": "Host", "value": "a"}]},
        {"headers": [{"name": "X-Team", "value": "a\r\nHost: b"}]},
    ],
    ids=lambda wrong: json.dumps(wrong)[:40],
)
def test_what_is_beyond_the_bounds_is_not_read(wrong: dict[str, Any]) -> None:
    """Nothing of it is repeated, since there may be a token in it."""
    with pytest.raises(ValueError, match=r"webhooks|header") as raised:
        settings(**wrong)

    assert "secret@" not in str(raised.value)


def test_a_name_is_one_webhooks() -> None:
    """What waits is kept by it."""
    with pytest.raises(ValueError, match="same name"):
        read_live_settings(json.dumps({"webhooks": [BOT, BOT]}))


def test_a_webhook_is_shown_without_its_address() -> None:
    """People put tokens there."""
    (webhook,) = settings().webhooks

    assert "Webhook(bot)" == repr(webhook)
    assert "example" not in repr(settings())


def test_a_headers_value_is_one_line() -> None:
    """Of printable characters."""
    assert [True, False, False] == [is_header_value(text) for text in ("Bearer abc", "a\nb", "")]
