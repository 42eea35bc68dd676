"""What a cause is, and how one is recognized: the types of the table in `causes`.

A cause is why a pod ended, or why it does not run yet. It is recognized by signs; each sign names what has to be seen of
the pod, in the words that Kubernetes and the runner use, with `*` for any text. The docs show the same signs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from session_protocol.vocabulary import exit_reason

from whatsapp_operator.core.kubelet import Probe
from whatsapp_operator.core.model import PodFacts, RunnerReport

UNINFORMATIVE: Final = frozenset({"", "Error", "Completed"})
""" Exit reasons of the kubelet that say no more than that the container ended. """
FEW_CODES: Final = 4
""" More exit codes of one sign are a range. """


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about a pod when its cause is asked for."""

    pod: PodFacts
    report: RunnerReport | None = None
    """ The last word of its runner. """
    probe: Probe | None = None
    """ The kubelet ended the container because this probe of it failed. """


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What is seen of a pod: all that is given here must be so. Each text is one pattern of several."""

    pod_reason: tuple[str, ...] = ()
    pod_message: tuple[str, ...] = ()
    """ In lower case, anywhere in the message. """
    disruption: tuple[str, ...] = ()
    """ Reasons of the true condition DisruptionTarget. """
    never_started: bool = False
    """ No container of the runner has ever started. """
    probe: Probe | None = None
    exit_reason: tuple[str, ...] = ()
    """ The container runtime's word for the end of the container. """
    exit_code: tuple[int, ...] = ()
    termination_message: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    """ The runner's last state, with its reason after a slash. """
    waiting_reason: tuple[str, ...] = ()
    unschedulable: bool = False

    def matches(self, evidence: Evidence) -> bool:
        """Whether all of it is seen."""
        pod, report = evidence.pod, evidence.report
        report_text = f"{report.state}/{report.reason}" if report is not None else ""
        texts = (
            (self.pod_reason, pod.pod_reason),
            (self.pod_message, pod.pod_message.lower()),
            (self.disruption, (pod.disruption or "?") if pod.disrupted else ""),
            (self.exit_reason, pod.exit_reason),
            (self.termination_message, pod.termination_message.lower()),
            (self.report, report_text),
            (self.waiting_reason, pod.waiting_reason),
        )
        return (
            all(not patterns or _matches(text, patterns) for patterns, text in texts)
            and (not self.exit_code or pod.exit_code in self.exit_code)
            and (self.probe is None or self.probe is evidence.probe)
            and not (self.never_started and (pod.started is not None or pod.exit_code is not None))
            and not (self.unschedulable and pod.scheduled is not False)
        )

    def reason(self, evidence: Evidence) -> str:
        """Return the one word for what is seen, by whoever says it; empty: nobody does."""
        pod = evidence.pod
        if self.pod_reason or self.disruption:
            return pod.pod_reason
        if self.exit_code and pod.exit_code is not None:
            return exit_reason(pod.exit_code)
        return pod.exit_reason if self.exit_reason else ""

    def description(self) -> Iterator[str]:
        """Yield what has to be seen, as the docs have it."""
        for name, patterns in (
            ("pod reason", self.pod_reason),
            ("message", self.pod_message),
            ("`DisruptionTarget`", self.disruption),
            ("container's reason", self.exit_reason),
            ("exit code", self._codes()),
            ("termination message", self.termination_message),
            ("last report", self.report),
            ("waiting reason", self.waiting_reason),
        ):
            if patterns:
                yield f"{name} {' or '.join(f'`{pattern}`' for pattern in patterns)}"
        if self.probe is not None:
            yield f"events `Killing` and `Unhealthy`: *{self.probe} probe failed*"
        if self.never_started:
            yield "no container ever started"
        if self.unschedulable:
            yield "`PodScheduled` is False"

    def _codes(self) -> tuple[str, ...]:
        many = len(self.exit_code) > FEW_CODES
        return (
            (f"{self.exit_code[0]}-{self.exit_code[-1]}",) if many else tuple(str(int(code)) for code in self.exit_code)
        )


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return bool(text) and any(fnmatchcase(text, pattern) for pattern in patterns)


class Counted(StrEnum):
    """Whether it counts as a failure of the session, and what follows."""

    YES = "yes"
    """ Backed off; Stalled after maxAttempts. """
    NO = "no"
    """ The pod is replaced at once; one that never ran after a growing wait. """
    NO_PACED = "no, paced"
    """ The same, and the wait is kept though it ran. """
    WAITS = "no, waits"
    """ The pod stays, and whoever keeps it from running tries again. """


class Place(StrEnum):
    """What becomes of the place in the quota; docs/causes.md explains each."""

    WHILE_REPLACED = "kept, replaced at once"
    WHILE_WAITING = "kept, replaced within 5 min"
    UNTIL_STALLED = "kept until Stalled"
    WHILE_POD = "kept while there is a pod"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One row of the table."""

    name: str
    """ One word, for the metric and the docs. """
    signs: tuple[Sign, ...] = ()
    counted: Counted
    place: Place
    message: str
    """ What happened, as the beginning of a sentence for people. """
    ends: str
    """ What ends it, for the docs; with a person to act, what to do. """

    @property
    def is_failure(self) -> bool:
        """Whether it is counted against the session."""
        return self.counted is Counted.YES

    def sign(self, evidence: Evidence) -> Sign | None:
        """Return the sign that is seen, or None."""
        return next((sign for sign in self.signs if sign.matches(evidence)), None)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A cause, as it was seen of one pod."""

    cause: Cause
    sign: Sign | None
    """ None: no row's. """
    evidence: Evidence

    @property
    def by_exit(self) -> bool:
        """Whether only the runner's own end shows it, which whoever deletes a pod asks for."""
        return self.sign is None or bool(self.sign.exit_code or self.sign.probe)

    @property
    def reason(self) -> str:
        """The one word for it, by whoever says it, else the cause's own."""
        return (self.sign.reason(self.evidence) if self.sign is not None else "") or self.cause.name
