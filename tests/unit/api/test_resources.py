"""Effective memory and CPU: all four amounts, whatever a person left out."""

from decimal import Decimal
from typing import Any

import pytest
import strategies
from hypothesis import given
from session_protocol.quantities import GI, MI
from whatsapp_operator.api.resources import ResourcesSpec, effective

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


@given(strategies.session_specs())
def test_a_limit_is_never_below_its_request(spec: dict[str, Any]) -> None:
    """For every spec that the API server accepts, the pod's amounts are ones it accepts too."""
    amounts = effective(ResourcesSpec.model_validate(spec.get("resources", {})))

    assert amounts.limits.memory >= amounts.requests.memory > 0
    assert amounts.limits.cpu >= amounts.requests.cpu > 0


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
    ):
        assert given_amount in (None, used)
