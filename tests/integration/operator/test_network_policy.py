"""The NetworkPolicy of a namespace on the real API server: made, put back, changed with the settings, and gone again."""

from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME


async def policy(harness: OperatorHarness) -> Json | None:
    """Return the namespace's policy of our name, or None."""
    found = await harness.admin.list("networkpolicies", harness.namespace)
    return next((item for item in found if item["metadata"]["name"] == NETWORK_POLICY_NAME), None)


async def up(harness: OperatorHarness, **settings: str) -> Json:
    """Bring a session up; return the policy."""
    await harness.quota(sessions=2)
    await harness.operator(**settings)
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    found = await policy(harness)
    assert found is not None
    return found


async def test_it_is_there_before_the_pod_and_is_written_once(harness: OperatorHarness) -> None:
    """What the API server makes of it is what the operator compares with: at rest nothing is written."""
    found = await up(harness, RESYNC_INTERVAL="2s", NETWORK_POLICY_SCRAPERS="monitoring/app=prometheus")
    pod = await harness.pod("a")
    assert pod is not None
    order = [found["metadata"]["creationTimestamp"], pod["metadata"]["creationTimestamp"]]
    before = found["metadata"]["resourceVersion"]

    async def unchanged() -> bool:
        now = await policy(harness)
        return now is not None and now["metadata"]["resourceVersion"] == before

    await harness.check_stays(unchanged, "the policy as it was made", during=6)
    writes = [write for write in harness.audit.writes() if "networkpolicies" in write]
    assert ["create networkpolicies"] == writes
    assert sorted(order) == order
    assert "prometheus" in str(found["spec"]["ingress"])


async def test_it_is_put_back_when_somebody_changes_or_deletes_it(harness: OperatorHarness) -> None:
    """Opened by hand, or gone: within seconds it is as it was, and the session's pod is the same."""
    found = await up(harness)
    pod = await harness.pod("a")
    opened = {"spec": {"egress": [{}], "podSelector": {"matchLabels": {"somebody": "changed"}}}}
    await harness.admin.patch("networkpolicies", harness.namespace, NETWORK_POLICY_NAME, opened)

    async def put_back() -> bool:
        now = await policy(harness)
        return now is not None and now["spec"] == found["spec"]

    await harness.until("the policy to be put back", put_back)
    await harness.admin.delete("networkpolicies", harness.namespace, NETWORK_POLICY_NAME)
    await harness.until("the policy to be made again", put_back)

    again = await harness.pod("a")
    assert pod is not None
    assert again is not None
    assert pod["metadata"]["uid"] == again["metadata"]["uid"]


async def test_it_goes_with_the_last_session(harness: OperatorHarness) -> None:
    """And stays as long as there is another one."""
    await up(harness)
    await harness.session("b")
    await harness.wait_for_state("b", "QRPending")
    for name in ("a", "b"):
        assert await policy(harness) is not None
        await harness.admin.delete("whatsappsessions", harness.namespace, name)
        await harness.admin.remove_pod(harness.namespace, name)

    async def gone() -> bool:
        return await policy(harness) is None

    await harness.until("the policy to go", gone)


async def test_switched_off_it_goes_and_none_is_made(harness: OperatorHarness) -> None:
    """The next operator has the setting; the session's pod stays."""
    await up(harness)
    pod = await harness.pod("a")
    await harness.operators[-1].stop()
    await harness.operator(NETWORK_POLICIES="false")

    async def gone() -> bool:
        return await policy(harness) is None

    await harness.until("the policy to go", gone)
    await harness.session("b")
    await harness.wait_for_state("b", "QRPending")
    again = await harness.pod("a")
    assert await policy(harness) is None
    assert pod is not None
    assert again is not None
    assert pod["metadata"]["uid"] == again["metadata"]["uid"]
