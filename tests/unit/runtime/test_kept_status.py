"""Statuses that the API server does not keep whole: an older schema drops fields or refuses values, and nothing loops."""

from collections.abc import Callable

import pytest
from unit.runtime.closed_gates import cost, count, message, warnings
from unit.runtime.memory_api import Fault, Json, parse
from unit.runtime.simulation import Simulation
from whatsapp_operator.runtime.kube.client import Request

FIELDS = (
    "recovery.lastFailure",
    "recovery.lastFailure.podUID",
    "recovery",
    "admission",
    "admission.storage",
    "handledRequests",
    "tokenSecrets",
    "tokenSecrets.messaging",
    "tokenSecrets.reading",
    "phoneNumberID",
    "podUID",
    "observedGeneration",
    "state",
    "conditions",
)


def dropping(*fields: str) -> Callable[[str, Json], Json]:
    """Return an older schema, which does not know these fields of a session's status."""

    def keeps(plural: str, status: Json) -> Json:
        for field in fields if plural == "whatsappsessions" else ():
            *path, last = field.split(".")
            part = status
            for name in path:
                part = part.get(name) or {}
            part.pop(last, None)
        return status

    return keeps


async def a_life(simulation: Simulation) -> None:
    """A session starts, fails once, comes back and is restarted on request."""
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.pod_uid("a"), within=60)
    await simulation.rest(10)
    uid = simulation.pod_uid("a")
    simulation.end("a", code=33, message="Chromium was killed.")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", uid), within=60)
    uid = simulation.pod_uid("a")
    simulation.ask("a", "restart-at")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", uid), within=60)
    await simulation.rest(30)


@pytest.mark.parametrize(
    "fields",
    [*(pytest.param((field,), id=field, marks=pytest.mark.slow) for field in FIELDS), pytest.param(FIELDS, id="all")],
)
async def test_a_dropped_field_is_shown_once_and_changes_nothing(
    simulation: Simulation, fields: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """The session lives as it would: three pods, no stop, no loop; at rest nothing is written but a rare trial."""
    simulation.api.keeps = dropping(*fields)
    await a_life(simulation)
    made = simulation.api.created["pods", "a"]
    lived = count(simulation, "PATCH", "whatsappsessions", "status")
    requests, _ = await cost(simulation, 500)

    assert 3 == made == simulation.api.created["pods", "a"]
    assert lived < 60
    assert requests <= 1
    if "storage" not in fields[0]:  # absent where the quota does not limit it
        assert "does not keep" in caplog.text
    if "conditions" not in fields and "storage" not in fields[0]:
        assert "FieldsDropped" not in str(simulation.condition("a", "Stalled"))
        assert ("False", "NotStalled") == simulation.condition("a", "Stalled")
        assert f"status.{fields[0]}" in message(simulation, "CallFailed")
        assert "Apply the CustomResourceDefinitions" in message(simulation, "CallFailed")
        assert 1 == len(warnings(simulation, "FailedUpdateStatus"))


@pytest.mark.slow
@pytest.mark.parametrize("fields", [("podUID", "recovery"), ("phoneNumberID",)], ids="+".join)
async def test_when_the_newer_schema_is_applied_all_is_written(simulation: Simulation, fields: tuple[str, ...]) -> None:
    """Nobody has to restart the operator: it tries now and then, and one kept field is enough for all sessions."""
    simulation.api.keeps = dropping(*fields)
    await simulation.up("a", "b")
    await simulation.rest(60)
    before = message(simulation, "CallFailed", "b")
    simulation.api.keeps = dropping()
    await simulation.until(
        lambda: all(simulation.status(name).get(fields[0]) for name in ("a", "b")), within=800, step=5
    )
    await simulation.rest(10)

    assert ", ".join(f"status.{field}" for field in fields) in before
    assert {*fields} <= simulation.status("b").keys()
    assert ("", "") == simulation.condition("a", "CallFailed") == simulation.condition("b", "CallFailed")


async def test_a_new_process_writes_what_was_dropped_once(simulation: Simulation) -> None:
    """It knows nothing of the gap: it makes the tokens that are not named, a write each, tells it, and then it rests."""
    simulation.api.keeps = dropping("tokenSecrets", "link")
    await simulation.up("a")
    await simulation.rest(60)
    simulation.kill()
    before = count(simulation, "PATCH", "whatsappsessions", "status")
    await simulation.start()
    await simulation.rest(60)

    assert 4 >= count(simulation, "PATCH", "whatsappsessions", "status") - before
    assert 1 == simulation.api.created["pods", "a"]


@pytest.mark.parametrize(
    "field", ["status.state", "status.tokenSecrets.linking", "status.conditions[0].reason", "status.conditions[0]"]
)
async def test_a_field_that_is_called_invalid_keeps_no_other_from_being_written(
    simulation: Simulation, field: str
) -> None:
    """422 for a value that an older schema does not allow: the rest is written, and the gap is named."""

    def refuse(request: Request, _: int) -> Fault | None:
        path = parse(request.path)
        if path.subresource != "status" or path.plural != "whatsappsessions":
            return None
        part: object = (request.body or {}).get("status")
        for step in field.removeprefix("status.").replace("[", ".[").split("."):
            if isinstance(part, list):
                position = int(step.strip("[]"))
                part = (
                    part[position] if position < len(part) and part[position]["type"] in ("Ready", "Conflict") else None
                )
            else:
                part = part.get(step) if isinstance(part, dict) else None
        return Fault(status=422, reason="Invalid", message="not allowed", fields=(field,)) if part is not None else None

    simulation.api.fault = refuse
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.pod_uid("a"), within=60)
    await simulation.rest(20)
    requests, _ = await cost(simulation)
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a").get("observedGeneration") == 2, within=2)

    assert requests <= 1
    assert simulation.status("a")["podUID"] == simulation.pod_uid("a")
    assert "does not keep status." in message(simulation, "CallFailed")


async def test_a_quotas_dropped_field_is_written_once(simulation: Simulation, caplog: pytest.LogCaptureFixture) -> None:
    """Each round would find the difference again."""
    simulation.api.keeps = lambda plural, status: (
        {name: value for name, value in status.items() if name != "admitted"}
        if plural == "whatsappsessionquotas"
        else status
    )
    await simulation.up("a")
    await simulation.rest(20)
    before = len(simulation.api.requests)
    await simulation.rest(600)
    writes = [request for request in simulation.api.requests[before:] if parse(request.path).subresource == "status"]

    assert [] == writes
    assert 1 == caplog.text.count("does not keep fields of a quota's status")


async def test_a_webhook_that_rewrites_a_status_makes_no_war(simulation: Simulation) -> None:
    """A value that comes back as another one is as good as dropped."""

    def keeps(plural: str, status: Json) -> Json:
        return {**status, "image": "registry.example/other:1"} if plural == "whatsappsessions" else status

    simulation.api.keeps = keeps
    await simulation.up("a")
    await simulation.rest(20)
    requests, _ = await cost(simulation)

    assert requests <= 1
    assert "status.image" in message(simulation, "CallFailed")


async def test_a_dropped_reservation_counts_all_the_same(simulation: Simulation) -> None:
    """A quota of one, two sessions: the second waits although no status says that the first was admitted."""
    simulation.api.keeps = dropping("admission")
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 1}})
    simulation.start_pods = False
    await simulation.start()
    for name in ("a", "b"):
        simulation.session(name)
    await simulation.rest(120)

    assert 1 == len(simulation.api.all("pods"))
    assert ("False", "QuotaExceeded") == simulation.condition("b", "Admitted")


@pytest.mark.parametrize("fields", [(), ("observedGeneration",), ("state",), ("tokenSecrets",), ("podUID",)], ids=str)
async def test_who_waits_is_admitted_all_the_same(simulation: Simulation, fields: tuple[str, ...]) -> None:
    """A status of which a field is dropped is stored: only one that is refused keeps a session from its place."""
    simulation.api.keeps = dropping(*fields)
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 1}})
    await simulation.start()
    for name in ("a", "b"):
        simulation.session(name)
        await simulation.rest(30)
    waits = simulation.condition("b", "Admitted")
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 2}})
    await simulation.until(lambda: simulation.pod_uid("b"), within=120)

    assert ("False", "QuotaExceeded") == waits


@pytest.mark.parametrize("name", [None, "Not:a:name"])
async def test_a_reservation_without_a_quotas_name_is_no_reservation(simulation: Simulation, name: str | None) -> None:
    """Somebody took the name away: the pod has its place, so it is written again, and at rest nothing is."""
    await simulation.up("a")
    patch = {"status": {"admission": {"quotaName": name}}}
    simulation.api.change("whatsappsessions", "shop", "a", patch, status=True)
    await simulation.rest(200)
    before = len(simulation.api.writes)
    await simulation.rest(200)
    late = [write.path for write in simulation.api.writes[before:] if "leases" not in write.path]

    assert "default" == simulation.status("a")["admission"]["quotaName"]
    assert [] == late
