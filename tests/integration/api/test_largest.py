"""The bounds of a session on a real API server: the largest is taken and small; what was stored before stays editable."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ApiClient, session, sessions
from integration.api.test_stored import apply
from largest import largest
from local_cluster.light import LightCluster
from session_protocol.vocabulary import WebhookEvent
from support.waiting import until
from whatsapp_operator.api.crd.definitions import SESSION, definition, root_schema

LIMIT = 72 * 1024
GROUP = "wide.wasession.test"
PATH = f"/apis/{GROUP}/v1alpha1/namespaces/default/whatsappsessions"
WIDER = 64


def admitted() -> dict[str, Any]:
    """The largest spec, in words that the rules in CEL take, too."""
    spec: dict[str, Any] = largest(root_schema(SESSION)["properties"]["spec"])
    spec |= {"operatingMode": "Suspended", "replicas": 1, "resources": {}, "timeouts": {}, "recovery": {}, "link": {}}
    numbers = {"burst": 20, "interval": "59999ms"}
    custom = {"firstContacts": {**numbers, "perDay": 100}, "messages": numbers}
    spec["messaging"] = {"interactive": "NumberedText", "readMarks": "OnReceipt"}
    spec["messaging"]["pacing"] = {"type": "Custom", "custom": custom}
    spec["proxy"]["host"] = ".".join([*["x" * 63] * 3, "x" * 61])
    spec["webhooks"] = [
        {
            **webhook,
            "name": f"{'h' * 39}{number}",
            "url": "https://x/" + "x" * 502,
            "events": list(WebhookEvent),
            "headers": [{"name": f"{'X' * 63}{letter}", "value": "x" * 128} for letter in "AB"],
        }
        for number, webhook in enumerate(spec["webhooks"])
    ]
    spec["browser"] = {"language": "zh-Hant-TW", "timeZone": "America/Argentina/Buenos_Aires"}
    spec["profile"] = {"existingClaim": "x" * 253, "accessMode": "ReadWriteOncePod"}
    pod = spec["pod"]
    pod["dnsConfig"]["nameservers"] = ["fd00:1111:2222:3333:4444:5555:6666:7777"] * 3
    pod["imagePullSecrets"] = [{"name": f"{number:0253}"} for number in range(len(pod["imagePullSecrets"]))]
    names = list(pod["annotations"])
    pod["annotations"] = {name: "<" * (2400 // len(names)) for name in names}
    for toleration in pod["tolerations"]:
        toleration |= {"operator": "Equal", "effect": "NoExecute"}
    pod["topologySpreadConstraints"] = [
        {
            **spread,
            "whenUnsatisfiable": "DoNotSchedule",
            "topologyKey": f"{number:036}/{'k' * 63}",
            "matchLabelKeys": [f"{each:036}/{'m' * 63}" for each in (0, 1)],
            "maxSkew": 2**31 - 1,
        }
        for number, spread in enumerate(pod["topologySpreadConstraints"])
    ]
    compared: dict[str, Any] = _with_values(spec)
    return compared


def _with_values(part: Any) -> Any:
    """Make each requirement one that compares with its values."""
    if isinstance(part, list):
        return [_with_values(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {name: _with_values(value) for name, value in part.items()}
    return made | ({"operator": "NotIn"} if "values" in made else {})


def test_the_largest_is_taken_and_has_72_kib(api: ApiClient) -> None:
    """As the API server keeps it, but for the list of who wrote what."""
    answer = api.request("POST", sessions("default"), session(admitted(), name="x" * 52), dryRun="All")

    assert answer.accepted, answer.body
    del answer.body["metadata"]["managedFields"]
    stored = json.dumps(answer.body, ensure_ascii=False).replace("<", "\\u003c")
    assert LIMIT // 2 < len(stored.encode()) <= LIMIT


@pytest.mark.parametrize(
    ("field", "one_more"),
    [
        ("annotations", {f"note-{number}": "" for number in range(17)}),
        ("annotations", {"note": "x" * 769}),
        ("annotations", {f"note-{number}": "x" * 700 for number in range(4)}),
        ("annotations", {"x" * 60 + ".example.com/" + "x" * 40: ""}),
        ("labels", {f"team-{number}": "" for number in range(17)}),
        ("labels", {"x" * 60 + ".example.com/" + "x" * 40: ""}),
        ("nodeSelector", {f"team-{number}": "" for number in range(9)}),
        ("tolerations", [{"operator": "Exists"}] * 11),
        ("tolerations", [{"key": "ключ", "operator": "Exists"}]),
        ("imagePullSecrets", [{"name": f"s{number}"} for number in range(5)]),
        (
            "affinity",
            {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}] * 3}},
        ),
        (
            "topologySpreadConstraints",
            [
                {"maxSkew": 1, "topologyKey": f"zone-{number}", "whenUnsatisfiable": "ScheduleAnyway"}
                for number in range(4)
            ],
        ),
    ],
)
def test_beyond_a_bound_is_refused(api: ApiClient, field: str, one_more: Any) -> None:
    """One entry more, one character more."""
    answer = api.try_session({"pod": {field: one_more}})

    assert 422 == answer.status
    assert all(refusal.field.startswith(f"spec.pod.{field}") for refusal in answer.refusals), answer.refusals


def _widened(part: Any) -> Any:
    """A schema as of an older release: wider bounds, no rules."""
    if isinstance(part, list):
        return [_widened(item) for item in part]
    if not isinstance(part, dict):
        return part
    bounds = {"maxItems", "maxLength", "maxProperties"}
    return {
        name: value * WIDER if name in bounds and isinstance(value, int) else _widened(value)
        for name, value in part.items()
        if name != "x-kubernetes-validations"
    }


@pytest.fixture(scope="module")
def grown(cluster: LightCluster, api: ApiClient) -> Iterator[str]:
    """The path of a session of 0.6 MB, stored before the bounds came."""
    ours = copy.deepcopy(definition(SESSION))
    ours["metadata"]["name"] = f"{SESSION.plural}.{GROUP}"
    ours["spec"]["group"] = GROUP
    for field in ("shortNames", "categories"):
        del ours["spec"]["names"][field]
    terms = [{"topologyKey": "zone", "namespaces": ["n" * 63] * 64}] * 64
    spec = {
        "pod": {
            "annotations": {f"example.com/note-{number}": "x" * 4000 for number in range(80)},
            "labels": {f"l{number}": "v" for number in range(60)},
            "tolerations": [{"key": "k" * 300, "operator": "Exists"}] * 60,
            "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
        }
    }
    obj = {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": "grown", "namespace": "default"},
        "spec": spec,
    }
    apply(cluster, _widened(ours))
    try:
        made = until("it is served", lambda: api.request("POST", PATH, obj), lambda answer: answer.status != 404)
        assert made.accepted, made.body
        assert len(json.dumps(obj)) > 600_000
        apply(cluster, ours)
        probe = obj | {"metadata": {"name": "probe", "namespace": "default"}}
        until(
            "the bounds are in force",
            lambda: api.request("POST", PATH, probe, dryRun="All"),
            lambda answer: not answer.accepted,
        )
        yield f"{PATH}/grown"
    finally:
        cluster.kubectl("delete", "crd", ours["metadata"]["name"], "--wait=true")


@pytest.mark.parametrize(
    ("change", "subresource"),
    [
        ({"spec": {"operatingMode": "Suspended"}}, ""),
        ({"metadata": {"annotations": {"wasession.dev/restart-at": "2026-01-01T00:00:00Z"}}}, ""),
        ({"spec": {"pod": {"image": "example.com/runner:2"}}}, ""),
        ({"spec": {"pod": {"affinity": None}}}, ""),
        ({"spec": {"pod": {"annotations": None, "labels": None, "tolerations": [], "affinity": None}}}, ""),
        ({"status": {"state": "Suspended"}}, "/status"),
        ({"spec": {"replicas": 1}}, "/scale"),
    ],
    ids=["another field", "a request", "another field of the pod", "one mended", "all mended", "status", "scale"],
)  # fmt: skip
def test_what_was_stored_before_stays_editable(
    api: ApiClient, grown: str, change: dict[str, Any], subresource: str
) -> None:
    """What did not change is not judged again."""
    content = "application/merge-patch+json"

    answer = api.request("PATCH", grown + subresource, change, content_type=content, dryRun="All")

    assert answer.accepted, answer.body


def test_but_it_does_not_grow(api: ApiClient, grown: str) -> None:
    """A list or map that is changed is held to its bound."""
    change = {"spec": {"pod": {"tolerations": [{"operator": "Exists"}] * 70}}}

    answer = api.request("PATCH", grown, change, content_type="application/merge-patch+json", dryRun="All")

    assert 422 == answer.status
