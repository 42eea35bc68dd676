"""Whether a session's runner answers, and what it reported last. Called once for each snapshot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.core.model import Observation, PodFacts, PodPhase, RunnerReport
from whatsapp_operator.core.session.pods import SessionPods

SILENCE: Final = timedelta(seconds=15)
""" After this long without an answer the runner counts as unreachable. That alone is no failure. """


@dataclass(frozen=True, kw_only=True)
class RunnerContact:
    """What is known from and about the runner."""

    report: RunnerReport | None
    """ The last report of the pod's runner; of the last pod's runner while there is no pod. """
    responding: bool
    """ The pod's runner has answered within SILENCE. """
    silent_since: datetime | None
    """ Since when the pod's runner has been polled without an answer; None: it answers, or is not polled yet. """
    silent: bool
    """ The runner counts as unreachable. """


def check_contact(observation: Observation, pods: SessionPods) -> RunnerContact:
    """Return the report that counts, and since when there has been none."""
    now, pod = observation.now, pods.own
    report = _report(observation, pods)
    responding = pod is not None and report is not None and not pod.ended and now - report.received < SILENCE
    silent_since = _silent_since(observation, pod, report) if not responding else None
    return RunnerContact(
        report=report,
        responding=responding,
        silent_since=silent_since,
        silent=silent_since is not None and now - silent_since >= SILENCE,
    )


def _report(observation: Observation, pods: SessionPods) -> RunnerReport | None:
    """Return the report if it comes from the present pod or, without one, from the last.

    A pod that existed at the last write, or was created after it, and is gone now may have sent a last report; once its
    end is in status, that report is outdated.
    """
    if observation.report is None or observation.report.session_uid != observation.session.metadata.uid:
        return None
    before = observation.session.status
    last = pods.since_status[-1] if pods.since_status else before.pod_uid if before.replicas else None
    uid = pods.own.uid if pods.own is not None else last
    return observation.report if observation.report.pod_uid == uid else None


def _silent_since(observation: Observation, pod: PodFacts | None, report: RunnerReport | None) -> datetime | None:
    if pod is None or pod.phase is not PodPhase.RUNNING or pod.ended:
        return None
    received = report.received if report is not None else None
    return max((moment for moment in (observation.polling_since, received) if moment is not None), default=None)
