"""What the operator itself takes for one session after another: from the stored session to the pod that it asks for.

Both times are the API server's own, from its audit log. Each session is deleted again and followed by a rest, so the next
one meets an operator that has nothing to do.
"""

import time

from local_cluster.light import LightCluster
from session_devtools.audit_log import AuditLog
from session_devtools.http_client import Client
from session_devtools.waiting import wait_until
from whatsapp_operator.api.constants import API_VERSION

from session_bench import objects
from session_bench.trace import Step, of_start

SESSIONS = 20
REST = 1.0
""" Seconds from the deletion of one to the next. """


def measure_lone(cluster: LightCluster, api: Client) -> list[float]:
    """Create sessions and delete them again, one by one; return the seconds until each one's pod was asked for."""
    log, found = AuditLog(cluster.audit_log), []
    sessions = f"/apis/{API_VERSION}/namespaces/{objects.NAMESPACE}/whatsappsessions"
    for number in range(SESSIONS):
        name, since = f"lone-{number}", log.end()
        api.request(sessions, body=objects.session(name)).json_object()
        found.append(wait_until(f"the pod {name}", lambda: _took(log, since, name)))  # noqa: B023 -- before the next
        api.request(f"{sessions}/{name}", method="DELETE").json_object()
        # As the garbage collector would.
        api.request(f"/api/v1/namespaces/{objects.NAMESPACE}/pods/{name}", method="DELETE").json_object()
        time.sleep(REST)
    return found


def _took(log: AuditLog, since: int, name: str) -> float | None:
    entries = log.entries(since=since, about=name)
    if not any((entry.verb, entry.resource) == ("create", "pods") for entry in entries):
        return None
    marks = of_start(entries, name)
    return marks[Step.DECIDED] - marks[Step.APPLIED]
