"""examples/tenant.yaml: as many sessions of the default size as its quota names fit into all of its limits.

The sums are made from what the operator creates for a session; a real API server counts once more.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
import yaml
from local_cluster.light import LightCluster
from manifests.rendering import MANIFESTS, documents
from session_protocol.quantities import parse_quantity
from support.waiting import until
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID, PodTokens, PodUID
from whatsapp_operator.core.network import RunnerNetwork
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.core.objects.pvc import pvc_manifest
from whatsapp_operator.core.objects.secret import create_mounted_secret, create_token_secrets
from whatsapp_operator.core.objects.service import service_manifest

Json = Mapping[str, Any]
TENANT = {item["kind"]: item for item in documents((MANIFESTS / "examples" / "tenant.yaml").read_text())}
NAMESPACE: str = TENANT["Namespace"]["metadata"]["name"]
HARD = {name: parse_quantity(amount) for name, amount in TENANT["ResourceQuota"]["spec"]["hard"].items()}
QUOTA = WhatsAppSessionQuota.parse(TENANT["WhatsAppSessionQuota"]).spec
DEFAULTS = Defaults(
    runner_image="example.com/runner:1",
    key_id=KeyID("k1"),
    network=RunnerNetwork(operator_namespace="whatsapp-operator"),
)
COUNTED = {"Pod": "pods", "PersistentVolumeClaim": "persistentvolumeclaims", "Service": "services", "Secret": "secrets"}
""" What a ResourceQuota calls the number of objects of a kind. """


def made() -> list[Json]:
    """All objects that the operator makes for the sessions of the quota."""
    found: list[Json] = [service_manifest(NAMESPACE)]
    for number in range(QUOTA.sessions or 0):
        metadata = {"name": f"s{number}", "namespace": NAMESPACE, "uid": f"22222222-2222-2222-2222-{number:012}"}
        session = WhatsAppSession.parse({"metadata": metadata, "spec": {"quotaName": NAMESPACE}})
        claim = pvc_manifest(session)
        assert claim is not None
        found += [
            claim,
            create_mounted_secret(session, DEFAULTS).manifest,
            *(
                each.manifest
                for each in create_token_secrets(
                    session, PodTokens(pod_uid=PodUID("p"), source=names.token_source(session, DEFAULTS))
                )
            ),
            pod_manifest(session, DEFAULTS),
        ]
    return found


def taken(objects: list[Json]) -> dict[str, Decimal]:
    """What a ResourceQuota counts of the objects, by its own names."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in objects:
        sums[COUNTED[item["kind"]]] += 1
        if item["kind"] == "PersistentVolumeClaim":
            sums["requests.storage"] += parse_quantity(item["spec"]["resources"]["requests"]["storage"])
        for container in item["spec"]["containers"] if item["kind"] == "Pod" else ():
            for side, amounts in container["resources"].items():
                for name, amount in amounts.items():
                    sums[f"{side}.{name}"] += parse_quantity(amount)
    return sums


def test_every_resource_of_a_session_is_limited() -> None:
    """Nothing that a session takes is left without a limit."""
    assert HARD.keys() == taken(made()).keys()


@pytest.mark.parametrize("name", HARD)
def test_the_sessions_fit(name: str) -> None:
    """All of them at once."""
    assert taken(made())[name] <= HARD[name]


def test_they_fit_into_the_sessions_quota() -> None:
    """What the operator counts is within its own limits, and a namespace full of claims is no more than the quota's."""
    sums = taken(made())

    assert (5, True) == (QUOTA.sessions, sums["limits.memory"] <= (QUOTA.memory or Decimal(0)))
    assert sums["requests.storage"] <= (QUOTA.storage or Decimal(0)) == HARD["requests.storage"]


@pytest.fixture(scope="module")
def shop(light_cluster_with_controllers: LightCluster) -> Iterator[LightCluster]:
    """A cluster that counts, with the namespace and its ResourceQuota."""
    cluster = light_cluster_with_controllers
    cluster.kubectl.apply(TENANT["Namespace"], TENANT["ResourceQuota"])

    def ready() -> bool:
        counted = cluster.kubectl(
            "get", "resourcequota", NAMESPACE, f"--namespace={NAMESPACE}", "--output=jsonpath={.status.used.pods}"
        )
        account = cluster.kubectl("get", "serviceaccount", "default", f"--namespace={NAMESPACE}", check=False)
        return counted == "0" and account.startswith("NAME")

    until("the namespace is counted", ready, within=30)
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_the_api_server_takes_them_all(shop: LightCluster) -> None:
    """Each object is admitted, and the controller counts the same sums."""
    objects = made()

    shop.kubectl("create", "--filename=-", input=yaml.safe_dump_all(map(dict, objects)))

    def used() -> dict[str, Decimal]:
        status = yaml.safe_load(
            shop.kubectl("get", "resourcequota", NAMESPACE, f"--namespace={NAMESPACE}", "--output=yaml")
        )["status"]
        return {name: parse_quantity(amount) for name, amount in status["used"].items()}

    assert taken(objects) == until("all are counted", used, lambda found: found["pods"] == QUOTA.sessions)
