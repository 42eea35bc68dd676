"""What the full cluster's tests share: the command line, a small image, pods and claims as the tests want them."""

import json
import subprocess
import sys
import uuid
from typing import Any

from local_cluster.full.cluster import FullCluster

PREFIX = "t-"
"""How the names of these tests' clusters begin."""
IMAGE = "localhost/cluster-test:busybox"
TOOLS = ("cat", "chmod", "httpd", "id", "ls", "nslookup", "sh", "sleep", "tail", "timeout", "touch", "wget")

SERVE = ("/bin/sh", "-c", "echo hello > /data/index.html && exec /bin/httpd -f -p 8080 -h /data")

INTERRUPTIBLE = ("env", "--default-signal=INT")
"""Before a command that a test interrupts. Who runs the tests in the background ignores Ctrl-C, and would hand that on."""

Manifest = dict[str, Any]


def command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person does."""
    command = [sys.executable, "-m", "local_cluster", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def pod(namespace: str, name: str, *command: str, **extra: Any) -> Manifest:
    """A pod as the restricted Pod Security Standard wants it; `extra` goes into its container."""
    container = {
        "name": "main",
        "image": IMAGE,
        "command": list(command) or ["/bin/sleep", "3600"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **extra,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 2000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        },
    }


def server(namespace: str, name: str) -> Manifest:
    """A web server on port 8080 that is ready when the kubelet's probe gets its page."""
    made = pod(
        namespace,
        name,
        *SERVE,
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
        readinessProbe={"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    )
    made["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    return made


def service(namespace: str, name: str) -> Manifest:
    """The way to it on port 80."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def apply(cluster: FullCluster, *objects: Manifest) -> None:
    """Apply objects."""
    cluster.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def wait_ready(cluster: FullCluster, namespace: str, *names: str) -> None:
    """Wait until the pods are ready."""
    targets = [f"pod/{name}" for name in names]
    cluster.kubectl("-n", namespace, "wait", "--for=condition=Ready", *targets, "--timeout=50s")


def restricted_namespace(cluster: FullCluster) -> str:
    """A new namespace that enforces the restricted standard."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    apply(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    # Pods are refused until the controller has made the account they run as.
    cluster.kubectl("-n", name, "wait", "--for=create", "serviceaccount/default", "--timeout=20s")
    return name


def with_pvc(made: Manifest, pvc: str, *, path: str = "/data") -> Manifest:
    """The same pod with a claim's volume in it."""
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": "claimed", "mountPath": path}]
    made["spec"]["volumes"] = [{"name": "claimed", "persistentVolumeClaim": {"claimName": pvc}}]
    return made


def pvc(namespace: str, name: str) -> Manifest:
    """A small claim of the default class, for one pod at a time."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "16Mi"}}},
    }
