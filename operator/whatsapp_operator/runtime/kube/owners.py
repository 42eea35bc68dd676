"""Whose the objects in the store are: `core.objects.ownership.prove`, asked with the sessions in the store.

Everything in the runtime that would act on a label asks here instead: the observer, the pod history, the pruning
of keys. The admission round asks the same function with the sessions of its own LIST.
"""

from whatsapp_operator.core.model import KeyID, SealedKind, SessionUID
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.ownership import Proof, ReadSeal
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, uid_of
from whatsapp_operator.runtime.kube.store import Store


def with_uid(uid: str) -> str:
    """Return the index key of the session with a UID."""
    return f"uid/{uid}"  # prefixed: an owner reference may claim any text as a UID, a namespace's key among them


def in_namespace(namespace: str) -> str:
    """Return the index key of all sessions of a namespace."""
    return f"namespace/{namespace}"


def session_index_keys(session: Json) -> tuple[str, str]:
    """Return the index keys of a session: by its UID, and by its namespace."""
    return with_uid(uid_of(session)), in_namespace(session["metadata"]["namespace"])


class Owners:
    """Tells whose an object is."""

    def __init__(self, store: Store, read_seal: ReadSeal) -> None:
        self._store = store
        self._read_seal = read_seal

    def prove(self, obj: Json, kind: SealedKind) -> Proof | None:
        """Return whose the object is; None: nobody's."""
        return ownership.prove(obj, kind, namespace_of=self._namespace_of, read_seal=self._read_seal)

    def own_pods_session(self, pod: Json) -> SessionUID | None:
        """Return the session of a pod that the operator made: sealed or, of an older version, named as its session.

        None for others: a pod of another name with our owner reference was created by a person.
        """
        proof = self.prove(pod, SealedKind.POD)
        made = proof is not None and (proof.seal is not None or ownership.is_named_after_its_session(pod))
        return proof.session_uid if proof is not None and made else None

    def key_id(self, pod: Json) -> KeyID | None:
        """Return the key that a pod uses; None: it is nobody's, so it keeps no key."""
        proof = self.prove(pod, SealedKind.POD)
        if proof is None:
            return None
        return proof.seal.key_id if proof.seal is not None else ownership.key_id(pod)

    def _namespace_of(self, uid: SessionUID) -> str | None:
        found = self._store.by_index(SESSIONS, with_uid(uid))
        namespace: str | None = found[0]["metadata"]["namespace"] if found else None
        return namespace
