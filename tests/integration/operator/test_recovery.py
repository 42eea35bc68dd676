"""What happens when a pod ends: failures are counted and answered later and later, losses at once."""

from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import ExitCode
from support.sessions import without_admission

SOON = {"maxAttempts": 2, "baseDelay": "1s", "healthyAfter": "10m"}


async def test_a_failed_runner_is_recorded_and_made_anew(harness: OperatorHarness) -> None:
    """Reason, exit code and last words are in status before the pod is deleted; the next one comes after baseDelay."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", recovery=SOON)
    first = (await harness.wait_for_state("a", "QRPending"))["podUID"]
    before = len(harness.audit.writes())

    await harness.node.end("a", code=ExitCode.OUT_OF_MEMORY, reason="OOMKilled", message="Chromium was killed.")
    pod = await harness.wait_for_new_pod("a", first)
    status = await harness.wait_for_report("a", pod)

    writes = harness.audit.writes()[before:]
    failure = status["recovery"]["lastFailure"]
    assert ("OutOfMemory", 33, "Chromium was killed.") == (failure["reason"], failure["exitCode"], failure["message"])
    assert (1, 1) == (status["recovery"]["consecutiveFailures"], status["recovery"]["restarts"])
    assert writes.index("patch whatsappsessions/status") < writes.index("delete pods")
    assert 1 == writes.count("delete pods")
    assert 1 == writes.count("create pods")


async def test_too_many_failures_stop_it_until_a_person_asks(harness: OperatorHarness) -> None:
    """After maxAttempts it is Stalled, its place is free, and restart-at begins the count anew."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", recovery=SOON)
    first = await harness.until("the pod", lambda: harness.pod("a")) or {}
    for _ in range(3):
        await harness.wait_for_report("a", first)
        await harness.node.end("a", code=ExitCode.PAGE_CRASHED)
        uid = first["metadata"]["uid"]
        if (await _next(harness, uid)) is None:
            break
        first = await harness.wait_for_new_pod("a", uid)
    await harness.wait_for_state("a", "Stalled")

    await harness.wait_for("a", without_admission())
    status, stalled = await harness.status("a"), await harness.condition("a", "Stalled")

    await harness.ask("a", "restart-at")
    again = await harness.wait_for_state("a", "QRPending")

    assert ("True", "RecoveryExhausted") == (stalled["status"], stalled["reason"])
    assert 3 == status["recovery"]["consecutiveFailures"]
    assert 0 == again["recovery"]["consecutiveFailures"]
    assert "admission" in again


async def _next(harness: OperatorHarness, uid: str) -> Json | None:
    """Wait until the failed pod is answered: by another pod, or by the end of all attempts."""

    async def answered() -> bool:
        if (await harness.condition("a", "Stalled")).get("status") == "True":
            return True
        pod = await harness.pod("a")
        return pod is not None and str(pod["metadata"]["uid"]) != uid

    await harness.until("an answer to the failure", answered)
    stalled = (await harness.condition("a", "Stalled")).get("status") == "True"
    return None if stalled else await harness.pod("a")


async def test_a_deleted_pod_is_replaced_at_once_and_not_counted(harness: OperatorHarness) -> None:
    """Somebody deletes the pod: another one follows, the reservation stays, nothing is held against the session."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")

    await harness.admin.delete("pods", harness.namespace, "a")
    pod = await harness.wait_for_new_pod("a", first["podUID"])
    status = await harness.wait_for_report("a", pod)

    assert 0 == status["recovery"]["consecutiveFailures"]
    assert 1 == status["recovery"]["restarts"]
    assert first["admission"] == status["admission"]


async def test_an_evicted_pod_is_replaced_and_not_counted(harness: OperatorHarness) -> None:
    """The same for an eviction."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")

    await harness.node.evict("a")
    pod = await harness.wait_for_new_pod("a", first["podUID"])
    status = await harness.wait_for_report("a", pod)

    assert 0 == status["recovery"]["consecutiveFailures"]


async def test_a_pod_that_cannot_be_scheduled_is_shown_and_left(harness: OperatorHarness) -> None:
    """Pending tells the scheduler's words, and deletes nothing."""
    await harness.quota(sessions=1)
    harness.node.start_pods = False
    await harness.operator()
    await harness.session("a")
    await harness.until("the pod", lambda: harness.pod("a"))
    message = "0/1 nodes are available: 1 Insufficient memory."
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}

    await harness.node.status("a", {"phase": "Pending", "conditions": [unschedulable]})
    ready = await harness.wait_for_condition("a", "Ready", reason="Unschedulable")

    assert message in ready["message"]
    assert "delete pods" not in harness.audit.writes()


async def test_many_failures_at_once_pause_recovery(harness: OperatorHarness) -> None:
    """Three of three fail: no pod of theirs is made, it is told, counted and an event; a new session starts all the same."""
    names = ("a", "b", "c")
    await harness.quota(sessions=4)
    operator = await harness.operator()
    for name in names:
        await harness.session(name, recovery={**SOON, "maxAttempts": 5, "baseDelay": "4s"})
    for name in names:
        await harness.wait_for_state(name, "QRPending")
    for name in names:
        await harness.node.end(name, code=ExitCode.BROWSER_EXITED)
    recovering = [
        await harness.wait_for_condition(name, "Recovering", status="True", reason="RecoveryPaused") for name in names
    ]
    await harness.session("new")
    await harness.wait_for_state("new", "QRPending")

    async def no_pods() -> bool:
        return [None, None, None] == [await harness.pod(name) for name in names]

    await harness.check_stays(no_pods, "no pods although their time has come", during=8)
    _, metrics = await operator.get("/metrics")
    events = await harness.until("the event", lambda: _pauses(harness, "whatsapp-operator"))

    assert "whatsapp_operator_recovery_paused 1.0" in metrics
    assert 1 == len({condition["message"] for condition in recovering})
    assert ("Lease", "Warning") == (events[0]["involvedObject"]["kind"], events[0]["type"])


async def _pauses(harness: OperatorHarness, namespace: str) -> list[Json]:
    """Return the events of a pause that this test's operator has written."""
    instance = harness.operators[-1].log.stem
    return [
        event
        for event in await harness.admin.list("events", namespace)
        if event["reason"] == "RecoveryPaused" and event["reportingInstance"] == instance
    ]
