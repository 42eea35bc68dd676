"""Seals as the operator makes and reads them, with a key of the tests."""

from collections.abc import Mapping
from typing import Any

from whatsapp_operator.api.constants import SEAL_ANNOTATION
from whatsapp_operator.core.model import KeyID, Seal, SealedKind
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.seal import read_seal, seal_text

Json = dict[str, Any]
KEYS = {KeyID("key-1"): b"k" * 32, KeyID("key-2"): b"l" * 32}


def seal(obj: Mapping[str, Any], content: Seal, *, kind: SealedKind = SealedKind.POD) -> Json:
    """Return an object with its seal, as the operator makes it."""
    metadata = obj["metadata"]
    text = seal_text(KEYS[content.key_id], content, kind=kind, namespace=metadata["namespace"], name=metadata["name"])
    return ownership.with_annotation(obj, SEAL_ANNOTATION, text)


def sealed(obj: Mapping[str, Any], kind: SealedKind) -> Seal | None:
    """Return what an object's seal says, read with the test's keys."""
    metadata = obj["metadata"]
    return read_seal(
        ownership.annotation(obj, SEAL_ANNOTATION),
        kind=kind,
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        key=KEYS.get,
    )
