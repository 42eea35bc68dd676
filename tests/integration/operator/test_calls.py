"""Calls that a real API server refuses or fails: told in its words with an event, few requests, and over with the cause."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from integration.operator.accelerated import SPEED, accelerated
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from integration.operator.gates import black_hole, older_crd, policy, webhook
from support.sessions import Expectation

FIVE_MINUTES = 300 / SPEED
Gate = AbstractAsyncContextManager[str]


async def failed(harness: OperatorHarness, *parts: str) -> str:
    """Wait for the condition that tells of a failed call with all of these in its message; return the message."""

    async def shown() -> str | None:
        found = await harness.condition("a", "CallFailed")
        message = str(found.get("message", ""))
        return message if found.get("status") == "True" and all(part in message for part in parts) else None

    return await harness.until(f"CallFailed says {parts}", shown, within=60)


async def no_failure(harness: OperatorHarness) -> None:
    """Wait until no call fails."""

    async def gone() -> bool:
        return not await harness.condition("a", "CallFailed")

    await harness.until("CallFailed is gone", gone, within=60)


async def events(harness: OperatorHarness, reason: str) -> list[Json]:
    """Return the session's events with this reason."""
    return [event for event in await harness.admin.list("events", harness.namespace) if event["reason"] == reason]


def about_sessions(harness: OperatorHarness, start: int) -> list[str]:
    """Return the operator's requests about single objects of the test's namespace since then."""
    entries = harness.audit.requests()[start:]
    return [
        str(entry) for entry in entries if entry.namespace == harness.namespace and entry.verb not in ("list", "watch")
    ]


@contextlib.asynccontextmanager
async def webhook_that_is_down(harness: OperatorHarness) -> AsyncIterator[str]:
    """Nothing listens at the webhook's address: 500."""
    async with webhook(harness, "CREATE", "pods", url="https://127.0.0.1:9/"):
        yield "failed calling webhook"


@contextlib.asynccontextmanager
async def webhook_that_is_slow(harness: OperatorHarness) -> AsyncIterator[str]:
    """Its server takes the connection and says nothing."""
    with black_hole() as url:
        async with webhook(harness, "CREATE", "pods", url=url):
            yield "failed calling webhook"


CREATIONS: dict[str, tuple[Callable[[OperatorHarness], Gate], str]] = {
    "services refused": (lambda harness: policy(harness, "CREATE", "services"), "create Service whatsapp-sessions"),
    "claims refused": (
        lambda harness: policy(harness, "CREATE", "persistentvolumeclaims"),
        "create PersistentVolumeClaim a-profile",
    ),
    "secrets refused": (lambda harness: policy(harness, "CREATE", "secrets"), "create Secret was-"),
    "pods called invalid": (lambda harness: policy(harness, "CREATE", "pods", reason="Invalid"), "create Pod a"),
    "pods too large": (
        lambda harness: policy(harness, "CREATE", "pods", reason="RequestEntityTooLarge"),
        "create Pod a",
    ),
    "webhook down": (webhook_that_is_down, "create Pod a"),
    "webhook slow": (webhook_that_is_slow, "create Pod a"),
}


@pytest.mark.parametrize("gate", CREATIONS)
async def test_a_creation_that_fails_is_shown_and_paced_and_ends_with_its_cause(
    harness: OperatorHarness, gate: str
) -> None:
    """Over five minutes of the operator's clock there are fewer than ten requests; an event tells once."""
    close, call = CREATIONS[gate]
    await harness.quota(sessions=1)
    async with accelerated(harness.kubeconfig, harness.namespace):
        async with close(harness) as refusal:
            await harness.session("a")
            shown = await failed(harness, call, refusal)
            await asyncio.sleep(20 / SPEED)
            start = len(harness.audit.requests())
            await asyncio.sleep(FIVE_MINUTES)
            made = about_sessions(harness, start)
            recorded = await events(harness, "FailedCreate")
        await no_failure(harness)

    assert len(made) < 10, made
    assert shown.startswith("Cannot create ")
    assert [1, None] == [len(recorded), recorded[0].get("series")]
    assert await harness.pod("a") is not None


PATCHES = {
    "claims may not be patched": (
        "UPDATE",
        "persistentvolumeclaims",
        {"profile": {"retention": "Delete"}},
        "FailedUpdate",
    ),
    "pods may not be deleted": ("DELETE", "pods", {"operatingMode": "Suspended"}, "FailedDelete"),
}


@pytest.mark.parametrize("gate", PATCHES)
async def test_a_change_that_fails_does_not_freeze_the_status(harness: OperatorHarness, gate: str) -> None:
    """The edit's generation is answered, the call is named, and it is asked for a few times."""
    operation, resource, spec, reason = PATCHES[gate]
    await harness.quota(sessions=1)
    async with accelerated(harness.kubeconfig, harness.namespace):
        await harness.session("a")
        await harness.until("a pod", lambda: harness.pod("a"))
        async with policy(harness, operation, resource) as refusal:
            await harness.edit("a", {"spec": spec})
            await failed(harness, refusal)
            status = await harness.status("a")
            await asyncio.sleep(20 / SPEED)
            start = len(harness.audit.requests())
            await asyncio.sleep(FIVE_MINUTES)
            made = about_sessions(harness, start)
            recorded = await events(harness, reason)
        await no_failure(harness)

    assert 2 == status["observedGeneration"]
    assert len(made) < 10, made
    assert 1 == len(recorded)


async def test_a_status_that_a_policy_refuses_is_shown_by_an_event(harness: OperatorHarness) -> None:
    """Nothing else can say it; the pod that is there stays, and the requests are few."""
    await harness.quota(sessions=1)
    async with accelerated(harness.kubeconfig, harness.namespace):
        await harness.session("a")
        await harness.until("a pod", lambda: harness.pod("a"))
        await asyncio.sleep(60 / SPEED)
        async with policy(harness, "UPDATE", "whatsappsessions/status", group="wasession.dev") as refusal:
            await harness.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})

            async def recorded() -> list[Json]:
                return await events(harness, "FailedUpdateStatus")

            (event,) = await harness.until("an event", recorded)
            start = len(harness.audit.requests())
            await asyncio.sleep(FIVE_MINUTES)
            made = about_sessions(harness, start)

        async def answered() -> bool:
            return (await harness.status("a")).get("observedGeneration") == 2

        await harness.until("the edit is answered", answered)

    assert refusal in event["message"] if "message" in event else event["note"]
    assert len(made) < 10, made


async def test_a_namespace_that_terminates_is_shown(harness: OperatorHarness) -> None:
    """Nobody empties it here, so the session stays: the reason is the cause in the API server's answer."""
    await harness.quota(sessions=1)
    async with accelerated(harness.kubeconfig, harness.namespace), policy(harness, "CREATE", "pods"):
        await harness.session("a")
        await failed(harness, "create Pod a")
        await harness.admin.delete("namespaces", "", harness.namespace)
        ready = await harness.wait_for_condition("a", "Ready", status="False", reason="NamespaceTerminating")
        await asyncio.sleep(20 / SPEED)
        start = len(harness.audit.requests())
        await asyncio.sleep(FIVE_MINUTES)
        made = about_sessions(harness, start)

    assert "because it is being terminated" in ready["message"]
    assert len(made) < 10, made


OLDER = ("recovery.lastFailure", "recovery", "tokenSecrets", "handledRequests", "admission.memory", "selector")
OF_MESSAGING = ("phoneNumberID", "tokenSecrets.messaging")


@pytest.mark.parametrize(
    "fields", [*((field,) for field in (*OLDER, *OF_MESSAGING)), OLDER[1:], OF_MESSAGING], ids="+".join
)
async def test_an_older_crd_is_shown_and_makes_no_loop(harness: OperatorHarness, fields: tuple[str, ...]) -> None:
    """Its schema drops what it does not know: said with the fields and the way out, few requests, one pod, no stop."""
    await harness.quota(sessions=1)
    async with older_crd(harness, *fields), accelerated(harness.kubeconfig, harness.namespace):
        start = len(harness.audit.requests())
        await harness.session("a")
        pod = await harness.until("a pod", lambda: harness.pod("a"))
        uid = pod["metadata"]["uid"]
        if "recovery.lastFailure" in fields:
            await harness.runner("a")
            await harness.node.end("a", code=33)
            pod = await harness.wait_for_new_pod("a", uid)
        if fields != ("handledRequests",):
            shown = await failed(harness, f"status.{fields[0]}", "Apply the CustomResourceDefinitions")
        await asyncio.sleep(20 / SPEED)
        began = [entry for entry in about_sessions(harness, start) if "whatsappsessions/status" in entry]
        start = len(harness.audit.requests())
        await asyncio.sleep(FIVE_MINUTES)
        rest = about_sessions(harness, start)
        stalled = await harness.condition("a", "Stalled")
        last = await harness.pod("a")
    assert len(began) < 25, began
    assert len(rest) < 5, rest
    assert "False" == stalled["status"]
    assert last is not None
    assert pod["metadata"]["uid"] == last["metadata"]["uid"]
    if fields != ("handledRequests",):
        assert "does not keep" in shown


async def test_an_older_crd_that_refuses_a_value_keeps_nothing_else_back(harness: OperatorHarness) -> None:
    """422 for the state alone: the rest of the status is written, and the field is named."""
    await harness.quota(sessions=1)
    async with older_crd(harness, state_enum=("Connected",)), accelerated(harness.kubeconfig, harness.namespace):
        await harness.session("a")
        pod = await harness.until("a pod", lambda: harness.pod("a"))
        shown = await failed(harness, "status.state")
        status = await harness.wait_for("a", Expectation("names its pod", lambda now: "podUID" in now))

    assert "does not keep" in shown
    assert (pod["metadata"]["uid"], 1, None) == (status["podUID"], status["observedGeneration"], status.get("state"))


async def test_the_newer_crd_ends_it(harness: OperatorHarness) -> None:
    """Applied under the running operator: what was dropped is written, and the condition goes."""
    await harness.quota(sessions=1)
    async with accelerated(harness.kubeconfig, harness.namespace):
        async with older_crd(harness, "tokenSecrets"):
            await harness.session("a")
            await failed(harness, "status.tokenSecrets")
        await no_failure(harness)

        assert "tokenSecrets" in await harness.status("a")


async def test_many_sessions_beside_a_foreign_service_ask_as_one(harness: OperatorHarness) -> None:
    """Ten sessions: fewer than ten requests in five minutes, and all go on when it is gone."""
    names = [f"s{number}" for number in range(10)]
    await harness.admin.create(
        "services", harness.namespace, {"metadata": {"name": "whatsapp-sessions"}, "spec": {"ports": [{"port": 80}]}}
    )
    await harness.quota(sessions=20)
    async with accelerated(harness.kubeconfig, harness.namespace):
        for name in names:
            await harness.session(name)
        for name in names:
            await harness.wait_for_condition(name, "Stalled", status="True", reason="NameTaken")
        await asyncio.sleep(20 / SPEED)
        start = len(harness.audit.requests())
        await asyncio.sleep(FIVE_MINUTES)
        made = about_sessions(harness, start)
        await harness.admin.delete("services", harness.namespace, "whatsapp-sessions")
        for name in names:
            await harness.until(f"a pod of {name}", lambda name=name: harness.pod(name))  # type: ignore[misc]

    assert len(made) < 10, made


EDIT = {"spec": {"timeouts": {"healthCheck": "50s"}}}


@pytest.mark.parametrize("waits", ["queued", "refused", "stalled", "running"])
async def test_an_edit_is_seen_within_two_seconds(harness: OperatorHarness, waits: str) -> None:
    """By the operator as people run it, with its watches and the wall's clock."""
    await harness.quota(sessions=0 if waits == "queued" else 1)
    if waits == "stalled":
        await harness.admin.create(
            "services",
            harness.namespace,
            {"metadata": {"name": "whatsapp-sessions"}, "spec": {"ports": [{"port": 80}]}},
        )
    await harness.operator(RESYNC_INTERVAL="60s")
    async with policy(harness, "CREATE", "pods") if waits == "refused" else contextlib.nullcontext():
        await harness.session("a")
        arrived: dict[str, Callable[[], Awaitable[object]]] = {
            "queued": lambda: harness.wait_for_condition("a", "Admitted", status="False", reason="QuotaExceeded"),
            "refused": lambda: failed(harness, "create Pod a"),
            "stalled": lambda: harness.wait_for_condition("a", "Stalled", status="True"),
            "running": lambda: harness.wait_for_state("a", "QRPending"),
        }
        await arrived[waits]()
        await asyncio.sleep(8)
        await harness.edit("a", EDIT)

        async def answered() -> bool:
            return (await harness.status("a")).get("observedGeneration") == 2

        await harness.until("the edit is answered", answered, within=2)
