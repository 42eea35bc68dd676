"""WhatsAppSessionQuota: the same promises as a session's."""

from typing import Any

import pytest
import strategies
from hypothesis import given
from session_protocol.quantities import GI, MI
from whatsapp_operator.api.quota import InvalidObject, QuotaSpec, QuotaStatus, WhatsAppSessionQuota


def test_the_contracts_example_is_read() -> None:
    """Limits as numbers, status as numbers."""
    quota = WhatsAppSessionQuota.parse(
        {
            "metadata": {"name": "default"},
            "spec": {"sessions": 10, "memory": "8Gi", "sessionsPerNamespace": 5},
            "status": {"admitted": 3, "waiting": 1, "memoryReserved": "2304Mi", "conditions": []},
        }
    )

    assert quota.name == "default"
    assert (10, 8 * GI, 5) == (quota.spec.sessions, quota.spec.memory, quota.spec.sessions_per_namespace)
    assert (3, 1, 2304 * MI) == (quota.status.admitted, quota.status.waiting, quota.status.memory_reserved)


def test_an_absent_limit_is_none() -> None:
    """Unlimited is told apart from nothing."""
    assert QuotaSpec(sessions=None, memory=None, sessions_per_namespace=None) == WhatsAppSessionQuota.parse({}).spec
    assert WhatsAppSessionQuota.parse({"spec": {"sessions": 0}}).spec.sessions == 0


@pytest.mark.parametrize("spec", [{"sessions": -1}, {"memory": "lots"}, {"sessionsPerNamespace": "five"}])
def test_a_limit_that_cannot_be_used_is_a_problem(spec: dict[str, Any]) -> None:
    """Nobody is admitted by guesswork: the spec raises, the rest is there."""
    quota = WhatsAppSessionQuota.parse({"metadata": {"name": "q"}, "spec": spec})

    assert [f"spec.{next(iter(spec))}"] == [problem.field for problem in quota.problems]
    assert quota.name == "q"
    with pytest.raises(InvalidObject, match=r"^spec\."):
        _ = quota.spec


def test_a_status_is_written_as_the_api_server_keeps_it() -> None:
    """The memory is a text of people's units."""
    quota = WhatsAppSessionQuota().with_status(QuotaStatus(admitted=3, waiting=1, memory_reserved=2304 * MI))

    assert {"admitted": 3, "waiting": 1, "memoryReserved": "2304Mi", "conditions": []} == quota.to_dict()["status"]


@given(strategies.quota_specs())
def test_every_accepted_spec_is_usable(spec: dict[str, Any]) -> None:
    """And its own manifest says the same."""
    quota = WhatsAppSessionQuota.parse({"metadata": {"name": "q"}, "spec": spec})

    assert quota.problems == ()
    assert spec.keys() == quota.spec.to_dict().keys()
    assert quota.spec == WhatsAppSessionQuota.parse(quota.to_dict()).spec


@given(strategies.damaged(strategies.quota_specs()), strategies.json_values())
def test_reading_never_fails(spec: Any, status: Any) -> None:
    """Whatever is stored: a usable spec, or problems."""
    quota = WhatsAppSessionQuota.parse({"spec": spec, "status": status})

    assert (quota.stored_spec is None) == bool(quota.problems)
    assert quota.status == QuotaStatus.model_validate(quota.status.to_dict())
