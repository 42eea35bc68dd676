"""Flux' own kustomize-controller applies commits and waits for them: it knows when a session is as git wants it."""

import asyncio
from typing import Any

from gitops.repository import Repository
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import RunnerState, StateReason
from support.sessions import in_state, without_pod

APPLIED = "ReconciliationSucceeded"
NOT_HEALTHY = "HealthCheckFailed"
A_LOOK = 6.0
""" Seconds in which Flux looks at least once at what it waits for. """


def session(harness: OperatorHarness, name: str, *, metadata: Json | None = None, **spec: Any) -> Json:
    """Return a session as it lies in git."""
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"quotaName": harness.namespace, **spec},
    }


def restart(time: str) -> Json:
    """Return the annotation of a session that is to be restarted."""
    return {"annotations": {"wasession.dev/restart-at": time}}


def reported(harness: OperatorHarness, name: str, status: str) -> str:
    """Return Flux' words for a session."""
    return f"WhatsAppSession/{harness.namespace}/{name} status: '{status}'"


async def test_a_session_at_rest_is_ready(harness: OperatorHarness, repository: Repository) -> None:
    """A commit that suspends, also from the start, is done once the pod is gone; and one that resumes, once it is up."""
    await harness.quota()
    await harness.operator()
    await repository.follow()
    resting = session(harness, "resting", operatingMode="Suspended")

    first = await repository.pushed(session(harness, "up"), resting)
    rested = await repository.pushed(session(harness, "up", operatingMode="Suspended"), resting)
    pod = await harness.pod("up")
    resumed = await repository.pushed(session(harness, "up"), resting)

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
    assert reported(harness, "resting", "InProgress") in outcome.message


async def test_what_nobody_has_seen_is_waited_for(harness: OperatorHarness, repository: Repository) -> None:
    """A session without a status is no error and not done: Flux waits until there is an operator."""
    await harness.quota()
    await repository.follow()
    revision = await repository.commit(session(harness, "sales"))
    await harness.until("the session", lambda: _found(harness, "sales"))
    await asyncio.sleep(A_LOOK)

    still = await repository.is_waiting(revision)
    await harness.operator()
    outcome = await repository.outcome(revision)

    assert still
    assert APPLIED == outcome.reason


async def _found(harness: OperatorHarness, name: str) -> bool:
    return name in await _names(harness)


async def _names(harness: OperatorHarness) -> set[str]:
    return {found["metadata"]["name"] for found in await harness.admin.list("whatsappsessions", harness.namespace)}


async def test_a_queued_session_is_in_progress(harness: OperatorHarness, repository: Repository) -> None:
    """The commit fails when its time is over, and names who waits; once there is room the next one is done."""
    await harness.quota(sessions=1)
    await harness.operator()
    await repository.follow(patience="20s")
    first, second = session(harness, "first", priority=1), session(harness, "second")

    full = await repository.pushed(first, second)
    queued = await harness.status("second")
    await harness.quota(sessions=2)
    room = await repository.pushed(first, second)

    assert (NOT_HEALTHY, "Queued", APPLIED) == (full.reason, queued["state"], room.reason)
    assert reported(harness, "second", "InProgress") in full.message
    assert "first" not in full.message


async def test_one_conflict_among_thirty(harness: OperatorHarness, repository: Repository) -> None:
    """It fails at once and by name, holds up no other session, and is mended by a commit that asks for a restart."""
    harness.node.first_report = (RunnerState.CONNECTED, StateReason.AS_EXPECTED)
    await harness.quota()
    await harness.operator()
    await repository.follow()
    names = [f"s{number:02}" for number in range(30)]

    together = await repository.pushed(*(session(harness, name) for name in names))
    (await harness.runner("s07")).report(RunnerState.CONFLICT, StateReason.REPLACED)
    await harness.wait_for("s07", in_state("Conflict"))
    relabelled = [session(harness, name, metadata={"labels": {"team": "sales"}}) for name in names]
    broken = await repository.pushed(*relabelled)
    labels = {
        found["metadata"]["labels"]["team"] for found in await harness.admin.list("whatsappsessions", harness.namespace)
    }
    relabelled[7]["metadata"] |= restart("2026-01-01T00:00:00Z")
    mended = await repository.pushed(*relabelled)

    assert (APPLIED, NOT_HEALTHY, APPLIED) == (together.reason, broken.reason, mended.reason)
    assert reported(harness, "s07", "Failed") in broken.message
    assert 1 == broken.message.count("WhatsAppSession/")
    assert {"sales"} == labels


async def test_what_only_a_person_ends_is_broken(harness: OperatorHarness, repository: Repository) -> None:
    """Also where nothing is held: the page was refused. The commit that asks for a restart does not fail for it."""
    await harness.quota()
    await harness.operator()
    await repository.follow()
    up = await repository.pushed(session(harness, "sales"))
    (await harness.runner("sales")).report(RunnerState.UPDATE_NEEDED, StateReason.VERSION_REFUSED)
    await harness.wait_for("sales", in_state("UpdateNeeded"))

    broken = await repository.pushed(session(harness, "sales", priority=1))
    mended = await repository.pushed(session(harness, "sales", metadata=restart("2026-01-01T00:00:00Z"), priority=1))

    assert (APPLIED, NOT_HEALTHY, APPLIED) == (up.reason, broken.reason, mended.reason)
    assert reported(harness, "sales", "Failed") in broken.message


async def test_a_logout_that_goes_on_by_itself_is_waited_for(harness: OperatorHarness, repository: Repository) -> None:
    """No commit fails because its look fell between a logout and the new QR code."""
    await harness.quota()
    await harness.operator()
    await repository.follow()
    await repository.pushed(session(harness, "sales"))
    runner = await harness.runner("sales")
    runner.report(RunnerState.LOGGED_OUT, StateReason.RELINKING)
    await harness.wait_for("sales", in_state("LoggedOut"))

    revision = await repository.commit(session(harness, "sales", priority=1))
    await harness.until("the commit", lambda: _has_priority(harness))
    await asyncio.sleep(A_LOOK)
    still = await repository.is_waiting(revision)
    runner.report(RunnerState.QR_PENDING, StateReason.WAITING_FOR_SCAN)
    outcome = await repository.outcome(revision)

    assert still
    assert APPLIED == outcome.reason


async def _has_priority(harness: OperatorHarness) -> bool:
    [found] = await harness.admin.list("whatsappsessions", harness.namespace)
    return bool(found["spec"].get("priority"))


async def test_what_leaves_git_leaves_the_cluster(harness: OperatorHarness, repository: Repository) -> None:
    """Flux prunes the session and nothing of what the operator made for the others; a bad commit changes nothing."""
    await harness.quota()
    await harness.operator()
    await repository.follow()
    stays, goes = session(harness, "stays"), session(harness, "goes")
    await repository.pushed(stays, goes)
    pod = await harness.pod("stays")

    refused = await repository.pushed(session(harness, "stays", operatingMode="Resting"))
    both = await _names(harness)
    pruned = await repository.pushed(stays)
    left = await _names(harness)

    assert (False, {"stays", "goes"}) == (refused.ready, both)
    assert "operatingMode" in refused.message
    assert (APPLIED, {"stays"}) == (pruned.reason, left)
    assert pod is not None
    assert pod["metadata"]["uid"] == ((await harness.pod("stays")) or {})["metadata"]["uid"]
