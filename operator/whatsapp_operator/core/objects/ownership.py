"""Whose an object is, by its JSON: labels, annotations and owner references are read here and nowhere else.

An object is *managed* when it carries our managed-by label; that alone makes it ours where one serves a whole namespace.
A pod is a session's by its controller's UID. A label or a name may be anybody's, so they only say whom to look at.
"""

from collections.abc import Mapping
from typing import Any

from whatsapp_operator.api.constants import (
    INSTANCE_LABEL,
    KEY_ID_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    QUOTA_ANNOTATION,
    QUOTA_LABEL,
    RENEW_TOKENS_AT,
    SESSION_KIND,
    SESSION_LABEL,
    SESSION_UID_LABEL,
)
from whatsapp_operator.core.model import KeyID, SessionUID
from whatsapp_operator.core.objects.reading import Json, items, part, text


def label(obj: Json, name: str) -> str:
    """Return a label's value; empty: there is none."""
    return text(part(part(obj, "metadata"), "labels"), name)


def annotation(obj: Json, name: str) -> str:
    """Return an annotation's value; empty: there is none."""
    return text(part(part(obj, "metadata"), "annotations"), name)


def owner_references(obj: Json) -> tuple[Mapping[str, Any], ...]:
    """Return the owner references, whole."""
    return tuple(items(part(obj, "metadata"), "ownerReferences"))


def is_managed(obj: Json) -> bool:
    """Whether the operator created the object."""
    return label(obj, MANAGED_BY_LABEL) == MANAGED_BY


def is_managed_for(obj: Json, session_name: str) -> bool:
    """Whether the operator created the object for a session of this name, maybe for a deleted one."""
    return is_managed(obj) and label(obj, SESSION_LABEL) == session_name


def instance(obj: Json) -> str:
    """Return the operator's INSTANCE that a namespace or a quota is for."""
    return label(obj, INSTANCE_LABEL)


def controller_uid(obj: Json) -> SessionUID | None:
    """Return the UID of the controller; None: it has none."""
    found = _controller(obj)
    return SessionUID(text(found, "uid")) if found is not None else None


def own_pods_session(pod: Json) -> SessionUID | None:
    """Return the session of a pod that the operator created.

    None for others: a pod of another name with our owner reference was created by a person.
    """
    found = _controller(pod)
    if found is None or text(found, "name") != text(part(pod, "metadata"), "name"):
        return None
    return SessionUID(text(found, "uid"))


def session_uid(obj: Json) -> SessionUID | None:
    """Return the UID of the session that an object was created for, by its label; the session may be gone."""
    uid = label(obj, SESSION_UID_LABEL)
    return SessionUID(uid) if uid else None


def possible_session_uids(obj: Json) -> set[str]:
    """Return the UIDs of the sessions that an object may belong to, by any sign."""
    return {label(obj, SESSION_UID_LABEL), *(text(owner, "uid") for owner in owner_references(obj))} - {""}


def possible_session_names(obj: Json) -> set[str]:
    """Return the names of the sessions that an object may belong to, by any sign."""
    owners = (owner for owner in owner_references(obj) if owner.get("kind") == SESSION_KIND)
    names = {label(obj, SESSION_LABEL), text(part(obj, "metadata"), "name"), *(text(owner, "name") for owner in owners)}
    return names - {""}


def quota_name(pod: Json) -> str | None:
    """Return the quota that a pod counts against."""
    return annotation(pod, QUOTA_ANNOTATION) or label(pod, QUOTA_LABEL) or None


def key_id(pod: Json) -> KeyID | None:
    """Return the key that a pod's tokens come from."""
    found = label(pod, KEY_ID_LABEL)
    return KeyID(found) if found else None


def token_renewal(pod: Json) -> str | None:
    """Return the renewal of the tokens that a pod was created with, empty for none; None: it holds plain tokens."""
    annotations = part(part(pod, "metadata"), "annotations")
    return text(annotations, RENEW_TOKENS_AT) if RENEW_TOKENS_AT in annotations else None


def _controller(obj: Json) -> Json | None:
    return next((owner for owner in owner_references(obj) if owner.get("controller") is True), None)
