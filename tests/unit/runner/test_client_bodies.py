"""Requests as Chatwoot, Typebot and n8n make them, which are programs of their own and not run here: recorded shapes.

Each was written down from what its program puts together: the version in the path, the order, the nulls and the texts that
hold JSON. The answers are read as the program reads them.
"""

from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from support.runner_parts import PHONE
from unit.runner.messaging_harness import FRIEND
from unit.runner.test_cloud_api import Served, failure
from unit.runner.test_cloud_api import served as served  # noqa: PLC0414 -- a fixture

OWN = "15550100001"
THEIRS = "3AF0C767"
JSON = {"Content-Type": "application/json"}
BUTTONS = '{"buttons":[{"type":"reply","reply":{"id":"1","title":"Yes"}}]}'

SENDS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "Chatwoot: a text, whose context is null",
        "v13.0",
        {"context": None, "to": FRIEND, "text": {"body": "*Ada*:\n\nHello"}, "type": "text"},
    ),
    (
        "Chatwoot: a reply",
        "v13.0",
        {"context": {"message_id": THEIRS}, "to": FRIEND, "text": {"body": "Hello"}, "type": "text"},
    ),
    ("Typebot: a text", "v17.0", {"to": FRIEND, "type": "text", "text": {"body": "Hello"}}),
    (
        "Typebot: an embedded page, as a text with a preview",
        "v17.0",
        {"to": FRIEND, "type": "text", "text": {"body": "https://example.com", "preview_url": True}},
    ),
    (
        "Typebot: a place",
        "v17.0",
        {"to": FRIEND, "type": "location", "location": {"latitude": 1.5, "longitude": -2, "name": "1.5,-2"}},
    ),
    ("n8n: a text", "v13.0", {"to": FRIEND, "type": "text", "text": {"body": "Hello", "preview_url": False}}),
    (
        "n8n: send and wait",
        "v13.0",
        {"text": {"body": "Hello\n\n*Approve:*\n_http://n8n/1_\n\n"}, "to": FRIEND, "type": "text"},
    ),
    (
        "n8n: a place",
        "v13.0",
        {"to": FRIEND, "type": "location", "location": {"longitude": 2.5, "latitude": 1.5, "name": "", "address": ""}},
    ),
    (
        "n8n: people, with what was left empty",
        "v13.0",
        {
            "to": FRIEND,
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Ada", "first_name": "", "last_name": "L"},
                    "phones": [{"type": "CELL", "phone": "+1 555 010 0666", "wa_id": ""}],
                    "emails": [{"type": "WORK", "email": "ada@example.com"}],
                    "birthday": "",
                }
            ],
        },
    ),
]

REFUSED: list[tuple[str, str, dict[str, Any], int]] = [
    (
        "Chatwoot: choices, whose action is a text that holds JSON",
        "v13.0",
        {
            "to": FRIEND,
            "interactive": {"type": "button", "body": {"text": "?"}, "action": BUTTONS},
            "type": "interactive",
        },
        131051,
    ),
    (
        "Chatwoot: a template",
        "v13.0",
        {
            "recipient_type": "individual",
            "to": FRIEND,
            "type": "template",
            "template": {
                "name": "hello",
                "language": {"policy": "deterministic", "code": "en"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}],
            },
        },
        132001,
    ),
    (
        "Typebot: buttons",
        "v17.0",
        {
            "to": FRIEND,
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]},
            },
        },
        131051,
    ),
    (
        "n8n: a template",
        "v13.0",
        {
            "to": FRIEND,
            "type": "template",
            "template": {"name": "hello", "language": {"code": "en_US"}, "components": [{"type": "body"}]},
        },
        132001,
    ),
]


async def send(served: Served, version: str, body: dict[str, Any]) -> Any:
    """POST it as they do."""
    whole = {"messaging_product": "whatsapp"} | body
    return await served.call("POST", f"/{version}/{PHONE}/messages", json=whole, headers=JSON)


@pytest.mark.parametrize(("what", "version", "body"), SENDS, ids=[one[0] for one in SENDS])
async def test_it_is_taken(served: Served, what: str, version: str, body: dict[str, Any]) -> None:
    """All of them find the message's id where they look for it."""
    served.session.page.others.add(THEIRS)
    response = await send(served, version, body)

    assert 200 == response.status, what
    assert (await response.json())["messages"][0]["id"].startswith("3EB0")


@pytest.mark.parametrize(("what", "version", "body", "code"), REFUSED, ids=[one[0] for one in REFUSED])
async def test_it_is_refused(served: Served, what: str, version: str, body: dict[str, Any], code: int) -> None:
    """With a message that all of them show, and no 401, which would end Chatwoot's inbox."""
    assert (400, code) == await failure(await send(served, version, body)), what


async def test_typebot_marks_as_read_and_types(served: Served) -> None:
    """In one request, of another version than its messages."""
    served.session.page.others.add(THEIRS)
    mark = {"status": "read", "message_id": THEIRS, "typing_indicator": {"type": "text"}}
    response = await send(served, "v21.0", mark)

    assert {"success": True} == await response.json()


async def test_chatwoot_makes_its_inbox(served: Served) -> None:
    """It asks for the templates with the token in the query, before a phone is linked, and follows no next page."""
    served.session.say(RunnerState.QR_PENDING, linked=False)
    path = f"/v14.0/{PHONE}/message_templates?access_token=send-token"
    found = await (await served.call("GET", path, token=None)).json()

    assert ([], None) == (found["data"], found["paging"].get("next"))


async def test_typebot_is_set_up(served: Served) -> None:
    """Token, number in the account, subscription; an unlimited token with both rights is what it insists on."""
    served.session.store.show_account(f"+{OWN}")

    async def ask(path: str) -> Any:
        return await (await served.call("GET", f"/v17.0/{path}")).json()

    token = (await ask("debug_token?input_token=send-token&appsecret_proof=0"))["data"]
    numbers = (await ask(f"{PHONE}/phone_numbers?fields=id,display_phone_number&limit=100"))["data"]
    apps = (await ask(f"{PHONE}/subscribed_apps"))["data"]
    number = await ask(PHONE)

    assert (0, {"whatsapp_business_management", "whatsapp_business_messaging"}) == (
        token["expires_at"],
        set(token["scopes"]),
    )
    assert [OWN] == [one["display_phone_number"] for one in numbers if one["id"] == PHONE]
    assert any(app["whatsapp_business_api_data"]["id"] == token["app_id"] for app in apps)
    assert OWN == number["display_phone_number"]


async def test_n8n_lists_its_senders(served: Served) -> None:
    """By number, name and id, and has an error whose message it can shorten."""
    served.session.store.show_account(f"+{OWN}")
    found = await (await served.call("GET", f"/v13.0/{PHONE}/phone_numbers", headers=JSON)).json()
    refused = await (await send(served, "v13.0", REFUSED[-1][2])).json()

    assert [(OWN, "", PHONE)] == [
        (one["display_phone_number"], one["verified_name"], one["id"]) for one in found["data"]
    ]
    assert refused["error"]["message"].startswith("(#132001) ")
