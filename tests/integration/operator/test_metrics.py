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


async def shown(operator: OperatorProcess) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a process tells of sessions, by the names of the series and their labels."""
    _, text = await operator.get("/metrics")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
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
    found = [(name, dict(labels)) for name, labels in after]
    states = [
        labels["state"] for name, labels in found if name == "whatsapp_session_state" and labels["session"] == "a"
    ]
    assert ["QRPending"] == states
    assert 2 == len({labels["session"] for name, labels in found if name == "whatsapp_session_info"})
    assert not [value for _, labels in found for value in labels.values() if "4915112345678" in value]
