"""A hold: a state that waits for a person, and what ends it. Kept on the profile volume, so that it outlives the pod.

In a conflict opening the page is a takeover, during a ban it annoys the service. When nobody listened to that word and
the pod is lost, whoever makes the next pod knows nothing of it; but the next pod has the profile. So `state_file` keeps the
hold there, `session` asks for it before it opens the page, and the operator hears the same word again.

It ends as it ends for the operator (`whatsapp_operator.core.session.holds`), by what a person does or by the runner's own word
that it is over. What people did reaches the pod as values in its environment; a value is new when it is another one
than the last that this profile was started with. An absent value asks for nothing: taking an annotation away ends no
hold, and putting the old value back does not either.
"""

from dataclasses import dataclass, replace

from session_protocol.states import wait_is_over, waits_for_person
from session_protocol.vocabulary import RunnerState, StateReason


@dataclass(frozen=True, kw_only=True)
class HeldState:
    """The state that waits, to be published again."""

    state: RunnerState
    reason: StateReason
    message: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """What people asked for when the pod was made; None: nothing that is known."""

    session_uid: str
    """ A profile under another session was given to it by a person: the old session's hold went with that session. """
    restart: str | None = None
    relink: str | None = None
    resumed: str | None = None
    """ When the session was last resumed after a suspension. """

    def is_asked_for(self, before: "Start | None") -> bool:
        """Whether a person did something since the last start on this profile that ends a hold."""
        if before is None:  # a damaged file: the safe side, and the next request is seen against this start
            return False
        return self.session_uid != before.session_uid or self.after(before) != before

    def after(self, before: "Start | None") -> "Start":
        """Return what to remember: the newest value of each kind."""
        if before is None or before.session_uid != self.session_uid:
            return self
        return replace(
            before,
            restart=self.restart or before.restart,
            relink=self.relink or before.relink,
            resumed=self.resumed or before.resumed,
        )


def hold_after(hold: HeldState | None, *, state: RunnerState, reason: StateReason, message: str) -> HeldState | None:
    """Return the hold after the runner has said something: set by a word that waits, ended by one that is past it."""
    if waits_for_person(state=state, reason=reason):
        return HeldState(state=state, reason=reason, message=message)
    return None if wait_is_over(state=state, reason=reason) else hold
