"""Small looks at objects as the API server has them, for the cluster in memory."""

from typing import Any

Json = dict[str, Any]


def is_owned_by(obj: Json, uid: str) -> bool:
    """Whether an object names that owner."""
    return any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences") or [])


def without(pod: Json, kind: str) -> list[Json]:
    """Return a pod's conditions without those of a type."""
    return [condition for condition in pod["status"].get("conditions", []) if condition["type"] != kind]
