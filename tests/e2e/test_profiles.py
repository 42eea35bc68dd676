"""A login outlives its pod, a rest, and the session object itself; unless a person wants it to go."""

from e2e.harness import ClusterHarness
from e2e.object_versions import revision, watch
from e2e.tenant import Object, Tenant
from e2e.trio import TRIO
from support.sessions import condition
from support.waiting import until


def test_a_session_that_is_deleted_and_applied_again_has_its_login_back(trio: Tenant) -> None:
    """The claim has no owner and stays; the new session object finds it by its labels."""
    name = TRIO[0]
    before, session = trio.status(name), trio.get("was", name) or {}
    pvc = (trio.get("pvc", before["pvcName"]) or {})["metadata"]
    trio.run("delete", "was", name, timeout=120)
    until("the pod goes with its session", lambda: trio.get("pod", name), lambda pod: pod is None)
    secret = before["tokenSecretName"]
    until("the tokens go with their session", lambda: trio.get("secret", secret), lambda found: found is None)
    trio.create(name)

    after = trio.wait_for_recovery(name, after=before)
    assert "ownerReferences" not in pvc
    assert pvc["uid"] == (trio.get("pvc", after["pvcName"]) or {})["metadata"]["uid"]
    assert session["metadata"]["uid"] != (trio.get("was", name) or {})["metadata"]["uid"]
    assert secret != after["tokenSecretName"]


def test_a_claim_that_is_not_to_be_kept_goes_with_its_session(tenant: Tenant) -> None:
    """`retention: Delete` gives it an owner; the last session takes the namespace's Service with it."""
    tenant.create("brief", profile={"size": "64Mi", "retention": "Delete"})
    tenant.wait_for_state("brief", "QRPending")
    pvc = tenant.status("brief")["pvcName"]
    assert tenant.get("pvc", pvc) is not None
    assert tenant.get("service", "whatsapp-sessions") is not None

    tenant.run("delete", "was", "brief", "--wait=false")

    until("the claim goes", lambda: tenant.get("pvc", pvc), lambda found: found is None)
    until("the Service goes", lambda: tenant.get("service", "whatsapp-sessions"), lambda found: found is None)


def test_a_session_at_rest_makes_room_and_comes_back_with_its_login(e2e: ClusterHarness, trio: Tenant) -> None:
    """The waiting one is let in when the pod is gone and not before; the rested one then waits for its place."""
    settled = TRIO[1]
    before = trio.status(settled)
    trio.limit(sessions=3)
    with (
        watch(e2e.kubectl, "pods", trio.namespace) as pods,
        watch(e2e.kubectl, "whatsappsessions", trio.namespace) as sessions,
    ):
        trio.create("guest")
        waits = condition(trio.wait_for_state("guest", "Queued"), "Admitted")
        trio.edit(settled, {"operatingMode": "Suspended"})
        trio.wait_for_state("guest", "QRPending")
        given_back = sessions.first(settled, lambda one: one["spec"].get("operatingMode") == "Suspended" and _free(one))
        let_in = sessions.first("guest", lambda one: not _free(one))
        last = pods.of(settled)[-1]

    assert "Maximum concurrent sessions limit reached (3). Please terminate some sessions first." == waits["message"]
    assert given_back is not None
    assert let_in is not None
    assert revision(last) < revision(let_in)
    assert "Suspended" == trio.status(settled)["state"]
    assert before["pvcName"] == (trio.get("pvc", before["pvcName"]) or {})["metadata"]["name"]

    trio.edit(settled, {"operatingMode": "Running"})
    trio.wait_for_state(settled, "Queued")
    trio.run("delete", "was", "guest", "--wait=false")
    trio.wait_for_recovery(settled, after=before)


def _free(session: Object) -> bool:
    return "admission" not in session.get("status", {})
