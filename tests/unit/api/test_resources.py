"""Effective memory and CPU: all four amounts, whatever a person left out."""

from decimal import Decimal
from typing import Any

import pytest
import strategies
from hypothesis import given
from session_protocol.quantities import GI, MI, parse_quantity
from whatsapp_operator.api.resources import ResourcesSpec, effective
from whatsapp_operator.core.objects.container import SCRATCH

DEFAULTS = {"requests": {"cpu": "100m", "memory": "384Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}}


@pytest.mark.parametrize(
    ("written", "requests", "limits"),
    [
        ({}, {}, {}),
        ({"requests": {}, "limits": {}}, {}, {}),
        ({"limits": {"memory": "256Mi"}}, {"memory": "256Mi"}, {"memory": "256Mi"}),
        ({"limits": {"memory": "2Gi"}}, {}, {"memory": "2Gi"}),
        ({"requests": {"memory": "1Gi"}}, {"memory": "1Gi"}, {"memory": "1Gi"}),
        ({"requests": {"memory": "128Mi"}}, {"memory": "128Mi"}, {}),
        ({"limits": {"cpu": "50m"}}, {"cpu": "50m"}, {"cpu": "50m"}),
        ({"requests": {"cpu": 2}}, {"cpu": "2"}, {"cpu": "2"}),
        (
            {"requests": {"memory": "300Mi", "cpu": "200m"}, "limits": {"memory": "400Mi", "cpu": "300m"}},
            {"memory": "300Mi", "cpu": "200m"},
            {"memory": "400Mi", "cpu": "300m"},
        ),
    ],
)
def test_what_is_missing_follows_what_is_written(
    written: dict[str, Any], requests: dict[str, str], limits: dict[str, str]
) -> None:
    """A missing request is min(default, limit), a missing limit max(default, request)."""
    expected = {"requests": DEFAULTS["requests"] | requests, "limits": DEFAULTS["limits"] | limits}

    assert expected == effective(ResourcesSpec.model_validate(written)).to_dict()


def test_amounts_are_numbers_for_the_quota() -> None:
    """Bytes and CPUs, not texts."""
    amounts = effective(ResourcesSpec.model_validate({"limits": {"memory": "1Gi", "cpu": "500m"}}))

    assert (GI, Decimal("0.5")) == (amounts.limits.memory, amounts.limits.cpu)
    assert 384 * MI == amounts.requests.memory


def test_the_disk_holds_the_scratch_volumes_and_a_log() -> None:
    """Those in memory count as memory; a pod that fills the others to their limits is not evicted for that."""
    amounts = effective(ResourcesSpec())
    on_disk = sum(parse_quantity(scratch.limit) for scratch in SCRATCH if scratch.medium != "Memory")

    assert on_disk + 256 * MI <= amounts.limits.ephemeral_storage


@pytest.mark.parametrize(
    ("written", "request_", "limit"),
    [
        ({}, "128Mi", "2Gi"),
        ({"limits": {"ephemeralStorage": "256Mi"}}, "128Mi", "256Mi"),
        ({"requests": {"ephemeralStorage": "3Gi"}}, "3Gi", "3Gi"),
        ({"requests": {"ephemeralStorage": "1Gi"}, "limits": {"ephemeralStorage": "4Gi"}}, "1Gi", "4Gi"),
    ],
)
def test_the_disk_follows_what_is_written(written: dict[str, Any], request_: str, limit: str) -> None:
    """Under Kubernetes' own name, beside memory and CPU."""
    amounts = effective(ResourcesSpec.model_validate(written))
    resources = amounts.with_ephemeral_storage(amounts.to_dict())

    assert DEFAULTS["requests"] | {"ephemeral-storage": request_} == resources["requests"]
    assert DEFAULTS["limits"] | {"ephemeral-storage": limit} == resources["limits"]


@given(strategies.session_specs())
def test_a_limit_is_never_below_its_request(spec: dict[str, Any]) -> None:
    """For every spec that the API server accepts, the pod's amounts are ones it accepts too."""
    amounts = effective(ResourcesSpec.model_validate(spec.get("resources", {})))

    assert amounts.limits.memory >= amounts.requests.memory > 0
    assert amounts.limits.cpu >= amounts.requests.cpu > 0
    assert amounts.limits.ephemeral_storage >= amounts.requests.ephemeral_storage > 0


@given(strategies.session_specs())
def test_what_is_written_is_kept(spec: dict[str, Any]) -> None:
    """Filling in never changes an amount that a person wrote."""
    written = ResourcesSpec.model_validate(spec.get("resources", {}))
    amounts = effective(written)

    for given_amount, used in (
        (written.requests.memory, amounts.requests.memory),
        (written.limits.memory, amounts.limits.memory),
        (written.requests.cpu, amounts.requests.cpu),
        (written.limits.cpu, amounts.limits.cpu),
        (written.requests.ephemeral_storage, amounts.requests.ephemeral_storage),
        (written.limits.ephemeral_storage, amounts.limits.ephemeral_storage),
    ):
        assert given_amount in (None, used)
