"""What people ask for: suspend and resume, restart, another size; and what they cannot do by accident."""

from datetime import UTC, datetime

from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import RunnerState
from support.sessions import without_admission, without_pod


async def test_suspended_keeps_the_profile_and_frees_the_place(harness: OperatorHarness) -> None:
    """The pod goes gracefully, the claim stays; running again makes a pod on the same claim."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")
    pvc = await harness.admin.get("persistentvolumeclaims", harness.namespace, "a-profile")

    await harness.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await harness.wait_for_pod_gone("a")
    await harness.wait_for_condition("a", "Suspended", status="True")

    await harness.wait_for("a", without_admission())
    await harness.wait_for("a", without_pod())
    await harness.edit("a", {"spec": {"operatingMode": "Running"}})
    again = await harness.wait_for_state("a", "QRPending")

    kept = await harness.admin.get("persistentvolumeclaims", harness.namespace, "a-profile")
    assert pvc["metadata"]["uid"] == kept["metadata"]["uid"]
    assert first["podUID"] != again["podUID"]


async def test_the_place_is_kept_until_the_pod_is_gone(harness: OperatorHarness) -> None:
    """A suspended session whose pod still ends holds its place: the one that waits is not let in beside it."""
    await harness.quota(sessions=1)
    harness.node.finish_pods = False
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    await harness.session("b")
    await harness.wait_for_condition("b", "Admitted", status="False")

    await harness.edit("a", {"spec": {"operatingMode": "Suspended"}})

    async def is_terminating() -> bool:
        return "deletionTimestamp" in (await harness.pod("a") or {"metadata": {}})["metadata"]

    await harness.until("the pod to be ending", is_terminating)

    async def no_pod() -> bool:
        return await harness.pod("b") is None

    await harness.check_stays(no_pod, "nobody beside it", during=2)
    harness.node.finish_pods = True
    await harness.wait_for_state("b", "QRPending")


async def test_restart_at_makes_the_pod_anew_once(harness: OperatorHarness) -> None:
    """The request is carried by the next pod and counts as handled from then on; the same value does nothing more."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")

    value = await harness.ask("a", "restart-at")
    pod = await harness.wait_for_new_pod("a", first["podUID"])

    async def handled() -> bool:
        handled = (await harness.status("a")).get("handledRequests") or {}
        return str(handled.get("restart-at")) == value

    await harness.until("the request to be handled", handled)

    async def same_pod() -> bool:
        found = await harness.pod("a") or {"metadata": {}}
        return str(found["metadata"].get("uid")) == str(pod["metadata"]["uid"])

    await harness.check_stays(same_pod, "one restart", during=3)
    assert value == pod["metadata"]["annotations"]["wasession.dev/restart-at"]


async def test_a_linked_session_is_reported_in_status(harness: OperatorHarness) -> None:
    """Connected: Ready and Linked are true, with the times the runner gave."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    linked = datetime.now(UTC).replace(microsecond=0)

    (await harness.runner("a")).report(RunnerState.CONNECTED, linked=linked, durable=linked)
    status = await harness.wait_for_state("a", "Connected")

    assert "True" == (await harness.condition("a", "Ready"))["status"]
    assert "True" == (await harness.condition("a", "Linked"))["status"]
    assert linked == datetime.fromisoformat(status["link"]["linkedTime"])


async def test_the_operator_writes_neither_spec_nor_metadata(harness: OperatorHarness) -> None:
    """After a whole life the session's spec, labels and annotations are what the person wrote; no finalizer was added."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    before = await harness.admin.get("whatsappsessions", harness.namespace, "a")
    await harness.wait_for_state("a", "QRPending")
    await harness.admin.delete("pods", harness.namespace, "a")
    await harness.wait_for_state("a", "QRPending")

    after = await harness.admin.get("whatsappsessions", harness.namespace, "a")

    assert before["spec"] == after["spec"]
    for part in ("labels", "annotations", "finalizers", "generation"):
        assert before["metadata"].get(part) == after["metadata"].get(part)
