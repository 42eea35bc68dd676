"""JSON merge patches (RFC 7386): the request body that turns the observed object into the wanted one.

The runtime sends only the difference. A field that this version does not know is deleted where it is part of the
compared object, and kept elsewhere.

A small package does the same (json-merge-patch); these few lines are cheaper than a dependency with one author.
"""

from collections.abc import Mapping
from typing import Any


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch that turns old into new: None deletes a key, lists are replaced whole. Empty: nothing to write.

    Neither side may hold None as a value, which a merge patch cannot express; `to_dict` of the models omits it.
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
