"""Flux' own kustomize-controller applies commits and waits for them: it knows when a session is as git wants it."""

import asyncio
from typing import Any

from gitops.flux import Repository
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import RunnerState, StateReason
from support.sessions import in_state, without_pod

APPLIED = "ReconciliationSucceeded"
NOT_HEALTHY = "HealthCheckFailed"


def session(harness: OperatorHarness, name: str, **fields: Any) -> Json:
    """Return a session as it lies in git; `labels` and `annotations` beside its spec."""
    metadata: Json = {"name": name, **{key: fields.pop(key) for key in ("labels", "annotations") if key in fields}}
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": metadata,
        "spec": {"quotaName": harness.namespace, **fields},
    }


async def test_a_session_at_rest_is_ready(harness: OperatorHarness, repository: Repository) -> None:
    """A commit that suspends, also from the start, is done once the pod is gone; and one that resumes, once it is up."""
    await harness.quota()
    await harness.operator()
    await repository.follow()
    up, resting = session(harness, "up"), session(harness, "resting", operatingMode="Suspended")

    first = await repository.pushed(up, resting)
    rested = await repository.pushed({**up, "spec": {**up["spec"], "operatingMode": "Suspended"}}, resting)
    pod = await harness.pod("up")
    resumed = await repository.pushed(up, resting)

    assert [APPLIED] * 3 == [outcome.reason for outcome in (first, rested, resumed)]
    assert pod is None
    assert "QRPending" == (await harness.status("up"))["state"]
    assert without_pod().holds(await harness.status("resting"))


async def test_without_the_expressions_it_never_is(harness: OperatorHarness, repository: Repository) -> None:
    """By kstatus alone Flux waits for a session at rest until the time is over, which is why there are expressions."""
    await harness.quota()
    await harness.operator()
    await repository.follow(patience="8s", expressions=False)

    outcome = await repository.pushed(session(harness, "resting", operatingMode="Suspended"))

    assert NOT_HEALTHY == outcome.reason
    assert f"WhatsAppSession/{harness.namespace}/resting status: 'InProgress'" in outcome.message


async def test_what_nobody_has_seen_is_waited_for(harness: OperatorHarness, repository: Repository) -> None:
    """Sessions without a status are no error: Flux waits until there is an operator, with and without expressions."""
    await harness.quota()
    await repository.follow()
    revision = await repository.commit(session(harness, "sales"))
    await harness.until("the session", lambda: _found(harness, "sales"))
    await asyncio.sleep(6)  # longer than Flux lets pass between two looks

    before = [line for line in repository.flux.log().splitlines() if "CEL" in line or "no such" in line]
    await harness.operator()
    outcome = await repository.outcome(revision)

    assert [] == before
    assert APPLIED == outcome.reason


async def _found(harness: OperatorHarness, name: str) -> bool:
    return name in {
        found["metadata"]["name"] for found in await harness.admin.list("whatsappsessions", harness.namespace)
    }


async def test_a_queued_session_is_in_progress(harness: OperatorHarness, repository: Repository) -> None:
    """The commit fails when its time is over, and names who waits; once there is room the next one is done."""
    await harness.quota(sessions=1)
    await harness.operator()
    await repository.follow(patience="10s")
    first, second = session(harness, "first", priority=1), session(harness, "second")

    full = await repository.pushed(first, second)
    queued = await harness.status("second")
    await harness.quota(sessions=2)
    room = await repository.pushed(first, second)

    assert (NOT_HEALTHY, "Queued", APPLIED) == (full.reason, queued["state"], room.reason)
    assert f"WhatsAppSession/{harness.namespace}/second status: 'InProgress'" in full.message
    assert "first" not in full.message


async def test_one_conflict_among_thirty(harness: OperatorHarness, repository: Repository) -> None:
    """It fails at once and by name, holds up no other session, and is mended by a commit that asks for a restart."""
    harness.node.first_report = (RunnerState.CONNECTED, StateReason.AS_EXPECTED)
    await harness.quota()
    await harness.operator()
    await repository.follow(patience="2m")
    names = [f"s{number:02}" for number in range(30)]
    sessions = [session(harness, name) for name in names]

    together = await repository.pushed(*sessions)
    (await harness.runner("s07")).report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.wait_for("s07", in_state("Conflict"))
    relabelled = [session(harness, name, labels={"team": "sales"}) for name in names]
    broken = await repository.pushed(*relabelled)
    labels = {
        found["metadata"]["labels"]["team"] for found in await harness.admin.list("whatsappsessions", harness.namespace)
    }
    relabelled[7]["metadata"]["annotations"] = {"wasession.dev/restart-at": "2026-01-01T00:00:00Z"}
    mended = await repository.pushed(*relabelled)

    assert (APPLIED, NOT_HEALTHY, APPLIED) == (together.reason, broken.reason, mended.reason)
    assert f"WhatsAppSession/{harness.namespace}/s07 status: 'Failed'" in broken.message
    assert 1 == broken.message.count("WhatsAppSession/")
    assert {"sales"} == labels


async def test_what_leaves_git_leaves_the_cluster(harness: OperatorHarness, repository: Repository) -> None:
    """Flux prunes the session and nothing of what the operator made for the others; a bad commit changes nothing."""
    await harness.quota()
    await harness.operator()
    await repository.follow()
    stays, goes = session(harness, "stays"), session(harness, "goes")
    await repository.pushed(stays, goes)
    pod = await harness.pod("stays")

    refused = await repository.pushed({**stays, "spec": {**stays["spec"], "operatingMode": "Resting"}})
    both = {found["metadata"]["name"] for found in await harness.admin.list("whatsappsessions", harness.namespace)}
    pruned = await repository.pushed(stays)
    left = {found["metadata"]["name"] for found in await harness.admin.list("whatsappsessions", harness.namespace)}

    assert (False, {"stays", "goes"}) == (refused.ready, both)
    assert "operatingMode" in refused.message
    assert (APPLIED, {"stays"}) == (pruned.reason, left)
    assert pod is not None
    assert pod["metadata"]["uid"] == ((await harness.pod("stays")) or {})["metadata"]["uid"]
