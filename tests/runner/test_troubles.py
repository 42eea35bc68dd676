"""What happens to a linked session from outside, in both generations of the page."""

import asyncio

from runner.conftest import Start
from standin.harness import StandIn
from support.runner_process import link


async def test_unlinked_on_the_phone_links_again(mode: str, start: Start, standin: StandIn) -> None:
    """LoggedOut is seen, then a new QR code, and another phone can link; the times are the new link's."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        first = (await runner.state())["linkedTime"]
        await standin.phone.unlink(device)
        document = await runner.wait_for_state("LoggedOut")
        assert (document["reason"], document["linkedTime"]) == ("Relinking", None)
        document = await runner.wait_for_state("QRPending")
        assert document["round"] == 1
        await link(runner, standin)

        assert (await runner.state())["linkedTime"] >= first


async def test_why_it_was_logged_out_stands_until_the_next_link(mode: str, start: Start, standin: StandIn) -> None:
    """With the code that follows, and by the next pod; a logout without a reason, and one by the API, are the next ones."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        assert (await runner.state())["logoutReason"] is None
        await standin.phone.logout(device, reason="storage_quota_exceeded")
        first = await runner.wait_for_state("QRPending")
        await runner.stop()
    async with start() as runner:
        again = await runner.wait_for_state("QRPending")
        device = await link(runner, standin)
        linked = await runner.state()
        await standin.phone.unlink(device)
        unlinked = await runner.wait_for_state("QRPending")
        await link(runner, standin)
        _, asked = await runner.post("/v1/logout")

    assert "StorageQuotaExceeded" == first["logoutReason"] == again["logoutReason"]
    assert first["logoutTime"] == again["logoutTime"] < unlinked["logoutTime"] <= asked["logoutTime"]
    assert (None, None) == (linked["logoutReason"], linked["logoutTime"])
    assert ("LoggedOut", "LogoutRequested") == (unlinked["logoutReason"], asked["logoutReason"])


async def test_unlinked_on_the_phone_waits_where_the_owner_wants_it(start: Start, standin: StandIn) -> None:
    """With Wait no code is shown, also not by the next pod, until a person's request comes with it."""
    async with start(ON_LOGOUT="Wait") as runner:
        device = await link(runner, standin)
        await standin.phone.unlink(device)
        document = await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")
        status, _, _ = await runner.get("/v1/qr", scope="link")
        assert status == 404
        assert "relink" in document["message"]
        await runner.stop()
    async with start(ON_LOGOUT="Wait") as runner:
        await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")
        await runner.stop()
    async with start(ON_LOGOUT="Wait", RESTART_REQUEST="2026-11-22T18:00:00Z") as runner:
        await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")
        await runner.stop()
    async with start(ON_LOGOUT="Wait", RELINK_REQUEST="2026-11-22T18:00:00Z") as runner:
        await runner.wait_for_state("QRPending")
        await link(runner, standin)


async def test_a_locked_account_waits_for_a_person(start: Start, standin: StandIn) -> None:
    """The logout's reason overrules Relink, and outlives the pod."""
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.logout(device, reason="account_locked")
        await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")
        await runner.stop()
    async with start() as runner:
        document = await runner.wait_for_state("LoggedOut", reason="WaitingForPerson")

    assert "account is locked" in document["message"]


async def test_a_lost_network_is_reported_and_comes_back(mode: str, start: Start, standin: StandIn) -> None:
    """Offline while the computer has no network, Connected again by itself; the link is kept."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        linked = (await runner.state())["linkedTime"]
        await standin.phone.offline(device)
        await runner.wait_for_state("Offline", reason="NetworkUnreachable")
        await standin.phone.online(device)
        document = await runner.wait_for_state("Connected")

    assert document["linkedTime"] == linked


async def test_a_service_that_does_not_answer_is_reported(start: Start, standin: StandIn) -> None:
    """Reconnecting first; after the connection check it is Offline, and never a failure of the runner."""
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.unreachable(device)
        await runner.wait_for_state("Reconnecting")
        await runner.wait_for_state("Offline", reason="NoConnection")
        await standin.phone.online(device)
        await runner.wait_for_state("Connected")


async def test_a_replaced_session_is_a_conflict_and_nothing_reloads(mode: str, start: Start, standin: StandIn) -> None:
    """The silent zombie is found out, and the runner does not take the session back by itself."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        loads = (await standin.phone.loads())["total"]
        await standin.phone.replaced(device)
        document = await runner.wait_for_state("Conflict")
        await asyncio.sleep(3)  # time in which a reload would show

        assert document["reason"] == "Replaced"
        assert (await runner.state())["state"] == "Conflict"
        assert (await standin.phone.loads())["total"] == loads
        assert runner.process.returncode is None


async def test_a_conflict_outlives_the_pod_until_a_person_asks(start: Start, standin: StandIn) -> None:
    """The next runner repeats it without opening the page, without even a browser; a request opens it."""
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.replaced(device)
        state = await runner.wait_for_state("Conflict")
        await runner.kill()
    loads = (await standin.phone.loads())["total"]
    async with start(POD_UID="pod-2") as runner:
        document = await runner.wait_for_state("Conflict")
        await asyncio.sleep(3)  # time in which a load would show

        assert (state["reason"], state["message"]) == (document["reason"], document["message"])
        assert (await standin.phone.loads())["total"] == loads
        assert runner.descendants() == []
        assert await runner.stop() == 0
    async with start(POD_UID="pod-3", RESTART_REQUEST="2026-11-22T18:00:00Z") as runner:
        await runner.wait_for_state("Connected")


async def test_a_ban_is_reported_with_its_code_and_its_end(mode: str, start: Start, standin: StandIn) -> None:
    """TemporarilyBanned while it lasts; when it is over, the pod that a person asked for is connected again."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.ban(device, expire=3600)
        document = await runner.wait_for_state("TemporarilyBanned")
        assert "(code 402) for 3600 s" in document["message"]
        await standin.phone.online(device)
        await runner.stop()
    async with start(RESTART_REQUEST="2026-11-22T18:00:00Z") as runner:
        await runner.wait_for_state("Connected")


async def test_a_service_that_is_down_is_reported(mode: str, start: Start, standin: StandIn) -> None:
    """ServiceUnavailable by the service's own word, Connected when it is back."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.service_unavailable(device)
        await runner.wait_for_state("ServiceUnavailable")
        await standin.phone.online(device)
        await runner.wait_for_state("Connected")


async def test_a_page_that_reloads_itself_is_followed(start: Start, standin: StandIn) -> None:
    """The page updates itself: Loading in between, Connected again, the link kept, the runner alive."""
    async with start() as runner:
        device = await link(runner, standin)
        async with runner.loading_anew():
            await standin.phone.needs_update(device, reload=True)
        assert "LoggedOut" not in [state for state, _ in runner.seen]
