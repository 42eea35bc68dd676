"""What stands beside Prometheus in its pod: it finds the pods for it, and receives what Alertmanager sends.

A program of the standard library alone: `stack` puts this file into a ConfigMap, and any image with Python runs it.

    GET  /pods?namespaces=a,b   every port of every pod, as Prometheus' own discovery labels it; no names: of all namespaces
    POST /notify/RECEIVER       a notification of Alertmanager
    GET  /notifications         all of them, the oldest first

Debian builds Prometheus without the discovery of Kubernetes, so its `http_sd_configs` asks here.
"""

import json
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
Object = dict[str, Any]
_notifications: list[Object] = []


def targets(pods: list[Object]) -> list[Object]:
    """Return the targets of pods with the labels that Prometheus' discovery gives them, as far as relabelling uses them: pure."""
    return [target for pod in pods if pod.get("status", {}).get("podIP") for target in _targets(pod)]


def _targets(pod: Object) -> Iterator[Object]:
    metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
    labels = {"namespace": metadata["namespace"], "pod_name": metadata["name"], "pod_phase": status.get("phase", "")}
    labels |= {"pod_uid": metadata["uid"], "pod_ip": status["podIP"], "pod_node_name": spec.get("nodeName", "")}
    for name, value in metadata.get("labels", {}).items():
        key = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
        labels |= {f"pod_label_{key}": value, f"pod_labelpresent_{key}": "true"}
    for container in spec["containers"]:
        for port in container.get("ports", ()):
            own = {"pod_container_name": container["name"], "pod_container_port_name": port.get("name", "")}
            yield {
                "targets": [f"{status['podIP']}:{port['containerPort']}"],
                "labels": {f"__meta_kubernetes_{name}": value for name, value in (labels | own).items()},
            }


def _pods(namespaces: list[str]) -> list[Object]:
    """List the pods by the account of the pod that this runs in."""
    token, context = (ACCOUNT / "token").read_text(), ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    paths = [f"namespaces/{namespace}/pods" for namespace in namespaces] or ["pods"]
    found: list[Object] = []
    for path in paths:
        url = f"https://kubernetes.default.svc/api/v1/{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310 -- the same
            found += json.load(answer)["items"]
    return found


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with the targets or the notifications."""
        url = urlsplit(self.path)
        if url.path == "/pods":
            names = parse_qs(url.query).get("namespaces", [""])[0]
            self._answer(targets(_pods(names.split(",") if names else [])))
        elif url.path == "/notifications":
            self._answer(_notifications)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Keep a notification, with its receiver."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _notifications.append({"path": self.path, "body": body})
        self._answer({})

    def _answer(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing of what went well."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), _Handler).serve_forever()
