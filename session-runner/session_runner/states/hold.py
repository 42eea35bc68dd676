"""A hold: a state that waits for a person, and what ends it. Kept on the profile volume, so that it outlives the pod.

In a conflict, opening the page takes the session over; during a ban, it provokes the service. If the pod is lost before
an operator has received such a state, whoever creates the next pod does not know of it, but that pod has the profile.
So `state_file` stores the hold there, `session` reads it before it opens the page, and the operator receives it again.

A hold ends as for the operator (`whatsapp_operator.core.session.holds`): by a person's request, or by a state that
shows that it is over. The requests reach the pod as environment variables; a value is new if this profile was never
started with it. An absent value is no request: removing an annotation ends no hold, and neither does setting an old value
again. So nothing asks that comes from a backup: older values of the annotations, or the time of an older suspension.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from session_protocol.states import wait_is_over, waits_for_person
from session_protocol.vocabulary import RunnerState, StateReason

MOST_REMEMBERED: Final = 32
""" Values of requests that are remembered; an older backup than that asks again. """


class HeldState(Struct, frozen=True, kw_only=True):
    """The state of a hold, to be published again."""

    state: RunnerState
    reason: StateReason
    message: str


class Start(Struct, frozen=True, kw_only=True):
    """The requests that people had made when the pod was created; None: none is known."""

    session_uid: str
    """ If it differs, a person gave the profile to another session, and the hold ended with the old session. """
    restart: str | None = None
    relink: str | None = None
    resumed: str | None = None
    """ When the session was last resumed after a suspension, as RFC 3339 in UTC; later times sort after earlier ones. """
    earlier: tuple[str, ...] = ()
    """ Values of earlier requests, the newest last; a restart and a relink of the same value are two. """

    def is_asked_for(self, before: "Start | None") -> bool:
        """Whether a person made a request since the last start on this profile, which ends a hold."""
        if before is None:  # a damaged file: keep the hold, to be safe; the next request is compared with this start
            return False
        if self.session_uid != before.session_uid:
            return True
        resumed = self.resumed is not None and (before.resumed is None or self.resumed > before.resumed)
        return resumed or any(value not in before.known for value in self.requests)

    def after(self, before: "Start | None") -> "Start":
        """Return what to store: the newest value of each kind, and what came before."""
        if before is None or before.session_uid != self.session_uid:
            return self
        restart, relink = self.restart or before.restart, self.relink or before.relink
        present = Start(session_uid=self.session_uid, restart=restart, relink=relink).requests
        earlier = [value for value in before.known if value not in present]
        return replace(
            before,
            restart=restart,
            relink=relink,
            resumed=max(filter(None, (self.resumed, before.resumed)), default=None),
            earlier=tuple(earlier[-MOST_REMEMBERED:]),
        )

    @property
    def requests(self) -> tuple[str, ...]:
        """The present requests, each with its kind."""
        kinds = (("restart", self.restart), ("relink", self.relink))
        return tuple(f"{kind} {value}" for kind, value in kinds if value is not None)

    @property
    def known(self) -> tuple[str, ...]:
        """All requests that this profile was started with, as far as they are remembered."""
        return *self.earlier, *self.requests


def hold_after(hold: HeldState | None, *, state: RunnerState, reason: StateReason, message: str) -> HeldState | None:
    """Return the hold after a published state, which may set the hold or end it."""
    if waits_for_person(state=state, reason=reason):
        return HeldState(state=state, reason=reason, message=message)
    return None if hold is None or wait_is_over(held=hold.state, state=state, reason=reason) else hold
