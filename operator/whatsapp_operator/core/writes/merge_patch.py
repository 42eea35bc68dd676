"""JSON merge patches (RFC 7386): what must be sent so that an object becomes what is wanted.

The runtime sends the difference alone: a field that another version of the operator wrote and this one does not know
stays as it is only where it is not part of what both sides compared.

A package of one author does the same (json-merge-patch); the rule is shorter than a dependency to watch.
"""

from collections.abc import Mapping
from typing import Any


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch that turns old into new: None for a key that goes, lists whole. Empty: nothing to write.

    Neither side may hold None as a value, for a merge patch cannot say it; `to_dict` of the models leaves it out.
    """
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, wanted in new.items():
        present = old.get(key)
        if isinstance(wanted, Mapping) and isinstance(present, Mapping):
            if inner := merge_patch(present, wanted):
                patch[key] = inner
        elif wanted != present or key not in old:
            patch[key] = wanted
    return patch
