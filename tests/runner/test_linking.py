"""From an empty profile to a connected session, in both generations of the page."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from runner.conftest import Start
from standin.harness import StandIn
from standin.settings import QrForm
from support.runner_process import link


async def test_a_scan_leads_through_syncing_to_connected(mode: str, start: Start, standin: StandIn) -> None:
    """Starting, Loading, QRPending, then after the scan Syncing and Connected, in that order and nothing between."""
    assert mode in ("legacy", "modern")
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        await link(runner, standin)
        document = await runner.state()

    states = [line["state"] for line in runner.lines if line["message"] == "The state changed"]
    assert states == ["Loading", "QRPending", "Syncing", "Connected"]
    linked, durable = (datetime.fromisoformat(document[key]) for key in ("linkedTime", "durableTime"))
    assert durable - linked == timedelta(seconds=60)
    assert (document["sessionUID"], document["podUID"], document["round"]) == ("session-1", "pod-1", 1)


async def test_the_qr_code_is_the_pages_own_and_goes_with_the_link(start: Start, standin: StandIn) -> None:
    """The code comes with its times, changes with the page's, and is gone once the phone is linked."""
    async with start() as runner:
        code = await runner.code()
        status, headers, body = await runner.get("/v1/qr", scope="link", accept="image/png")
        assert (status, headers["Content-Type"], body[:4]) == (200, "image/png", b"\x89PNG")
        lifetime = datetime.fromisoformat(code["expiryTime"]) - datetime.fromisoformat(code["issuedTime"])
        assert timedelta(seconds=28) <= lifetime <= timedelta(seconds=31)
        assert len(code["text"].split(",")) == 5
        await standin.phone.scan(code["text"])
        await runner.wait_for_state("Connected")
        status, _, _ = await runner.get("/v1/qr", scope="link")

        assert status == 404
        assert all(code["text"] not in str(line) for line in runner.lines)


async def test_who_may_link_sees_the_linked_account(start: Start, standin: StandIn) -> None:
    """By its number, which is in no state and in no line of the log."""
    async with start() as runner:
        before, _, _ = await runner.get("/v1/account", scope="link")
        device = await link(runner, standin)
        number = next(one["number"] for one in await standin.phone.devices() if one["id"] == device)
        status, _, body = await runner.get("/v1/account", scope="link")
        document = await runner.state()

    assert (404, 200, {"phoneNumber": f"+{number}", "accountRevision": 1}) == (before, status, json.loads(body))
    assert 1 == document["accountRevision"]
    assert all(str(number) not in str(shown) for shown in (document, *runner.lines))


@pytest.mark.parametrize("form", [QrForm.LINK, QrForm.TRAILING])
async def test_every_form_of_the_code_is_handed_on_as_it_is(start: Start, standin: StandIn, form: QrForm) -> None:
    """With a prefix or with a trailing address: the phone gets what the page shows."""
    await standin.phone.set_qr_form(form)
    async with start() as runner:
        await link(runner, standin)


async def test_used_up_codes_are_renewed_and_then_expire(mode: str, start: Start, standin: StandIn) -> None:
    """An idle page is asked for another round; after the last one the session waits for a person, over pods and reloads."""
    assert mode
    async with start(LINK_MAX_ROUNDS="2") as runner:
        first = await runner.code()
        assert await standin.phone.expire_qr() == 1
        second = await runner.code(other_than=first["text"])
        assert (first["round"], second["round"]) == (1, 2)
        assert (await runner.state())["state"] == "QRPending"
        await standin.phone.expire_qr()
        document = await runner.wait_for_state("LinkExpired")
        status, _, _ = await runner.get("/v1/qr", scope="link")
        await runner.stop()
    loads = await standin.phone.loads()
    async with start(LINK_MAX_ROUNDS="2") as runner:
        again = await runner.wait_for_state("LinkExpired")
        await runner.stop()
    assert loads == await standin.phone.loads()  # its page stays closed
    async with start(LINK_MAX_ROUNDS="2", RELINK_REQUEST="2026-11-22T18:00:00Z") as runner:
        assert (await runner.code())["round"] == 1

    assert document["message"] == again["message"]
    assert "2 rounds" in document["message"]
    assert status == 404


async def test_a_pairing_code_links_the_phone_of_its_number(
    mode: str, start: Start, standin: StandIn, tmp_path: Path
) -> None:
    """From the Secret's file to Connected; neither number nor code is in the log, and the QR code stays beside it."""
    assert mode
    file = tmp_path / "phoneNumber"
    file.write_text("+1 555 010 0123\n")
    async with start(LINK_METHOD="PairingCode", PHONE_NUMBER_FILE=str(file)) as runner:
        await runner.wait_for_state("PairingCodePending")
        _, _, body = await runner.get("/v1/pairing-code", scope="link")
        code = json.loads(body)["text"]
        await runner.code()
        device = await standin.phone.enter_code(code)
        document = await runner.wait_for_state("Connected")
        status, _, _ = await runner.get("/v1/pairing-code", scope="link")
        described = await standin.phone.device(device)

    assert described is not None
    assert ("15550100123", True, 404) == (described["number"], document["accountExpected"], status)
    assert not any(secret in str(line) for line in runner.lines for secret in (code, "5550100123"))


async def test_a_refused_pairing_code_leaves_the_qr_code(start: Start, standin: StandIn, tmp_path: Path) -> None:
    """The service allows few attempts: the reason says so, and the phone can scan."""
    file = tmp_path / "phoneNumber"
    file.write_text("+15550100123")
    await standin.phone.refuse_codes(1)
    async with start(LINK_METHOD="PairingCode", PHONE_NUMBER_FILE=str(file)) as runner:
        document = await runner.wait_for_state("QRPending", reason="PairingCodeRefused")
        code = await runner.code()
        await standin.phone.scan(code["text"], number="15550100123")
        await runner.wait_for_state("Connected")

    assert "too many attempts" in document["message"]


async def test_another_account_is_unlinked_at_once(start: Start, standin: StandIn, tmp_path: Path) -> None:
    """Whoever scans with another phone is not connected for a moment; then the codes are back."""
    file = tmp_path / "phoneNumber"
    file.write_text("+15550100123")
    async with start(PHONE_NUMBER_FILE=str(file)) as runner:
        code = await runner.code()
        await standin.phone.scan(code["text"], number="15550100124")
        logged_out = await runner.wait_for_state("LoggedOut")
        await runner.wait_for_state("QRPending")
        devices = await standin.phone.devices()

    assert "another account" in logged_out["message"]
    assert [] == devices
    assert "Connected" not in {state for state, _ in runner.seen}
