"""What people ask for: suspend and resume, restart, another size; and what they cannot do by accident."""

from datetime import UTC, datetime

from integration.operator.conftest import Bench
from session_protocol.vocabulary import RunnerState


async def test_suspended_keeps_the_profile_and_frees_the_place(bench: Bench) -> None:
    """The pod goes gracefully, the claim stays; running again makes a pod on the same claim."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    first = await bench.reaches("a", "QRPending")
    claim = await bench.admin.get("persistentvolumeclaims", bench.namespace, "a-profile")

    await bench.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await bench.gone("a")
    await bench.holds("a", "Suspended", status="True")

    async def freed() -> bool:
        status = await bench.status("a")
        return "admission" not in status and status["replicas"] == 0

    await bench.until(freed, "the place to be given back")
    await bench.edit("a", {"spec": {"operatingMode": "Running"}})
    again = await bench.reaches("a", "QRPending")

    kept = await bench.admin.get("persistentvolumeclaims", bench.namespace, "a-profile")
    assert claim["metadata"]["uid"] == kept["metadata"]["uid"]
    assert first["podUID"] != again["podUID"]


async def test_the_place_is_kept_until_the_pod_is_gone(bench: Bench) -> None:
    """A suspended session whose pod still ends holds its place: the one that waits is not let in beside it."""
    await bench.quota(sessions=1)
    bench.node.finish_pods = False
    await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")
    await bench.session("b")
    await bench.holds("b", "Admitted", status="False")

    await bench.edit("a", {"spec": {"operatingMode": "Suspended"}})

    async def ending() -> bool:
        return "deletionTimestamp" in (await bench.pod("a") or {"metadata": {}})["metadata"]

    await bench.until(ending, "the pod to be ending")

    async def no_pod() -> bool:
        return await bench.pod("b") is None

    await bench.stays(no_pod, "nobody beside it", during=2)
    bench.node.finish_pods = True
    await bench.reaches("b", "QRPending")


async def test_restart_at_makes_the_pod_anew_once(bench: Bench) -> None:
    """The request is carried by the next pod and counts as handled from then on; the same value does nothing more."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    first = await bench.reaches("a", "QRPending")

    value = await bench.ask("a", "restart-at")
    pod = await bench.replaced("a", first["podUID"])

    async def handled() -> bool:
        handled = (await bench.status("a")).get("handledRequests") or {}
        return str(handled.get("restart-at")) == value

    await bench.until(handled, "the request to be handled")

    async def same_pod() -> bool:
        found = await bench.pod("a") or {"metadata": {}}
        return str(found["metadata"].get("uid")) == str(pod["metadata"]["uid"])

    await bench.stays(same_pod, "one restart", during=3)
    assert value == pod["metadata"]["annotations"]["wasession.dev/restart-at"]


async def test_a_linked_session_is_told_in_status(bench: Bench) -> None:
    """Connected: Ready and Linked are true, with the times the runner gave."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")
    linked = datetime.now(UTC).replace(microsecond=0)

    (await bench.runner("a")).say(RunnerState.CONNECTED, linked=linked, durable=linked)
    status = await bench.reaches("a", "Connected")

    assert "True" == (await bench.condition("a", "Ready"))["status"]
    assert "True" == (await bench.condition("a", "Linked"))["status"]
    assert linked == datetime.fromisoformat(status["link"]["linkedTime"])


async def test_the_operator_writes_neither_spec_nor_metadata(bench: Bench) -> None:
    """After a whole life the session's spec, labels and annotations are what the person wrote; no finalizer was added."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    before = await bench.admin.get("whatsappsessions", bench.namespace, "a")
    await bench.reaches("a", "QRPending")
    await bench.admin.delete("pods", bench.namespace, "a")
    await bench.reaches("a", "QRPending")

    after = await bench.admin.get("whatsappsessions", bench.namespace, "a")

    assert before["spec"] == after["spec"]
    for part in ("labels", "annotations", "finalizers", "generation"):
        assert before["metadata"].get(part) == after["metadata"].get(part)
