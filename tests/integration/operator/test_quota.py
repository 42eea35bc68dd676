"""Who is let in: limits, the words for those who wait, and what frees a place."""

import pytest
from integration.operator.conftest import OperatorHarness


async def test_one_too_many_waits_with_the_reason(harness: OperatorHarness) -> None:
    """The third of two waits, is told why, and gets in when another one is suspended and its pod is gone."""
    await harness.quota(sessions=2)
    await harness.operator()
    for name in ("a", "b"):
        await harness.session(name)
        await harness.wait_for_state(name, "QRPending")

    await harness.session("c")
    await harness.wait_for_condition("c", "Admitted", status="False")
    admitted, ready = await harness.condition("c", "Admitted"), await harness.condition("c", "Ready")
    quota = await _wait_for_quota(harness, admitted=2, waiting=1)
    await harness.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await harness.wait_for_state("c", "QRPending")

    message = "Maximum concurrent sessions limit reached (2). Please terminate some sessions first."
    assert ("QuotaExceeded", message) == (admitted["reason"], admitted["message"])
    assert ("False", "QuotaExceeded", message) == (ready["status"], ready["reason"], ready["message"])
    assert "1536Mi" == quota["memoryReserved"]
    assert await harness.pod("a") is None
    await _wait_for_quota(harness, admitted=2, waiting=0)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"memory": "1Gi"}, "Maximum session memory limit reached (1Gi). Please terminate some sessions first."),
        (
            {"storage": "1500Mi"},
            (
                "Maximum session storage limit reached (1500Mi). Please delete some sessions first, and the volume claims "
                "that they leave behind."
            ),
        ),
        (
            {"sessionsPerNamespace": 1},
            "Maximum concurrent sessions limit reached in namespace {namespace} (1). Please terminate some sessions first.",
        ),
    ],
)
async def test_each_limit_has_its_message(harness: OperatorHarness, limits: dict[str, object], message: str) -> None:
    """Memory counts the pods' limits, storage the claims' sizes; a namespace has its own limit; a raised limit lets in without delay."""
    await harness.quota(**limits)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    await harness.session("b")
    waits = await harness.wait_for_condition("b", "Admitted", status="False")

    await harness.quota(**dict.fromkeys(limits, None))
    await harness.wait_for_state("b", "QRPending")

    assert message.format(namespace=harness.namespace) == waits["message"]


async def test_a_quota_that_does_not_exist_is_named(harness: OperatorHarness) -> None:
    """QuotaNotFound, until somebody creates it."""
    await harness.operator()
    await harness.session("a")
    waits = await harness.wait_for_condition("a", "Admitted", status="False")

    await harness.quota(sessions=1)
    await harness.wait_for_state("a", "QRPending")

    assert "QuotaNotFound" == waits["reason"]


async def test_many_at_once_never_exceed_the_limit(harness: OperatorHarness) -> None:
    """Twelve sessions applied together, five places: five pods, and no more at any moment."""
    await harness.quota(sessions=5)
    await harness.operator()
    for number in range(12):
        await harness.session(f"s{number}")

    quota = await _wait_for_quota(harness, admitted=5, waiting=7)

    async def within() -> bool:
        return len(await harness.admin.list("pods", harness.namespace)) <= 5

    await harness.check_stays(within, "five pods", during=2)
    assert "3840Mi" == quota["memoryReserved"]


async def _wait_for_quota(harness: OperatorHarness, *, admitted: int, waiting: int) -> dict[str, object]:
    async def there() -> dict[str, object] | None:
        quota = await harness.admin.get("whatsappsessionquotas", "", harness.namespace)
        status: dict[str, object] = quota.get("status") or {}
        return status if (status.get("admitted"), status.get("waiting")) == (admitted, waiting) else None

    return await harness.until(f"the quota to say {admitted} admitted and {waiting} waiting", there) or {}
