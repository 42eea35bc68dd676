"""What the Cloud API's clients ask while they are set up: over a real server, and the pure answers."""

from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.messages.account import NAME, SCOPES, wanted_fields, why_not
from support.runner_parts import PHONE
from unit.runner.test_cloud_api import Served, failure
from unit.runner.test_cloud_api import served as served  # noqa: PLC0414 -- a fixture

OWN = "15550100001"
EVERYTHING = {
    "id": PHONE,
    "display_phone_number": OWN,
    "verified_name": "",
    "quality_rating": "UNKNOWN",
    "status": "CONNECTED",
    "name": NAME,
    "timezone_id": "0",
}


async def read(served: Served, path: str, **more: Any) -> dict[str, Any]:
    """GET what is answered with 200."""
    response = await served.call("GET", f"/v24.0/{path}", **more)
    document: dict[str, Any] = await response.json()
    assert 200 == response.status, document
    return document


async def test_a_session_is_number_and_account(served: Served) -> None:
    """With all that clients read of either, under one id."""
    served.session.store.show_account(f"+{OWN}")

    assert EVERYTHING == await read(served, PHONE)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ("id", {"id"}),
        ("display_phone_number,verified_name", {"id", "display_phone_number", "verified_name"}),
        ("id,name,owner_business_info{id}", {"id", "name"}),
        ("", set(EVERYTHING)),
    ],
)
async def test_fields_are_those_asked_for(served: Served, fields: str, names: set[str]) -> None:
    """Of which some are not here; the id is always there."""
    served.session.store.show_account(f"+{OWN}")

    assert names == set(await read(served, f"{PHONE}?fields={fields}"))


async def test_the_numbers_are_the_one(served: Served) -> None:
    """As a list of one page, in the form in which a set-up finds its number by the id."""
    served.session.store.show_account(f"+{OWN}")
    found = await read(served, f"{PHONE}/phone_numbers?fields=id,display_phone_number&limit=100")

    assert {
        "data": [{"id": PHONE, "display_phone_number": OWN}],
        "paging": {"cursors": {"before": "", "after": ""}},
    } == found


async def test_what_needs_no_number_is_answered_without_one(served: Served) -> None:
    """An account can be named, and its templates listed, before a phone is linked; the number is refused as sends are."""
    served.session.say(RunnerState.QR_PENDING, linked=False)

    assert {"id": PHONE, "status": "DISCONNECTED"} == await read(served, f"{PHONE}?fields=status")
    assert [] == (await read(served, f"{PHONE}/message_templates"))["data"]
    for path in (PHONE, f"{PHONE}/phone_numbers"):
        assert (400, 133010) == await failure(await served.call("GET", f"/v24.0/{path}"))


async def test_the_number_may_not_be_known_yet(served: Served) -> None:
    """Only the page has it; clients may ask again."""
    response = await served.call("GET", f"/v24.0/{PHONE}")

    assert ((503, 131016), "5") == (await failure(response), response.headers["Retry-After"])


async def test_there_are_no_templates(served: Served) -> None:
    """The list can be read with the token in the query, and its sum is one that clients count by."""
    found = await read(served, f"{PHONE}/message_templates?access_token=send-token", token=None)

    assert ([], 0, True) == (
        found["data"],
        found["summary"]["total_count"],
        found["summary"]["are_translations_complete"],
    )


async def test_webhooks_are_subscribed_to_already(served: Served) -> None:
    """The application of the token is in the list, and subscribing it again is no error."""
    token = await read(served, "debug_token?input_token=send-token")
    apps = await read(served, f"{PHONE}/subscribed_apps")
    response = await served.call("POST", f"/v24.0/{PHONE}/subscribed_apps")

    assert [token["data"]["app_id"]] == [app["whatsapp_business_api_data"]["id"] for app in apps["data"]]
    assert (200, {"success": True}) == (response.status, await response.json())


@pytest.mark.parametrize(
    "more",
    [
        {"json": {"override_callback_uri": "https://example.com", "verify_token": "x"}},
        {"data": {"override_callback_uri": "https://example.com"}},
        {"params": {"override_callback_uri": "https://example.com"}},
    ],
)
async def test_a_client_sets_no_webhook_of_its_own(served: Served, more: dict[str, Any]) -> None:
    """Wherever it writes the address: it would wait for events that never come."""
    assert (400, 100) == await failure(await served.call("POST", f"/v24.0/{PHONE}/subscribed_apps", **more))


@pytest.mark.parametrize("token", ["send-token", "admin-token"])
async def test_a_token_that_sends_is_valid(served: Served, token: str) -> None:
    """It has the rights that clients look for, and no end that is known."""
    data = (await read(served, f"debug_token?input_token={token}"))["data"]

    assert (True, 0, list(SCOPES)) == (data["is_valid"], data["expires_at"], data["scopes"])


@pytest.mark.parametrize("token", ["state-token", "wrong", ""])
async def test_another_token_is_not(served: Served, token: str) -> None:
    """The answer is 200: the one who asks has a token that is valid."""
    data = (await read(served, f"debug_token?input_token={token}"))["data"]

    assert (False, [], 190) == (data["is_valid"], data["scopes"], data["error"]["code"])


@pytest.mark.parametrize("query", ["", "?input_token=a&input_token=b"])
async def test_a_token_is_asked_about(served: Served, query: str) -> None:
    """One."""
    assert (400, 100) == await failure(await served.call("GET", f"/v24.0/debug_token{query}"))


@pytest.mark.parametrize("path", ["{}/phone_numbers", "{}/message_templates", "{}/subscribed_apps"])
async def test_another_account_is_unknown(served: Served, path: str) -> None:
    """The error names the one there is; no token is no way to ask."""
    response = await served.call("GET", f"/v24.0/{path.format('999')}")

    assert (400, 100) == await failure(response)
    assert PHONE in (await response.json())["error"]["error_data"]["details"]
    assert (401, 190) == await failure(await served.call("GET", f"/v24.0/{path.format(PHONE)}", token=None))


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("POST", "register", "/v1/qr"),
        ("POST", "deregister", "/v1/logout"),
        ("POST", "message_templates", "no templates"),
        ("DELETE", "subscribed_apps", "session's spec"),
        ("POST", "username", "no username"),
        ("POST", "groups", "not built"),
    ],
)
async def test_a_refusal_says_why(served: Served, method: str, path: str, reason: str) -> None:
    """What an ordinary account has not, and where what it has is done instead."""
    response = await served.call(method, f"/v24.0/{PHONE}/{path}")

    assert (400, 100) == await failure(response)
    assert reason in (await response.json())["error"]["error_data"]["details"]


def test_fields_are_read_as_they_come() -> None:
    """None given and none named are all."""
    assert (None, None, frozenset({"id", "name"})) == (
        wanted_fields(None),
        wanted_fields(","),
        wanted_fields(" id,name "),
    )


def test_what_nobody_has_has_no_reason() -> None:
    """The error then names the method."""
    assert (None, None) == (why_not([]), why_not(["999", "nonsense"]))
