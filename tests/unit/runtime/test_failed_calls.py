"""Calls that the API server refuses or fails, in simulated time: shown, paced, over by themselves, and in nobody's way."""

from typing import Any

import pytest
from unit.runtime.closed_gates import (
    FAULTS,
    FEW,
    REFUSAL,
    close,
    cost,
    count,
    is_call,
    message,
    reopen,
    warnings,
)
from unit.runtime.memory_api import Fault, parse
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.runtime.kube.client import Request

CREATIONS = {
    "services": "create Service whatsapp-sessions",
    "persistentvolumeclaims": "create PersistentVolumeClaim a-profile",
    "secrets": "create Secret was-",
    "pods": "create Pod a",
}


CLOSED_GATES = [(plural, fault) for plural in CREATIONS for fault in (FAULTS if plural == "pods" else FEW)]


@pytest.mark.parametrize(("plural", "fault"), CLOSED_GATES)
async def test_a_creation_that_fails_is_shown_and_paced_and_ends_with_its_cause(
    simulation: Simulation, plural: str, fault: str
) -> None:
    """Which call and in whose words within a minute, with an event, under ten requests in five minutes; an edit is answered."""
    close(simulation, FAULTS[fault], "POST", plural)
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "CallFailed")[0] == "True", within=60)
    shown, ready = message(simulation, "CallFailed"), message(simulation, "Ready")
    await simulation.rest(20)
    requests, writes = await cost(simulation)
    events = warnings(simulation, "FailedCreate")
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)
    reopen(simulation)
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=160)
    await simulation.rest(10)

    assert CREATIONS[plural] in shown
    assert shown == ready
    assert REFUSAL in shown or fault in ("timeout", "no connection")
    assert writes <= requests < 10
    assert 1 == len(events)
    assert ("", "") == simulation.condition("a", "CallFailed")


@pytest.mark.parametrize("fault", FEW)
async def test_what_is_refused_beside_a_running_pod_does_not_hide_its_state(simulation: Simulation, fault: str) -> None:
    """The Service is deleted and may not be made again: the runner is reported as ever, and so is an edit."""
    await simulation.up("a")
    close(simulation, FAULTS[fault], "POST", "services")
    simulation.api.remove("services", NAMESPACE, "whatsapp-sessions")
    simulation.say("a", "Connected")
    await simulation.until(lambda: simulation.state("a") == "Connected", within=5)
    await simulation.until(lambda: "create Service" in message(simulation, "CallFailed"), within=60)
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)
    ready = simulation.condition("a", "Ready")
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    reopen(simulation)
    await simulation.until(lambda: simulation.api.all("services"), within=160)
    await simulation.rest(10)

    assert ("True", "Connected") == ready == simulation.condition("a", "Ready")
    assert requests < 10
    assert ("False", "NotStalled") == simulation.condition("a", "Stalled")
    assert ("", "") == simulation.condition("a", "CallFailed")


@pytest.mark.parametrize("fault", ["403", "404", "409", "422", "500", "timeout"])
async def test_a_claim_that_may_not_be_patched_does_not_freeze_the_status(simulation: Simulation, fault: str) -> None:
    """Growing is refused: the state goes on, an edit is seen, the words are there, and the patch is tried a few times."""
    await simulation.up("a")
    close(simulation, FAULTS[fault], "PATCH", "persistentvolumeclaims")
    simulation.edit("a", {"spec": {"profile": {"size": "3Gi"}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)
    simulation.say("a", "Connected")
    await simulation.until(lambda: simulation.state("a") == "Connected", within=5)
    await simulation.until(
        lambda: "patch PersistentVolumeClaim a-profile" in message(simulation, "CallFailed"), within=60
    )
    await simulation.rest(20)
    before = count(simulation, "PATCH", "persistentvolumeclaims")
    requests, _ = await cost(simulation)
    tried = count(simulation, "PATCH", "persistentvolumeclaims") - before
    reopen(simulation)
    await simulation.until(lambda: simulation.condition("a", "CallFailed") == ("", ""), within=160)
    await simulation.rest(3)
    (claim,) = simulation.api.all("persistentvolumeclaims")

    assert 1 <= tried <= requests < 10
    assert "3Gi" == claim["spec"]["resources"]["requests"]["storage"]
    assert ("False", "NotStalled") == simulation.condition("a", "Stalled")


async def test_a_refused_change_of_retention_is_no_refused_resize(simulation: Simulation) -> None:
    """The same call for another reason: nothing wrong is said, and nobody is asked to act on a size."""
    await simulation.up("a")
    close(simulation, FAULTS["403"], "PATCH", "persistentvolumeclaims")
    simulation.edit("a", {"spec": {"profile": {"retention": "Delete"}}})
    await simulation.until(lambda: simulation.condition("a", "CallFailed")[0] == "True", within=60)

    assert ("False", "NotStalled") == simulation.condition("a", "Stalled")
    assert ("True", "FailedUpdate") == simulation.condition("a", "CallFailed")


@pytest.mark.parametrize("fault", ["403", "404", "409", "422", "500", "timeout"])
async def test_a_pod_that_may_not_be_deleted_is_still_reported(simulation: Simulation, fault: str) -> None:
    """A suspension that a policy stops: its generation is answered, the call is named, and it is carried out at the end."""
    await simulation.up("a")
    close(simulation, FAULTS[fault], "DELETE", "pods")
    simulation.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)
    await simulation.until(lambda: "delete Pod a" in message(simulation, "CallFailed"), within=60)
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    reopen(simulation)
    await simulation.until(lambda: simulation.condition("a", "Suspended")[0] == "True", within=160)
    await simulation.rest(3)

    assert requests < 10
    assert 1 == len(warnings(simulation, "FailedDelete"))
    assert ("", "") == simulation.condition("a", "CallFailed")


@pytest.mark.parametrize("fault", ["403", "404", "409", "422", "500", "timeout"])
async def test_a_status_that_may_not_be_written_is_shown_by_an_event_and_tried_a_few_times(
    simulation: Simulation, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No request runs hot, the log tells once, the pod runs on; at the end all that happened meanwhile is written."""
    await simulation.up("a")
    await simulation.rest(20)
    close(simulation, FAULTS[fault], "PATCH", "whatsappsessions", "status")
    simulation.say("a", "Connected")
    await simulation.rest(60)
    requests, _ = await cost(simulation)
    logged = caplog.text.count("Call failed")
    events = warnings(simulation, "FailedUpdateStatus")
    reopen(simulation)
    await simulation.until(lambda: simulation.state("a") == "Connected", within=160)
    await simulation.rest(10)

    assert requests < 10
    assert 1 == len(events) == logged
    assert ("", "") == simulation.condition("a", "CallFailed")
    assert 1 == simulation.api.created["pods", "a"]


@pytest.mark.parametrize("fault", ["403", "500"])
async def test_sessions_that_may_not_be_written_at_all_make_no_storm(simulation: Simulation, fault: str) -> None:
    """Nothing is made that relies on a status that is not stored, and nothing is asked again and again."""
    close(simulation, FAULTS[fault], "PATCH", "whatsappsessions", "status")
    await simulation.start()
    simulation.session("a")
    await simulation.rest(60)
    requests, _ = await cost(simulation)
    reopen(simulation)
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=160)

    assert requests < 10


@pytest.mark.parametrize("fault", ["500", "429", "409", "503", "timeout", "no connection"])
@pytest.mark.parametrize(("method", "plural"), [("POST", "pods"), ("POST", "secrets"), ("POST", "services")])
async def test_a_blip_makes_no_noise(simulation: Simulation, fault: str, method: str, plural: str) -> None:
    """One failure, then success: it never stands in a status or an event, and costs about a second."""
    left = [FAULTS[fault]]
    seen: list[Any] = []
    simulation.api.watchers.append(lambda _plural, _event, obj: seen.append(str(obj)))
    simulation.api.fault = lambda request, _: left.pop() if left and is_call(request, method, plural) else None
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=10)

    assert [] == left
    assert not any("CallFailed" in text or "FailedCreate" in text for text in seen)


async def test_an_edit_is_tried_at_once_whatever_waits(simulation: Simulation) -> None:
    """A mistake in the spec is refused for minutes; whoever mends it does not wait for the next attempt."""

    def gate(request: Request, _: int) -> Fault | None:
        wrong = "no-such-class" in str(request.body)
        return FAULTS["403"] if wrong and is_call(request, "POST", "pods") else None

    simulation.api.fault = gate
    await simulation.start()
    simulation.session("a", pod={"priorityClassName": "no-such-class"})
    await simulation.rest(100)
    simulation.edit("a", {"spec": {"pod": None}})

    await simulation.until(lambda: simulation.pod_uid("a"), within=2)


async def test_a_request_is_tried_at_once_whatever_waits(simulation: Simulation) -> None:
    """An annotation is no new generation, and a person who sets one has looked at the cause."""
    close(simulation, FAULTS["403"], "POST", "pods")
    await simulation.start()
    simulation.session("a")
    await simulation.rest(100)
    reopen(simulation)
    simulation.ask("a", "restart-at")

    await simulation.until(lambda: simulation.pod_uid("a"), within=2)


async def test_several_refused_calls_are_all_named(simulation: Simulation) -> None:
    """Beside a running pod neither hides the other, and each has its event."""
    await simulation.up("a")
    closed = {("POST", "services"), ("PATCH", "persistentvolumeclaims")}
    simulation.api.fault = lambda request, _: (
        FAULTS["403"] if (request.method, parse(request.path).plural) in closed else None
    )
    simulation.api.remove("services", NAMESPACE, "whatsapp-sessions")
    simulation.edit("a", {"spec": {"profile": {"size": "3Gi"}}})
    await simulation.until(lambda: "PersistentVolumeClaim" in message(simulation, "CallFailed"), within=60)
    await simulation.rest(20)
    requests, _ = await cost(simulation)

    assert "create Service" in message(simulation, "CallFailed")
    assert requests < 10
    assert (1, 1) == (len(warnings(simulation, "FailedCreate")), len(warnings(simulation, "FailedUpdate")))


@pytest.mark.slow
async def test_fifty_sessions_share_the_attempts_at_what_they_share(simulation: Simulation) -> None:
    """A policy refuses the namespace's Service: each session tells it, and together they ask as often as one."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 100}})
    names = [f"s{number:02}" for number in range(50)]
    close(simulation, FAULTS["403"], "POST", "services")
    await simulation.start()
    for name in names:
        simulation.session(name)
    await simulation.until(
        lambda: all("create Service" in message(simulation, "CallFailed", name) for name in names), within=60
    )
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    reopen(simulation)
    await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in names), within=200)

    assert requests < 10


@pytest.mark.parametrize("say", ["\x1b]52;c;x\x07 no", "#" * 100_000, "token=0123456789abcdef0123456789abcdef", ""])
async def test_strange_texts_of_a_webhook_are_bounded_printable_and_without_secrets(
    simulation: Simulation, say: str
) -> None:
    """Whatever a webhook says stands in the condition, cut and redacted."""
    close(simulation, Fault(status=400, message=say), "POST", "pods")
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "CallFailed")[0] == "True", within=60)
    shown = message(simulation, "CallFailed")

    assert len(shown) <= 1024
    assert shown.isprintable()
    assert "0123456789abcdef" not in shown
    assert "Cannot create Pod a: " in shown


async def test_messages_that_differ_in_numbers_alone_are_no_news(simulation: Simulation) -> None:
    """A webhook's ports and ids change with each attempt; the status is written once."""
    numbers = iter(range(41000, 42000))
    simulation.api.fault = lambda request, _: (
        Fault(status=500, message=f"dial tcp 10.0.0.9:{next(numbers)}: refused (id 7f{next(numbers)}a)")
        if is_call(request, "POST", "pods")
        else None
    )
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "CallFailed")[0] == "True", within=60)
    before = count(simulation, "PATCH", "whatsappsessions", "status")
    await simulation.rest(480)  # not until it gives its place back, which is news

    assert before == count(simulation, "PATCH", "whatsappsessions", "status")


async def test_a_namespace_that_terminates_is_named(simulation: Simulation) -> None:
    """Its reason is the cause in the API server's answer; events, which it does not take either, add nothing."""
    fault = Fault(status=403, reason="Forbidden", message=REFUSAL, cause="NamespaceTerminating")
    simulation.api.fault = lambda request, _: (
        fault if request.method == "POST" and parse(request.path).namespace == NAMESPACE else None
    )
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "Ready")[1] == "NamespaceTerminating", within=60)
    await simulation.rest(20)
    requests, _ = await cost(simulation)

    assert requests < 10
    assert "Event" not in message(simulation, "CallFailed")


async def test_refused_events_are_a_condition_and_no_storm(simulation: Simulation) -> None:
    """They are told in the one place that is left, and written when the way is free."""
    close(simulation, FAULTS["403"], "POST", "events")
    await simulation.up("a")
    await simulation.until(lambda: "create Event" in message(simulation, "CallFailed"), within=60)
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    reopen(simulation)
    await simulation.until(lambda: warnings(simulation, "PodCreated"), within=160)
    await simulation.rest(10)

    assert requests < 10
    assert ("", "") == simulation.condition("a", "CallFailed")


@pytest.mark.parametrize("fault", ["403", "404", "409", "422", "500", "timeout"])
async def test_a_quotas_status_that_may_not_be_written_makes_no_storm(simulation: Simulation, fault: str) -> None:
    """Sessions start all the same; a round, which lists everything, is not run for it again and again."""
    close(simulation, FAULTS[fault], "PATCH", "whatsappsessionquotas", "status")
    await simulation.up("a")
    await simulation.rest(60)
    before = len(simulation.api.requests)
    await simulation.rest(300)
    lists = [
        request for request in simulation.api.requests[before:] if is_call(request, "GET", "whatsappsessionquotas")
    ]
    tries = [request for request in simulation.api.requests[before:] if parse(request.path).subresource == "status"]
    reopen(simulation)
    await simulation.until(
        lambda: (simulation.api.get("whatsappsessionquotas", "", "default") or {}).get("status"),
        within=160,
    )

    assert len(tries) < 10
    assert len(lists) <= 5 + 5 + len(tries)  # resyncs, their rounds, and the attempts


async def test_a_service_that_may_not_be_deleted_harms_nobody_else(simulation: Simulation) -> None:
    """Its namespace has no session any more; resyncs succeed, other namespaces are served, and it is tried a few times."""
    simulation.namespace("club")
    await simulation.up("a")
    simulation.session("x", namespace="club")
    await simulation.until(lambda: simulation.pod_uid("x", namespace="club"))
    close(simulation, FAULTS["403"], "DELETE", "services")
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    await simulation.rest(60)
    requests, _ = await cost(simulation)
    assert simulation.operator is not None
    age = simulation.clock.seconds - (simulation.operator.resync.succeeded_at or 0)
    reopen(simulation)
    await simulation.until(lambda: simulation.api.get("services", NAMESPACE, "whatsapp-sessions") is None, within=200)

    assert 1 <= requests < 10
    assert age <= 61
    assert simulation.pod_uid("x", namespace="club")


def reads_all(request: Request, plural: str) -> bool:
    """Whether a request is the LIST of everything of a kind."""
    path = parse(request.path)
    return request.method == "GET" and path.plural == plural and path.namespace != NAMESPACE


@pytest.mark.parametrize("fault", FEW)
@pytest.mark.parametrize("plural", ["whatsappsessions", "pods", "networkpolicies", "namespaces"])
async def test_what_a_resync_may_not_read_is_in_the_condition_of_all_sessions(
    simulation: Simulation, plural: str, fault: str
) -> None:
    """In the API server's words, without an event for each session; an edit is answered, and it ends with its cause."""
    await simulation.up("a", "b")
    simulation.api.fault = lambda request, _: FAULTS[fault] if reads_all(request, plural) else None
    for name in ("a", "b"):
        await simulation.until(lambda: simulation.condition(name, "CallFailed")[0] == "True", within=130)  # noqa: B023
    shown = {message(simulation, "CallFailed", name) for name in ("a", "b")}
    before = len(simulation.api.requests)
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)
    await simulation.rest(130)
    reads = [request for request in simulation.api.requests[before:] if reads_all(request, plural)]
    state = simulation.state("a")
    reopen(simulation)
    await simulation.until(lambda: simulation.condition("a", "CallFailed") == ("", ""), within=130)

    assert f"Cannot list {plural}" in shown.pop()
    assert not shown
    assert [] == warnings(simulation, "FailedList")
    # Resyncs, and admission rounds at most every ten seconds. A refusal is over less soon than a fault of the server.
    assert len(reads) < (20 if fault in {"403", "409"} else 45)
    assert "QRPending" == state
