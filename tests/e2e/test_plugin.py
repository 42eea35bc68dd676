"""`kubectl whatsapp` on a real cluster, as a person types it."""

import json
import os
import subprocess
from pathlib import Path

from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from session_devtools.installation.constants import ROOT


def _plugin(e2e: ClusterHarness, *arguments: str) -> str:
    """Run `kubectl whatsapp WORDS` with the environment that the demo's last line exports."""
    folders = [str(ROOT / "plugin"), str(Path(e2e.kubectl.program).parent), os.environ["PATH"]]
    environment = {
        "PATH": ":".join(folders),
        "KUBECONFIG": str(e2e.cluster.kubeconfig),
        "KUBECACHEDIR": str(e2e.cluster.instance.plane.folder / "kubectl-cache"),
        "HOME": os.environ.get("HOME", "/"),
    }
    done = subprocess.run(
        ["kubectl", "whatsapp", *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_person_links_a_session_with_the_plugin_alone(e2e: ClusterHarness, tenant: Tenant) -> None:
    """What `qr` prints is a code that the phone can scan; `status` tells the session before and after, and the quota."""
    tenant.limit(sessions=2)
    tenant.create("sales")
    tenant.wait_for_state("sales", "QRPending")
    place = f"--namespace={tenant.namespace}"

    drawn = _plugin(e2e, "qr", "sales", place)
    waiting = json.loads(_plugin(e2e, "status", place, "--output=json"))
    e2e.phone.request("/phone/scan", {"qr": _plugin(e2e, "qr", "sales", place, "--output=text").strip()})
    tenant.wait_for_state("sales", "Connected")
    table = _plugin(e2e, "status", place)

    assert len(drawn.splitlines()) > 20
    assert [("sales", "QRPending", "False")] == [
        (one["name"], one["state"], one["ready"]) for one in waiting["sessions"]
    ]
    own = [one for one in waiting["quotas"] if one["name"] == tenant.namespace]
    assert [(2, 1, 0)] == [(one["sessions"], one["admitted"], one["waiting"]) for one in own]
    assert ["sales", "Connected", "True"] == table.splitlines()[1].split()[:3]
