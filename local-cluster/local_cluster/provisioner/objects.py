"""The objects that the provisioner writes: PersistentVolumes and Events. Pure builders, as plain JSON."""

import datetime as dt
import hashlib
from typing import Any, Final

from local_cluster.provisioner.actions import Provision
from local_cluster.provisioner.layout import Layout
from local_cluster.provisioner.names import FINALIZER, HOSTNAME, PROVISIONED_BY, PROVISIONER
from local_cluster.provisioner.observed import Claim
from local_cluster.provisioner.quantities import format_bytes

_MESSAGE_LIMIT: Final = 1024
""" Characters; the API server refuses events with longer messages. """


def persistent_volume(action: Provision, *, layout: Layout, node: str) -> dict[str, Any]:
    """The volume of a claim, bound to it by UID, on this node alone."""
    claim = action.claim
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": action.name,
            "annotations": {PROVISIONED_BY: PROVISIONER},
            "finalizers": [FINALIZER],
        },
        "spec": {
            "storageClassName": claim.class_name,
            "capacity": {"storage": format_bytes(action.size)},
            "accessModes": list(claim.access_modes),
            "volumeMode": claim.volume_mode,
            "persistentVolumeReclaimPolicy": action.storage_class.reclaim_policy,
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim.namespace,
                "name": claim.name,
                "uid": claim.uid,
            },
            "local": {"path": str(layout.data(action.name))},
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [node]}]},
                    ],
                },
            },
        },
    }


def event(claim: Claim, *, reason: str, message: str, warning: bool, now: dt.datetime, count: int) -> dict[str, Any]:
    """An event on a claim. One name per claim and reason: a repetition, in whatever words, counts up and does not pile up."""
    digest = hashlib.sha256(f"{claim.uid}/{reason}".encode()).hexdigest()[:16]
    time = now.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": claim.namespace, "name": f"{claim.name[:200]}.{digest}"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": claim.namespace,
            "name": claim.name,
            "uid": claim.uid,
        },
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message[:_MESSAGE_LIMIT],
        "source": {"component": PROVISIONER},
        "reportingComponent": PROVISIONER,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": count,
    }
