"""JSON merge patches as a server applies them: what the operator sends is judged by what becomes of an object."""

from typing import Any


def merged(old: Any, patch: Any) -> Any:
    """Apply a patch as RFC 7386 says."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
