"""`/v1/pairing-code`: the code for who may link, and the number that somebody asks one for."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import LinkMethod, RunnerState, StateReason
from session_runner.http import session_routes
from unit.runner.test_http import T0, Api8080, error_code

NUMBER = "+15550100000"


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api8080]:
    """An API of a session whose Secret may name a number, in `phoneNumber`."""
    monkeypatch.setattr(session_routes, "PAIRING_SECONDS", 0.5)
    settings = {"PHONE_NUMBER_FILE": str(tmp_path / "phoneNumber"), "LINK_METHOD": LinkMethod.PAIRING_CODE}
    made = Api8080(tmp_path, settings=settings)
    async with made.client:
        yield made


async def ask(api: Api8080, body: object, *, token: str = "link-token") -> Any:
    """POST a body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await api.client.post("/v1/pairing-code", data=content, headers={"Authorization": f"Bearer {token}"})


def show(api: Api8080, code: str = "ABCD-1EFG", number: str = NUMBER) -> None:
    """The page has a code."""
    api.store.show_pairing_code(code, lifetime=180, phone_number=number)


async def test_the_code_is_for_who_may_link(api: Api8080) -> None:
    """With its times, and never stored by anybody on the way."""
    show(api)
    answers = {token: await api.get("/v1/pairing-code", token=f"{token}-token") for token in ("link", "state")}

    assert {"link": 200, "state": 403} == {token: answer.status for token, answer in answers.items()}
    assert {
        "text": "ABCD-1EFG",
        "issuedTime": "2026-11-22T18:00:00Z",
        "expiryTime": "2026-11-22T18:03:00Z",
        "round": 0,
    } == await answers["link"].json()
    assert "no-store" == answers["link"].headers["Cache-Control"]


async def test_a_dead_code_is_not_served(api: Api8080) -> None:
    """Not even for a second."""
    show(api)
    api.now = T0 + timedelta(seconds=180)
    response = await api.get("/v1/pairing-code")

    assert 404 == response.status
    assert "NoPairingCode" == await error_code(response)


async def test_a_code_never_gets_a_later_end(api: Api8080) -> None:
    """The page waits longer for a phone that has answered; nobody else can do anything with its code."""
    show(api)
    api.now = T0 + timedelta(seconds=179)
    api.store.show_pairing_code("ABCD-1EFG", lifetime=60, phone_number=NUMBER)
    document = await (await api.get("/v1/pairing-code")).json()

    assert "2026-11-22T18:03:00Z" == document["expiryTime"]


async def test_who_asks_gets_the_code_of_his_number(api: Api8080) -> None:
    """When the page has it, and not the one that is shown for another number meanwhile."""
    show(api, "ZZZZ-9999", "+15550100001")
    asking = asyncio.create_task(ask(api, {"phoneNumber": NUMBER}))
    await asyncio.sleep(0.15)
    show(api)
    response = await asking

    assert (200, "ABCD-1EFG") == (response.status, (await response.json())["text"])


async def test_who_asks_in_vain_learns_why(api: Api8080) -> None:
    """The number stays wanted: GET has the code once there is one."""
    message = "WhatsApp gives no pairing code now."
    api.store.publish(
        state=RunnerState.QR_PENDING,
        reason=StateReason.PAIRING_CODE_REFUSED,
        message=message,
        linked_time=None,
        durable_time=None,
        round=1,
    )
    response = await ask(api, {"phoneNumber": NUMBER})

    assert 504 == response.status
    assert message in (await response.json())["detail"]
    assert NUMBER == api.numbers.wanted


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phoneNumber": "0171 1234567"},
        {"phoneNumber": 15550100000},
        {"phoneNumber": f"{NUMBER}\n"},
        {"phoneNumber": "+1 555 010 0000"},
        [],
        b"{",
        b"",
        b'"\xff"',
        b'{"a":' + b"[" * 5000,
    ],
)
async def test_what_is_no_number_is_refused_without_its_text(api: Api8080, body: object) -> None:
    """What was nearly a number is somebody's."""
    response = await ask(api, body)

    assert 400 == response.status
    assert "171" not in await response.text()
    assert api.numbers.wanted is None


async def test_the_secret_s_number_is_the_only_one(api: Api8080, tmp_path: Path) -> None:
    """Whoever may link cannot link another account than the session is for."""
    (tmp_path / "phoneNumber").write_text("+15550100001")
    response = await ask(api, {"phoneNumber": NUMBER})

    assert 409 == response.status
    assert "CannotPair" == await error_code(response)


async def test_a_linked_session_needs_no_code(api: Api8080) -> None:
    """Asking does nothing to it."""
    api.connect()
    response = await ask(api, {"phoneNumber": NUMBER})

    assert 409 == response.status
    assert api.numbers.wanted is None


async def test_asking_takes_the_scope_too(api: Api8080) -> None:
    """Observers link nobody."""
    assert 403 == (await ask(api, {"phoneNumber": NUMBER}, token="state-token")).status
    assert 401 == (await ask(api, {"phoneNumber": NUMBER}, token="none")).status
