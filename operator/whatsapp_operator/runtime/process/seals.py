"""Makes and reads seals with the operator's keys; whoever asks whose an object is asks `Owners`, which asks here.

What a seal says is remembered by its text and the object it stands on, not by the object's version: a pod's status
changes many times, its seal never. The memory is dropped when the keys change, and when somebody fills it with
forgeries; a seal whose key has ended says nothing from that moment on.
"""

from typing import Any, Final

from whatsapp_operator.api.constants import SEAL_ANNOTATION
from whatsapp_operator.core.model import Seal, SealedKind
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.reading import Json, part, text
from whatsapp_operator.core.objects.seal import MAX_LENGTH, read_seal, seal_text
from whatsapp_operator.runtime.process.keys import KeyRing

CACHE_SIZE: Final = 65_536
""" Seals remembered at most: three times what 10,000 sessions with a pod and a claim each have. """


class Seals:
    """The seals of this operator's keys."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._cache: dict[tuple[SealedKind, str, str, str], Seal | None] = {}
        self._generation = 0

    def set(self, manifest: Json, seal: Seal, *, kind: SealedKind) -> dict[str, Any]:
        """Return the manifest with its seal. :raises UnknownKey: the seal's key is gone."""
        return ownership.with_annotation(manifest, SEAL_ANNOTATION, self.text(manifest, seal, kind=kind))

    def text(self, obj: Json, seal: Seal, *, kind: SealedKind) -> str:
        """Return the seal's text for this object. :raises UnknownKey: the seal's key is gone."""
        metadata = part(obj, "metadata")
        namespace, name = text(metadata, "namespace"), text(metadata, "name")
        return seal_text(self._keys.key(seal.key_id), seal, kind=kind, namespace=namespace, name=name)

    def read(self, obj: Json, kind: SealedKind) -> Seal | None:
        """Return what an object's seal says, if the seal is ours and its key has not ended."""
        written = ownership.annotation(obj, SEAL_ANNOTATION)
        if not written or len(written) > MAX_LENGTH:
            return None
        if self._generation != self._keys.generation or len(self._cache) >= CACHE_SIZE:
            self._cache, self._generation = {}, self._keys.generation
        cache = self._cache  # a round of admission reads in a thread: this one is replaced meanwhile, never emptied
        metadata = part(obj, "metadata")
        namespace, name = text(metadata, "namespace"), text(metadata, "name")
        known = (kind, namespace, name, written)
        if known in cache:
            seal = cache[known]
        else:
            seal = read_seal(written, kind=kind, namespace=namespace, name=name, key=self._keys.find)
            cache[known] = seal
        return seal if seal is not None and not self._keys.ended(seal.key_id) else None
