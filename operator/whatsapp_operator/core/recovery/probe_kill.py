"""A container that the kubelet ended because a probe of it failed: what that looks like, and who was too slow.

The pod's status does not tell it: the runner ends as if somebody had asked it to, or is killed when it does not. The
kubelet says it in events alone, which the reconciler reads for a pod that `may_be_probe_kill`. Where other containers of
the pod run on, its event names the probe. Ours is the only one and never restarted: then the kubelet ends the whole pod,
says that it stops the container, and has recorded the probe's last failure just before. It records 25 events about a pod
and then one in five minutes, so after many failures the end itself may be missing.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from session_protocol.vocabulary import ExitCode

from whatsapp_operator.core.kubelet import KubeletEvent, Probe, ProbeKill
from whatsapp_operator.core.model import PodFacts, PodPhase

KILLING: Final = "Killing"
""" The kubelet's event about a container that it ends: "Container runner failed liveness probe", "Stopping container …". """
UNHEALTHY: Final = "Unhealthy"
""" Its event about each probe that fails: "Liveness probe failed: Get …: context deadline exceeded". """
SETTLING: Final = timedelta(seconds=5)
AT_ONCE: Final = timedelta(seconds=15)
""" From a probe's last failure to the end that follows from it, on a busy node. """
WITHHELD: Final = 18
""" Failures of probes with which the kubelet has told about a pod what it will; the rest of 25 is its start. """
LIVENESS_END: Final = timedelta(minutes=3)
""" From a failure that was recorded to the container's end: the others up to the sixth, and the time to end it. """
STARTUP_END: Final = (timedelta(seconds=110), timedelta(minutes=8))
""" From the container's start to its end: 120 failures, each of up to 3 s, and the time to end it. """
LONGEST_NOTE: Final = 1024
""" Characters of a note that are looked at. """
_ASKED: Final = frozenset({ExitCode.STOPPED, ExitCode.STOP_INCOMPLETE, 128 + 9, 128 + 15})
""" How a program ends that got SIGTERM, and SIGKILL when it took too long. """
_FAILED: Final = re.compile(r"\bfailed (liveness|startup) probe\b", re.IGNORECASE)
_HOW: Final = re.compile(r"\b(liveness|startup) probe (?:failed|errored)[^:]*: *(.+)", re.IGNORECASE | re.DOTALL)
_TOO_SLOW: Final = re.compile(r"deadline exceeded|timeout|timed out", re.IGNORECASE)
_NOBODY_LISTENS: Final = re.compile(r"connection refused|connection reset|EOF", re.IGNORECASE)
_NO_WAY: Final = re.compile(r"no route to host|network is unreachable|host is down", re.IGNORECASE)
_STATUS: Final = re.compile(r"status ?code: ?(\d{3})", re.IGNORECASE)


def settled_at(pod: PodFacts) -> datetime | None:
    """Return when to judge the end of a container that was ended by somebody; None: at once.

    A kubelet that ends a pod may tell of the container first, and a moment later of the pod, with the reason.
    """
    unsettled = pod.phase is PodPhase.RUNNING and _is_asked_end(pod)
    return pod.finished + SETTLING if unsettled and pod.finished is not None else None


def may_be_probe_kill(pod: PodFacts, *, now: datetime) -> bool:
    """Whether the pod's container ended as if it was asked to, and nothing of the pod says by whom."""
    settled = settled_at(pod)
    unexplained = pod.deletion is None and not pod.pod_reason and not pod.disrupted
    return pod.ended and _is_asked_end(pod) and unexplained and (settled is None or now >= settled)


def _is_asked_end(pod: PodFacts) -> bool:
    return pod.exit_code in _ASKED and pod.exit_reason != "OOMKilled"


class _Failed(NamedTuple):
    probe: Probe
    how: str
    seen: datetime
    times: int


def killed_by_probe(
    pod: PodFacts, *, killing: Sequence[KubeletEvent], unhealthy: Sequence[KubeletEvent]
) -> ProbeKill | None:
    """Return which probe ended a container, by the pod's events; None: none did."""
    failures = sorted(_failures(unhealthy), key=lambda failed: failed.seen)
    for event in killing:
        if (named := _FAILED.search(event.note[:LONGEST_NOTE])) is not None:
            probe = Probe(named[1].lower())
            how = next((failed.how for failed in reversed(failures) if failed.probe is probe), "")
            return ProbeKill(pod_uid=pod.uid, probe=probe, note=how)
    if not failures:
        return None
    last, ends = failures[-1], [event.seen for event in killing if event.seen is not None]
    if any(end - last.seen <= AT_ONCE for end in ends) or (not killing and _is_withheld(pod, last, unhealthy)):
        return ProbeKill(pod_uid=pod.uid, probe=last.probe, note=last.how)
    return None


def _is_withheld(pod: PodFacts, last: _Failed, unhealthy: Iterable[KubeletEvent]) -> bool:
    """Whether it was this probe whose last failures, and the end that followed, the kubelet did not record any more."""
    if pod.finished is None or pod.started is None:
        return False
    if last.probe is Probe.STARTUP:
        shortest, longest = STARTUP_END
        return last.times >= WITHHELD and shortest <= pod.finished - pod.started <= longest
    return sum(event.count for event in unhealthy) >= WITHHELD and pod.finished - last.seen <= LIVENESS_END


def probe_failed(kill: ProbeKill) -> str:
    """Return the message for people: the probe, and who was too slow."""
    return f"The kubelet ended the container, because its {kill.probe} probe failed: {_who(kill)}"


def _failures(unhealthy: Iterable[KubeletEvent]) -> Iterable[_Failed]:
    for event in unhealthy:
        how = _HOW.search(event.note[:LONGEST_NOTE])
        if how is not None:
            seen = event.seen or datetime.min.replace(tzinfo=UTC)
            yield _Failed(Probe(how[1].lower()), how[2].strip(), seen, event.count)


def _who(kill: ProbeKill) -> str:
    note = kill.note
    if _TOO_SLOW.search(note):
        return (
            "the runner did not answer /healthz in time, again and again. Its own loop was too slow: it had too little CPU "
            "(spec.resources), or the node is too busy."
        )
    if _NOBODY_LISTENS.search(note):
        return "nothing answered on the runner's port. See the log of the container: its program hung or never got that far."
    if _NO_WAY.search(note):
        return "the kubelet could not reach the pod. See the network of the node, not the runner."
    if (status := _STATUS.search(note)) is not None:
        return f"the runner answered /healthz with HTTP {status[1]}. See the log of the container."
    return (
        f"{note.rstrip('.')}." if note else "the runner gave no answer in time. See the events of the pod and its log."
    )
