"""Objects that were stored under another schema: read with problems named, mended by a person, never in the way.

A copy of the session's CRD under a group of its own is first served without any schema, and then with ours: what an
upgrade of the CRD does to objects that are already there.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Answer, ApiClient
from local_cluster.light import LightCluster
from support.waiting import until
from whatsapp_operator.api.crd.definitions import SESSION, definition
from whatsapp_operator.api.session import InvalidObject, WhatsAppSession

GROUP = "stored.wasession.test"
PATH = f"/apis/{GROUP}/v1alpha1/namespaces/default/whatsappsessions"

ODD: dict[str, Any] = {
    "operatingMode": "Hibernated",
    "resources": {"limits": {"memory": "lots"}},
    "timeouts": {"launch": "5 days"},
    "future": {"field": True},
}


def apply(cluster: LightCluster, crd: dict[str, Any]) -> None:
    """Apply a CRD and wait until it is served."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", input=json.dumps(crd))
    cluster.kubectl.wait_established(crd["metadata"]["name"])


def until_refused(api: ApiClient, spec: dict[str, Any]) -> Answer:
    """Ask until the new schema is in force; kubectl's wait returns a moment earlier."""

    def ask() -> Answer:
        return api.request("POST", PATH, odd("probe", spec), dryRun="All")

    return until("the new schema is in force", ask, lambda answer: answer.status == 422, every=0)


def odd(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A manifest of the copied kind."""
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


@pytest.fixture
def upgraded(stock: Iterator[str]) -> str:
    """An odd session that was stored before our schema came, for one test alone; its path."""
    return next(stock)


@pytest.fixture(scope="module")
def stock(cluster: LightCluster, api: ApiClient) -> Iterator[Iterator[str]]:
    """More odd sessions than there are tests: a test may mend its own and spoils no other, in any order."""
    ours = copy.deepcopy(definition(SESSION))
    ours["metadata"]["name"] = f"{SESSION.plural}.{GROUP}"
    ours["spec"]["group"] = GROUP
    for field in ("shortNames", "categories"):
        del ours["spec"]["names"][field]
    loose = copy.deepcopy(ours)
    version = loose["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version["subresources"] = {"status": {}}
    del version["selectableFields"]

    apply(cluster, loose)
    try:
        for _ in range(200):  # established is not yet served everywhere
            made = api.request("POST", PATH, odd("old-0", ODD))
            if made.status != 404:
                break
        assert made.accepted, made.body
        names = ["old-0", *(f"old-{number}" for number in range(1, 10))]
        for name in names[1:]:
            assert api.request("POST", PATH, odd(name, ODD)).accepted
        apply(cluster, ours)
        until_refused(api, {"operatingMode": "Hibernated"})
        yield (f"{PATH}/{name}" for name in names)
    finally:
        cluster.kubectl("delete", "crd", ours["metadata"]["name"], "--wait=true")


def test_an_old_object_is_read_with_its_problems(api: ApiClient, upgraded: str) -> None:
    """It is still served; its metadata is usable, and each bad field is named with its reason."""
    session = WhatsAppSession.parse(api.request("GET", upgraded).body)

    assert session.metadata.uid
    assert [
        "spec.operatingMode: should be 'Running' or 'Suspended', but it is 'Hibernated'",
        "spec.resources.limits.memory: should be a quantity such as 384Mi, 1Gi, 500m or 2, but it is 'lots'",
        "spec.timeouts.launch: should be a duration such as 30s, 5m or 1h30m, but it is '5 days'",
    ] == [str(problem) for problem in session.problems]
    with pytest.raises(InvalidObject, match=r"spec\.operatingMode"):
        _ = session.spec


def test_an_old_objects_status_can_be_written(api: ApiClient, upgraded: str) -> None:
    """The operator can say Stalled on it: what did not change is not judged again."""
    condition = {
        "type": "Stalled",
        "status": "True",
        "reason": "InvalidObject",
        "message": "spec.operatingMode: …",
        "lastTransitionTime": "2026-01-31T12:00:00Z",
    }

    answer = api.patch(f"{upgraded}/status", {"status": {"state": "Stalled", "conditions": [condition]}})

    assert answer.accepted, answer.body
    assert [condition] == answer.body["status"]["conditions"]


def test_an_old_object_can_be_mended(api: ApiClient, upgraded: str) -> None:
    """A person who writes good values gets a usable session."""
    good = {"operatingMode": "Running", "resources": None, "timeouts": None}

    answer = api.patch(upgraded, {"spec": good})

    assert answer.accepted, answer.body
    assert WhatsAppSession.parse(answer.body).problems == ()
