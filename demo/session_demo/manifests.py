"""What the demo applies: the quota and the four sessions, as a person would write them."""

from collections.abc import Mapping
from typing import Any

from session_devtools.installation.constants import API_VERSION, NAMESPACE
from session_devtools.installation.transformers import labels_for

QUOTA = "demo"
LINKED = ("sales", "support", "orders")
""" The three that fit into the quota and are linked. """
WAITING = "returns"
""" The one too many. """
WRITING = LINKED[1]
""" The one that sends and receives, where messages are shown: it is connected when the main job has been played. """
FRIEND = "+1 555 010 0777"
""" Whom that one writes to, of the numbers that are kept for fiction. """
NOTICED_SOON = {"connectionCheck": "10s"}
""" A lost connection is judged after 10 s instead of 30, so that whoever watches a conflict need not wait. """
QUEUE_MESSAGE = "Maximum concurrent sessions limit reached (3). Please terminate some sessions first."


def quota(instance: str) -> dict[str, Any]:
    """A quota of three sessions."""
    metadata = {"name": QUOTA, "labels": labels_for(instance)}
    return {"apiVersion": API_VERSION, "kind": "WhatsAppSessionQuota", "metadata": metadata, "spec": {"sessions": 3}}


def session(name: str, profile: Mapping[str, str], **spec_fields: Mapping[str, str]) -> dict[str, Any]:
    """One session that counts against the demo's quota, with a small volume; `profile` adds to spec.profile."""
    spec = {"quotaName": QUOTA, "profile": {"size": "256Mi", **profile}, **spec_fields}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": API_VERSION, "kind": "WhatsAppSession", "metadata": metadata, "spec": spec}
