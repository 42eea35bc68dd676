"""What of an object is kept in memory: what the operator reads, and not what others say to each other in it.

`managedFields` is half of an object, kubectl's last-applied annotation is the whole spec once more, and annotations of
others have a quarter of a megabyte of room. A list is slimmed page by page, as it arrives, so that objects of people who
mean harm are never in memory all together; the store slims what watches and answers bring.
"""

from collections.abc import Mapping
from typing import Any, Final

from whatsapp_operator.api.constants import GROUP
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS, Json, Resource

_OURS: Final = f"{GROUP}/"
_POD_SPEC: Final = frozenset(
    {
        "affinity", "dnsConfig", "hostAliases", "imagePullSecrets", "nodeSelector", "readinessGates", "securityContext",
        "tolerations", "topologySpreadConstraints",
    }
)  # fmt: skip
_CONTAINER: Final = frozenset(
    {
        "args", "command", "env", "envFrom", "lifecycle", "livenessProbe", "ports", "readinessProbe", "startupProbe",
        "volumeDevices", "volumeMounts",
    }
)  # fmt: skip
""" Parts of a pod that the operator writes or others add, and that it never reads again. """


def slim(resource: Resource, obj: Json) -> Json:
    """Return the object without what nobody here reads; the given one stays as it is."""
    kept = dict(obj)
    if isinstance(obj.get("metadata"), Mapping):  # an API server leaves an empty one out
        kept["metadata"] = _metadata(resource, obj["metadata"])
    if resource == PODS and isinstance(obj.get("spec"), Mapping):
        kept["spec"] = _pod_spec(obj["spec"])
    return kept


def _metadata(resource: Resource, metadata: Mapping[str, Any]) -> Json:
    kept = {name: value for name, value in metadata.items() if name != "managedFields"}
    for field in ("annotations", "labels") if resource == SESSIONS else ("annotations",):
        if isinstance(kept.get(field), Mapping):
            kept[field] = {name: value for name, value in kept[field].items() if name.startswith(_OURS)}
    return kept


def _pod_spec(spec: Json) -> Json:
    kept = {name: value for name, value in spec.items() if name not in _POD_SPEC}
    for field in ("containers", "initContainers"):
        if isinstance(kept.get(field), list):
            kept[field] = [_without(part, _CONTAINER) for part in kept[field]]
    return kept


def _without(part: object, names: frozenset[str]) -> object:
    if not isinstance(part, Mapping):
        return part
    return {name: value for name, value in part.items() if name not in names}
