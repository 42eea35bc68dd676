"""How a pod ended, and whether that counts: as a failure of the session, or as a loss that came from outside of it.

Which cause is which stands in the table (`causes`); here it is looked up, and put into the words of a record. Three
things can end a pod's life: its container ended although nobody asked it to, its runner reports for some time that its
page is dead, or the node cannot give the pod the sandbox that the settings ask for (`refusal`). Silence is none.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from session_protocol.states import traits_of
from session_protocol.vocabulary import exit_reason

from whatsapp_operator.api.session import LastFailure, Reason
from whatsapp_operator.core.kubelet import ProbeKill
from whatsapp_operator.core.model import PodFacts, RunnerReport
from whatsapp_operator.core.objects.reading import redacted
from whatsapp_operator.core.recovery.cause import UNINFORMATIVE, Cause, Counted, Evidence, Found
from whatsapp_operator.core.recovery.causes import NOT_COUNTED, REPORTED, UNKNOWN, cause_of_end, facts_of_end
from whatsapp_operator.core.recovery.probe_kill import probe_failed, settled_at
from whatsapp_operator.core.recovery.refusal import find_refusal

EXIT_TIME: Final = timedelta(seconds=45)
""" For a runner that reports a dead page to close its browser and exit, which takes it a quarter of this. The health check
    is over when it reports one, so nothing of that is waited for again. """
_BY_POD: Final = 1024
""" Characters of a pod's message that a loss quotes. """


class Loss(NamedTuple):
    """The pod is to be replaced, and that does not count."""

    cause: Cause
    reason: str
    """ In one word. """
    message: str
    """ For people, a sentence without its full stop. """


class Outcome(NamedTuple):
    """The outcome of a pod; both None: it goes on, or somebody asked it to end."""

    loss: Loss | None = None
    failure: LastFailure | None = None
    cause: Cause | None = None
    """ The row of the table. """
    deadline: datetime | None = None
    """ When to look again, though nothing happens to the pod; None: that would not change anything. """


def outcome_of(
    pod: PodFacts,
    *,
    report: RunnerReport | None,
    responding: bool,
    namespace_refused: bool = False,
    probe_kill: ProbeKill | None = None,
    now: datetime,
) -> Outcome:
    """Return the outcome of a pod.

    :param responding: whether the report is recent; a runner that is silent now may have left a fatal state.
    :param namespace_refused: whether the kubelet says that the pod cannot have a user namespace.
    :param probe_kill: what the kubelet says of a container that it ended; it may be another pod's.
    """
    if pod.ended:
        if (settled := settled_at(pod)) is not None and now < settled:
            return Outcome(deadline=settled)
        kill = probe_kill if probe_kill is not None and probe_kill.pod_uid == pod.uid else None
        evidence = Evidence(pod=pod, report=report, probe=kill.probe if kill is not None else None)
        return _of_end(cause_of_end(evidence), kill=kill, now=now)
    refusal = find_refusal(pod, namespace_refused=namespace_refused, now=now)
    if refusal.cause is not None:
        return Outcome(loss=Loss(refusal.cause, refusal.cause.name, refusal.message), cause=refusal.cause)
    exits_by = _exits_by(report) if responding and report is not None and pod.deletion is None else None
    if report is not None and exits_by is not None and exits_by <= now:
        message = redacted(report.message) or None
        failure = LastFailure(reason=report.state, time=now, message=message, pod_uid=pod.uid)
        return Outcome(failure=failure, cause=REPORTED.get(report.state, UNKNOWN))
    return Outcome(deadline=min(filter(None, (refusal.deadline, exits_by)), default=None))


def _of_end(found: Found, *, kill: ProbeKill | None, now: datetime) -> Outcome:
    pod, cause = found.evidence.pod, found.cause
    if pod.deletion is not None and (cause.is_failure or found.by_exit):
        return Outcome()
    if not cause.is_failure:
        return Outcome(loss=Loss(cause, found.reason, _with_details(cause.message, _details(found))), cause=cause)
    failure = LastFailure(
        reason=_unknown_reason(pod) if cause is UNKNOWN else found.reason,
        exit_code=pod.exit_code,
        # A node's clock may be ahead, and the next attempt is timed from here.
        time=min(pod.finished or now, now),
        message=_failure_message(found, kill),
        pod_uid=pod.uid,
    )
    return Outcome(failure=failure, cause=cause)


def _details(found: Found) -> str:
    """Return the words of whoever ended the pod; of a runner, its own."""
    pod = found.evidence.pod
    return (pod.termination_message.removeprefix(f"{found.reason}: ") if found.by_exit else "") or pod.pod_message


def _failure_message(found: Found, kill: ProbeKill | None) -> str:
    pod, sign = found.evidence.pod, found.sign
    if found.cause is UNKNOWN:
        return facts_of_end(found.evidence)
    if kill is not None and sign is not None and sign.probe is not None:
        return probe_failed(kill)
    quoted = pod.pod_message if sign is not None and sign.pod_reason else pod.termination_message or pod.pod_message
    return redacted(quoted) or f"{found.cause.message}."


def _with_details(message: str, details: str) -> str:
    return f"{message}: {details.strip().rstrip('.')[:_BY_POD]}" if details.strip() else message


def _exits_by(report: RunnerReport) -> datetime | None:
    """Return when a runner that reports a dead page should have exited; None: it does not report one."""
    return report.since + EXIT_TIME if traits_of(report.state).fatal and report.since is not None else None


def is_paced(loss: Loss) -> bool:
    """Whether the next pod waits although the lost one ran: it would be lost the same way."""
    return loss.cause.counted is Counted.NO_PACED


def is_runner_failure(failure: LastFailure) -> bool:
    """Whether the runner itself failed, by its exit or its report; a pod that a node rejected never ran it."""
    if failure.reason in NOT_COUNTED:  # recorded by an earlier release, which counted them
        return False
    return failure.exit_code is not None or traits_of(failure.reason or "").fatal


def _unknown_reason(pod: PodFacts) -> str:
    """Return the best word that anybody has for an end that no row knows."""
    if pod.exit_reason not in UNINFORMATIVE:
        return pod.exit_reason
    if pod.exit_code is not None:
        return exit_reason(pod.exit_code)
    return pod.pod_reason or Reason.RUNNER_EXITED
