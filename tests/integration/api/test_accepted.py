"""What the API server accepts, and that it and the models agree on what was meant."""

from decimal import Decimal
from typing import Any

import pytest
import strategies
from api_client import ApiClient
from hypothesis import given, settings
from session_protocol.durations import BadDuration, parse_duration
from session_protocol.quantities import MI, BadQuantity, parse_quantity
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.resources import effective
from whatsapp_operator.api.session import SessionSpec, WhatsAppSession

asking = settings(max_examples=100, deadline=None)
""" One request each: as long as the API server takes. """

CONTRACT: dict[str, Any] = {
    "operatingMode": "Running",
    "replicas": 1,
    "quotaName": "default",
    "priority": 0,
    "resources": {"requests": {"cpu": "100m", "memory": "384Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
    "profile": {"size": "1Gi", "storageClassName": "fast", "accessMode": "ReadWriteOncePod", "retention": "Retain"},
    "link": {"method": "QR", "maxRounds": 5, "onLogout": "Relink"},
    "proxy": {"type": "HTTP", "host": "proxy.example.com", "port": 3128, "loginSecretName": "proxy"},
    "browser": {"language": "en-US", "timeZone": "UTC"},
    "messaging": {
        "mediaLimits": {"image": "5Mi", "video": "64Mi", "audio": "16Mi", "document": "100Mi", "sticker": "500Ki"},
        "interactive": "NumberedText",
        "readMarks": "OnReceipt",
        "pacing": {
            "type": "Custom",
            "custom": {
                "firstContacts": {"burst": 5, "interval": "45s", "perDay": 50},
                "messages": {"burst": 100, "interval": "2s"},
            },
        },
    },
    "webhooks": [
        {
            "name": "bot",
            "url": "https://bot.example.com/webhook?a=b",
            "format": "CloudAPI",
            "events": ["message", "ack"],
            "groups": "Omit",
            "secretName": "bot",
            "headers": [{"name": "X-Team", "value": "support"}],
        },
    ],
    "recovery": {"maxAttempts": 5, "baseDelay": "5s", "healthyAfter": "10m"},
    "timeouts": {
        "startup": "60s",
        "launch": "30s",
        "protocol": "60s",
        "connectionCheck": "30s",
        "healthCheck": "45s",
    },
    "pod": {
        "image": "example.com/runner:1",
        "imagePullSecrets": [],
        "nodeSelector": {},
        "tolerations": [],
        "affinity": {},
        "topologySpreadConstraints": [],
        "schedulerName": "default-scheduler",
        "dnsPolicy": "ClusterFirst",
        "dnsConfig": {},
        "priorityClassName": "high",
        "runtimeClassName": "gvisor",
        "labels": {},
        "annotations": {},
    },
}


def nodes(*requirements: dict[str, Any]) -> dict[str, Any]:
    """An affinity to nodes whose labels are such."""
    terms = [{"matchExpressions": list(requirements)}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def spread(**more: Any) -> dict[str, Any]:
    """A topology spread constraint."""
    return {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"} | more


@pytest.mark.parametrize(
    "spec",
    [
        {},
        CONTRACT,
        {"proxy": {"host": "10.0.0.5", "port": 1}},
        {"proxy": {"host": "fd00::5", "port": 65535, "type": "SOCKS5"}},
        *({"browser": {"language": tag}} for tag in ("de", "zh-Hant-TW", "es-419", "fil", "sr-Latn")),
        *({"browser": {"timeZone": zone}} for zone in ("Etc/GMT+5", "America/Argentina/Buenos_Aires", "US/Pacific")),
        *(
            {"webhooks": [{"name": "bot", "url": url, "format": "CloudAPI", "events": ["message"]}]}
            for url in (
                "http://10.1.2.3:8080/hook",
                "http://[fd00::1]:8080?a=b",
                "https://192.168.0.255/",
                "https://8.8.8.8",
                "https://localhost.example.com/127.0.0.1",
                "https://0xcafe.example.com/",
                "https://1.2.3.4.example/?to=http://localhost/",
                "http://n8n.automation.svc.:5678/",
            )
        ),
        *({"messaging": {"pacing": pacing}} for pacing in ({}, {"type": "None"}, {"type": "Custom", "custom": {}})),
        {"resources": {}},
        {"resources": {"limits": {}, "requests": {}}},
        {"resources": {"limits": {"memory": "256Mi"}}},
        {"resources": {"limits": {"memory": 268435456}}},
        {"resources": {"limits": {"memory": "1.5Gi", "cpu": 2}}},
        {"resources": {"limits": {"cpu": "1m"}}},
        {"resources": {"requests": {"memory": "4Gi", "cpu": "4"}}},
        {"resources": {"requests": {"memory": "1Mi", "cpu": "1m"}}},
        {"resources": {"requests": {"memory": "768Mi"}, "limits": {"memory": "805306368"}}},
        {"resources": {"requests": {"memory": "100Gi"}, "limits": {"cpu": "100m"}}},
        {"timeouts": {"launch": "1h30m", "startup": "90s", "protocol": "1s", "healthCheck": "24h"}},
        {"timeouts": {"launch": "1000ms", "startup": "1s", "connectionCheck": "1s1ms", "healthCheck": "3s"}},
        {"timeouts": {"launch": "1440m"}},
        {"recovery": {"baseDelay": "5m", "maxAttempts": 1, "healthyAfter": "1s"}},
        {"profile": {}},
        {"profile": {"existingClaim": "mine"}},
        {"profile": {"existingClaim": "mine", "accessMode": "ReadWriteOnce", "retention": "Retain"}},
        {"profile": {"storageClassName": ""}},
        {"profile": {"accessMode": "ReadWriteOnce", "retention": "Delete", "size": "1Mi"}},
        {"priority": -5},
        {"quotaName": "team.a"},
        {"quotaName": "q" * 63},
        {"pod": {"labels": {"team": "a", "example.com/x": ""}, "annotations": {"note": "two words, or ünï"}}},
        {"pod": {"labels": {"mywasession.dev/x": "another-group"}}},
        {"pod": {"tolerations": [{"operator": "Exists"}]}},
        {"pod": {"tolerations": [{"key": "a"}, {"key": "", "operator": "Exists", "value": "", "effect": "NoExecute"}]}},
        {"pod": {"tolerations": [{"key": "a", "value": "", "effect": "NoExecute", "tolerationSeconds": -1}]}},
        {"pod": {"affinity": nodes({"key": "a", "operator": "Exists", "values": []})}},
        {"pod": {"affinity": nodes({"key": "a", "operator": "Gt", "values": ["-5"]})}},
        {"pod": {"topologySpreadConstraints": [spread(), spread(whenUnsatisfiable="ScheduleAnyway")]}},
        {"pod": {"topologySpreadConstraints": [spread(minDomains=2, labelSelector={}, matchLabelKeys=["a.b/c"])]}},
        {"pod": {"topologySpreadConstraints": [spread(topologyKey=f"{number}") for number in range(3)]}},
        {"pod": {"dnsConfig": {"nameservers": ["10.0.0.53", "fd00::53", "::1"], "searches": ["a.example.com.", "b"]}}},
        {"pod": {"dnsConfig": {"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}, {"name": "no_x"}]}}},
        {"pod": {"dnsConfig": {"searches": [f"{number}" + "x" * 126 for number in range(8)]}}},
        {"pod": {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.53"]}}},
        {"pod": {"dnsPolicy": "Default"}},
        {"pod": {"schedulerName": "my.scheduler-2"}},
    ],
)
def test_the_edges_of_what_is_allowed_are_allowed(api: ApiClient, spec: dict[str, Any]) -> None:
    """Just above each bound, and every block left out or empty."""
    answer = api.try_session(spec)

    assert answer.refusals == []
    assert answer.accepted, answer.body


@pytest.mark.parametrize("name", ["a", "5511999", "0", "sales-2", "a" * 52])
def test_a_dns_label_is_a_name(api: ApiClient, name: str) -> None:
    """Digits first included: a number with its country code is what people name sessions by."""
    assert api.try_session({}, name=name).accepted


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"sessions": 0},
        {"sessions": 10, "memory": "8Gi", "sessionsPerNamespace": 5},
        {"memory": "256Mi"},
        {"memory": 8589934592},
    ],
)
def test_quotas_may_limit_anything_or_nothing(api: ApiClient, spec: dict[str, Any]) -> None:
    """An absent limit is unlimited; none at all is a quota too."""
    assert api.try_quota(spec, name="q" * 63).accepted


def test_the_stored_defaults_are_the_models(api: ApiClient) -> None:
    """What the API server fills in is what the operator would have assumed."""
    stored = api.try_session({}).body["spec"]

    assert {"operatingMode": "Running", "quotaName": "default", "replicas": 1, "priority": 0} == stored
    assert SessionSpec() == WhatsAppSession.parse({"spec": stored}).spec


def test_nothing_is_filled_into_a_block(api: ApiClient) -> None:
    """A limit alone stays alone, so that it is never below a request that nobody wrote."""
    spec = {"resources": {"limits": {"memory": "256Mi"}}, "profile": {}, "link": {}, "recovery": {}, "timeouts": {}}

    stored = api.try_session(spec).body["spec"]

    assert {block: stored[block] for block in spec} == spec
    amounts = effective(WhatsAppSession.parse({"spec": stored}).spec.resources)
    assert amounts.requests.memory == amounts.limits.memory == 256 * MI


@asking
@given(spec=strategies.session_specs())
def test_what_the_models_call_sound_is_accepted(api: ApiClient, spec: dict[str, Any]) -> None:
    """Every spec of the shared strategy is taken, and the stored one means the same as the written one."""
    answer = api.try_session(spec)

    assert answer.refusals == []
    assert answer.accepted, answer.body
    assert SessionSpec.model_validate(spec) == WhatsAppSession.parse(answer.body).spec


@asking
@given(spec=strategies.session_specs())
def test_a_spec_with_all_defaults_written_out_is_accepted(api: ApiClient, spec: dict[str, Any]) -> None:
    """What a model writes is a manifest of the same session."""
    written = WhatsAppSession.parse({"spec": spec}).spec

    answer = api.try_session(written.to_dict())

    assert answer.refusals == []
    assert written == WhatsAppSession.parse(answer.body).spec


@asking
@given(spec=strategies.quota_specs())
def test_what_the_models_call_a_quota_is_accepted(api: ApiClient, spec: dict[str, Any]) -> None:
    """The same for quotas."""
    answer = api.try_quota(spec)

    assert answer.accepted, answer.body
    assert WhatsAppSessionQuota.parse({"spec": spec}).spec == WhatsAppSessionQuota.parse(answer.body).spec


@asking
@given(spec=strategies.damaged(strategies.session_specs()))
def test_what_is_accepted_is_usable(api: ApiClient, spec: Any) -> None:
    """The other way round: no spec that the API server takes, however odd, is a problem for the operator."""
    answer = api.try_session(spec)

    if answer.accepted:
        assert WhatsAppSession.parse(answer.body).problems == ()


@asking
@given(spec=strategies.session_specs())
def test_what_people_choose_for_a_pod_a_pod_can_have(api: ApiClient, spec: dict[str, Any]) -> None:
    """Labels, annotations, placement and amounts of an accepted session are taken in a pod, and none is dropped there."""
    session = WhatsAppSession.parse({"spec": spec}).spec
    options = session.pod.to_dict()
    tolerations = [toleration.to_dict() for toleration in session.pod.tolerations]
    affinity = session.pod.affinity.to_dict() if session.pod.affinity is not None else None
    container = {"name": "runner", "image": "i", "resources": effective(session.resources).to_dict()}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": options["labels"], "annotations": options["annotations"]},
        "spec": {
            "containers": [container],
            "nodeSelector": options["nodeSelector"],
            "tolerations": tolerations,
            "affinity": affinity,
            "imagePullSecrets": options["imagePullSecrets"],
        },
    }

    answer = api.request("POST", "/api/v1/namespaces/default/pods", pod, dryRun="All", fieldValidation="Strict")

    assert answer.accepted, answer.body
    assert container["resources"] == answer.body["spec"]["containers"][0]["resources"]


@settings(max_examples=300, deadline=None)
@given(text=strategies.near_quantity_texts() | strategies.quantity_texts())
def test_both_read_quantities_alike(api: ApiClient, text: str) -> None:
    """The API server and our parser accept the same texts, and it calls none formless that we can read."""
    messages = [refusal.message for refusal in api.try_session({"resources": {"requests": {"memory": text}}}).refusals]

    try:
        amount: Decimal | None = parse_quantity(text)
    except BadQuantity:
        amount = None

    formless = any("must be a quantity" in message for message in messages)
    assert (amount is not None and amount >= MI) == (messages == [])
    assert not (formless and amount is not None)  # (a suffix alone is zero to the API server, and nothing to us)


@settings(max_examples=200, deadline=None)
@given(text=strategies.quantity_texts())
def test_both_mean_the_same_amount(api: ApiClient, text: str) -> None:
    """The API server's own spelling of an amount is the same amount to us, to the last decimal place.

    A CSIStorageCapacity holds a bare quantity; the API server rewrites it, and rounds nothing more than any quantity.
    """
    amount = parse_quantity(text)
    capacity = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIStorageCapacity",
        "metadata": {"name": "c"},
        "storageClassName": "any",
        "capacity": text,
    }

    answer = api.request(
        "POST", "/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities", capacity, dryRun="All"
    )

    assert answer.accepted == (amount >= 0), answer.body
    if answer.accepted:
        assert amount == parse_quantity(answer.body["capacity"])


@asking
@given(text=strategies.duration_texts())
def test_both_read_durations_alike(api: ApiClient, text: str) -> None:
    """A text is taken exactly when our parser reads it as a length between a second and a day."""
    try:
        length = parse_duration(text).total_seconds()
    except BadDuration:
        length = -1

    assert (1 <= length <= 24 * 3600) == api.try_session({"timeouts": {"launch": text}}).accepted
