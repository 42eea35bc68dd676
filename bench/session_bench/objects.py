"""The objects that a benchmark makes. Pure.

The two sides of a comparison differ in one thing only: the hand-made pod is the operator's own pod, taken from the
API server, under another name with another claim and Secret.
"""

import base64
import copy
from typing import Any

from whatsapp_operator.api.constants import API_VERSION, TOKEN_VOLUME

Object = dict[str, Any]

NAMESPACE = "bench"
QUOTA = "bench"
PROFILE_SIZE = "256Mi"
PLAIN_TOKENS = {scope: base64.b64encode(f"{scope}-by-hand".encode()).decode() for scope in ("state", "link")}
SET_BY_THE_CLUSTER = frozenset({"nodeName", "serviceAccount", "serviceAccountName", "tolerations", "priority"})


def namespace() -> Object:
    """A namespace for all of it, as strict as Kubernetes can make one."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def quota() -> Object:
    """A quota without limits: what it counts, nobody has to wait for."""
    return {"apiVersion": API_VERSION, "kind": "WhatsAppSessionQuota", "metadata": {"name": QUOTA}, "spec": {}}


def session(name: str, **spec: Any) -> Object:
    """A session with a small volume and all else by default."""
    given = {"quotaName": QUOTA, "profile": {"size": PROFILE_SIZE, "retention": "Delete"}} | spec
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": API_VERSION, "kind": "WhatsAppSession", "metadata": metadata, "spec": given}


def hand_made(pod: Object, secret: Object, name: str) -> list[Object]:
    """Claim, Secret and pod as a person would write them to run the same container without an operator.

    The operator's own Secret holds hashes, a person's the tokens.
    """
    claim_name, secret_name = f"{name}-profile", f"{name}-tokens"
    spec = {key: value for key, value in copy.deepcopy(pod["spec"]).items() if key not in SET_BY_THE_CLUSTER}
    spec["hostname"] = name
    for volume in spec["volumes"]:
        if "persistentVolumeClaim" in volume:
            volume["persistentVolumeClaim"]["claimName"] = claim_name
        if volume["name"] == TOKEN_VOLUME:
            volume["secret"]["secretName"] = secret_name
    return [
        _claim(claim_name),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": _metadata(secret_name),
            "data": secret["data"] | PLAIN_TOKENS,
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(name), "spec": spec},
    ]


def sleeping(pod: Object, name: str) -> Object:
    """A pod of the same image that only sleeps: what any pod costs here before its program does anything."""
    container = {
        "name": "sleep",
        "image": pod["spec"]["containers"][0]["image"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "securityContext": pod["spec"]["containers"][0]["securityContext"],
        "resources": pod["spec"]["containers"][0]["resources"],
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "securityContext": pod["spec"]["securityContext"],
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(name), "spec": spec}


def sleeping_with_volume(pod: Object, name: str) -> list[Object]:
    """The same with a new volume, which a session needs: what the scheduler waits for it is in no program's hands."""
    claim, made = _claim(f"{name}-profile"), sleeping(pod, name)
    made["spec"]["volumes"] = [{"name": "profile", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}]
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": "profile", "mountPath": "/profile"}]
    return [claim, made]


def bare_pod(name: str, where: str, image: str) -> Object:
    """The smallest pod, for counting how fast pods can be created at all."""
    spec = {"containers": [{"name": "main", "image": image}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": where}, "spec": spec}


def secret_of(pod: Object) -> str:
    """Return the name of the Secret that a runner knows its tokens by."""
    return next(
        str(volume["secret"]["secretName"]) for volume in pod["spec"]["volumes"] if volume["name"] == TOKEN_VOLUME
    )


def _claim(name: str) -> Object:
    spec = {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": PROFILE_SIZE}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": _metadata(name), "spec": spec}


def _metadata(name: str) -> Object:
    return {"name": name, "namespace": NAMESPACE}
