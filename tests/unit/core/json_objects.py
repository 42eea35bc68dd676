"""What the API server does with JSON objects, for the cluster of dictionaries."""

from typing import Any

Json = dict[str, Any]


def is_owned(obj: Json, uid: str) -> bool:
    """Whether an owner reference names this UID."""
    return any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences") or [])


def without(pod: Json, kind: str) -> list[Json]:
    """Return a pod's conditions but for this type."""
    return [condition for condition in pod["status"].get("conditions", []) if condition["type"] != kind]


def merge(old: Json, patch: Json) -> Json:
    """Return an object after a merge patch."""
    merged = dict(old)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged
