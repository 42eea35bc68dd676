"""From apply to a running pod: what is asked of the API server, and by which name the session is found."""

import json

from e2e.harness import ClusterHarness
from e2e.object_versions import Object, revision, watch
from e2e.pod_processes import paused, process_of
from e2e.tenant import Tenant
from session_devtools.audit_log import writes
from session_devtools.installation.install import pod_of
from support.sessions import condition
from support.waiting import until

CREATES = ["create persistentvolumeclaims", "create pods", *["create secrets"] * 6]
CREATES_ONCE = ["create networkpolicies", "create services"]
""" Of a namespace's first session. """


def _runs(pod: Object) -> bool:
    return bool(pod["status"]["phase"] == "Running")


def test_the_way_to_a_running_pod_is_eight_creates_and_at_most_two_status_writes(
    e2e: ClusterHarness, tenant: Tenant
) -> None:
    """Claim, six Secrets and pod; a namespace's first session makes Service and NetworkPolicy as well.

    The reservation is written first. Events are not counted.
    """
    with (
        watch(e2e.kubectl, "pods", tenant.namespace) as pods,
        watch(e2e.kubectl, "whatsappsessions", tenant.namespace) as sessions,
    ):
        for name, creates in (("one", sorted([*CREATES, *CREATES_ONCE])), ("two", CREATES)):
            since = e2e.audit.now()
            tenant.create(name)
            until(f"the pod of {name} runs", lambda name=name: pods.first(name, _runs), bool)  # type: ignore[misc]
            tenant.wait_for_state(name, "QRPending")
            running = pods.first(name, _runs)
            assert running is not None
            written = [one for one in sessions.of(name) if "conditions" in one["status"]]
            versions = [one for one in written if revision(one) < revision(running)]
            done = writes(e2e.audit.requests(since=since, namespace=tenant.namespace))

            assert creates == sorted(one for one in done if one.startswith("create "))
            assert len(versions) in (1, 2), json.dumps([one.get("status") for one in versions], indent=1)
            assert versions[0]["status"]["admission"]["quotaName"] == tenant.namespace
            made = pods.of(name)[0]
            assert revision(versions[0]) < revision(made)


def test_its_name_leads_to_the_pod_before_anybody_has_linked_it_and_while_it_is_not_ready(
    e2e: ClusterHarness, tenant: Tenant
) -> None:
    """From another namespace's pod; a hung runner is Unreachable and not ready, keeps its name, and is not replaced."""
    tenant.create("sales")
    tenant.wait_for_state("sales", "QRPending")
    pod = tenant.pod("sales")
    endpoint = tenant.status("sales")["endpoint"]
    host = endpoint.removeprefix("http://").removesuffix(":8080")

    def resolved() -> str:
        asker = pod_of(e2e.kubectl, "standin")
        ask = f"import socket; print(socket.gethostbyname({host!r}))"
        return e2e.kubectl("exec", "--namespace=whatsapp-demo", asker, "--", "python3", "-c", ask).strip()

    def ready() -> str:
        conditions = {one["type"]: one["status"] for one in tenant.pod("sales")["status"]["conditions"]}
        return str(conditions["Ready"])

    until("the unlinked session's pod is ready", ready, lambda value: value == "True")
    assert f"sales.whatsapp-sessions.{tenant.namespace}.svc" == host
    assert pod["status"]["podIP"] == until(f"{host} has an address", resolved, bool)

    with paused(process_of(e2e.cluster, pod["metadata"]["uid"], "session_runner")):
        until("a stopped runner is not ready", ready, lambda value: value == "False")
        assert pod["status"]["podIP"] == resolved()
        assert "True" == condition(tenant.wait_for_state("sales", "Unreachable"), "Admitted")["status"]

    tenant.wait_for_state("sales", "QRPending")
    assert pod["metadata"]["uid"] == tenant.pod_uid("sales")
