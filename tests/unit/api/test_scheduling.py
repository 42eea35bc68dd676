"""Placement and the other choices for a pod: read as typed fields, passed on as they were written."""

from typing import Any

import pytest
import strategies
from hypothesis import given
from whatsapp_operator.api.session import PodOptions, WhatsAppSession

FAR = {
    "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}}}
        ]
    }
}


def test_an_affinity_is_passed_on_as_it_was_written() -> None:
    """An empty selector (all pods) stays, an absent one (no pods) is not made up."""
    options = PodOptions.model_validate({"affinity": FAR})

    assert options.affinity is not None
    assert options.affinity.to_dict() == FAR


def test_a_toleration_is_passed_on_as_it_was_written() -> None:
    """No empty values beside what was said: `operator: Exists` must have none."""
    written = [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 0}]

    options = PodOptions.model_validate({"tolerations": written})

    assert [toleration.to_dict() for toleration in options.tolerations] == written


def test_nothing_chosen_is_nothing_passed_on() -> None:
    """The pod of an empty spec has the operator's choices alone."""
    options = PodOptions()

    assert (None, (), ()) == (options.affinity, options.tolerations, options.topology_spread_constraints)
    assert (None, None, None) == (options.scheduler_name, options.dns_policy, options.dns_config)
    assert ({}, {}, {}, ()) == (
        options.labels,
        options.annotations,
        options.node_selector,
        options.image_pull_secrets,
    )


@pytest.mark.parametrize(
    "written",
    [
        {"tolerations": [{"effect": "Never"}]},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
        {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}},
        {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone"}]},
        {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]},
        {"dnsPolicy": "ClusterFirstWithHostNet"},
        {"dnsConfig": {"options": [{"value": "2"}]}},
    ],
)
def test_a_stored_placement_that_cannot_be_used_is_a_problem(written: dict[str, Any]) -> None:
    """It is not left out: the pod would run where it must not."""
    assert WhatsAppSession.parse({"spec": {"pod": written}}).problems


@given(strategies.session_specs())
def test_every_accepted_placement_is_passed_on_whole(spec: dict[str, Any]) -> None:
    """No field of the strategy is lost between the manifest and the pod."""
    written = spec.get("pod", {})

    options = WhatsAppSession.parse({"spec": spec}).spec.pod

    assert written.get("affinity") == (options.affinity.to_dict() if options.affinity is not None else None)
    assert written.get("tolerations", []) == [toleration.to_dict() for toleration in options.tolerations]
    assert written.get("topologySpreadConstraints", []) == [
        spread.to_dict() for spread in options.topology_spread_constraints
    ]
    assert written.get("schedulerName") == options.scheduler_name
    assert written.get("dnsPolicy") == options.dns_policy
    assert written.get("dnsConfig") == (options.dns_config.to_dict() if options.dns_config is not None else None)
    assert written.get("labels", {}) == options.labels
    assert written.get("annotations", {}) == options.annotations
    assert written.get("nodeSelector", {}) == options.node_selector
