"""Who is let in: limits, the words for those who wait, and what frees a place."""

import pytest
from integration.operator.conftest import Bench


async def test_one_too_many_waits_with_the_reason(bench: Bench) -> None:
    """The third of two waits, is told why, and gets in when another one is suspended and its pod is gone."""
    await bench.quota(sessions=2)
    await bench.operator()
    for name in ("a", "b"):
        await bench.session(name)
        await bench.reaches(name, "QRPending")

    await bench.session("c")
    await bench.holds("c", "Admitted", status="False")
    admitted, ready = await bench.condition("c", "Admitted"), await bench.condition("c", "Ready")
    quota = await _quota_says(bench, admitted=2, waiting=1)
    await bench.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await bench.reaches("c", "QRPending")

    message = "Maximum concurrent sessions limit reached (2). Please terminate some sessions first."
    assert ("QuotaExceeded", message) == (admitted["reason"], admitted["message"])
    assert ("False", "QuotaExceeded", message) == (ready["status"], ready["reason"], ready["message"])
    assert "1536Mi" == quota["memoryReserved"]
    assert await bench.pod("a") is None
    await _quota_says(bench, admitted=2, waiting=0)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"memory": "1Gi"}, "Maximum session memory limit reached (1Gi). Please terminate some sessions first."),
        (
            {"sessionsPerNamespace": 1},
            "Maximum concurrent sessions limit reached in namespace {namespace} (1). Please terminate some sessions first.",
        ),
    ],
)
async def test_each_limit_has_its_words(bench: Bench, limits: dict[str, object], message: str) -> None:
    """Memory counts the pods' limits; a namespace has its own limit; a raised limit lets in without delay."""
    await bench.quota(**limits)
    await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")
    await bench.session("b")
    waits = await bench.holds("b", "Admitted", status="False")

    await bench.quota(**dict.fromkeys(limits, None))
    await bench.reaches("b", "QRPending")

    assert message.format(namespace=bench.namespace) == waits["message"]


async def test_a_quota_that_does_not_exist_is_named(bench: Bench) -> None:
    """QuotaNotFound, until somebody creates it."""
    await bench.operator()
    await bench.session("a")
    waits = await bench.holds("a", "Admitted", status="False")

    await bench.quota(sessions=1)
    await bench.reaches("a", "QRPending")

    assert "QuotaNotFound" == waits["reason"]


async def test_many_at_once_never_exceed_the_limit(bench: Bench) -> None:
    """Twelve sessions applied together, five places: five pods, and no more at any moment."""
    await bench.quota(sessions=5)
    await bench.operator()
    for number in range(12):
        await bench.session(f"s{number}")

    quota = await _quota_says(bench, admitted=5, waiting=7)

    async def within() -> bool:
        return len(await bench.admin.list("pods", bench.namespace)) <= 5

    await bench.stays(within, "five pods", during=2)
    assert "3840Mi" == quota["memoryReserved"]


async def _quota_says(bench: Bench, *, admitted: int, waiting: int) -> dict[str, object]:
    async def there() -> dict[str, object] | None:
        quota = await bench.admin.get("whatsappsessionquotas", "", bench.namespace)
        status: dict[str, object] = quota.get("status") or {}
        return status if (status.get("admitted"), status.get("waiting")) == (admitted, waiting) else None

    return await bench.until(there, f"the quota to say {admitted} admitted and {waiting} waiting") or {}
