"""Recreation in a conflict is takeover: what a person has to start again is not started by the operator."""

import pytest
from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import RunnerState, StateReason
from support.sessions import without_admission


async def test_a_replaced_session_is_left_alone_until_a_person_asks(harness: OperatorHarness) -> None:
    """Conflict, then the pod is evicted: no new pod, not by a new operator either; restart-at admits it anew."""
    await harness.quota(sessions=1)
    operator = await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")

    (await harness.runner("a")).report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.wait_for_condition("a", "Stalled", status="True", reason="Conflict")
    conflict = await harness.wait_for_condition("a", "Conflict", status="True")
    assert (await harness.pod("a")) is not None
    await harness.node.evict("a")
    await harness.wait_for_pod_gone("a")

    await harness.wait_for("a", without_admission())
    assert 0 == await operator.stop()
    await harness.operator()

    async def no_pod() -> bool:
        return await harness.pod("a") is None

    await harness.check_stays(no_pod, "no pod after an operator's restart", during=6)
    stalled = await harness.condition("a", "Stalled")
    value = await harness.ask("a", "restart-at")
    status = await harness.wait_for_state("a", "QRPending")

    assert "True" == conflict["status"]
    assert ("True", "Conflict") == (stalled["status"], stalled["reason"])
    assert value == status["handledRequests"]["restart-at"]
    assert "admission" in status
    assert "False" == (await harness.condition("a", "Stalled"))["status"]


@pytest.mark.parametrize(
    ("state", "reason", "link"),
    [
        (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, {}),
        (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON, {"onLogout": "Wait"}),
    ],
)
async def test_a_ban_and_a_logout_that_waits_stop_it_too(
    harness: OperatorHarness, state: RunnerState, reason: StateReason, link: dict[str, str]
) -> None:
    """The pod stays while it lives, and is not replaced when somebody deletes it; relink-at goes on."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", link=link)
    await harness.wait_for_state("a", "QRPending")

    (await harness.runner("a")).report(state, reason)
    await harness.wait_for_condition("a", "Stalled", status="True", reason=str(state))
    await harness.admin.delete("pods", harness.namespace, "a")
    await harness.wait_for_pod_gone("a")

    async def no_pod() -> bool:
        return await harness.pod("a") is None

    await harness.check_stays(no_pod, "no pod", during=3)
    value = await harness.ask("a", "relink-at")
    status = await harness.wait_for_state("a", "QRPending")

    pod = await harness.pod("a") or {}
    environment = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}
    assert value == status["handledRequests"]["relink-at"]
    assert value == environment["RELINK_REQUEST"]


async def test_a_runner_that_reports_another_state_ends_the_hold(harness: OperatorHarness) -> None:
    """The other browser was closed: Conflict and Stalled are cleared without a person, and without a new pod."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")
    runner = await harness.runner("a")
    runner.report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.wait_for_condition("a", "Stalled", status="True")

    runner.report(RunnerState.CONNECTED)
    await harness.wait_for_condition("a", "Stalled", status="False")

    assert "False" == (await harness.condition("a", "Conflict"))["status"]
    assert first["podUID"] == (await harness.wait_for_state("a", "Connected"))["podUID"]


async def test_a_conflict_that_no_operator_received_is_no_takeover(harness: OperatorHarness) -> None:
    """Said to nobody, and the pod is lost: the next runner repeats it from the profile, until a person asks."""
    await harness.quota(sessions=1)
    operator = await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")
    assert 0 == await operator.stop()
    (await harness.runner("a")).report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.node.evict("a")
    await harness.wait_for_pod_gone("a")

    await harness.operator()
    await harness.wait_for_new_pod("a", first["podUID"])
    stalled = await harness.wait_for_condition("a", "Stalled", status="True", reason="Conflict")
    status = await harness.wait_for_state("a", "Conflict")
    value = await harness.ask("a", "restart-at")
    again = await harness.wait_for_state("a", "QRPending")

    assert "wasession.dev/restart-at" in stalled["message"]
    assert first["podUID"] != status["podUID"] != again["podUID"]
    assert value == again["handledRequests"]["restart-at"]
    assert "False" == (await harness.condition("a", "Stalled"))["status"]


async def test_a_suspension_ends_a_stop_for_operator_and_runner(harness: OperatorHarness) -> None:
    """Put to rest and woken: the next pod opens the page."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    (await harness.runner("a")).report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.wait_for_condition("a", "Stalled", status="True")

    await harness.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await harness.wait_for_condition("a", "Suspended", status="True")
    stalled = await harness.condition("a", "Stalled")
    # The time of the resumption is told in whole seconds: a later one than that of the first start is wanted.
    await harness.edit("a", {"spec": {"operatingMode": "Running"}})
    await harness.wait_for_state("a", "QRPending")

    assert "False" == stalled["status"]
    assert None is (await harness.runner("a")).state_file.saved.hold


async def test_a_request_that_is_taken_back_while_it_waits_ends_no_stop(harness: OperatorHarness) -> None:
    """The quota was full, the annotation went away again, and then there was room."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    (await harness.runner("a")).report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.wait_for_condition("a", "Stalled", status="True")
    await harness.node.evict("a")
    await harness.wait_for_pod_gone("a")
    await harness.session("b")
    await harness.wait_for_state("b", "QRPending")
    await harness.ask("a", "restart-at")
    await harness.wait_for_condition("a", "Admitted", reason="QuotaExceeded")
    waiting = await harness.condition("a", "Stalled")

    await harness.edit("a", {"metadata": {"annotations": {"wasession.dev/restart-at": None}}})
    await harness.wait_for_state("a", "Stalled")
    await harness.quota(sessions=2)

    async def no_pod() -> bool:
        return await harness.pod("a") is None

    await harness.check_stays(no_pod, "no pod of a", during=3)
    assert ("True", "Conflict") == (waiting["status"], waiting["reason"])
