"""Who speaks for the session: the runner while it answers, else the operator. State, Ready and Linked follow from it.

Linked keeps its value unless a runner says otherwise: a login does not end because a pod does.
"""

from dataclasses import dataclass

from session_protocol.redaction import redact
from session_protocol.states import Phase, is_linked, traits_of

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import LinkStatus, OperatorState, Reason, SessionStatus
from whatsapp_operator.core import notes
from whatsapp_operator.core.making import Step
from whatsapp_operator.core.model import RunnerReport
from whatsapp_operator.core.notes import Note, note
from whatsapp_operator.core.situation import Situation


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What is said about the session itself."""

    state: str
    ready: ConditionStatus
    ready_note: Note
    linked: ConditionStatus
    linked_note: Note
    link: LinkStatus | None


def voice(case: Situation, step: Step) -> Voice:
    """Return what is said, by the runner of the present pod if it answers."""
    before = case.session.status
    linked, linked_note = _linked_before(before)
    if case.answers and case.report is not None:
        return _runners(case.report, before)
    if case.lives and case.silent:
        state, ready, said = OperatorState.UNREACHABLE, ConditionStatus.UNKNOWN, notes.UNREACHABLE
        return Voice(
            state=state, ready=ready, ready_note=said, linked=linked, linked_note=linked_note, link=before.link
        )
    if (kept := _kept(case)) is not None:
        return kept
    return Voice(
        state=step.state,
        ready=ConditionStatus.FALSE,
        ready_note=step.said,
        linked=linked,
        linked_note=linked_note,
        link=before.link,
    )


def _runners(report: RunnerReport, before: SessionStatus) -> Voice:
    connected = traits_of(report.state).phase is Phase.CONNECTED
    message = redact(report.message) or f"The runner says {report.state}."
    linked, linked_note = _linked(report, before)
    return Voice(
        state=report.state,
        ready=ConditionStatus.TRUE if connected else ConditionStatus.FALSE,
        ready_note=note(report.state, message, otherwise=Reason.RUNNER_STARTING),
        linked=linked,
        linked_note=linked_note,
        link=_link(report, before, linked=linked),
    )


def _kept(case: Situation) -> Voice | None:
    """An operator that has just started has not listened yet: what was said of this pod stays until it has."""
    before, pod = case.session.status, case.pod
    ready = find_condition(before.conditions, ConditionType.READY)
    own = {str(word) for word in OperatorState} - {OperatorState.UNREACHABLE}
    if pod is None or not case.lives or pod.started is None or before.pod_uid != pod.uid:
        return None
    if ready is None or before.state is None or before.state in own:
        return None
    linked, linked_note = _linked_before(before)
    return Voice(
        state=before.state,
        ready=ready.status,
        ready_note=Note(ready.reason, ready.message),
        linked=linked,
        linked_note=linked_note,
        link=before.link,
    )


def _linked(report: RunnerReport, before: SessionStatus) -> tuple[ConditionStatus, Note]:
    # A runner of before has no `linked` in its answer, but the time of linking while there is a link.
    answer = report.linked if report.linked is not None else report.linked_time is not None or None
    linked = is_linked(report.state, answer=answer)
    if linked is None:
        return _linked_before(before)
    if linked:
        return ConditionStatus.TRUE, Note(Reason.LINKED, "A phone is linked.")
    return ConditionStatus.FALSE, Note(Reason.NOT_LINKED, "No phone is linked.")


def _linked_before(before: SessionStatus) -> tuple[ConditionStatus, Note]:
    linked = find_condition(before.conditions, ConditionType.LINKED)
    if linked is None:
        return ConditionStatus.UNKNOWN, Note(Reason.NOT_KNOWN, "No runner has told yet.")
    return linked.status, Note(linked.reason, linked.message)


def _link(report: RunnerReport, before: SessionStatus, *, linked: ConditionStatus) -> LinkStatus | None:
    """Return what the runner tells of linking; times it does not (yet) know stay while the phone is linked."""
    known = before.link or LinkStatus()
    stays = linked is ConditionStatus.TRUE
    link = LinkStatus(
        linked_time=report.linked_time or (known.linked_time if stays else None),
        durable_time=report.durable_time or (known.durable_time if stays and report.linked_time is None else None),
        round=report.round or (known.round if stays else None),
    )
    return link if link != LinkStatus() else None
