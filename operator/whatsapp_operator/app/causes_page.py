"""The page docs/causes.md, from the table that the operator decides by: `make generate` writes it."""

from collections.abc import Callable, Iterable

from whatsapp_operator.core.recovery.cause import Cause, Counted
from whatsapp_operator.core.recovery.causes import (
    CAUSES,
    DELETED_BEFORE_START,
    SECCOMP_PROFILE_UNUSABLE,
    UNKNOWN,
    UNKNOWN_WAIT,
)

_HEAD = """\
# Causes

Why a session's pod ended or does not run, whether that counts against the session, and what ends it.
What comes from outside of the session never counts and never waits for a person; what comes from inside counts,
is backed off, and is `Stalled` after `spec.recovery.maxAttempts`.
`make generate` writes this page from `whatsapp_operator/core/recovery/causes.py`, which is also what the operator decides by;
the first row that matches wins.

| Cause | Where you see it |
|---|---|
| outside | the condition Recovering with the cause and the kubelet's words, and an event; the time of the next pod, if it waits |
| inside | the same with `BackingOff`; `status.recovery.lastFailure` with reason, exit code and words; at the end Stalled with all of it |
| does not run yet | the conditions Ready and PodReady, with the scheduler's or the kubelet's words |
| all | the metric `whatsapp_operator_pod_causes_total{cause="…"}` |

In the tables below, *Counted* says whether it is a failure of the session. *Paced*: the next pod waits, though this one ran.
*Waits*: the pod stays, and whoever keeps it from running tries again.

| Place in the quota | Means |
|---|---|
| kept, replaced at once | the next pod follows at once, or within 5 min of a pod that never ran; the place is given back when none has run for `POD_START_TIMEOUT` |
| kept, replaced within 5 min | the next pod follows after `baseDelay`, doubled each time up to 5 min; given back in the same way |
| kept until Stalled | the next pod waits, 5 min at most; given back with Stalled, which a restart or an edit ends once the cause is mended |
| kept while there is a pod | given back when that has not run for `POD_START_TIMEOUT` |

`status.recovery.failedStarts` counts pods that never ran until one has run for half a minute; nothing gives up on such a session.

These are not ends of pods:

* Calls to the API server that fail or are refused (a ResourceQuota, a policy, a webhook, a missing right) are in the session's conditions,
  in the server's words, and are tried again.
* A page that cannot be fetched is `LoadError`; the runner keeps trying.
* Silence of a runner is no failure.
"""
_NODE = """
## A node that does not answer

A node that has lost its power or its network keeps its pods in the API, and nobody can know whether they still run there and write to their profiles.
So no second pod is made, and the session says why (reason `NodeLost`): within a minute of the node's last word, as soon as Kubernetes' node controller
has taken the readiness of its pods away and the runner is silent; or when a pod that was deleted is still there 15 s after the time by which it had to be gone.

| It goes on | |
|---|---|
| by itself | when the node is back, or when its Node object is deleted (a cloud does that for a machine that is gone) |
| by a person | when the machine is off for good: `kubectl taint nodes NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute` |
| not by the operator | it never forces a deletion, and has no right to read or change nodes |
"""


def page() -> str:
    """Return the page as Markdown."""
    sections: tuple[tuple[str, Callable[[Cause], bool]], ...] = (
        ("Outside of the session: the pod ended", lambda cause: cause.counted in (Counted.NO, Counted.NO_PACED)),
        ("Inside of the session: the pod ended", lambda cause: cause.is_failure),
        ("The pod does not run yet", lambda cause: cause.counted is Counted.WAITS),
    )
    tables = "".join(f"\n## {title}\n\n{_table(filter(belongs, CAUSES))}" for title, belongs in sections)
    return f"{_HEAD}{tables}{_NODE}"


def _table(causes: Iterable[Cause]) -> str:
    head = "| Cause | Seen by | Message | Counted | Place in the quota | What ends it |\n|---|---|---|---|---|---|\n"
    return head + "".join(map(_row, causes))


def _row(cause: Cause) -> str:
    seen = "; or ".join(", ".join(sign.description()) for sign in cause.signs) or _seen_without_sign(cause)
    cells = (f"`{cause.name}`", seen, cause.message, cause.counted, cause.place, cause.ends)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _seen_without_sign(cause: Cause) -> str:
    if cause in (UNKNOWN, UNKNOWN_WAIT):
        return "no other row; the message has the facts"
    if cause is DELETED_BEFORE_START:
        return "the pod is gone, and this operator has not seen it run"
    if cause is SECCOMP_PROFILE_UNUSABLE:
        return "a minute after its creation: waiting reason `CreateContainerError`, message `*seccomp*`"
    return (
        "a minute after its creation: event `FailedCreatePodSandBox`, or waiting reason `CreateContainerError`, about user "
        "namespaces"
    )
