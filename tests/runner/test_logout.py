"""POST /v1/logout with a real page in both generations: unlinked as by its own menu, and what the session then says."""

import asyncio

from runner.conftest import Start
from standin.harness import StandIn
from support.runner_process import link


async def test_a_logout_that_is_asked_for_unlinks_and_a_new_code_comes(
    mode: str, start: Start, standin: StandIn
) -> None:
    """The phone no longer lists the device; the session says that it was asked for, and links again as after any logout."""
    assert mode in ("legacy", "modern")
    async with start() as runner:
        device = await link(runner, standin)
        status, document = await runner.post("/v1/logout")
        listed = [entry["id"] for entry in await standin.phone.devices()]
        await runner.wait_for_state("QRPending")
        await link(runner, standin)

    assert (200, "LoggedOut", "Relinking") == (status, document["state"], document["reason"])
    assert "The session was logged out as asked; a new QR code follows." == document["message"]
    assert document["linkedTime"] is None
    assert device not in listed


async def test_one_that_waits_keeps_its_reason_over_pods(start: Start, standin: StandIn) -> None:
    """With onLogout: Wait no code is shown, and the next pod says the same, with its page closed, until a relink."""
    async with start(ON_LOGOUT="Wait") as runner:
        await link(runner, standin)
        status, document = await runner.post("/v1/logout")
        assert 0 == await runner.stop()
    async with start(ON_LOGOUT="Wait") as runner:
        again = await runner.wait_for_state("LoggedOut")
        closed, refusal = await runner.post("/v1/logout")
    async with start(ON_LOGOUT="Wait", RELINK_REQUEST="2026-11-22T18:00:00Z") as runner:
        await runner.wait_for_state("QRPending")

    assert (200, "LoggedOut", "WaitingForPerson") == (status, document["state"], document["reason"])
    assert "The session was logged out as asked; ask for a relink to show a QR code." == document["message"]
    assert (document["reason"], document["message"]) == (again["reason"], again["message"])
    assert (409, "NotLinked") == (closed, refusal["error"]["code"])


async def test_a_logout_has_its_own_reason(start: Start, standin: StandIn) -> None:
    """The document in whose address the last one's reason stands is linked again, and then unlinked by the phone."""
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.logout(device, reason="syncd_failure")
        first = await runner.wait_for_state("LoggedOut")
        await runner.wait_for_state("QRPending")
        device = await link(runner, standin)
        await standin.phone.unlink(device)
        second = await runner.wait_for_state("LoggedOut")

    assert "(syncd_failure)" in first["message"]
    assert "The session was logged out; a new QR code follows." == second["message"]


async def test_only_a_linked_session_is_logged_out_and_only_by_an_admin(start: Start, standin: StandIn) -> None:
    """Before the phone has scanned there is nothing to do; of two requests at once one does it."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        unlinked = await runner.post("/v1/logout")
        await link(runner, standin)
        refused = await runner.post("/v1/logout", scope="link")
        state = (await runner.state())["state"]
        both = await asyncio.gather(runner.post("/v1/logout"), runner.post("/v1/logout"))

    assert (409, "NotLinked") == (unlinked[0], unlinked[1]["error"]["code"])
    assert (403, "Connected") == (refused[0], state)
    assert [200, 409] == sorted(status for status, _ in both)
