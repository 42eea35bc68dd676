"""Recreation in a conflict is takeover: what a person has to start again is not started by the operator."""

import pytest
from integration.operator.conftest import Bench
from session_runner.states.vocabulary import RunnerState, StateReason


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
