"""A receiver of webhooks in a pod of its own, for the demo and end-to-end tests: its program is `receiver` beside this."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from session_devtools.installation import receiver
from session_devtools.installation.constants import NAMESPACE, PART_OF

NAME: Final = "receiver"


def receiver_objects(
    *, image: str, secret: Mapping[str, str] | None = None, name: str = NAME, namespace: str = NAMESPACE
) -> list[dict[str, Any]]:
    """Return the receiver's pod, its Service, program and Secret; of chance, if no content is given."""
    secret = secret or {"signingSecret": secrets.token_hex(16), "verifyToken": secrets.token_hex(16)}
    labels = {"app": name, "app.kubernetes.io/part-of": PART_OF}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    environment = [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        for variable, key in (("SIGNING_SECRET", "signingSecret"), ("VERIFY_TOKEN", "verifyToken"))
    ]
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "/program/receiver.py"],
        "env": environment,
        "readinessProbe": {"tcpSocket": {"port": receiver.PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "program", "configMap": {"name": name}}],
    }
    ports = [{"port": receiver.PORT, "targetPort": receiver.PORT}]
    program = {"receiver.py": Path(receiver.__file__).read_text()}
    core = {"apiVersion": "v1", "metadata": metadata}
    return [
        {**core, "kind": "Secret", "stringData": dict(secret)},
        {**core, "kind": "ConfigMap", "data": program},
        {**core, "kind": "Service", "spec": {"selector": {"app": name}, "ports": ports}},
        {**core, "kind": "Pod", "spec": spec},
    ]
