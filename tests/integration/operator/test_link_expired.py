"""Codes that nobody scanned: pod and place are given back, and nothing but a person shows another one. And why a link ended."""

from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import RunnerState, StateReason
from support.sessions import without_admission


async def _expire(harness: OperatorHarness, name: str) -> Json:
    """Let all rounds pass, and return the status without pod and place."""
    (await harness.runner(name)).report(RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP, round=5)
    await harness.wait_for_state(name, "LinkExpired")
    await harness.wait_for_pod_gone(name)
    return await harness.wait_for(name, without_admission())


async def _events(harness: OperatorHarness, action: str) -> list[tuple[str, str]]:
    """Return type and reason of the events of one action."""
    events = await harness.admin.list("events", harness.namespace)
    return [(event["type"], event["reason"]) for event in events if event["action"] == action]


async def test_a_session_that_nobody_links_gives_its_place_back(harness: OperatorHarness) -> None:
    """Another one takes it; no restart, edit or deletion shows a code again, until a request queues the session."""
    await harness.quota(sessions=1)
    operator = await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    await harness.session("b")
    await harness.wait_for_condition("b", "Admitted", reason="QuotaExceeded")
    expired = await _expire(harness, "a")
    await harness.wait_for_state("b", "QRPending")

    claim = await harness.admin.get("persistentvolumeclaims", harness.namespace, "a-profile")
    stalled, ready = await harness.condition("a", "Stalled"), await harness.condition("a", "Ready")
    assert "metadata" in claim
    assert "expiredTime" in expired["link"]
    assert ("False", "False", "LinkExpired") == (stalled["status"], ready["status"], ready["reason"])
    assert "wasession.dev/relink-at" in ready["message"]

    await harness.quota(sessions=3)
    assert 0 == await operator.stop()
    await harness.operator()
    await harness.edit("a", {"spec": {"link": {"maxRounds": 9}}})

    async def no_pod() -> bool:
        return await harness.pod("a") is None

    await harness.check_stays(no_pod, "no pod after a restart and an edit", during=5)
    assert "LinkExpired" == (await harness.status("a"))["state"]

    await harness.quota(sessions=1)
    value = await harness.ask("a", "relink-at")
    await harness.wait_for_state("a", "Queued")
    await harness.edit("b", {"spec": {"operatingMode": "Suspended"}})
    status = await harness.wait_for_state("a", "QRPending")

    assert value == status["handledRequests"]["relink-at"]
    assert "expiredTime" not in status.get("link", {})
    assert [("Warning", "LinkExpired")] == await _events(harness, "Linking")


async def test_an_expiry_that_status_does_not_know_shows_no_code(harness: OperatorHarness) -> None:
    """Nobody listened, the pod is lost and status is of before: the next pod's runner knows it from the profile, and goes again."""
    await harness.quota(sessions=1)
    operator = await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")
    assert 0 == await operator.stop()
    (await harness.runner("a")).report(RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP, round=5)
    await harness.node.evict("a")
    await harness.wait_for_pod_gone("a")

    await harness.operator()
    await harness.wait_for_state("a", "LinkExpired")
    await harness.wait_for_pod_gone("a")
    again = await harness.wait_for("a", without_admission())
    await harness.ask("a", "relink-at")
    status = await harness.wait_for_state("a", "QRPending")

    assert "expiredTime" in again["link"]
    assert len({first["podUID"], again["podUID"], status["podUID"]}) == 3


async def test_why_it_was_logged_out_stands_until_the_next_link(harness: OperatorHarness) -> None:
    """Over the code that follows, a lost pod, another operator and used-up codes; told by one event."""
    await harness.quota(sessions=1)
    operator = await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    runner = await harness.runner("a")
    runner.link()
    first = await harness.wait_for_state("a", "Connected")
    runner.log_out("storage_quota_exceeded", StateReason.RELINKING)
    reported = await harness.wait_for_condition("a", "Linked", status="False", reason="StorageQuotaExceeded")
    runner.report(RunnerState.QR_PENDING, StateReason.WAITING_FOR_SCAN)
    await harness.node.evict("a")
    await harness.wait_for_new_pod("a", first["podUID"])
    await harness.wait_for_state("a", "QRPending")
    assert 0 == await operator.stop()
    await harness.operator()
    status = await _expire(harness, "a")

    linked = await harness.condition("a", "Linked")
    events = await _events(harness, "Linking")
    assert "storage_quota_exceeded" in reported["message"]
    assert status["link"]["logoutTime"] in reported["message"]
    assert (reported["message"], reported["lastTransitionTime"]) == (linked["message"], linked["lastTransitionTime"])
    assert 1 == events.count(("Warning", "StorageQuotaExceeded"))

    await harness.ask("a", "relink-at")
    await harness.wait_for_state("a", "QRPending")
    (await harness.runner("a")).link()
    linked_again = await harness.wait_for_condition("a", "Linked", status="True")
    assert "Linked" == linked_again["reason"]
    assert "logoutTime" not in (await harness.status("a"))["link"]
