"""The demo's own scenario, on this cluster."""

import sys

from e2e.harness import ClusterHarness
from session_demo.cluster_client import ClusterClient
from session_demo.manifests import LINKED, WAITING, WRITING
from session_demo.messages import show_messages
from session_demo.messaging import Messaging
from session_demo.report import Report
from session_demo.scenario import run_scenario
from session_devtools.installation.constants import NAMESPACE


def test_the_demo_shows_all_that_it_promises(e2e: ClusterHarness) -> None:
    """Sessions come up, queue, are linked, survive a kill, stay in a conflict, make room, outlast a ban, send and receive."""
    for device in e2e.phone.request("/phone/devices")["devices"]:
        e2e.phone.request(f"/phone/{device['id']}/unlink", {})
    report = Report(out=sys.stdout)
    client = ClusterClient(kubectl=e2e.kubectl, phone=e2e.phone)

    devices = run_scenario(report, client)
    show_messages(report, Messaging(client=client, name=WRITING, device=devices[WRITING]))

    assert [] == report.failures
    assert 0 == report.finish()
    e2e.kubectl("delete", "was", *LINKED, WAITING, f"--namespace={NAMESPACE}", "--wait=false")
