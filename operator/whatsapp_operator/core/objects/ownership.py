"""Whose an object is, by its JSON: labels, annotations and owner references are read here and nowhere else.

`prove` decides. Labels, annotations and names are anybody's: they only say which object to look at. What proves is an
owner reference to a session that is there, or the operator's own seal:

* A controller owner reference to a session that is listed in the object's namespace under that UID. Whoever may create
  pods there can set one, so it proves no more than that the object concerns this session: it brings no amounts, and
  what it counts is what that session was admitted with.
* A seal (`core.objects.seal`), which the operator alone can make: the amounts are in it.

`docs/design/tenancy.md` has the table of what is proven by which and who reads it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from whatsapp_operator.api.constants import (
    EXHAUSTED_ANNOTATION,
    GROUP,
    INSTANCE_LABEL,
    KEY_ID_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POD_SECURITY_LABEL,
    RENEW_TOKENS_AT,
    SESSION_KIND,
    SESSION_LABEL,
)
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.core.objects.reading import Json, items, part, text

LONGEST_MARK: Final = 64
""" Characters of a claim's mark that are looked at. """
NamespaceOf = Callable[[SessionUID], str | None]
""" The namespace of a session that is listed; None: there is no such session. """
ReadSeal = Callable[[Json, SealedKind], Seal | None]
""" What a seal says that verifies; None: the object bears none of ours. """


def no_seal(_obj: Json, _kind: SealedKind) -> Seal | None:
    """Read no seal at all: where there are no keys, none is believed."""
    return None


class Proof(NamedTuple):
    """Which session an object is proven to belong to."""

    session_uid: SessionUID
    seal: Seal | None
    """ None: proven by its owner reference alone. """


def prove(obj: Json, kind: SealedKind, *, namespace_of: NamespaceOf, read_seal: ReadSeal) -> Proof | None:
    """Return whose the object is; None: nobody's, whatever it says of itself.

    An owner that is there comes first: a seal that names another session is one of before, and says nothing of this.
    """
    seal, owner = read_seal(obj, kind), controller_uid(obj)
    if owner is not None and namespace_of(owner) == text(part(obj, "metadata"), "namespace") != "":
        return Proof(owner, seal if seal is not None and seal.session_uid == owner else None)
    return None if seal is None else Proof(seal.session_uid, seal)


def label(obj: Json, name: str) -> str:
    """Return a label's value; empty: there is none."""
    return text(part(part(obj, "metadata"), "labels"), name)


def annotation(obj: Json, name: str) -> str:
    """Return an annotation's value; empty: there is none."""
    return text(part(part(obj, "metadata"), "annotations"), name)


def owner_references(obj: Json) -> tuple[Mapping[str, Any], ...]:
    """Return the owner references, whole."""
    return tuple(items(part(obj, "metadata"), "ownerReferences"))


def with_annotation(manifest: Json, name: str, value: str) -> dict[str, Any]:
    """Return an object that is about to be created, or a patch, with one annotation more."""
    metadata = dict(part(manifest, "metadata"))
    return {**manifest, "metadata": {**metadata, "annotations": {**part(metadata, "annotations"), name: value}}}


def is_managed(obj: Json) -> bool:
    """Whether the object carries the label that the watches select by. That is no proof: see `prove`."""
    return label(obj, MANAGED_BY_LABEL) == MANAGED_BY


def is_managed_for(obj: Json, session_name: str) -> bool:
    """Whether the object says that it is for a session of this name, maybe for a deleted one.

    Enough for a claim to be its session's profile: with `Retain` it is handed to whoever has the name, and a person may
    bring one back from a backup. Not enough to count against a quota.
    """
    return is_managed(obj) and label(obj, SESSION_LABEL) == session_name


def instance(obj: Json) -> str:
    """Return the operator's INSTANCE that a namespace or a quota is for."""
    return label(obj, INSTANCE_LABEL)


def enforces_pod_security(namespace: Json) -> bool:
    """Whether a namespace's label enforces a Pod Security Standard other than `privileged`, which allows everything."""
    return label(namespace, POD_SECURITY_LABEL) in ("baseline", "restricted")


def controller_uid(obj: Json) -> SessionUID | None:
    """Return the UID of the session that is the controller, listed or not; None: there is none."""
    found = _controller(obj)
    return SessionUID(text(found, "uid")) if found is not None else None


def is_named_after_its_session(pod: Json) -> bool:
    """Whether the pod has the name of the session that is its controller, as the operator gives it."""
    found = _controller(pod)
    return found is not None and text(found, "name") == text(part(pod, "metadata"), "name")


def possible_session_names(obj: Json) -> set[str]:
    """Return the names of the sessions that an object may belong to, by any sign."""
    owners = (owner for owner in owner_references(obj) if owner.get("kind") == SESSION_KIND)
    names = {label(obj, SESSION_LABEL), text(part(obj, "metadata"), "name"), *(text(owner, "name") for owner in owners)}
    return names - {""}


def key_id(pod: Json) -> KeyID | None:
    """Return the key that a pod says its tokens come from; the seal of a sealed one says it, too."""
    found = label(pod, KEY_ID_LABEL)
    return KeyID(found) if found else None


def stop_mark(pvc: Json) -> str:
    """Return the mark of a stop on a session's claim (`core.session.marked_stop`); empty: there is none."""
    return annotation(pvc, EXHAUSTED_ANNOTATION)[:LONGEST_MARK]


def token_renewal(pod: Json) -> str | None:
    """Return the renewal of the tokens that a pod was created with, empty for none; None: it holds plain tokens."""
    annotations = part(part(pod, "metadata"), "annotations")
    return text(annotations, RENEW_TOKENS_AT) if RENEW_TOKENS_AT in annotations else None


def _controller(obj: Json) -> Json | None:
    """Return the reference to the session that is the controller. There may be one; of several, none is chosen."""
    found = [owner for owner in owner_references(obj) if owner.get("controller") is True]
    if len(found) != 1 or not text(found[0], "uid"):
        return None
    ours = text(found[0], "kind") == SESSION_KIND and text(found[0], "apiVersion").startswith(f"{GROUP}/")
    return found[0] if ours else None
