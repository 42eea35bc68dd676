"""Debian's Prometheus and Alertmanager in one pod of a cluster of ours, with what is shipped for them.

The pod is in a namespace of its own with the label that lets a scraper in, and finds the others by the rights of
manifests/monitoring/rbac.yaml. Its programs are this machine's, which the node sees, in an image that has Debian's C
library and Python: the operator's. Everything goes with the cluster, or by `remove_monitoring`.

VictoriaMetrics' agent may stand beside them: Debian's Prometheus has no discovery of Kubernetes, the agent has, and reads
the scrape configuration as it is shipped.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml

from session_devtools import packages
from session_devtools.commands import run
from session_devtools.http_client import Client
from session_devtools.installation.constants import ROOT
from session_devtools.kubectl import Kubectl
from session_devtools.monitoring import companion
from session_devtools.monitoring.acceleration import accelerated
from session_devtools.monitoring.configuration import (
    AGENT,
    ALERTMANAGER,
    COMPANION,
    PROMETHEUS,
    alertmanager_config,
    prometheus_config,
)
from session_devtools.progress import Progress

__all__ = ["MANIFESTS", "NAMESPACE", "POD", "Monitoring", "install_monitoring", "remove_monitoring"]

Object = dict[str, Any]
PACKAGES: Final = ("prometheus", "prometheus-alertmanager")
AGENT_PACKAGE: Final = "victoria-metrics"
MANIFESTS: Final = ROOT / "manifests/monitoring"
NAMESPACE: Final = "monitoring"
POD: Final = "prometheus"
_CONFIG: Final = "/etc/monitoring"
_DATA: Final = "/data"
_SHARE: Final = "/usr/share/prometheus"
""" Where both have their templates. """


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What the three programs say, read through the API server."""

    kubectl: Kubectl

    def alerts(self) -> list[Object]:
        """Return Prometheus' alerts, pending and firing."""
        return list(self._get(PROMETHEUS, "/api/v1/alerts")["data"]["alerts"])

    def query(self, expressions: Iterable[str]) -> dict[str, list[Object]]:
        """Return what instant queries find, each by its expression.

        :raises RequestFailed: Prometheus does not take one, with its words.
        """
        with self.kubectl.forward(POD, PROMETHEUS, namespace=NAMESPACE) as port:
            client = Client(f"http://127.0.0.1:{port}")
            paths = {each: f"/api/v1/query?query={quote(each, safe='')}" for each in expressions}
            return {each: client.request(path).json_object()["data"]["result"] for each, path in paths.items()}

    def targets(self, port: int = PROMETHEUS) -> list[Object]:
        """Return the active targets of Prometheus, or of the agent by its port."""
        return list(self._get(port, "/api/v1/targets?state=active")["data"]["activeTargets"])

    def labels(self) -> list[str]:
        """Return the names of all labels."""
        return list(self._get(PROMETHEUS, "/api/v1/labels")["data"])

    def label_values(self, label: str) -> list[str]:
        """Return every value that a label had in any series."""
        return list(self._get(PROMETHEUS, f"/api/v1/label/{label}/values")["data"])

    def notifications(self) -> list[Object]:
        """Return what Alertmanager has sent: for each alert of it the receiver, its status and its labels."""
        return [
            {"receiver": sent["path"].rpartition("/")[2], "status": alert["status"], "labels": alert["labels"]}
            for sent in self._get(COMPANION, "/notifications")
            for alert in sent["body"]["alerts"]
        ]

    def shown_alert(self, alert: str) -> str:
        """Return what Alertmanager has of an alert, as its own tool shows it."""
        with self.kubectl.forward(POD, ALERTMANAGER, namespace=NAMESPACE) as port:
            return run("amtool", f"--alertmanager.url=http://127.0.0.1:{port}", "alert", "query", f"alertname={alert}")

    def _get(self, port: int, path: str) -> Any:
        raw = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}:{port}/proxy{path}"
        return json.loads(self.kubectl("get", "--raw", raw, timeout=30))


def install_monitoring(
    kubectl: Kubectl, image: str, *, by: int, namespaces: dict[str, str], progress: Progress, agent: bool = False
) -> Monitoring:
    """Have it run anew, with the shipped rules in a hurry; `image` is one with Debian's C library and Python.

    `namespaces` are the ones that stand for those of the routing example; `agent` is whether VictoriaMetrics' one is there.
    """
    packages.ensure((*PACKAGES, *([AGENT_PACKAGE] if agent else ())), progress=progress)
    with progress.step("Prometheus and Alertmanager"):
        kubectl.apply(*_surroundings())
        kubectl("wait", f"--namespace={NAMESPACE}", "--for=create", "serviceaccount/prometheus", "--timeout=60s")
        kubectl("delete", "pod", POD, f"--namespace={NAMESPACE}", "--ignore-not-found", timeout=90)
        kubectl.apply(_config_map(by, namespaces), _pod(image, agent=agent))
        kubectl(
            "wait", f"--namespace={NAMESPACE}", "--for=condition=Ready", f"pod/{POD}", "--timeout=120s", timeout=130
        )
    return Monitoring(kubectl=kubectl)


def remove_monitoring(kubectl: Kubectl) -> None:
    """Take it away again, where it is; nobody waits for that."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
    kubectl("delete", "--filename", str(MANIFESTS / "rbac.yaml"), "--ignore-not-found", "--wait=false")


def _surroundings() -> list[Object]:
    labels = {"wasession.dev/scrapes-metrics": "true"}
    account = {"name": "prometheus", "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        *yaml.safe_load_all((MANIFESTS / "rbac.yaml").read_text()),
    ]


def _shipped(name: str) -> Object:
    found: Object = yaml.safe_load((MANIFESTS / name).read_text())
    return found


def _config_map(by: int, namespaces: dict[str, str]) -> Object:
    routing = _shipped("alertmanager-example.yaml")
    files: dict[str, Object] = {
        "prometheus.yaml": prometheus_config(_shipped("scrape.yaml"), rules=f"{_CONFIG}/rules.yaml"),
        "rules.yaml": accelerated(_shipped("rules.yaml"), by),
        "alertmanager.yaml": alertmanager_config(routing, by=by, namespaces=namespaces),
    }
    data = {name: yaml.safe_dump(content, sort_keys=False) for name, content in files.items()}
    data["companion.py"] = Path(companion.__file__).read_text()
    data["scrape.yaml"] = (MANIFESTS / "scrape.yaml").read_text()
    metadata = {"name": "monitoring", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _pod(image: str, *, agent: bool) -> Object:
    prometheus = [
        f"--config.file={_CONFIG}/prometheus.yaml",
        f"--storage.tsdb.path={_DATA}/prometheus",
        f"--web.listen-address=:{PROMETHEUS}",
    ]
    alertmanager = [
        f"--config.file={_CONFIG}/alertmanager.yaml",
        f"--storage.path={_DATA}/alertmanager",
        f"--web.listen-address=:{ALERTMANAGER}",
        "--cluster.listen-address=",
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": NAMESPACE},
        "spec": {
            "serviceAccountName": "prometheus",
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 5,
            "containers": [
                _program("prometheus", image, prometheus, PROMETHEUS),
                _program("prometheus-alertmanager", image, alertmanager, ALERTMANAGER),
                _container("companion", image, ["python3", f"{_CONFIG}/companion.py", str(COMPANION)], COMPANION),
                *([_agent(image)] if agent else ()),
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "monitoring"}},
                {"name": "data", "emptyDir": {}},
                {"name": "share", "hostPath": {"path": _SHARE, "type": "Directory"}},
                *(
                    {"name": program, "hostPath": {"path": f"/usr/bin/{program}", "type": "File"}}
                    for program in ("prometheus", "prometheus-alertmanager", *(["vmagent"] if agent else ()))
                ),
            ],
        },
    }


def _agent(image: str) -> Object:
    """Return the agent's container. What it scrapes goes nowhere: it is asked for its targets alone."""
    arguments = [
        f"-promscrape.config={_CONFIG}/scrape.yaml",
        "-promscrape.config.strictParse",
        "-remoteWrite.url=http://127.0.0.1:9/",
        f"-remoteWrite.tmpDataPath={_DATA}/vmagent",
        f"-httpListenAddr=:{AGENT}",
    ]
    return _program("vmagent", image, arguments, AGENT, ready="/health")


def _program(name: str, image: str, arguments: list[str], port: int, *, ready: str = "/-/ready") -> Object:
    """Return a container that runs a program of this machine."""
    container = _container(name, image, [f"/opt/{name}", *arguments], port)
    for volume, path in ((name, f"/opt/{name}"), ("share", _SHARE)):
        container["volumeMounts"].append({"name": volume, "mountPath": path, "readOnly": True})
    return container | {"readinessProbe": {"httpGet": {"path": ready, "port": port}, "periodSeconds": 1}}


def _container(name: str, image: str, command: list[str], port: int) -> Object:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "ports": [{"containerPort": port}],
        "volumeMounts": [{"name": "config", "mountPath": _CONFIG}, {"name": "data", "mountPath": _DATA}],
    }
