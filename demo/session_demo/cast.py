"""Who plays in the demo: the namespace, the quota and the four sessions, as a person would write them."""

from collections.abc import Mapping
from typing import Any

API = "wasession.dev/v1alpha1"
CRDS = ("whatsappsessions.wasession.dev", "whatsappsessionquotas.wasession.dev")
NAMESPACE = "whatsapp-demo"
QUOTA = "demo"
PART_OF = "whatsapp-demo"
""" The label `app.kubernetes.io/part-of` of everything that the demo makes for itself. """
LINKED = ("sales", "support", "orders")
""" The three that fit into the quota and are linked. """
WAITING = "returns"
""" The one too many. """
QUEUE_MESSAGE = "Maximum concurrent sessions limit reached (3). Please terminate some sessions first."


def namespace(instance: str) -> dict[str, Any]:
    """The demo's own namespace, as strict as Kubernetes can make one; for one operator's instance, or the plain one."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted", **_labels(instance)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def quota(instance: str) -> dict[str, Any]:
    """A quota of three sessions."""
    metadata = {"name": QUOTA, "labels": _labels(instance)}
    return {"apiVersion": API, "kind": "WhatsAppSessionQuota", "metadata": metadata, "spec": {"sessions": 3}}


def session(name: str, profile: Mapping[str, str]) -> dict[str, Any]:
    """One session that counts against the demo's quota, with a small volume; `profile` adds to spec.profile."""
    spec = {"quotaName": QUOTA, "profile": {"size": "256Mi", **profile}}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": API, "kind": "WhatsAppSession", "metadata": metadata, "spec": spec}


def _labels(instance: str) -> dict[str, str]:
    own = {"wasession.dev/instance": instance} if instance else {}
    return {"app.kubernetes.io/part-of": PART_OF, **own}
