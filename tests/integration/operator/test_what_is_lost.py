"""What can be lost on a real API server, one thing at a time: it comes back, or the session says what to do.

The same losses are tried in pairs in `unit.runtime.test_pairs_of_losses`; a node with its pods in `test_losses`, etcd in
`test_restored_etcd`, labels in `test_labels`, the Lease in `test_lease`, events of a watch in `unit.runtime.test_views`.
"""

import base64
from collections.abc import Awaitable, Callable

import pytest
from integration.operator.admin import Json, Refused
from integration.operator.conftest import OperatorHarness
from session_devtools.installation.constants import OPERATOR_NAMESPACE
from session_protocol.vocabulary import RunnerState, StateReason
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME

KEYS = "whatsapp-operator-keys"
MANAGED_BY = "app.kubernetes.io/managed-by"
HOLDS = [
    (RunnerState.CONFLICT, StateReason.REPLACED),
    (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED),
    (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON),
]

Loss = Callable[[OperatorHarness], Awaitable[None]]


async def put_status(harness: OperatorHarness, name: str, status: Json) -> None:
    """Replace the status of a session, as `kubectl replace --subresource=status` does."""
    path = harness.admin.path("whatsappsessions", harness.namespace, name, "status")
    while True:  # the operator may write between the two
        session = await harness.admin.get("whatsappsessions", harness.namespace, name)
        try:
            await harness.admin.call("PUT", path, {**session, "status": status})
        except Refused as refused:
            if refused.status != 409:
                raise
        else:
            return


async def keys(harness: OperatorHarness) -> dict[str, str]:
    """Return what the key Secret holds."""
    try:
        data: dict[str, str] = (await harness.admin.get("secrets", OPERATOR_NAMESPACE, KEYS)).get("data") or {}
    except LookupError:
        data = {}
    return data


# --- what comes back by itself, while a session runs: how it is lost, and what is there again


async def status(harness: OperatorHarness) -> None:
    """All of it."""
    await put_status(harness, "a", {})


async def service(harness: OperatorHarness) -> None:
    """The namespace's Service."""
    await harness.admin.delete("services", harness.namespace, SERVICE_NAME)


async def network_policy(harness: OperatorHarness) -> None:
    """The namespace's NetworkPolicy."""
    await harness.admin.delete("networkpolicies", harness.namespace, NETWORK_POLICY_NAME)


async def owner_reference(harness: OperatorHarness) -> None:
    """The claim's, which was to go with its session."""
    patch = {"metadata": {"ownerReferences": None}}
    await harness.admin.patch("persistentvolumeclaims", harness.namespace, "a-profile", patch)


async def seal(harness: OperatorHarness) -> None:
    """The claim's."""
    patch = {"metadata": {"annotations": {"wasession.dev/seal": None}}}
    await harness.admin.patch("persistentvolumeclaims", harness.namespace, "a-profile", patch)


async def key_secret(harness: OperatorHarness) -> None:
    """Deleted."""
    await harness.admin.delete("secrets", OPERATOR_NAMESPACE, KEYS)


async def content_of_the_key_secret(harness: OperatorHarness) -> None:
    """Emptied."""
    await harness.admin.patch("secrets", OPERATOR_NAMESPACE, KEYS, {"data": None})


async def sense_of_the_key_secret(harness: OperatorHarness) -> None:
    """Garbled: another word for the current one, and a key that is cut off."""
    (key_id,) = (await keys(harness)).keys() - {"current"}
    data = {"current": base64.b64encode(b"\xff\xfe").decode(), key_id: base64.b64encode(b"short").decode()}
    await harness.admin.patch("secrets", OPERATOR_NAMESPACE, KEYS, {"data": data})


async def key(harness: OperatorHarness) -> None:
    """The only one is taken out."""
    (key_id,) = (await keys(harness)).keys() - {"current"}
    await harness.admin.patch("secrets", OPERATOR_NAMESPACE, KEYS, {"data": {key_id: None}})


async def label_of_the_pod(harness: OperatorHarness) -> None:
    """By which it is watched."""
    await harness.admin.patch("pods", harness.namespace, "a", {"metadata": {"labels": {MANAGED_BY: None}}})


async def label_of_the_service(harness: OperatorHarness) -> None:
    """By which it is watched."""
    patch = {"metadata": {"labels": {MANAGED_BY: None}}}
    await harness.admin.patch("services", harness.namespace, SERVICE_NAME, patch)


async def token_secrets(harness: OperatorHarness) -> None:
    """All of the session's: its pod goes on with what it mounted."""
    for secret in await harness.admin.list("secrets", harness.namespace):
        await harness.admin.delete("secrets", harness.namespace, secret["metadata"]["name"])


async def what_is_there(harness: OperatorHarness) -> Json:
    """Return what the operator made, but for times, versions and the Secrets of tokens."""
    namespace = harness.namespace
    claim = await harness.admin.get("persistentvolumeclaims", namespace, "a-profile")
    state = await harness.status("a")
    return {
        "state": (state.get("state"), state.get("podUID"), (state.get("admission") or {}).get("quotaName")),
        "services": [found["metadata"]["name"] for found in await harness.admin.list("services", namespace)],
        "policies": [found["metadata"]["name"] for found in await harness.admin.list("networkpolicies", namespace)],
        "owners": [owner["uid"] for owner in claim["metadata"].get("ownerReferences") or []],
        "sealed": "wasession.dev/seal" in (claim["metadata"].get("annotations") or {}),
        "keys": await keys(harness),
        "pods": [found["metadata"]["uid"] for found in await harness.admin.list("pods", namespace)],
    }


@pytest.mark.parametrize(
    "loss",
    [
        status,
        service,
        network_policy,
        owner_reference,
        seal,
        key_secret,
        content_of_the_key_secret,
        sense_of_the_key_secret,
        key,
        label_of_the_pod,
        label_of_the_service,
        token_secrets,
    ],
)
async def test_what_is_lost_comes_back_under_a_running_session(harness: OperatorHarness, loss: Loss) -> None:
    """All is as before, the pod is the same one, its runner is heard, and nothing is counted as a failure."""
    await harness.quota(sessions=1)
    await harness.operator(RESYNC_INTERVAL="2s")
    await harness.session("a", profile={"retention": "Delete"})
    await harness.wait_for_state("a", "QRPending")
    before = await what_is_there(harness)

    await loss(harness)
    await harness.until("all to be as before", lambda: _is_as(harness, before))
    runner = await harness.runner("a")
    runner.report(RunnerState.CONNECTED)
    after = await harness.wait_for_state("a", "Connected")

    assert 0 == (after.get("recovery") or {}).get("consecutiveFailures", 0)
    assert before["pods"] == (await what_is_there(harness))["pods"]


async def _is_as(harness: OperatorHarness, before: Json) -> bool:
    return before == await what_is_there(harness)


# --- what a person has to know of


async def test_keys_that_are_really_lost_are_named(harness: OperatorHarness) -> None:
    """Gone while no operator ran: the session says so, and how to have a new pod at once; which then works."""
    await harness.quota(sessions=1)
    first = await harness.operator()
    await harness.session("a")
    before = await harness.wait_for_state("a", "QRPending")
    (key_id,) = (await keys(harness)).keys() - {"current"}
    first.kill()
    await key_secret(harness)

    await harness.operator()
    lost = await harness.wait_for_state("a", "Unreachable")
    ready = await harness.condition("a", "Ready")
    await harness.ask("a", "restart-at")
    after = await harness.wait_for_report("a", await harness.wait_for_new_pod("a", before["podUID"]))

    assert before["podUID"] == lost["podUID"]
    assert all(part in ready["message"] for part in (key_id, "was lost", "wasession.dev/restart-at"))
    assert "NetworkPolicy" not in ready["message"]
    assert "QRPending" == after["state"]


@pytest.mark.parametrize(("state", "reason"), HOLDS)
async def test_a_stop_outlives_its_status_and_its_pod(
    harness: OperatorHarness, state: RunnerState, reason: StateReason
) -> None:
    """The next runner finds it on the profile: the page stays closed, and the session waits again."""
    await harness.quota(sessions=1)
    first = await harness.operator()
    await harness.session("a")
    before = await harness.wait_for_state("a", "QRPending")
    (await harness.runner("a")).report(state, reason)
    await harness.wait_for_state("a", state)
    await first.stop()
    await put_status(harness, "a", {})
    await harness.admin.remove_pod(harness.namespace, "a")
    await harness.node.close(before["podUID"])

    await harness.operator()
    await harness.wait_for_new_pod("a", before["podUID"])
    after = await harness.wait_for_state("a", state)

    stalled = await harness.condition("a", "Stalled")
    assert ("True", state) == (stalled["status"], stalled["reason"])
    assert state == (await harness.runner("a")).store.snapshot.state
    assert before["podUID"] != after["podUID"]


async def test_a_stop_after_failures_outlives_its_status(harness: OperatorHarness) -> None:
    """No pod is made for it, until a person asks."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", recovery={"maxAttempts": 1, "baseDelay": "1s", "healthyAfter": "10m"})
    first = await harness.wait_for_state("a", "QRPending")
    await harness.node.end("a", code=30)
    before = await harness.wait_for_report("a", await harness.wait_for_new_pod("a", first["podUID"]))
    await harness.node.end("a", code=30)
    await harness.wait_for_state("a", "Stalled")
    await harness.until("the claim to be marked", lambda: _is_marked(harness))
    await harness.wait_for_pod_gone("a")

    await put_status(harness, "a", {})
    await harness.wait_for_state("a", "Stalled")
    stalled = await harness.condition("a", "Stalled")
    await harness.check_stays(lambda: _has_no_pod(harness), "no pod", during=5)
    await harness.ask("a", "restart-at")
    after = await harness.wait_for_report("a", await harness.wait_for_new_pod("a", before["podUID"]))

    assert "RecoveryExhausted" == stalled["reason"]
    assert "QRPending" == after["state"]


async def _is_marked(harness: OperatorHarness) -> bool:
    claim = await harness.admin.get("persistentvolumeclaims", harness.namespace, "a-profile")
    return "wasession.dev/recovery-exhausted" in (claim["metadata"].get("annotations") or {})


async def _has_no_pod(harness: OperatorHarness) -> bool:
    return await harness.pod("a") is None


async def test_a_claim_without_its_label_is_named(harness: OperatorHarness) -> None:
    """The next pod waits: it may be anybody's. With the label back it goes on."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    before = await harness.wait_for_state("a", "QRPending")
    claims = "persistentvolumeclaims"
    found = await harness.admin.get(claims, harness.namespace, "a-profile")
    await harness.admin.patch(claims, harness.namespace, "a-profile", {"metadata": {"labels": {MANAGED_BY: None}}})
    await harness.admin.remove_pod(harness.namespace, "a")
    await harness.node.close(before["podUID"])

    await harness.wait_for_state("a", "Stalled")
    stalled = await harness.condition("a", "Stalled")
    labels = {MANAGED_BY: found["metadata"]["labels"][MANAGED_BY]}
    await harness.admin.patch(claims, harness.namespace, "a-profile", {"metadata": {"labels": labels}})
    await harness.wait_for_report("a", await harness.wait_for_new_pod("a", before["podUID"]))

    assert "NameTaken" == stalled["reason"]
    assert MANAGED_BY in stalled["message"]


@pytest.mark.parametrize("stranger", ["", "a-stranger"])
async def test_a_lost_lease_changes_hands(harness: OperatorHarness, stranger: str) -> None:
    """Deleted, or taken by somebody who never renews it: the holder ends at once, and the next one acts in its time."""
    await harness.quota(sessions=1)
    first = await harness.operator()
    await harness.session("a")
    before = await harness.wait_for_state("a", "QRPending")
    if stranger:
        patch = {"spec": {"holderIdentity": stranger}}
        await harness.admin.patch("leases", OPERATOR_NAMESPACE, "whatsapp-operator", patch)
    else:
        await harness.admin.delete("leases", OPERATOR_NAMESPACE, "whatsapp-operator")
    status = await first.wait_for_exit(within=20)
    await harness.operator()
    (await harness.runner("a")).report(RunnerState.CONNECTED)
    after = await harness.wait_for_state("a", "Connected")

    assert (1, before["podUID"]) == (status, after["podUID"])
