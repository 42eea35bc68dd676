"""What the operator itself takes for many sessions at once: time, requests, memory, processor.

An API server and its etcd, and the operator as a process; there is no node, so no image, volume or browser blurs the
figures: a pod counts when its object exists. Beside it as many bare pods created by kubectl from one file, which is
the least that anybody needs who wants so many pods. Each round has a cluster of its own.
"""

import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from local_cluster.light import LightCluster
from session_devtools.http_client import Client
from session_devtools.installation.constants import OPERATOR_ACCOUNT
from session_devtools.progress import Progress
from session_devtools.waiting import wait_until
from support.operator_process import install, operator_kubeconfig

from session_bench import kernel, objects
from session_bench.audit import count_since
from session_bench.figures import Comparison, Row, Table
from session_bench.lone import SESSIONS, measure_lone
from session_bench.operator_process import OperatorProcess, operator

MB = 2**20
QUIET_SECONDS = 7.0
""" Seconds without any work after which the operator is at rest: its pacing holds a young pod's status back for 5 s. """
LONE = f"{SESSIONS} sessions one by one, stored to pod asked for"
BARE, ALL = "bare pods by kubectl, all exist", "sessions by kubectl, all pods exist"


def measure_operator(*, sessions: int, rounds: int, progress: Progress) -> Table:
    """Measure in rounds."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for turn in range(rounds):
        with progress.step(f"operator: {sessions} sessions, round {turn + 1} of {rounds}", status=lambda: "measuring"):
            for figure, value in _round(sessions).items():
                found[figure].append(value)
    rows = tuple(Row(name=name, unit=unit, values=tuple(values)) for (name, unit), values in found.items())
    beside = Comparison(row=ALL, to=BARE)
    title = f"The operator with {sessions} sessions at once, no node"
    return Table(name="operator", title=title, rows=rows, comparisons=(beside,), headline=beside)


def _round(sessions: int) -> dict[tuple[str, str], float]:
    with LightCluster.start() as cluster, tempfile.TemporaryDirectory(prefix="bench-operator-") as name:
        folder, api = Path(name), _api(cluster)
        install(cluster)
        kubeconfig = operator_kubeconfig(cluster)
        image = "example.org/runner:1"
        _create(cluster, [objects.namespace(), _named("bare"), objects.quota()])
        figures: dict[tuple[str, str], float] = {}
        pods = [objects.bare_pod(f"pod-{number}", "bare", image) for number in range(sessions)]
        figures[BARE, "s"] = _timed(cluster, pods, lambda: _count(api, "bare") == sessions)
        with operator(kubeconfig, folder / "first.log") as first:
            first.wait_until_acting()
            at_rest(first)
            figures["operator at rest, no session: resident", "MB"] = kernel.resident(first.pid)[0] / MB
            alone = measure_lone(cluster, api)
            figures[f"{LONE}, p50", "ms"] = statistics.median(alone) * 1000
            figures[f"{LONE}, at most", "ms"] = max(alone) * 1000
            at_rest(first)
            start, spent = cluster.audit_log.stat().st_size, kernel.cpu_seconds(first.pid)
            wanted = [objects.session(f"session-{number}") for number in range(sessions)]
            figures[ALL, "s"] = _timed(cluster, wanted, lambda: _count(api, objects.NAMESPACE) == sessions)
            at_rest(first, reconciles=sessions)
            counted = count_since(cluster.audit_log, start, user=OPERATOR_ACCOUNT)
            figures["requests per session", ""] = counted.total() / sessions
            figures["  of them writes", ""] = counted.writes() / sessions
            figures["  of them status writes", ""] = counted.of("patch whatsappsessions/status") / sessions
            figures["events written per session", ""] = counted.events() / sessions
            figures["operator: processor time per session", "ms"] = (
                (kernel.cpu_seconds(first.pid) - spent) / sessions * 1000
            )
            now, peak = kernel.resident(first.pid)
            figures["operator: resident", "MB"], figures["operator: resident at most", "MB"] = now / MB, peak / MB
        start, begun = cluster.audit_log.stat().st_size, time.monotonic()
        with operator(kubeconfig, folder / "second.log") as second:
            figures["operator restarted, to nothing to do", "s"] = at_rest(second, reconciles=sessions) - begun
            writes = count_since(cluster.audit_log, start, user=OPERATOR_ACCOUNT).writes()
            figures["writes after the restart", ""] = float(writes)
        return figures


def at_rest(process: OperatorProcess, *, reconciles: int = 0) -> float:
    """Wait until it has looked at so many sessions and has had nothing to do for a while; return since when."""
    process.wait_until_acting()
    seen, since = process.work(), time.monotonic()

    def probe() -> float | None:
        nonlocal seen, since
        now, time_ = process.work(), time.monotonic()
        if now.reconciles != seen.reconciles or now.waiting:
            seen, since = now, time_
        enough = now.reconciles >= reconciles and now.resyncs > 0
        return since if enough and time_ - since >= QUIET_SECONDS else None

    return wait_until("the operator to be at rest", probe, within=300)


def _timed(cluster: LightCluster, wanted: Iterable[dict[str, Any]], done: Callable[[], bool]) -> float:
    begun = time.monotonic()
    _create(cluster, wanted)
    return wait_until("all pods to exist", lambda: time.monotonic() if done() else None, within=600) - begun


def _create(cluster: LightCluster, wanted: Iterable[dict[str, Any]]) -> None:
    """Create objects from one file; `create` asks once per object, `apply` would ask twice."""
    cluster.kubectl("create", "--filename=-", input="\n---\n".join(json.dumps(item) for item in wanted))


def _count(api: Client, where: str) -> int:
    """How many pods a namespace has; one is fetched, the rest only counted."""
    listed = api.request(f"/api/v1/namespaces/{where}/pods?limit=1", timeout=30).json_object()
    return len(listed["items"]) + int(listed["metadata"].get("remainingItemCount", 0))


def _named(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _api(cluster: LightCluster) -> Client:
    admin = cluster.client_cert_for("admin", "system:masters")
    return Client(cluster.url, ca_file=cluster.ca_file, certificate=admin.certificate, key=admin.key)
