"""What is ours and what only looks so, in simulated time: pods, claims and keys, over days and rotations."""

from collections import Counter

import pytest
from unit.runtime.memory_api import Fault, Json
from unit.runtime.simulation import Simulation
from whatsapp_operator.core.model import SealedKind
from whatsapp_operator.core.session.renewal import MARGIN, WINDOW
from whatsapp_operator.runtime.kube.client import Request
from whatsapp_operator.runtime.process.keys import KEEP_RETIRED, RETIREMENT
from whatsapp_operator.runtime.reconcile import claim_seals


def _in_our_colours(name: str, *, namespace: str, uid: str, key_id: str) -> Json:
    """Return a pod that a person of another namespace makes, with every sign of ours and as large as can be."""
    owner = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSession", "name": name, "uid": uid}
    labels = {
        "app.kubernetes.io/managed-by": "whatsapp-session-operator",
        "wasession.dev/session": name,
        "wasession.dev/session-uid": uid,
        "wasession.dev/quota": "default",
        "wasession.dev/key-id": key_id,
    }
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {"wasession.dev/quota": "default"},
            "ownerReferences": [owner | {"controller": True}],
        },
        "spec": {"containers": [{"name": "runner", "resources": {"limits": {"memory": "8Ei"}}}]},
    }


async def test_a_pod_in_our_colours_elsewhere_concerns_nobody(simulation: Simulation) -> None:
    """With another team's UID: no place is taken, nobody is kept out, no restart is counted, no key is kept."""
    simulation.start_pods = False
    simulation.namespace("other")
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 1, "memory": "1Gi"}})
    uid = str(simulation.session("sales")["metadata"]["uid"])
    await simulation.start()
    assert simulation.operator is not None
    await simulation.until(lambda: simulation.pod("sales"))
    old = simulation.operator.keys.current
    for _number in range(3):
        simulation.api.put("pods", _in_our_colours("sales", namespace="other", uid=uid, key_id=old))
        await simulation.rest(5)
        simulation.api.remove("pods", "other", "sales")
    simulation.api.put("pods", _in_our_colours("sales", namespace="other", uid=uid, key_id=old))
    await simulation.rest(70)

    (quota,) = simulation.api.all("whatsappsessionquotas")
    assert (1, "768Mi") == (quota["status"]["admitted"], quota["status"]["memoryReserved"])
    assert 0 == simulation.status("sales")["recovery"]["restarts"]

    await simulation.operator.keys.rotate()
    simulation.api.remove("pods", "shop", "sales")
    await simulation.rest(KEEP_RETIRED.total_seconds() + 130)
    secret = simulation.api.get("secrets", "ops", "keys") or {}
    assert old not in secret["data"]


@pytest.mark.slow
async def test_a_second_pod_with_a_key_that_nobody_knows_renews_nothing(simulation: Simulation) -> None:
    """It names the session as its owner and never goes: the session keeps its own pod."""
    await simulation.up("sales")
    uid = (simulation.api.get("whatsappsessions", "shop", "sales") or {})["metadata"]["uid"]
    second = _in_our_colours("sales", namespace="shop", uid=uid, key_id="nobodys")
    second["metadata"] |= {"name": "second", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/y"]}
    simulation.api.put("pods", second)
    before = simulation.pod_uid("sales")
    await simulation.rest(4000)

    assert before == simulation.pod_uid("sales")


async def test_a_sealed_pod_counts_until_it_is_gone_though_its_session_is(simulation: Simulation) -> None:
    """Deleted without its pod: the pod has no owner any more, and the place is taken until it ends."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 1}})
    await simulation.up("sales")
    simulation.api.change("pods", "shop", "sales", {"metadata": {"ownerReferences": None}})
    simulation.api.remove("whatsappsessions", "shop", "sales")
    simulation.session("support")
    await simulation.rest(70)
    waits = simulation.condition("support", "Admitted")

    simulation.api.remove("pods", "shop", "sales")
    await simulation.until(lambda: simulation.state("support") == "QRPending")

    assert ("False", "QuotaExceeded") == waits


@pytest.mark.slow
async def test_pods_get_a_new_key_in_turn_before_the_old_one_ends(simulation: Simulation) -> None:
    """None is touched for weeks; then each is replaced once, on a day of its own, and the old key goes."""
    names = ["a", "b", "c", "d"]
    await simulation.up(*names)
    assert simulation.operator is not None
    old = simulation.operator.keys.current
    await simulation.rest(2)
    new = await simulation.operator.keys.rotate()
    pods = {name: simulation.pod_uid(name) for name in names}

    def renewed() -> list[str]:
        return [name for name in names if simulation.pod_uid(name) not in ("", pods[name])]

    simulation.clock.seconds += (RETIREMENT - MARGIN - WINDOW).total_seconds() - 300
    await simulation.rest(200)
    assert [] == renewed()

    simulation.clock.seconds += WINDOW.total_seconds() / 2
    await simulation.rest(400)
    assert 0 < len(renewed()) < len(names)

    simulation.clock.seconds += WINDOW.total_seconds() / 2
    await simulation.rest(400)
    assert names == renewed()
    keys = {str((simulation.pod(name) or {})["metadata"]["labels"]["wasession.dev/key-id"]) for name in names}
    assert ({new}, False) == (keys, old in (simulation.api.get("secrets", "ops", "keys") or {})["data"])


async def test_one_place_does_not_leave_claims_without_end(simulation: Simulation) -> None:
    """Sessions one after the other, deleted or suspended: their claims count until somebody deletes them."""
    limits = {"sessions": 1, "storage": "25Gi"}
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": limits})
    await simulation.up("a", profile={"size": "10Gi"})
    simulation.edit("a", {"spec": {"operatingMode": "Suspended"}})
    simulation.session("b", profile={"size": "10Gi"})
    await simulation.until(lambda: simulation.state("b") == "QRPending")
    simulation.api.remove("whatsappsessions", "shop", "b")
    simulation.session("c", profile={"size": "10Gi"})
    await simulation.until(lambda: simulation.condition("c", "Admitted") == ("False", "QuotaExceeded"))
    await simulation.rest(130)

    (quota,) = simulation.api.all("whatsappsessionquotas")
    pvcs = sorted(claim["metadata"]["name"] for claim in simulation.api.all("persistentvolumeclaims"))
    assert (["a-profile", "b-profile"], "20Gi") == (pvcs, quota["status"]["storageReserved"])

    simulation.api.remove("persistentvolumeclaims", "shop", "b-profile")
    await simulation.until(lambda: simulation.state("c") == "QRPending", within=30)


async def test_a_claims_seal_follows_the_key(simulation: Simulation) -> None:
    """Of a running session, a suspended one and a deleted one: the old key goes, and all still count."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"storage": "9Gi"}})
    await simulation.up("a", "b", "c")
    assert simulation.operator is not None
    simulation.edit("b", {"spec": {"operatingMode": "Suspended"}})
    simulation.api.remove("whatsappsessions", "shop", "c")
    await simulation.rest(70)
    before = len(simulation.api.writes)
    await simulation.rest(130)
    at_rest = simulation.api.writes[before:]
    new = await simulation.operator.keys.rotate()
    await simulation.rest(130)

    seals = [
        simulation.operator.seals.read(claim, SealedKind.PVC) for claim in simulation.api.all("persistentvolumeclaims")
    ]
    (quota,) = simulation.api.all("whatsappsessionquotas")
    assert [] == at_rest
    assert [(new, 2**30)] * 3 == [(seal.key_id, seal.storage) for seal in seals if seal is not None]
    assert "3Gi" == quota["status"]["storageReserved"]


@pytest.mark.slow
async def test_a_namespace_that_refuses_seals_uses_up_no_others_batch(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claims come first and are more than a batch: one is tried now and then, and the other namespace's get theirs."""
    monkeypatch.setattr(claim_seals, "BATCH", 2)
    await simulation.up("a", "b", "c")
    assert simulation.operator is not None
    simulation.namespace("other")
    for name in ("x", "y", "z"):
        simulation.session(name, namespace="other")
    await simulation.until(lambda: all(simulation.pod_uid(name, namespace="other") for name in ("x", "y", "z")))
    await simulation.rest(70)
    old, new = simulation.operator.keys.current, await simulation.operator.keys.rotate()
    simulation.api.fault = lambda request, _: Fault(status=403) if _is_seal(request, "shop") else None
    before = len(simulation.api.requests)
    await simulation.rest(250)

    sealed_by = Counter(
        (claim["metadata"]["namespace"], seal.key_id)
        for claim in simulation.api.all("persistentvolumeclaims")
        if (seal := simulation.operator.seals.read(claim, SealedKind.PVC)) is not None
    )
    refused = [request for request in simulation.api.requests[before:] if _is_seal(request, "shop")]
    assert {("shop", old): 3, ("other", new): 3} == sealed_by
    assert 1 <= len(refused) <= 4, "one at most after each resync"


def _is_seal(request: Request, namespace: str) -> bool:
    return request.method == "PATCH" and f"/namespaces/{namespace}/persistentvolumeclaims/" in request.path


async def test_an_older_operators_claim_is_sealed_with_its_sessions_next_pod(simulation: Simulation) -> None:
    """Not before: its session must have been admitted, and nothing is written about a cluster at rest."""
    await simulation.up("a")
    assert simulation.operator is not None
    without = {"metadata": {"annotations": {"wasession.dev/seal": None}}}
    simulation.api.change("persistentvolumeclaims", "shop", "a-profile", without)
    simulation.api.change("pods", "shop", "a", without)
    await simulation.rest(130)
    claim = simulation.api.get("persistentvolumeclaims", "shop", "a-profile") or {}
    early = simulation.operator.seals.read(claim, SealedKind.PVC)

    simulation.api.remove("pods", "shop", "a")
    await simulation.rest(130)

    claim = simulation.api.get("persistentvolumeclaims", "shop", "a-profile") or {}
    seal = simulation.operator.seals.read(claim, SealedKind.PVC)
    assert early is None
    assert seal is not None
    assert ("default", 2**30) == (seal.quota, seal.storage)


async def test_a_claim_that_a_person_enlarged_is_not_sealed_as_large(simulation: Simulation) -> None:
    """What the operator seals is what it was asked for; a claim made by hand takes nobody's share."""
    await simulation.up("a")
    assert simulation.operator is not None
    huge = {"spec": {"resources": {"requests": {"storage": "8Ei"}}}}
    without = {"metadata": {"annotations": {"wasession.dev/seal": None}}}
    simulation.api.change("persistentvolumeclaims", "shop", "a-profile", huge | without)
    await simulation.rest(130)

    claim = simulation.api.get("persistentvolumeclaims", "shop", "a-profile") or {}
    seal = simulation.operator.seals.read(claim, SealedKind.PVC)
    assert seal is not None
    assert 2**30 == seal.storage


async def test_a_service_in_our_colours_is_neither_used_nor_deleted(simulation: Simulation) -> None:
    """It leads elsewhere: a session says that the name is taken, and after the last one it is still there."""
    metadata = {
        "name": "whatsapp-sessions",
        "namespace": "shop",
        "labels": {"app.kubernetes.io/managed-by": "whatsapp-session-operator"},
    }
    theirs = simulation.api.put(
        "services", {"metadata": metadata, "spec": {"clusterIP": "None", "selector": {"app": "theirs"}}}
    )
    await simulation.start()
    simulation.session("sales")
    await simulation.until(lambda: simulation.condition("sales", "Stalled") == ("True", "NameTaken"))
    simulation.api.remove("whatsappsessions", "shop", "sales")
    await simulation.rest(70)

    assert [theirs] == simulation.api.all("services")
