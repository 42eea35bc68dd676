"""What a quota's status says."""

from decimal import Decimal
from typing import Any

import pytest
from support.facts import T0
from whatsapp_operator.api.conditions import ConditionStatus, find_condition
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.core.quota.reservations import WITHIN_LIMITS, Usage, quota_status

GI = 2**30


def quota(status: dict[str, Any] | None = None, **spec: Any) -> WhatsAppSessionQuota:
    """Return a quota of generation 2."""
    return WhatsAppSessionQuota.parse(
        {"metadata": {"name": "default", "generation": 2}, "spec": spec, "status": status or {}}
    )


def admitting_condition(found: WhatsAppSessionQuota, usage: Usage) -> tuple[ConditionStatus, str, str]:
    """Return status, reason and message of the condition."""
    condition = find_condition(quota_status(found, usage=usage, now=T0).conditions, WITHIN_LIMITS)
    assert condition is not None
    assert 2 == condition.observed_generation
    return condition.status, condition.reason, condition.message


def test_it_counts() -> None:
    """Admitted, waiting, and the memory in bytes."""
    status = quota_status(quota(sessions=3), usage=Usage(admitted=3, waiting=1, memory=2304 * 2**20), now=T0)

    assert (3, 1, Decimal(2304 * 2**20), 2) == (
        status.admitted,
        status.waiting,
        status.memory_reserved,
        status.observed_generation,
    )
    assert "2304Mi" == status.to_dict()["memoryReserved"]


@pytest.mark.parametrize("spec", [{}, {"sessions": 3}, {"memory": "2Gi"}, {"sessions": 3, "memory": "2Gi"}])
def test_within_limits(spec: dict[str, Any]) -> None:
    """Just full is within."""
    assert (ConditionStatus.TRUE, "WithinLimits") == admitting_condition(
        quota(**spec), Usage(admitted=3, memory=2 * GI)
    )[:2]


def test_lowered_limits_are_reported() -> None:
    """With both figures, and that nobody is put out."""
    status, reason, message = admitting_condition(quota(sessions=1, memory="1Gi"), Usage(admitted=3, memory=2 * GI))

    assert (ConditionStatus.FALSE, "LimitsExceeded") == (status, reason)
    assert "3 of 1 sessions, 2Gi of 1Gi memory" in message
    assert "No session is stopped for that" in message


def test_an_unreadable_spec_is_reported() -> None:
    """With the field, since nobody is admitted by it."""
    status, reason, message = admitting_condition(quota(sessions="many"), Usage())

    assert (ConditionStatus.UNKNOWN, "InvalidObject") == (status, reason)
    assert "spec.sessions" in message


def test_the_same_again_is_the_same() -> None:
    """At rest nothing is written."""
    usage = Usage(admitted=1, memory=GI)
    once = quota_status(quota(sessions=3), usage=usage, now=T0)

    again = quota_status(quota(once.to_dict(), sessions=3), usage=usage, now=T0.replace(year=2027))

    assert once == again
