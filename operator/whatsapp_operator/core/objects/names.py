"""What a session's objects are called and how they are found: names, labels, annotations, the owner reference.

Every name is derived from the session alone, so that an operator that crashed right after creating an object finds it
again. `docs/design/operator.md` has the table.
"""

import hashlib
import json
from typing import Any, Final

from session_protocol.phone_number_id import phone_number_id
from session_protocol.vocabulary import TokenPurpose

from whatsapp_operator.api.constants import (
    API_VERSION,
    APP_INSTANCE_LABEL,
    COMPONENT_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    OPERATOR_COMPONENT,
    OPERATOR_NAME,
    PART_OF,
    PART_OF_LABEL,
    RUNNER_COMPONENT,
    RUNNER_NAME,
    RUNNER_PORT,
    SERVICE_NAME,
    SESSION_KIND,
    SESSION_LABEL,
    SESSION_UID_LABEL,
)
from whatsapp_operator.api.requests import wanted_renewal
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID, SessionUID, TokenSource

_HASHES: Final = "digests"
""" What the Secret is called that pods mount. Another set of scopes gets another word: pods without it know fewer tokens. """
_HASHES_OF_BEFORE: Final = {
    "hashes": frozenset({TokenPurpose.READING}),
    "mounted": frozenset({TokenPurpose.READING, TokenPurpose.MESSAGING}),
}
""" What it was called before, and which tokens there were not yet then. """
PVC_SUFFIX: Final = "-profile"
""" The end of a PVC's name, behind the name of its session. """
_LABEL_VALUE: Final = 63


def session_uid(session: WhatsAppSession) -> SessionUID:
    """Return the session's identity."""
    return SessionUID(session.metadata.uid)


def pod_name(session: WhatsAppSession) -> str:
    """Return the name of the session's pod: its own, so that `kubectl logs NAME` just works."""
    return session.metadata.name


def pvc_name(session: WhatsAppSession) -> str:
    """Return the name of the PVC that the operator creates for the profile."""
    return f"{session.metadata.name}{PVC_SUFFIX}"


def profile_pvc_name(session: WhatsAppSession) -> str:
    """Return the name of the PVC that the pod mounts: `existingClaim`, or the one that the operator creates."""
    return session.spec.profile.existing_claim or pvc_name(session)


def token_source(session: WhatsAppSession, defaults: Defaults) -> TokenSource:
    """Return what the tokens of the session's next pod are made from."""
    renewal = wanted_renewal(session.metadata.annotations, session.status.handled_requests)
    return TokenSource(key_id=defaults.key_id, renewal=renewal)


def template_secret_name(session: WhatsAppSession, *, key_id: KeyID, extra_ca: str) -> str:
    """Return the mounted Secret's name as the hash of the template has it: without the renewal, which must outdate no pod.

    The Secret with all tokens in plain text was called so; pods that mount one are not outdated for that.
    """
    digest = hashlib.sha256(f"{key_id}\n{extra_ca}".encode()).hexdigest()[:8]
    return f"was-{session.metadata.uid}-{digest}"


def mounted_secret_name(session: WhatsAppSession, source: TokenSource, *, extra_ca: str) -> str:
    """Return the name of the Secret that the pod mounts. Another content has another name: a Secret is never changed."""
    return _secret_name(session, _HASHES, source, extra_ca)


def known_purposes(session: WhatsAppSession, secret_name: str) -> frozenset[TokenPurpose]:
    """Return the purposes whose tokens a pod's runner has known since its start, by the Secret with hashes that it mounts."""
    segment = secret_name.removeprefix(f"was-{session.metadata.uid}-").partition("-")[0]
    return frozenset(TokenPurpose) - _HASHES_OF_BEFORE.get(segment, frozenset())


def token_secret_names(session: WhatsAppSession, source: TokenSource) -> dict[TokenPurpose, str]:
    """Return the names of the Secrets with the tokens, by their purpose."""
    return {purpose: _secret_name(session, purpose, source) for purpose in TokenPurpose}


def _secret_name(session: WhatsAppSession, what: str, source: TokenSource, *more: str) -> str:
    parts = json.dumps([label_value(source.key_id), source.renewal, *more])
    return f"was-{session.metadata.uid}-{what}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def endpoint(session: WhatsAppSession) -> str:
    """Return the address of the runner's API inside the cluster."""
    return f"http://{session.metadata.name}.{SERVICE_NAME}.{session.metadata.namespace}.svc:{RUNNER_PORT}"


def cloud_api_id(session: WhatsAppSession) -> str:
    """Return by what clients of the Cloud API name the session."""
    return phone_number_id(session.metadata.namespace, session.metadata.name)


def selector(session: WhatsAppSession) -> str:
    """Return the label selector of the session's pod, for the scale subresource."""
    return f"{MANAGED_BY_LABEL}={MANAGED_BY},{SESSION_UID_LABEL}={session.metadata.uid}"


def labels(session: WhatsAppSession) -> dict[str, str]:
    """Return the labels of all objects that belong to one session."""
    return recommended_labels(session.metadata.name) | selector_labels(session)


def recommended_labels(instance: str) -> dict[str, str]:
    """Return those of Kubernetes' recommended labels that only other tools use: nothing here selects by them.

    No version: it would make every pod of a session look outdated with each release.
    """
    return {APP_INSTANCE_LABEL: instance, COMPONENT_LABEL: RUNNER_COMPONENT, PART_OF_LABEL: PART_OF}


def selector_labels(session: WhatsAppSession) -> dict[str, str]:
    """Return the labels that the operator finds a session's objects by."""
    return {
        MANAGED_BY_LABEL: MANAGED_BY,
        NAME_LABEL: RUNNER_NAME,
        SESSION_LABEL: session.metadata.name,
        SESSION_UID_LABEL: session.metadata.uid,
    }


def operator_labels(instance: str) -> dict[str, str]:
    """Return the labels of the operator's own objects: its Lease and its key Secret."""
    return {
        APP_INSTANCE_LABEL: instance,
        COMPONENT_LABEL: OPERATOR_COMPONENT,
        MANAGED_BY_LABEL: MANAGED_BY,
        NAME_LABEL: OPERATOR_NAME,
        PART_OF_LABEL: PART_OF,
    }


def label_value(name: str) -> str:
    """Return the name as a label's value: itself, or its beginning and a hash when it is too long."""
    if len(name) <= _LABEL_VALUE:
        return name
    return f"{name[:50].rstrip('-.')}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def owner_reference(session: WhatsAppSession) -> dict[str, Any]:
    """Return the reference that lets the API server delete an object with its session.

    It does not block the session's deletion: for that the operator would need a right on finalizers.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": SESSION_KIND,
        "name": session.metadata.name,
        "uid": session.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
