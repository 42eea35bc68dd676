"""What happens when a pod ends: failures are counted and answered later and later, losses at once."""

from integration.operator.admin import Json
from integration.operator.conftest import Bench
from session_protocol.vocabulary import ExitCode

SOON = {"maxAttempts": 2, "baseDelay": "1s", "healthyAfter": "10m"}


async def test_a_failed_runner_is_recorded_and_made_anew(bench: Bench) -> None:
    """Reason, exit code and last words are in status before the pod is deleted; the next one comes after baseDelay."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a", recovery=SOON)
    first = (await bench.reaches("a", "QRPending"))["podUID"]
    before = len(bench.audit.writes())

    await bench.node.end("a", code=ExitCode.OUT_OF_MEMORY, reason="OOMKilled", message="Chromium was killed.")
    pod = await bench.replaced("a", first)
    status = await bench.tells("a", pod)

    writes = bench.audit.writes()[before:]
    failure = status["recovery"]["lastFailure"]
    assert ("OutOfMemory", 33, "Chromium was killed.") == (failure["reason"], failure["exitCode"], failure["message"])
    assert (1, 1) == (status["recovery"]["consecutiveFailures"], status["recovery"]["restarts"])
    assert writes.index("patch whatsappsessions/status") < writes.index("delete pods")
    assert 1 == writes.count("delete pods")
    assert 1 == writes.count("create pods")


async def test_too_many_failures_stop_it_until_a_person_asks(bench: Bench) -> None:
    """After maxAttempts it is Stalled, its place is free, and restart-at begins the count anew."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a", recovery=SOON)
    first = await bench.until(lambda: bench.pod("a"), "the pod") or {}
    for _ in range(3):
        await bench.tells("a", first)
        await bench.node.end("a", code=ExitCode.PAGE_CRASHED)
        uid = first["metadata"]["uid"]
        if (await _next(bench, uid)) is None:
            break
        first = await bench.replaced("a", uid)
    await bench.reaches("a", "Stalled")

    async def freed() -> bool:
        return "admission" not in await bench.status("a")

    await bench.until(freed, "the place to be given back")
    status, stalled = await bench.status("a"), await bench.condition("a", "Stalled")

    await bench.ask("a", "restart-at")
    again = await bench.reaches("a", "QRPending")

    assert ("True", "RecoveryExhausted") == (stalled["status"], stalled["reason"])
    assert 3 == status["recovery"]["consecutiveFailures"]
    assert 0 == again["recovery"]["consecutiveFailures"]
    assert "admission" in again


async def _next(bench: Bench, uid: str) -> Json | None:
    """Wait until the failed pod is answered: by another pod, or by the end of all attempts."""

    async def answered() -> bool:
        if (await bench.condition("a", "Stalled")).get("status") == "True":
            return True
        pod = await bench.pod("a")
        return pod is not None and str(pod["metadata"]["uid"]) != uid

    await bench.until(answered, "an answer to the failure")
    stalled = (await bench.condition("a", "Stalled")).get("status") == "True"
    return None if stalled else await bench.pod("a")


async def test_a_deleted_pod_is_replaced_at_once_and_not_counted(bench: Bench) -> None:
    """Somebody deletes the pod: another one follows, the reservation stays, nothing is held against the session."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    first = await bench.reaches("a", "QRPending")

    await bench.admin.delete("pods", bench.namespace, "a")
    pod = await bench.replaced("a", first["podUID"])
    status = await bench.tells("a", pod)

    assert 0 == status["recovery"]["consecutiveFailures"]
    assert 1 == status["recovery"]["restarts"]
    assert first["admission"] == status["admission"]


async def test_an_evicted_pod_is_replaced_and_not_counted(bench: Bench) -> None:
    """The same for an eviction."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    first = await bench.reaches("a", "QRPending")

    await bench.node.evict("a")
    pod = await bench.replaced("a", first["podUID"])
    status = await bench.tells("a", pod)

    assert 0 == status["recovery"]["consecutiveFailures"]


async def test_a_pod_that_cannot_be_scheduled_is_shown_and_left(bench: Bench) -> None:
    """Pending tells the scheduler's words, and deletes nothing."""
    await bench.quota(sessions=1)
    bench.node.start_pods = False
    await bench.operator()
    await bench.session("a")
    await bench.until(lambda: bench.pod("a"), "the pod")
    message = "0/1 nodes are available: 1 Insufficient memory."
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}

    await bench.node.status("a", {"phase": "Pending", "conditions": [unschedulable]})
    ready = await bench.holds("a", "Ready", reason="Unschedulable")

    assert message in ready["message"]
    assert "delete pods" not in bench.audit.writes()


async def test_many_failures_at_once_pause_recovery(bench: Bench) -> None:
    """Three of three fail: no pod of theirs is made, it is told, counted and an event; a new session starts all the same."""
    names = ("a", "b", "c")
    await bench.quota(sessions=4)
    operator = await bench.operator()
    for name in names:
        await bench.session(name, recovery={**SOON, "maxAttempts": 5, "baseDelay": "4s"})
    for name in names:
        await bench.reaches(name, "QRPending")
    for name in names:
        await bench.node.end(name, code=ExitCode.BROWSER_EXITED)
    told = [await bench.holds(name, "Recovering", status="True", reason="RecoveryPaused") for name in names]
    await bench.session("new")
    await bench.reaches("new", "QRPending")

    async def no_pods() -> bool:
        return [None, None, None] == [await bench.pod(name) for name in names]

    await bench.stays(no_pods, "no pods although their time has come", during=8)
    _, metrics = await operator.get("/metrics")
    events = await bench.until(lambda: _pauses(bench, "whatsapp-operator"), "the event")

    assert "whatsapp_operator_recovery_paused 1.0" in metrics
    assert 1 == len({condition["message"] for condition in told})
    assert ("Lease", "Warning") == (events[0]["involvedObject"]["kind"], events[0]["type"])


async def _pauses(bench: Bench, namespace: str) -> list[Json]:
    """Return the events of a pause that this test's operator has written."""
    instance = bench.operators[-1].log.stem
    return [
        event
        for event in await bench.admin.list("events", namespace)
        if event["reason"] == "RecoveryPaused" and event["reportingInstance"] == instance
    ]
