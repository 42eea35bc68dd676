"""The own profile is changed by both faces of the API, over a page that is played."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.page.errors import CallFailedError
from support.runner_parts import PHONE
from unit.runner.messaging_harness import Session, running
from unit.runner.test_http_reading import Page, Served

BUSINESS = f"/v24.0/{PHONE}/whatsapp_business_profile"
WHATSAPP = {"messaging_product": "whatsapp"}
NO_BUSINESS = {"vertical": "NOT_A_BIZ"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A connected session with a name and an about text."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    session, page = Session(), Page()
    page.answers = {"profile.js": {"name": "Shop", "about": "Open"}, "set_profile.js": {}}
    session.say(RunnerState.CONNECTED)
    session.store.show_account("+15550100000")
    session.door.open(page)
    async with running(session, tmp_path, works=False) as outbox:
        made = Served(tokens, outbox, session, page)
        async with made.client:
            yield made


async def ask(served: Served, method: str, path: str, *, scope: str = "send", **more: Any) -> tuple[int, Any]:
    """Ask; gives status and document."""
    headers = {"Authorization": f"Bearer {scope}-token"}
    answer = await served.client.request(method, path, headers=headers, **more)
    return answer.status, await answer.json()


def changes(served: Served) -> list[Any]:
    """Return what the page was to change."""
    return [argument for script, argument in served.page.asked if script == "set_profile.js"]


@pytest.mark.parametrize(
    ("body", "about", "name"),
    [
        ({"about": "Busy"}, "Busy", None),
        ({"name": "Shop"}, None, "Shop"),
        ({"about": "x" * 139, "name": "y" * 25}, "x" * 139, "y" * 25),
    ],
)
async def test_what_is_given_is_changed(
    served: Served, body: dict[str, str], about: str | None, name: str | None
) -> None:
    """And nothing else; the answer is what the page shows then."""
    status, shown = await ask(served, "PATCH", "/v1/profile", json=body)

    assert (200, {"waId": "15550100000", "name": "Shop", "about": "Open"}) == (status, shown)
    assert [{"own": "15550100000", "about": about, "name": name}] == changes(served)


@pytest.mark.parametrize(
    "body",
    [b"x", b"[]", b'{"about": ""}', b'{"about": " "}', b'{"about": 7}', b'{"name": null}', b'{"about": "\\ud800"}',
     b'{"about": "' + b"x" * 140 + b'"}', b'{"name": "' + b"x" * 26 + b'"}', b'{"picture": "x"}'],
)  # fmt: skip
async def test_what_is_no_change_is_refused(served: Served, body: bytes) -> None:
    """With what to send instead; the page is not asked."""
    status, found = await ask(served, "PATCH", "/v1/profile", data=body)

    assert (400, "BadRequest") == (status, found["error"]["code"])
    assert "139 characters" in found["error"]["message"]
    assert [] == served.page.asked


async def test_nothing_given_changes_nothing(served: Served) -> None:
    """It is a change as any other, of no field."""
    status, shown = await ask(served, "PATCH", "/v1/profile", json={})

    assert (200, "Open") == (status, shown["about"])
    assert [] == changes(served)


@pytest.mark.parametrize("answer", [CallFailedError("about: Busy"), None])
async def test_a_page_that_does_not_do_it_is_no_success(
    served: Served, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody knows whether it did; nothing of the text is logged."""
    served.page.answers["set_profile.js"] = answer
    status, found = await ask(served, "PATCH", "/v1/profile", json={"about": "Busy"})
    cloud, error = await ask(served, "POST", BUSINESS, json=WHATSAPP | {"about": "Busy"})

    assert (503, "NoPage") == (status, found["error"]["code"])
    assert (503, 131016) == (cloud, error["error"]["code"])
    assert "Busy" not in caplog.text


async def test_a_session_without_a_phone_has_no_profile(served: Served) -> None:
    """It is said as of other routes."""
    served.session.say(RunnerState.LOGGED_OUT, linked=False)

    assert 409 == (await ask(served, "PATCH", "/v1/profile", json={"about": "Busy"}))[0]
    status, error = await ask(served, "GET", BUSINESS)
    assert (400, 133010) == (status, error["error"]["code"])


async def test_the_cloud_api_sets_the_about_text(served: Served) -> None:
    """In its shapes; what is empty is what an ordinary account has of it."""
    empty: dict[str, Any] = {"address": "", "websites": [], "email": None, "vertical": "NOT_A_BIZ"}
    assert (200, {"success": True}) == await ask(served, "POST", BUSINESS, json=WHATSAPP | {"about": "Busy"} | empty)

    assert [{"own": "15550100000", "about": "Busy", "name": None}] == changes(served)
    shown = WHATSAPP | {"about": "Open"}
    assert (200, {"data": [shown | NO_BUSINESS]}) == await ask(served, "GET", BUSINESS)
    assert (200, {"data": [shown]}) == await ask(served, "GET", f"{BUSINESS}?fields=about,email")
    assert (200, {"data": [WHATSAPP]}) == await ask(served, "GET", f"{BUSINESS}?fields=email")
    served.page.answers["profile.js"] = {"name": "Shop", "about": None}
    assert (200, {"data": [WHATSAPP | NO_BUSINESS]}) == await ask(served, "GET", BUSINESS)


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (b"x", 100, "not JSON"),
        (b'"x"', 100, "messaging_product"),
        (b'{"about": "Busy"}', 100, "messaging_product"),
        (b'{"messaging_product": "whatsapp"}', 131008, "about is missing"),
        (b'{"messaging_product": "whatsapp", "about": ""}', 131009, "1 to 139 characters"),
        (
            b'{"messaging_product": "whatsapp", "about": "Busy", "email": "x@example.com"}',
            131009,
            "email: of a business",
        ),
        (b'{"messaging_product": "whatsapp", "about": " "}', 131009, "1 to 139 characters"),
        (b'{"messaging_product": "whatsapp", "about": "Busy", "email": false}', 131009, "email: of a business"),
        (
            b'{"messaging_product": "whatsapp", "about": "Busy", "vertical": "RETAIL"}',
            131009,
            "vertical: of a business",
        ),
        (b'{"messaging_product": "whatsapp", "profile_picture_handle": "x"}', 131009, "on the phone"),
    ],
)
async def test_the_cloud_apis_other_fields_are_refused(served: Served, body: bytes, code: int, reason: str) -> None:
    """An ordinary account has none of them; nothing of the rest is changed."""
    status, error = await ask(served, "POST", BUSINESS, data=body)

    assert (400, code) == (status, error["error"]["code"])
    assert reason in error["error"]["error_data"]["details"]
    assert [] == served.page.asked
