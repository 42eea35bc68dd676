"""A node that cannot give a pod the sandbox that the settings ask for: how that is recognized, and when it has lasted.

The kubelet tries again for ever and leaves the pod pending. So after PATIENCE, in which a profile may still arrive on a
new node, the pod counts as lost: it is ended, and the next one, which may come to another node, waits longer each time. It
is never made without what was asked for.

A missing profile shows in the container's waiting reason. A missing user namespace shows in an event alone, which the
reconciler reads for a pod that `may_be_refused_namespace`.
"""

import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from session_protocol.vocabulary import ExitCode

from whatsapp_operator.core.model import PodFacts
from whatsapp_operator.core.recovery.cause import Cause
from whatsapp_operator.core.recovery.causes import SECCOMP_PROFILE_UNUSABLE, USER_NAMESPACE_REFUSED

PATIENCE: Final = timedelta(seconds=60)
EVENT_REASON: Final = "FailedCreatePodSandBox"
""" The kubelet's event about a pod whose namespaces could not be made. """
LONGEST_TEXT: Final = 4096
""" Characters that are looked at. """
_CANNOT_CREATE: Final = "CreateContainerError"
_ABOUT_NAMESPACES: Final = re.compile(r"hostUsers|user ?namespace|idmap", re.IGNORECASE)
REASONS: Final = frozenset(
    {SECCOMP_PROFILE_UNUSABLE.name, USER_NAMESPACE_REFUSED.name, ExitCode.SANDBOX_REFUSED.reason}
)
""" The reasons that say that a node cannot sandbox a pod as the settings ask; the last is the runner's own. """
_NAMESPACE_REFUSED: Final = (
    "USER_NAMESPACES is on, and this node's container runtime or kernel cannot give the pod a user namespace. It takes "
    "containerd 2 with runc 1.2, or CRI-O with crun. Keep sessions on nodes that can, or set USER_NAMESPACES to false"
)


class Refusal(NamedTuple):
    """What is known of a refusal."""

    cause: Cause | None = None
    """ None: none has lasted for PATIENCE. """
    message: str = ""
    deadline: datetime | None = None
    """ When to look at the pod again; None: nothing of it can be refused. """


def find_refusal(pod: PodFacts, *, namespace_refused: bool, now: datetime) -> Refusal:
    """Return why the node cannot make the pod as it is asked for, or when to look again."""
    if not _waits(pod) or (pod.host_users and pod.seccomp_profile is None):
        return Refusal()
    due = pod.created + PATIENCE
    if now < due:
        return Refusal(deadline=due)
    message = pod.waiting_message[:LONGEST_TEXT] if pod.waiting_reason == _CANNOT_CREATE else ""
    if pod.seccomp_profile is not None and "seccomp" in message:
        return Refusal(
            SECCOMP_PROFILE_UNUSABLE,
            f"BROWSER_SANDBOX is on, and the seccomp profile {pod.seccomp_profile} is missing on this node, or damaged. "
            "Apply manifests/components/browser-sandbox and check that its DaemonSet reaches the node, or set "
            "BROWSER_SANDBOX to false",
        )
    if not pod.host_users and (namespace_refused or is_about_namespaces(message)):
        return Refusal(USER_NAMESPACE_REFUSED, _NAMESPACE_REFUSED)
    return Refusal(deadline=now + PATIENCE)


def may_be_refused_namespace(pod: PodFacts, *, now: datetime) -> bool:
    """Whether the pod's events may tell why it does not start, and nothing else does."""
    return not pod.host_users and _waits(pod) and now >= pod.created + PATIENCE


def is_about_namespaces(text: str) -> bool:
    """Whether an error of the kubelet says that there is no user namespace to be had."""
    return _ABOUT_NAMESPACES.search(text[:LONGEST_TEXT]) is not None


def _waits(pod: PodFacts) -> bool:
    return pod.node is not None and pod.started is None and not pod.ended and pod.deletion is None
