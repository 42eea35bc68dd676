"""How a pod ended, and whether that counts: a failure of the runner, or a loss that nobody's runner is to blame for.

Only two things are failures: the container ended without being asked, and the runner's own lasting word that its page
is dead. An eviction, a preemption, a node that went away or a deletion are losses: the pod is replaced, nothing is
counted. Silence is neither.
"""

from datetime import datetime
from typing import Final

from session_protocol.redaction import redact
from session_protocol.states import traits_of
from session_protocol.vocabulary import ExitCode, exit_reason

from whatsapp_operator.api.session import LastFailure, Reason, TimeoutsSpec
from whatsapp_operator.core.model import PodFacts, PodPhase, RunnerReport

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
""" What is said of a container that a rebooted node finds no trace of. """
_SAYS_NOTHING: Final = frozenset({"", "Error", "Completed"})
""" The kubelet's words that only repeat that there is an exit code. """


def has_ended(pod: PodFacts) -> bool:
    """Whether the runner's container will never run (again) in this pod."""
    return pod.phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) or pod.finished is not None


def loss_of(pod: PodFacts) -> str | None:
    """Return why an ended pod counts as lost, in one word, or None when it ended by itself."""
    if not has_ended(pod):
        return None
    if pod.pod_reason in _LOST_POD:
        return pod.pod_reason
    if pod.exit_reason in _LOST_CONTAINER:
        return pod.exit_reason
    return (pod.pod_reason or "Disrupted") if pod.disrupted else None


def failure_of(
    pod: PodFacts, *, report: RunnerReport | None, answers: bool, timeouts: TimeoutsSpec, now: datetime
) -> LastFailure | None:
    """Return the failure of a pod that nobody asked to end, or None.

    `answers` says whether the report is fresh: a runner that fell silent after a last bad word may have gone on to a
    better one.
    """
    if pod.deletion is not None or loss_of(pod) is not None:
        return None
    if has_ended(pod):
        return LastFailure(
            reason=_reason(pod),
            exit_code=pod.exit_code,
            # A node's clock may be ahead, and the next attempt is counted from here.
            time=min(pod.finished or now, now),
            message=pod.last_words or redact(pod.pod_message) or None,
            pod_uid=pod.uid,
        )
    if report is None or not answers or not traits_of(report.state).fatal or report.since is None:
        return None
    if now < report.since + timeouts.health_check:
        return None
    return LastFailure(reason=report.state, time=now, message=redact(report.message) or None, pod_uid=pod.uid)


def is_by_runner(failure: LastFailure) -> bool:
    """Whether the runner's exit or word was the failure; a pod that a node refused says nothing about runners."""
    return failure.exit_code is not None or traits_of(failure.reason or "").fatal


def _reason(pod: PodFacts) -> str:
    """Return the failure in one word: the runner's own exit code first, for it knows more than the kubelet."""
    if pod.exit_code is not None and pod.exit_code in {int(code) for code in ExitCode}:
        return exit_reason(pod.exit_code)
    if pod.exit_reason not in _SAYS_NOTHING:
        return pod.exit_reason
    if pod.exit_code is not None:
        return exit_reason(pod.exit_code)
    return pod.pod_reason or Reason.RUNNER_EXITED
