"""The stop after too many failures, written on the claim of the profile, so that it survives the loss of status.

A conflict, a ban or a logout is kept by the runner, on the profile itself (`session_runner.states.hold`). Failures are not
the runner's to count: the operator alone knows which ends were its own, and a pod that fails may not live long enough to
report anything. So the operator marks the claim when it deletes the last pod: under which spec, requests and template that
was. Until one of them is another, the mark says that no further pod is to be made, whatever status has of it.

Tried in thought and rejected: a runner that counts its own starts (a node that loses power looks the same to it, and must
not count), and telling each runner how often the ones before it failed (it must live to say so, or the count begins anew).
A claim that a person brought (`existingClaim`) is not marked: it is theirs. There the attempts are counted anew.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from whatsapp_operator.api.constants import EXHAUSTED_ANNOTATION
from whatsapp_operator.api.requests import requested
from whatsapp_operator.api.session import RecoveryStatus, WhatsAppSession
from whatsapp_operator.core.decision import PatchPVC
from whatsapp_operator.core.model import PVCFacts

_LENGTH: Final = 16


def stop_mark(session: WhatsAppSession, template: Callable[[], str]) -> str:
    """Return the mark for a stop now.

    It counts until the spec is edited, a restart or relink is asked for, or the template is another (`recovery.mended`).
    """
    requests, metadata = requested(session.metadata.annotations), session.metadata
    parts = (metadata.uid, metadata.generation, requests.restart_at, requests.relink_at, template())
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:_LENGTH]


def with_marked_stop(
    session: WhatsAppSession, pvc: PVCFacts | None, template: Callable[[], str], *, has_pod: bool
) -> WhatsAppSession:
    """Return the session as its status should be by the mark on its claim; itself, if that says nothing."""
    if pvc is None or not pvc.stop_mark or has_pod or session.problems:
        return session
    if pvc.stop_mark != stop_mark(session, template):
        return session
    recorded, asked = session.status.recovery or RecoveryStatus(), requested(session.metadata.annotations)
    failures = max(recorded.consecutive_failures, session.spec.recovery.max_attempts + 1)
    handled = session.status.handled_requests.model_copy(
        update={
            "restart_at": asked.restart_at or session.status.handled_requests.restart_at,
            "relink_at": asked.relink_at or session.status.handled_requests.relink_at,
        }
    )
    update = {
        "recovery": recorded.model_copy(update={"consecutive_failures": failures, "next_attempt_time": None}),
        "handled_requests": handled,
        "observed_generation": session.metadata.generation,
    }
    return session.with_status(session.status.model_copy(update=update))


def with_mark(
    patch: PatchPVC | None, pvc: PVCFacts, session: WhatsAppSession, template: Callable[[], str]
) -> PatchPVC | None:
    """Return the patch of the claim of a session that is stopped, with the mark if it lacks it."""
    mark = stop_mark(session, template)
    if pvc.stop_mark == mark or pvc.deletion is not None:
        return patch
    annotations = {EXHAUSTED_ANNOTATION: mark}
    if patch is None:
        metadata: Mapping[str, Any] = {"resourceVersion": pvc.resource_version, "annotations": annotations}
        return PatchPVC(name=pvc.name, patch={"metadata": metadata}, reason="mark that recovery has stopped")
    metadata = {**patch.patch.get("metadata", {}), "annotations": annotations}
    return replace(patch, patch={**patch.patch, "metadata": metadata}, reason=f"{patch.reason}, mark the stop")
