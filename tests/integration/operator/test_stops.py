"""Recreation in a conflict is takeover: what a person has to start again is not started by the operator."""

import pytest
from integration.operator.conftest import Bench
from session_protocol.vocabulary import RunnerState, StateReason


async def test_a_replaced_session_is_left_alone_until_a_person_asks(bench: Bench) -> None:
    """Conflict, then the pod is evicted: no new pod, not by a new operator either; restart-at admits it anew."""
    await bench.quota(sessions=1)
    operator = await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")

    (await bench.runner("a")).say(RunnerState.CONFLICT, StateReason.REPLACED)
    await bench.holds("a", "Stalled", status="True", reason="Conflict")
    conflict = await bench.holds("a", "Conflict", status="True")
    assert (await bench.pod("a")) is not None
    await bench.node.evict("a")
    await bench.gone("a")

    async def freed() -> bool:
        return "admission" not in await bench.status("a")

    await bench.until(freed, "the place to be given back")
    assert 0 == await operator.stop()
    await bench.operator()

    async def no_pod() -> bool:
        return await bench.pod("a") is None

    await bench.stays(no_pod, "no pod after an operator's restart", during=6)
    stalled = await bench.condition("a", "Stalled")
    value = await bench.ask("a", "restart-at")
    status = await bench.reaches("a", "QRPending")

    assert "True" == conflict["status"]
    assert ("True", "Conflict") == (stalled["status"], stalled["reason"])
    assert value == status["handledRequests"]["restart-at"]
    assert "admission" in status
    assert "False" == (await bench.condition("a", "Stalled"))["status"]


@pytest.mark.parametrize(
    ("state", "reason", "link"),
    [
        (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, {}),
        (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON, {"onLogout": "Wait"}),
    ],
)
async def test_a_ban_and_a_logout_that_waits_stop_it_too(
    bench: Bench, state: RunnerState, reason: StateReason, link: dict[str, str]
) -> None:
    """The pod stays while it lives, and is not replaced when somebody deletes it; relink-at goes on."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a", link=link)
    await bench.reaches("a", "QRPending")

    (await bench.runner("a")).say(state, reason)
    await bench.holds("a", "Stalled", status="True", reason=str(state))
    await bench.admin.delete("pods", bench.namespace, "a")
    await bench.gone("a")

    async def no_pod() -> bool:
        return await bench.pod("a") is None

    await bench.stays(no_pod, "no pod", during=3)
    value = await bench.ask("a", "relink-at")
    status = await bench.reaches("a", "QRPending")

    pod = await bench.pod("a") or {}
    environment = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}
    assert value == status["handledRequests"]["relink-at"]
    assert value == environment["RELINK_REQUEST"]


async def test_the_runners_word_that_it_is_over_ends_it(bench: Bench) -> None:
    """The other browser was closed: Conflict and Stalled are cleared without a person, and without a new pod."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    first = await bench.reaches("a", "QRPending")
    runner = await bench.runner("a")
    runner.say(RunnerState.CONFLICT, StateReason.REPLACED)
    await bench.holds("a", "Stalled", status="True")

    runner.say(RunnerState.CONNECTED)
    await bench.holds("a", "Stalled", status="False")

    assert "False" == (await bench.condition("a", "Conflict"))["status"]
    assert first["podUID"] == (await bench.reaches("a", "Connected"))["podUID"]


async def test_a_conflict_that_no_operator_heard_is_no_takeover(bench: Bench) -> None:
    """Said to nobody, and the pod is lost: the next runner repeats it from the profile, until a person asks."""
    await bench.quota(sessions=1)
    operator = await bench.operator()
    await bench.session("a")
    first = await bench.reaches("a", "QRPending")
    assert 0 == await operator.stop()
    (await bench.runner("a")).say(RunnerState.CONFLICT, StateReason.REPLACED)
    await bench.node.evict("a")
    await bench.gone("a")

    await bench.operator()
    await bench.replaced("a", first["podUID"])
    stalled = await bench.holds("a", "Stalled", status="True", reason="Conflict")
    status = await bench.reaches("a", "Conflict")
    value = await bench.ask("a", "restart-at")
    again = await bench.reaches("a", "QRPending")

    assert "wasession.dev/restart-at" in stalled["message"]
    assert first["podUID"] != status["podUID"] != again["podUID"]
    assert value == again["handledRequests"]["restart-at"]
    assert "False" == (await bench.condition("a", "Stalled"))["status"]


async def test_a_suspension_ends_a_stop_for_operator_and_runner(bench: Bench) -> None:
    """Put to rest and woken: the next pod opens the page."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")
    (await bench.runner("a")).say(RunnerState.CONFLICT, StateReason.REPLACED)
    await bench.holds("a", "Stalled", status="True")

    await bench.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await bench.holds("a", "Suspended", status="True")
    stalled = await bench.condition("a", "Stalled")
    # The time of the resumption is told in whole seconds: a later one than that of the first start is wanted.
    await bench.edit("a", {"spec": {"operatingMode": "Running"}})
    await bench.reaches("a", "QRPending")

    assert "False" == stalled["status"]
    assert None is (await bench.runner("a")).state_file.saved.hold


async def test_a_request_that_is_taken_back_while_it_waits_ends_no_stop(bench: Bench) -> None:
    """The quota was full, the annotation went away again, and then there was room."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")
    (await bench.runner("a")).say(RunnerState.CONFLICT, StateReason.REPLACED)
    await bench.holds("a", "Stalled", status="True")
    await bench.node.evict("a")
    await bench.gone("a")
    await bench.session("b")
    await bench.reaches("b", "QRPending")
    await bench.ask("a", "restart-at")
    await bench.holds("a", "Admitted", reason="QuotaExceeded")
    waiting = await bench.condition("a", "Stalled")

    await bench.edit("a", {"metadata": {"annotations": {"wasession.dev/restart-at": None}}})
    await bench.reaches("a", "Stalled")
    await bench.quota(sessions=2)

    async def no_pod() -> bool:
        return await bench.pod("a") is None

    await bench.stays(no_pod, "no pod of a", during=3)
    assert ("True", "Conflict") == (waiting["status"], waiting["reason"])
