"""How a pod ended, and whether that counts: as a failure of the runner, or as a loss that the runner did not cause.

Three things are failures: the container ended although nobody asked it to, the runner reports for some time that its
page is dead, or the node cannot give the pod the sandbox that the settings ask for (`refusal`). After an eviction, a preemption, the loss of a node or a deletion the pod is replaced and no failure is
counted. Silence is none.
"""

from datetime import datetime
from typing import Final, NamedTuple

from session_protocol.states import traits_of
from session_protocol.vocabulary import ExitCode, exit_reason

from whatsapp_operator.api.session import LastFailure, Reason, TimeoutsSpec
from whatsapp_operator.core.model import PodFacts, RunnerReport
from whatsapp_operator.core.objects.reading import redacted
from whatsapp_operator.core.recovery.refusal import REASONS, find_refusal

_LOST_POD: Final = frozenset(
    {
        "Evicted",
        "Preempting",
        "NodeLost",
        "NodeShutdown",
        "Shutdown",
        "Terminated",  # by the kubelet, at the shutdown of its node
    }
)
_LOST_CONTAINER: Final = frozenset({"ContainerStatusUnknown", "Unknown"})
""" The exit reasons of a container that a rebooted node finds no trace of. """
_UNINFORMATIVE: Final = frozenset({"", "Error", "Completed"})
""" Exit reasons of the kubelet that say no more than that the container ended. """


class Outcome(NamedTuple):
    """The outcome of a pod; both None: it goes on, or somebody asked it to end."""

    loss: str | None = None
    """ Why it counts as lost, in one word. """
    failure: LastFailure | None = None
    refusal_deadline: datetime | None = None
    """ When to look again whether the node refuses the pod what the settings ask for; None: it cannot. """


def outcome_of(
    pod: PodFacts,
    *,
    report: RunnerReport | None,
    responding: bool,
    namespace_refused: bool = False,
    timeouts: TimeoutsSpec,
    now: datetime,
) -> Outcome:
    """Return the outcome of a pod.

    :param responding: whether the report is recent; a runner that is silent now may have left a fatal state.
    :param namespace_refused: whether the kubelet says that the pod cannot have a user namespace.
    """
    if (loss := loss_reason(pod)) is not None:
        return Outcome(loss=loss)
    refusal = find_refusal(pod, namespace_refused=namespace_refused, now=now)
    if refusal.reason is not None:
        return Outcome(failure=LastFailure(reason=refusal.reason, time=now, message=refusal.message, pod_uid=pod.uid))
    failure = _failure(pod, report=report if responding else None, timeouts=timeouts, now=now)
    return Outcome(failure=failure, refusal_deadline=refusal.deadline)


def loss_reason(pod: PodFacts) -> str | None:
    """Return why an ended pod counts as lost, in one word, or None when it ended by itself."""
    if not pod.ended:
        return None
    if pod.pod_reason in _LOST_POD:
        return pod.pod_reason
    if pod.exit_reason in _LOST_CONTAINER:
        return pod.exit_reason
    return (pod.pod_reason or "Disrupted") if pod.disrupted else None


def _failure(
    pod: PodFacts, *, report: RunnerReport | None, timeouts: TimeoutsSpec, now: datetime
) -> LastFailure | None:
    """Return the failure of a pod that is not lost, or None; a pod that is being deleted does not fail."""
    if pod.deletion is not None:
        return None
    if pod.ended:
        return LastFailure(
            reason=_reason(pod),
            exit_code=pod.exit_code,
            # A node's clock may be ahead, and the next attempt is timed from here.
            time=min(pod.finished or now, now),
            message=pod.termination_message or redacted(pod.pod_message) or None,
            pod_uid=pod.uid,
        )
    if report is None or not traits_of(report.state).fatal or report.since is None:
        return None
    if now < report.since + timeouts.health_check:
        return None
    return LastFailure(reason=report.state, time=now, message=redacted(report.message) or None, pod_uid=pod.uid)


def is_runner_failure(failure: LastFailure) -> bool:
    """Whether the runner itself failed, by its exit or its report; a pod that a node rejected never ran it."""
    if failure.reason in REASONS:  # the node's, also where the runner had to find it out
        return False
    return failure.exit_code is not None or traits_of(failure.reason or "").fatal


def _reason(pod: PodFacts) -> str:
    """Return the reason in one word: by the runner's own exit code first, which says more than the kubelet's reason."""
    if pod.exit_code is not None and pod.exit_code in {int(code) for code in ExitCode}:
        return exit_reason(pod.exit_code)
    if pod.exit_reason not in _UNINFORMATIVE:
        return pod.exit_reason
    if pod.exit_code is not None:
        return exit_reason(pod.exit_code)
    return pod.pod_reason or Reason.RUNNER_EXITED
