"""A session's volume is full: a real volume of the local cluster, filled by whoever can write to it."""

from pathlib import Path

from e2e.harness import ClusterHarness
from e2e.tenant import Object, Tenant
from e2e.trio import CRAMMED
from local_cluster.full.up import supervisor_of
from support.sessions import Expectation, condition

FILL = """
import sys
with open("/profile/filler", "wb", buffering=0) as file:
    for size in (1 << 20, 4096, 1):
        try:
            while True:
                file.write(bytes(size))
        except OSError:
            continue
"""


def _volume(e2e: ClusterHarness, tenant: Tenant) -> Path:
    """Where the session's volume lies, seen from this machine: the node has mounts of its own."""
    claim = tenant.get("pvc", tenant.status(CRAMMED)["pvcName"])
    assert claim is not None
    volume = e2e.kubectl.find("pv", claim["spec"]["volumeName"])
    assert volume is not None
    kubelet = supervisor_of(e2e.cluster.instance).running("kubelet")
    assert kubelet is not None
    return Path(f"/proc/{kubelet.pid}/root{volume['spec']['local']['path']}")


def _refused(status: Object) -> bool:
    ready = condition(status, "Ready")
    return ready["reason"] == "ProfileUnusable" and "The profile volume is full: 0Mi of" in ready["message"]


def test_a_full_volume_costs_no_login(e2e: ClusterHarness, crammed: Tenant) -> None:
    """Said within a minute, with what to do; no browser starts over it; with room again it is Connected, without a code."""
    tenant = crammed
    before = tenant.status(CRAMMED)
    filler = _volume(e2e, tenant) / "filler"
    tenant.python(CRAMMED, FILL)
    assert filler.exists()
    for number in range(20):
        tenant.command_device(CRAMMED, "send", text=f"message {number}")
    status = tenant.wait_for(CRAMMED, Expectation("says that its volume is full", _refused), within=60)
    starts = status["recovery"]["failedStarts"]
    tenant.wait_for(CRAMMED, Expectation("tries again", lambda now: now["recovery"].get("failedStarts", 0) > starts))
    tenant.run("delete", "pod", CRAMMED, "--wait=false", "--ignore-not-found")
    again = tenant.wait_for(CRAMMED, Expectation("still says it", _refused))
    filler.unlink()
    after = tenant.wait_for_recovery(CRAMMED, after=before)

    assert "spec.profile.size" in condition(status, "Ready")["message"]
    assert 0 == again["recovery"].get("consecutiveFailures", 0)
    assert before["link"]["linkedTime"] == after["link"]["linkedTime"]
