"""Which process tells of sessions, and what it tells after another one has died."""

from integration.operator.conftest import OperatorHarness
from integration.operator.process import OperatorProcess
from prometheus_client.parser import text_string_to_metric_families

QUICK = {
    "LEASE_DURATION": "5s",
    "LEASE_RENEW_DEADLINE": "4s",
    "LEASE_RENEW_INTERVAL": "1s",
    "LEASE_REQUEST_TIMEOUT": "2s",
}


SHOWN = ("whatsapp_session_info", "whatsapp_session_state", "whatsapp_session_created", "whatsapp_session_generation")


async def shown(operator: OperatorProcess) -> dict[tuple[str, ...], float]:
    """What a process tells of sessions, by the values of their labels."""
    _, text = await operator.get("/metrics")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(SHOWN)
    }


async def test_the_next_process_shows_the_same(harness: OperatorHarness) -> None:
    """With the same times; a standby tells of nobody, so nothing is there twice."""
    await harness.quota(sessions=1)
    first = await harness.operator(**QUICK)
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    await harness.session("4915112345678")
    await harness.wait_for_state("4915112345678", "Queued")
    second = harness.standby(**QUICK)
    await second.wait_for_log("Role", role="standby")
    standby, before = await shown(second), await shown(first)

    first.kill()
    await second.wait_until_acting()
    after = await shown(second)

    assert {} == standby
    assert before == after
    own = {name: value for name, value in after.items() if name[2:3] == ("a",)}
    assert {"QRPending"} == {name[3] for name in own if name[0] == "whatsapp_session_state"}
    assert 2 == len({name[1:3] for name in after if name[0] == "whatsapp_session_info"})
    assert not [label for name in after for label in name if "4915112345678" in label]
