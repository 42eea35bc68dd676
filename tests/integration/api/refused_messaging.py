"""What the API server refuses of how a session sends, each at its field and with its text."""

from typing import Any

from integration.api.refusal_messages import CUSTOM_PACING, FIVE_MINUTES, ONE_MINUTE

_PACING = "spec.messaging.pacing"


def paced(**pacing: Any) -> dict[str, Any]:
    """A spec with a pacing."""
    return {"messaging": {"pacing": pacing}}


def custom(part: str, **numbers: Any) -> dict[str, Any]:
    """One with numbers of its own."""
    return paced(type="Custom", custom={part: numbers})


MESSAGING: list[tuple[dict[str, Any], str, str]] = [
    (paced(type="Custom"), f"{_PACING}.custom", CUSTOM_PACING),
    (paced(custom={}), f"{_PACING}.custom", CUSTOM_PACING),
    (paced(type="None", custom={}), f"{_PACING}.custom", CUSTOM_PACING),
    (custom("firstContacts", interval="6m"), f"{_PACING}.custom.firstContacts.interval", FIVE_MINUTES),
    (custom("messages", interval="61s"), f"{_PACING}.custom.messages.interval", ONE_MINUTE),
]
""" By the rules of the schema. """
SCHEMA_OF_MESSAGING: list[tuple[dict[str, Any], str, str]] = [
    (paced(type="Off"), f"{_PACING}.type", 'supported values: "Default", "Custom", "None"'),
    (custom("firstContacts", perDay=0), f"{_PACING}.custom.firstContacts.perDay", "greater than or equal to 1"),
    (custom("messages", burst=1001), f"{_PACING}.custom.messages.burst", "less than or equal to 1000"),
]
""" By its bounds, in the API server's own words. """
