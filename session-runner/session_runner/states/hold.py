"""A hold: a state that waits for a person, and what ends it. Kept on the profile volume, so that it outlives the pod.

In a conflict, opening the page takes the session over; during a ban, it provokes the service. If the pod is lost before
an operator has received such a state, whoever creates the next pod does not know of it, but that pod has the profile.
So `state_file` stores the hold there, `session` reads it before it opens the page, and the operator receives it again.

A hold ends as for the operator (`whatsapp_operator.core.session.holds`): by a person's request, or by a state that
shows that it is over. The requests reach the pod as environment variables; a value is new if it differs from the last
one that this profile was started with. An absent value is no request: removing an annotation ends no hold, and neither
does setting the old value again.
"""

from dataclasses import dataclass, replace

from session_protocol.states import wait_is_over, waits_for_person
from session_protocol.vocabulary import RunnerState, StateReason


@dataclass(frozen=True, kw_only=True)
class HeldState:
    """The state of a hold, to be published again."""

    state: RunnerState
    reason: StateReason
    message: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """The requests that people had made when the pod was created; None: none is known."""

    session_uid: str
    """ If it differs, a person gave the profile to another session, and the hold ended with the old session. """
    restart: str | None = None
    relink: str | None = None
    resumed: str | None = None
    """ When the session was last resumed after a suspension. """

    def is_asked_for(self, before: "Start | None") -> bool:
        """Whether a person made a request since the last start on this profile, which ends a hold."""
        if before is None:  # a damaged file: keep the hold, to be safe; the next request is compared with this start
            return False
        return self.session_uid != before.session_uid or self.after(before) != before

    def after(self, before: "Start | None") -> "Start":
        """Return what to store: the newest value of each kind."""
        if before is None or before.session_uid != self.session_uid:
            return self
        return replace(
            before,
            restart=self.restart or before.restart,
            relink=self.relink or before.relink,
            resumed=self.resumed or before.resumed,
        )


def hold_after(hold: HeldState | None, *, state: RunnerState, reason: StateReason, message: str) -> HeldState | None:
    """Return the hold after a published state, which may set the hold or end it."""
    if waits_for_person(state=state, reason=reason):
        return HeldState(state=state, reason=reason, message=message)
    return None if wait_is_over(state=state, reason=reason) else hold
