"""Who is let in: one admission round, from what a LIST showed to grants and refusals.

A place is counted once per session and quota, however many traces it has (a reservation in status, a pod, a grant
that is not yet in status): by the session's UID, with the largest memory of them. Grants must have been copied before
the LIST, so that a write in between is counted twice rather than never, which the union makes one.

First come, first served; all that fit are admitted in one round, also a small one behind a large one that waits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.conditions import Reason
from whatsapp_operator.api.invalid import InvalidObject
from whatsapp_operator.api.quota import QuotaSpec, WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Grant, Refusal, SessionUID
from whatsapp_operator.core.quota import Applicant, Place, Usage, applicant, pods_place, reserved_place


@dataclass(frozen=True, kw_only=True)
class AdmissionResult:
    """What a round decided."""

    grants: tuple[Grant, ...]
    """ The new ones: to be kept in memory until they are in status. """
    withdrawn: frozenset[SessionUID]
    """ Sessions whose open grant is void: gone, no longer wanting, or already in their status. """
    refusals: Mapping[SessionUID, Refusal]
    """ For every session that wants in and is not: why. """
    usage: Mapping[str, Usage]
    """ By quota, new grants included; every existing quota is there. """


@dataclass(kw_only=True)
class _Ledger:
    """The places of one quota, as the round goes on."""

    places: dict[SessionUID, Place] = field(default_factory=dict)
    memory: int = 0
    by_namespace: Counter[str] = field(default_factory=Counter)

    def take(self, place: Place) -> None:
        held = self.places.get(place.session_uid)
        if held is not None and held.memory >= place.memory:
            return
        self.memory += place.memory - (held.memory if held is not None else 0)
        self.by_namespace[place.namespace] += held is None
        self.places[place.session_uid] = place


def admit(
    *,
    sessions: Iterable[WhatsAppSession],
    pods: Iterable[Mapping[str, Any]],
    quotas: Iterable[WhatsAppSessionQuota],
    grants: Iterable[Grant],
    now: datetime,
) -> AdmissionResult:
    """Decide one round.

    :param sessions: all sessions of the LIST, `pods` all pods with our labels as JSON, `quotas` all quotas.
    :param grants: the open grants, copied before the LIST was made.
    """
    sessions, limits = tuple(sessions), {quota.name: quota for quota in quotas}
    by_uid = {SessionUID(session.metadata.uid): session for session in sessions}
    held_by_pods = [place for pod in pods if (place := pods_place(pod)) is not None]
    with_pod = {place.session_uid for place in held_by_pods}
    applicants = {
        wanted.place.session_uid: wanted
        for session in sessions
        if (wanted := applicant(session)) is not None and wanted.place.session_uid not in with_pod
    }
    open_grants = {grant.session_uid: grant for grant in grants}
    withdrawn = frozenset(uid for uid, grant in open_grants.items() if not _is_valid(grant, applicants.get(uid)))

    ledgers: dict[str, _Ledger] = {name: _Ledger() for name in limits}
    for place in (*held_by_pods, *(place for session in sessions if (place := reserved_place(session)) is not None)):
        ledgers.setdefault(place.quota, _Ledger()).take(place)
    for uid, grant in open_grants.items():
        if uid not in withdrawn:
            ledgers.setdefault(grant.quota_name, _Ledger()).take(_granted_place(grant, by_uid[uid]))

    waiting: dict[str, int] = {}
    new_grants, refusals = [], {}
    for wanted in sorted(applicants.values(), key=lambda wanted: (wanted.created, wanted.place.session_uid)):
        place = wanted.place
        if place.session_uid in open_grants and place.session_uid not in withdrawn:
            continue
        ledger = ledgers.setdefault(place.quota, _Ledger())
        if (refusal := _refusal(limits.get(place.quota), ledger, wanted)) is not None:
            refusals[place.session_uid] = refusal
            waiting[place.quota] = waiting.get(place.quota, 0) + 1
            continue
        ledger.take(place)
        new_grants.append(
            Grant(session_uid=place.session_uid, quota_name=place.quota, memory=place.memory, granted=now)
        )
    usage = {
        name: Usage(admitted=len(ledger.places), waiting=waiting.get(name, 0), memory=ledger.memory)
        for name, ledger in ledgers.items()
    }
    return AdmissionResult(grants=tuple(new_grants), withdrawn=withdrawn, refusals=refusals, usage=usage)


def _is_valid(grant: Grant, wanted: Applicant | None) -> bool:
    return wanted is not None and (grant.quota_name, grant.memory) == (wanted.place.quota, wanted.place.memory)


def _granted_place(grant: Grant, session: WhatsAppSession) -> Place:
    return Place(
        session_uid=grant.session_uid,
        quota=grant.quota_name,
        namespace=session.metadata.namespace,
        memory=grant.memory,
    )


def _refusal(quota: WhatsAppSessionQuota | None, ledger: _Ledger, wanted: Applicant) -> Refusal | None:
    """Return why the place cannot be had now, or None."""
    name = wanted.place.quota
    if quota is None:
        return Refusal(
            reason=Reason.QUOTA_NOT_FOUND,
            message=f"The quota {name} does not exist. Create a WhatsAppSessionQuota of that name, or set spec.quotaName "
            "to an existing one (kubectl get wasq).",
        )
    try:
        limits = quota.spec
    except InvalidObject as error:
        return Refusal(
            reason=Reason.INVALID_OBJECT, message=f"The quota {name} cannot be read: {error}. Mend its spec."
        )
    message = _exceeded(limits, ledger, wanted.place)
    return None if message is None else Refusal(reason=Reason.QUOTA_EXCEEDED, message=message)


def _exceeded(limits: QuotaSpec, ledger: _Ledger, place: Place) -> str | None:
    # Its own smaller place, of a pod that is gone, does not stand in the way of the larger one.
    own = ledger.places.get(place.session_uid)
    one, memory = (1, place.memory) if own is None else (0, place.memory - own.memory)
    if limits.sessions is not None and len(ledger.places) + one > limits.sessions:
        return f"Maximum concurrent sessions limit reached ({limits.sessions}). Please terminate some sessions first."
    if limits.memory is not None and ledger.memory + memory > limits.memory:
        return (
            f"Maximum session memory limit reached ({format_quantity(limits.memory)}). "
            "Please terminate some sessions first."
        )
    in_namespace = ledger.by_namespace[place.namespace] + one
    if limits.sessions_per_namespace is not None and in_namespace > limits.sessions_per_namespace:
        return (
            f"Maximum concurrent sessions limit reached in namespace {place.namespace} "
            f"({limits.sessions_per_namespace}). Please terminate some sessions first."
        )
    return None
