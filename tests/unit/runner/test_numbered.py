"""Buttons, lists and links become a text with numbered lines, where a session wants that."""

import json
from typing import Any

import pytest
from session_runner.messages.errors import MessageError
from session_runner.messages.numbered import read_numbered

YES, NO = ({"type": "reply", "reply": {"id": title, "title": title}} for title in ("Yes", "No"))
BUTTONS = {"type": "button", "body": {"text": "Come?"}, "action": {"buttons": [YES, NO]}}
ROWS = [{"id": "1", "title": "Red", "description": "of grapes"}, {"id": "2", "title": "White"}]
LIST = {
    "type": "list",
    "header": {"type": "text", "text": "The card"},
    "body": {"text": "What is it?"},
    "footer": {"text": "Cheers"},
    "action": {
        "button": "Show",
        "sections": [{"title": "Wine", "rows": ROWS}, {"rows": [{"id": "3", "title": "Tea"}]}],
    },
}
LINK = {
    "type": "cta_url",
    "body": {"text": "Read on"},
    "action": {"name": "cta_url", "parameters": {"display_text": "Here", "url": "https://example.com/"}},
}


@pytest.mark.parametrize(
    ("interactive", "text"),
    [
        (BUTTONS, "Come?\n\n1. Yes\n2. No"),
        (BUTTONS | {"action": json.dumps(BUTTONS["action"]), "header": None}, "Come?\n\n1. Yes\n2. No"),
        (LIST, "The card\n\nWhat is it?\n\nWine:\n1. Red – of grapes\n2. White\n3. Tea\n\nCheers"),
        (LINK, "Read on\n\nHere: https://example.com/"),
        (LINK | {"action": {"parameters": {"url": "https://example.com/"}}}, "Read on\n\nhttps://example.com/"),
        (BUTTONS | {"body": {"text": None}}, "1. Yes\n2. No"),
    ],
)
def test_choices_are_numbered(interactive: dict[str, Any], text: str) -> None:
    """Over all sections of a list, so that a number means one choice; Chatwoot's action is a text."""
    assert text == read_numbered(interactive).body


@pytest.mark.parametrize(
    ("interactive", "code"),
    [
        (None, 131008),
        ([], 131009),
        ({"type": "flow", "action": {}}, 131051),
        (BUTTONS | {"header": {"type": "image", "image": {"id": "1"}}}, 131051),
        (BUTTONS | {"action": {}}, 131009),
        (BUTTONS | {"action": "{"}, 131009),
        (BUTTONS | {"action": "[]"}, 131009),
        (BUTTONS | {"action": {"buttons": [{"type": "reply"}]}}, 131008),
        (BUTTONS | {"action": {"buttons": [{"reply": {"id": "1"}}]}}, 131009),
        (BUTTONS | {"action": {"buttons": [YES] * 11}}, 131009),
        (BUTTONS | {"body": {"text": 1}}, 131009),
        (BUTTONS | {"body": {"text": "x" * 4096}}, 131009),
        (LIST | {"action": {"sections": [{"title": "Wine", "rows": []}]}}, 131009),
        (LINK | {"action": {"parameters": {}}}, 131009),
    ],
)
def test_what_is_no_text_is_refused(interactive: Any, code: int) -> None:
    """By the Cloud API's codes."""
    with pytest.raises(MessageError) as caught:
        read_numbered(interactive)

    assert code == caught.value.code
