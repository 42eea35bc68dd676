"""What the API server refuses, each with the text that a person then reads.

The tables are the contract in a person's words; a test at the end holds them against the rules in the CRDs, so that no
text goes untested.
"""

from typing import Any

import pytest
from api_client import ApiClient, Refusal
from integration.api.refusal_messages import (
    NAME,
    ONE,
    QUANTITY,
    QUOTA_MEMORY,
    QUOTA_NAME,
    QUOTA_STORAGE,
)
from integration.api.refused_specs import AMOUNTS, NO_POD, RULES, SCHEMA
from whatsapp_operator.api.crd.definitions import KINDS, root_schema


@pytest.mark.parametrize(("spec", "field", "text"), [*RULES, *NO_POD])
def test_a_session_that_breaks_a_rule_is_refused_with_what_to_do(
    api: ApiClient, spec: dict[str, Any], field: str, text: str
) -> None:
    """One cause, at the field that is wrong, with the text of its rule."""
    answer = api.try_session(spec)

    assert not answer.accepted
    [refusal] = answer.refusals
    assert field == refusal.field
    assert refusal.message.startswith("Invalid value: ")
    assert refusal.message.endswith(text)


@pytest.mark.parametrize("spec", [spec for spec, _, _ in NO_POD])
def test_what_is_refused_for_the_pods_sake_no_pod_may_have(api: ApiClient, spec: dict[str, Any]) -> None:
    """The rule is no stricter than the pod's own: the API server refuses such a pod."""
    chosen = spec["pod"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": [{"name": "runner", "image": chosen.get("image", "i")}],
            "tolerations": chosen.get("tolerations", []),
            **{name: value for name, value in chosen.items() if name not in ("image", "tolerations")},
        },
    }

    answer = api.request("POST", "/api/v1/namespaces/default/pods", pod, dryRun="All")

    assert not answer.accepted
    assert answer.refusals


@pytest.mark.parametrize(("spec", "field", "text"), SCHEMA)
def test_a_session_beyond_the_schemas_bounds_is_refused(
    api: ApiClient, spec: dict[str, Any], field: str, text: str
) -> None:
    """The API server's own texts name the field and what it may be."""
    answer = api.try_session(spec)

    assert not answer.accepted
    assert any(field == refusal.field and text in refusal.message for refusal in answer.refusals), answer.refusals


@pytest.mark.parametrize(
    ("spec", "unknown"),
    [
        ({"pod": {"spec": {}}}, "spec.pod.spec"),
        ({"pod": {"securityContext": {}}}, "spec.pod.securityContext"),
        ({"pod": {"serviceAccountName": "admin"}}, "spec.pod.serviceAccountName"),
        ({"pod": {"env": [{"name": "A", "value": "b"}]}}, "spec.pod.env"),
        ({"pod": {"envFrom": []}}, "spec.pod.envFrom"),
        ({"pod": {"hostNetwork": True}}, "spec.pod.hostNetwork"),
        ({"pod": {"hostAliases": []}}, "spec.pod.hostAliases"),
        ({"operatingmode": "Running"}, "spec.operatingmode"),
        (
            {"pod": {"affinity": {"nodeAffinity": {"requiredDuringSchedulling": {}}}}},
            "spec.pod.affinity.nodeAffinity.requiredDuringSchedulling",
        ),
    ],
)
def test_a_field_that_does_not_exist_is_refused(api: ApiClient, spec: dict[str, Any], unknown: str) -> None:
    """A raw pod spec, and a mistyped placement rule that would silently not hold."""
    answer = api.try_session(spec)

    assert not answer.accepted
    assert f'unknown field "{unknown}"' in answer.body["message"]


@pytest.mark.parametrize("name", ["sales.br", "a" * 53, "1." + "a" * 20])
def test_a_session_whose_name_is_no_host_name_is_refused(api: ApiClient, name: str) -> None:
    """The API server would take a subdomain; a session's name must be a label."""
    answer = api.try_session({}, name=name)

    assert [Refusal("metadata.name", f"Invalid value: {NAME}")] == answer.refusals


@pytest.mark.parametrize("name", ["Sales", "-sales", "sales-", "sa_les"])
def test_a_bad_name_gets_our_text_beside_the_api_servers(api: ApiClient, name: str) -> None:
    """Both say it; ours says why."""
    assert Refusal("metadata.name", f"Invalid value: {NAME}") in api.try_session({}, name=name).refusals


def test_a_session_without_a_spec_is_refused(api: ApiClient) -> None:
    """Defaults live in the spec, so there must be one, if only `{}`."""
    assert Refusal("spec", "Required value") in api.try_session(None).refusals


@pytest.mark.parametrize(
    ("spec", "field", "text"),
    [
        ({"memory": "255Mi"}, "spec.memory", QUOTA_MEMORY),
        ({"memory": 8}, "spec.memory", QUOTA_MEMORY),
        ({"memory": "-8Gi"}, "spec.memory", QUOTA_MEMORY),
        ({"memory": "eight"}, "spec.memory", QUANTITY),
        ({"storage": "0"}, "spec.storage", QUOTA_STORAGE),
        ({"storage": "-8Gi"}, "spec.storage", QUOTA_STORAGE),
        ({"storage": "NaN"}, "spec.storage", QUANTITY),
        ({"sessions": -1}, "spec.sessions", "should be greater than or equal to 0"),
        ({"sessionsPerNamespace": -1}, "spec.sessionsPerNamespace", "should be greater than or equal to 0"),
        ({"sessions": "ten"}, "spec.sessions", "must be of type integer"),
    ],
)
def test_a_quota_that_makes_no_sense_is_refused(api: ApiClient, spec: dict[str, Any], field: str, text: str) -> None:
    """Each at its field, with what to do."""
    [refusal] = api.try_quota(spec).refusals

    assert field == refusal.field
    assert text in refusal.message


def test_a_quota_whose_name_is_no_label_value_is_refused(api: ApiClient) -> None:
    """Its name stands on the pods as a label."""
    assert [Refusal("metadata.name", f"Invalid value: {QUOTA_NAME}")] == api.try_quota({}, name="q" * 64).refusals


def test_every_rule_of_the_crds_is_broken_by_a_test() -> None:
    """No text is there that nobody has seen the API server say; the rules on changes are in test_changes."""
    tested = {text for _, _, text in [*RULES, *NO_POD]} | {ONE, NAME, QUOTA_NAME, QUOTA_MEMORY, QUOTA_STORAGE, QUANTITY}
    tested |= {
        f"the {name} limit is below the {name} request: raise the limit or lower the request" for name in AMOUNTS
    }
    rules = [rule for kind in KINDS for rule in _rules(root_schema(kind)) if "oldSelf" not in rule["rule"]]

    assert rules
    assert [] == sorted({rule["message"] for rule in rules} - tested)


def _rules(schema: Any) -> list[dict[str, str]]:
    """Every rule anywhere in a schema."""
    if isinstance(schema, list):
        return [rule for part in schema for rule in _rules(part)]
    if not isinstance(schema, dict):
        return []
    own: list[dict[str, str]] = schema.get("x-kubernetes-validations", [])
    return [*own, *(rule for key, part in schema.items() if key != "x-kubernetes-validations" for rule in _rules(part))]
