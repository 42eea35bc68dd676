"""The alerts on the age of a state: one row each, because all of them are the same case.

Of each value that a row names, one session has been in that state for a second longer than the limit, which fires, and
one for exactly as long, which does not. A third of another namespace has the name of the first and is well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from manifests.alerts.cases import (
    OWNERS,
    Case,
    Expected,
    Firing,
    Series,
    acting,
    operator,
    since,
    stalled,
    state,
    tenant,
    until,
)

__all__ = ["AGES", "lifetime"]


@dataclass(frozen=True)
class Age:
    """An alert on a state, or on the reason of Stalled, that lasts for more than `limit` seconds."""

    alert: str
    severity: str
    audience: str
    limit: int
    states: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """ Reasons that have alerts of their own. """

    def expected(self) -> Expected:
        """Return the row with its cases."""
        series, label, values = (state, "state", self.states) if self.states else (stalled, "reason", self.reasons)

        def firing(session: str, minute: int) -> Firing:
            return Firing(tenant(session, **{label: values[0]}), minute * 60)

        def known(session: str, pod: int, ops: str) -> Series:
            return series(session, values[0], 0, pod=pod, ops=ops)

        # So late that the limit is over at its first look, also after the operator was away.
        return Expected(
            self.alert,
            self.severity,
            self.audience,
            (self._at_the_limit(series, label, values), lifetime(known, firing, later=self.limit // 60)),
        )

    def _at_the_limit(self, series: Callable[..., Series], label: str, values: tuple[str, ...]) -> Case:
        minute = self.limit // 60 + 10
        given: Series = {}
        for value in values:
            old, young = f"old-{value.lower()}", f"young-{value.lower()}"
            given |= series(old, value, minute * 60 - self.limit - 1)
            given |= series(young, value, minute * 60 - self.limit)
            given |= state(old, "Connected", 0, namespace="other")
        for value in self.others:
            given |= series(f"other-{value.lower()}", value, 0)
        fires = tuple(Firing(tenant(f"old-{value.lower()}", **{label: value}), self.limit + 1) for value in values)
        return Case(given, {minute: fires})


def lifetime(known: Callable[[str, int, str], Series], firing: Callable[[str, int], Firing], *, later: int = 0) -> Case:
    """Return what outlives what, by three sessions, of which each has an operator of its own.

    The operator of the first is replaced; the second is deleted while its operator acts; the third one's operator never
    comes back, after which nobody knows for longer than 15 minutes. It runs in the namespace of the second one's, which
    has the name of the first one's. `known` gives the series of a session, by its name, the number of the operator's
    pod, and which operator it is.
    """
    gone, back = later + 20, later + 26
    sales, deleted, orphan = OWNERS.values()
    given = until(gone, known("sales", 1, sales) | acting(ops=sales))
    given |= since(back, known("sales", 2, sales) | acting(pod=2, ops=sales))
    given |= until(gone, known("deleted", 1, deleted)) | acting(ops=deleted)
    given |= until(gone, known("orphan", 1, orphan) | acting(ops=orphan))
    # Whoever stops takes its sessions' series away first: at one look more it is there without them.
    stopping = "whatsapp_operator_resync_last_success_timestamp_seconds"
    given |= until(gone + 1, {operator(stopping, ops=ops): 0 for ops in (sales, orphan)})

    def fire(minute: int, *sessions: str) -> tuple[Firing, ...]:
        return tuple(firing(session, minute) for session in sessions)

    return Case(
        given,
        {
            gone - 1: fire(gone - 1, "sales", "deleted", "orphan"),
            gone + 3: fire(gone + 3, "sales", "orphan"),
            back + 1: fire(back + 1, "sales", "orphan"),
            gone + 13: fire(gone + 13, "sales", "orphan"),
            gone + 16: fire(gone + 16, "sales"),
        },
    )


AGES: Final = tuple(
    row.expected()
    for row in (
        Age("WhatsAppSessionConflict", "critical", "tenant", 300, reasons=("Conflict",)),
        Age("WhatsAppSessionBanned", "critical", "tenant", 300, reasons=("TemporarilyBanned",)),
        Age("WhatsAppSessionLoggedOut", "critical", "tenant", 300, reasons=("LoggedOut",)),
        Age(
            "WhatsAppSessionStalled",
            "critical",
            "tenant",
            300,
            reasons=("RecoveryExhausted", "NameTaken", "Other"),
            others=("Conflict", "TemporarilyBanned", "LoggedOut", "ClaimResizeRefused"),
        ),
        Age("WhatsAppSessionResizeRefused", "warning", "tenant", 300, reasons=("ClaimResizeRefused",)),
        Age(
            "WhatsAppSessionNeedsLink",
            "warning",
            "tenant",
            600,
            states=("QRPending", "PairingCodePending", "PasskeyRequired"),
        ),
        Age("WhatsAppSessionLinkExpired", "warning", "tenant", 600, states=("LinkExpired",)),
        Age("WhatsAppSessionActionRequired", "warning", "tenant", 300, states=("ActionRequired", "ScreenLocked")),
        Age("WhatsAppSessionRestricted", "warning", "tenant", 300, states=("Restricted",)),
        Age("WhatsAppSessionUpdateNeeded", "warning", "tenant", 600, states=("UpdateNeeded",)),
        Age("WhatsAppSessionUnreachable", "warning", "platform", 300, states=("Unreachable",)),
        Age("WhatsAppSessionPageNotLoaded", "warning", "platform", 600, states=("LoadError",)),
        Age("WhatsAppSessionDegraded", "warning", "platform", 600, states=("Degraded",)),
        Age("WhatsAppSessionBrowserRefused", "critical", "platform", 300, states=("UnsupportedBrowser",)),
        Age("WhatsAppSessionSyncEndless", "warning", "tenant", 1800, states=("Syncing",)),
        Age("WhatsAppSessionQueued", "warning", "tenant", 1800, states=("Queued",)),
    )
)
