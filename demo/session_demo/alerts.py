"""The last act of `make demo ALERTS=1`: a session waits too long, and Alertmanager has the alert for whom it concerns.

Prometheus, Alertmanager, rules and routing are the shipped ones. Half an hour in the queue is thirty seconds here: all
durations of the rules are divided by one number.
"""

from typing import Final

from session_devtools.installation.constants import NAMESPACE
from session_devtools.monitoring import stack
from session_devtools.monitoring.configuration import ALERTMANAGER, PROMETHEUS
from session_protocol.states import OperatorState

from session_demo.cluster_client import ClusterClient
from session_demo.manifests import LINKED
from session_demo.report import Observation, Report

BY: Final = 60
ALERT: Final = "WhatsAppSessionQueued"


def show_alert(report: Report, client: ClusterClient, *, image: str) -> None:
    """Have one session too many again, and show what comes of it; `image` runs Prometheus' companion."""
    name = LINKED[0]
    report.section("A session waits too long, and its owner is alerted")
    report.info(
        f"   the shipped alerts and routing, in a Prometheus and an Alertmanager of the cluster's own; every time is divided"
        f" by {BY},\n   so that half an hour in the queue is {30 * 60 // BY} s"
    )
    monitoring = stack.install_monitoring(client.kubectl, image, by=BY, namespaces={"shop": NAMESPACE}, progress=report)
    with report.step(f"resuming {name}, whose place is taken"):
        client.resume(name)
    report.expect(f"{name} waits for a place", client.in_state(name, OperatorState.QUEUED), within=30)

    def arrived() -> Observation:
        sent = [one for one in monitoring.notifications() if one["labels"]["alertname"] == ALERT]
        mine = [one for one in sent if one["labels"]["session"] == name and one["status"] == "firing"]
        receivers = ", ".join(sorted({one["receiver"] for one in mine})) or "nobody yet"
        return Observation(ok=bool(mine), text=f"{ALERT} was sent to: {receivers}")

    report.expect(f"Alertmanager tells the session's owner that {name} waits", arrived, within=150, interval=1)
    report.info(
        "   as Alertmanager shows it (amtool alert query), where active is what fires and nobody has silenced:\n"
    )
    for line in monitoring.shown_alert(ALERT).splitlines():
        report.info(f"     {line.rstrip()}")
    report.info(f"\n   what to do about it: docs/runbooks/{ALERT}.md")
    report.info(
        f"   to look at both: kubectl port-forward -n {stack.NAMESPACE} pod/{stack.POD} {PROMETHEUS} {ALERTMANAGER}"
    )
