"""The condition Sandboxed: whether what the settings ask for holds the page in, as the pod's own runner has seen it.

`status` calls this. The runner reads it from /proc when its browser is open. A runner of an older release, or one that
keeps its browser closed, tells nothing, and then there is no condition. It is a check of the set-up and no proof: a
runner that was taken over can report what it likes.
"""

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import Reason
from whatsapp_operator.core.model import Defaults, RunnerReport
from whatsapp_operator.core.recovery.refusal import REASONS
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.messages import ReasonMessage
from whatsapp_operator.core.session.snapshot import Snapshot

_Value = tuple[ConditionStatus, ReasonMessage]


def sandboxed(snapshot: Snapshot) -> _Value | None:
    """Return the condition's value; None: nothing is known of the present pod."""
    pod, report = snapshot.pod, snapshot.report
    reported = report is not None and not (report.browser_sandbox is None and report.user_namespace is None)
    if pod is not None and report is not None and reported:
        return _reported(report, snapshot.defaults)
    if (refused := _refused(snapshot)) is not None:
        return refused
    if pod is None:
        return None
    before = snapshot.session.status
    stored = find_condition(before.conditions, ConditionType.SANDBOXED) if before.pod_uid == pod.uid else None
    return None if stored is None else (stored.status, ReasonMessage(stored.reason, stored.message))


def _refused(snapshot: Snapshot) -> _Value | None:
    """Return why the present pod could not be made or could not open its browser; the stored word until one tells otherwise."""
    loss, before = snapshot.loss, find_condition(snapshot.session.status.conditions, ConditionType.SANDBOXED)
    if loss is not None and loss.cause.name in REASONS:
        return ConditionStatus.FALSE, messages.reason_message(
            loss.reason, f"{loss.message}.", fallback=Reason.SANDBOX_INCOMPLETE
        )
    if before is None or before.reason not in REASONS:
        return None
    return before.status, ReasonMessage(before.reason, before.message)


def _reported(report: RunnerReport, defaults: Defaults) -> _Value:
    parts = (
        (
            "BROWSER_SANDBOX",
            defaults.browser_sandbox,
            report.browser_sandbox,
            "The page's process has namespaces and a seccomp filter of its own.",
        ),
        ("USER_NAMESPACES", defaults.user_namespaces, report.user_namespace, "The pod is in a user namespace."),
    )
    missing = [name for name, wanted, there, _ in parts if wanted and not there]
    if missing:
        which = f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} on"
        return ConditionStatus.FALSE, ReasonMessage(
            Reason.SANDBOX_INCOMPLETE,
            f"{which}, and this pod runs without. A pod made after that has an image or a node that does not know it; if "
            f"this one was made before, {messages.RESTART}",
        )
    there = " ".join(text for _, _, there, text in parts if there)
    if there:
        return ConditionStatus.TRUE, ReasonMessage(Reason.SANDBOXED, there)
    return ConditionStatus.FALSE, ReasonMessage(
        Reason.SANDBOX_OFF, "The operator's settings BROWSER_SANDBOX and USER_NAMESPACES are off."
    )
