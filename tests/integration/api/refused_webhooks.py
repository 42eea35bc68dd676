"""What the API server refuses of a session's webhooks, each at its field and with its text."""

from typing import Any

from integration.api.refusal_messages import (
    FREE_HEADER,
    HEADER_NAME,
    HEADER_VALUE,
    SECRET,
    SIGNED,
    WEBHOOK_HOST,
    WEBHOOK_NAME,
    WEBHOOK_URL,
)

BOT: dict[str, Any] = {
    "name": "bot",
    "url": "https://bot.example.com/",
    "format": "CloudAPI",
    "events": ["message"],
}


def hook(**more: Any) -> dict[str, Any]:
    """A spec with a webhook."""
    return {"webhooks": [BOT | more]}


def header(name: str, value: str = "a") -> dict[str, Any]:
    """One with a header."""
    return hook(headers=[{"name": name, "value": value}])


_FIRST = "spec.webhooks[0]"

WEBHOOKS: list[tuple[dict[str, Any], str, str]] = [
    (hook(name="Bot"), f"{_FIRST}.name", WEBHOOK_NAME),
    (hook(name="sales-15550100000"), f"{_FIRST}.name", WEBHOOK_NAME),
    (hook(url="ftp://bot.example.com/"), f"{_FIRST}.url", WEBHOOK_URL),
    (hook(url="bot.example.com"), f"{_FIRST}.url", WEBHOOK_URL),
    (hook(url="https://shop:secret@bot.example.com/"), f"{_FIRST}.url", WEBHOOK_URL),
    (hook(url="https://bot.example.com/a b"), f"{_FIRST}.url", WEBHOOK_URL),
    *(
        (hook(url=f"https://{host}/"), f"{_FIRST}.url", WEBHOOK_HOST)
        for host in (
            "localhost",
            "LocalHost.:8080",
            "a.localhost",
            "127.0.0.1",
            "127.8.8.8:8080",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "10.1",
            "010.1.2.3",
            "1.2.3.4.",
            "[::1]",
            "[::]:8080",
            "[fe80::1]",
            "[ff02::1]",
            "[::ffff:10.0.0.1]",
        )
    ),
    (hook(url="http://127.0.0.1?a=b"), f"{_FIRST}.url", WEBHOOK_HOST),
    (hook(format="Standard"), f"{_FIRST}.secretName", SIGNED),
    (hook(secretName="My Secret"), f"{_FIRST}.secretName", SECRET),
    (header("X Team"), f"{_FIRST}.headers[0].name", HEADER_NAME),
    (header("Authorization"), f"{_FIRST}.headers[0].name", FREE_HEADER),
    (header("content-length"), f"{_FIRST}.headers[0].name", FREE_HEADER),
    (header("X-Team", "a\nHost: b"), f"{_FIRST}.headers[0].value", HEADER_VALUE),
]
""" By the rules of the schema. """
SCHEMA_OF_WEBHOOKS: list[tuple[dict[str, Any], str, str]] = [
    ({"webhooks": [{"name": "bot"}]}, f"{_FIRST}.url", "Required value"),
    ({"webhooks": [BOT, BOT]}, "spec.webhooks[1]", "Duplicate value"),
    ({"webhooks": [BOT | {"name": f"bot-{n}"} for n in range(5)]}, "spec.webhooks", "must have at most 4 items"),
    (hook(events=[]), f"{_FIRST}.events", "should have at least 1 items"),
    (hook(events=["sent"]), f"{_FIRST}.events[0]", 'supported values: "message", "message.edited"'),
    (hook(format="cloudapi"), f"{_FIRST}.format", 'supported values: "CloudAPI", "Standard"'),
]
""" By its bounds, in the API server's own words. """
