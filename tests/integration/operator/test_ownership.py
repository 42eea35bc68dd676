"""Objects in our colours that a person made: on a real API server, by somebody who may create pods and claims."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness


@pytest.fixture
async def elsewhere(harness: OperatorHarness) -> AsyncIterator[str]:
    """Another team's namespace."""
    name = f"{harness.namespace}-other"
    await harness.admin.create("namespaces", "", {"metadata": {"name": name}})
    yield name
    for pod in await harness.admin.list("pods", name):
        with contextlib.suppress(LookupError):
            await harness.admin.remove_pod(name, pod["metadata"]["name"])
    await harness.admin.delete("namespaces", "", name)


def colours(harness: OperatorHarness, *, name: str, uid: str, key_id: str = "") -> Json:
    """Return the labels and annotations of a pod of ours."""
    return {
        "labels": {
            "app.kubernetes.io/managed-by": "whatsapp-session-operator",
            "app.kubernetes.io/name": "whatsapp-session",
            "wasession.dev/session": name,
            "wasession.dev/session-uid": uid,
            "wasession.dev/quota": harness.namespace,
            **({"wasession.dev/key-id": key_id} if key_id else {}),
        },
        "annotations": {"wasession.dev/quota": harness.namespace},
    }


def pod(name: str, metadata: Json) -> Json:
    """Return a pod that never runs, as large as can be."""
    container = {"name": "runner", "image": "example.org/none:1", "resources": {"limits": {"memory": "8Ei"}}}
    return {
        "metadata": {"name": name, **metadata},
        "spec": {"containers": [container], "nodeSelector": {"no": "such"}, "restartPolicy": "Never"},
    }


async def test_a_pod_elsewhere_takes_nobodys_place(harness: OperatorHarness, elsewhere: str) -> None:
    """With the UID of another team's session and 8Ei: that session is let in, and nothing is counted for the pod."""
    await harness.quota(sessions=1, memory="1Gi")
    await harness.session("a")
    session = await harness.admin.get("whatsappsessions", harness.namespace, "a")
    signs = colours(harness, name="a", uid=session["metadata"]["uid"])
    await harness.admin.create("pods", elsewhere, pod("a", signs))
    await harness.admin.create("pods", elsewhere, pod("b", colours(harness, name="b", uid="whatever")))

    await harness.operator(WATCH_NAMESPACES=f"{harness.namespace},{elsewhere}")
    await harness.wait_for_state("a", "QRPending")

    async def counted() -> Json | None:
        quota = await harness.admin.get("whatsappsessionquotas", "", harness.namespace)
        status: Json = quota.get("status") or {}
        return status if status.get("admitted") else None

    status = await harness.until("the quota to count", counted)
    assert (1, "768Mi", 0) == (status["admitted"], status["memoryReserved"], status["waiting"])


async def test_a_copied_seal_is_good_for_nothing(harness: OperatorHarness, elsewhere: str) -> None:
    """Every label and annotation of a real pod, under the same name in another namespace and another one in its own."""
    await harness.quota(sessions=2)
    await harness.operator(WATCH_NAMESPACES=f"{harness.namespace},{elsewhere}")
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    real = await harness.pod("a")
    assert real is not None
    assert "wasession.dev/seal" in real["metadata"]["annotations"]
    copied = {name: real["metadata"][name] for name in ("labels", "annotations")}
    await harness.admin.create("pods", elsewhere, pod("a", copied))
    await harness.admin.create("pods", harness.namespace, pod("a2", copied))

    await harness.session("b")

    await harness.wait_for_state("b", "QRPending")


async def test_a_pod_in_a_waiting_sessions_place_is_not_counted(harness: OperatorHarness) -> None:
    """Its owner reference is true, its session waits for a place: both go on waiting."""
    await harness.quota(sessions=0)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_condition("a", "Admitted", status="False")
    session = await harness.admin.get("whatsappsessions", harness.namespace, "a")
    uid = session["metadata"]["uid"]
    owner = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSession", "name": "a", "uid": uid}
    signs = colours(harness, name="a", uid=uid) | {"ownerReferences": [{**owner, "controller": True}]}
    await harness.admin.create("pods", harness.namespace, pod("a", signs))

    async def noticed() -> bool:
        return (await harness.status("a")).get("replicas") == 1

    await harness.until("the pod to be noticed", noticed)

    async def uncounted() -> bool:
        status = await harness.status("a")
        quota = await harness.admin.get("whatsappsessionquotas", "", harness.namespace)
        return "admission" not in status and not (quota.get("status") or {}).get("admitted")

    await harness.check_stays(uncounted, "nothing is counted", during=3)
    assert "QuotaExceeded" == (await harness.condition("a", "Admitted"))["reason"]


async def test_a_claim_that_a_session_left_counts(harness: OperatorHarness) -> None:
    """Deleted with Retain: the next one waits, is told which limit it is, and comes in when the claim is gone."""
    await harness.quota(storage="1500Mi")
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    await harness.admin.delete("whatsappsessions", harness.namespace, "a")
    await harness.admin.remove_pod(harness.namespace, "a")  # as the garbage collector does, which is not there
    await harness.session("b")
    waits = await harness.wait_for_condition("b", "Admitted", status="False")

    await harness.admin.delete("persistentvolumeclaims", harness.namespace, "a-profile")
    with contextlib.suppress(LookupError):  # a claim is protected by a finalizer that nobody here takes off
        patch: Json = {"metadata": {"finalizers": None}}
        await harness.admin.patch("persistentvolumeclaims", harness.namespace, "a-profile", patch)
    await harness.wait_for_state("b", "QRPending")

    assert waits["message"].startswith("Maximum session storage limit reached (1500Mi).")
