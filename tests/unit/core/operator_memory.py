"""What an operator's process keeps in memory, and loses when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unit.core.raw_objects import Json
from whatsapp_operator.core.calls import Call, FailedCall
from whatsapp_operator.core.decision import CreateSecret, Decision
from whatsapp_operator.core.kubelet import ProbeKill
from whatsapp_operator.core.model import (
    AssumedReservation,
    Observation,
    PodTokens,
    PodUID,
    Refusal,
    Rejection,
    RunnerReport,
    SessionUID,
    TokenSource,
)
from whatsapp_operator.core.objects.facts import has_run
from whatsapp_operator.core.recovery.health import SessionHealth
from whatsapp_operator.core.recovery.pauses import RecoveryPauses


@dataclass
class Failure:
    """A call that was refused."""

    first: datetime
    retry: datetime
    times: int = 1


@dataclass
class Memory:
    """What an operator's process loses when it ends."""

    assumed: dict[SessionUID, AssumedReservation] = field(default_factory=dict)
    declined: set[SessionUID] = field(default_factory=set)
    refusals: Mapping[SessionUID, Refusal] = field(default_factory=dict)
    reports: dict[str, RunnerReport] = field(default_factory=dict)
    created_pods: dict[str, list[PodUID]] = field(default_factory=dict)
    pods: dict[PodUID, datetime] = field(default_factory=dict)
    """ All pods that it has seen, with the times at which it saw them first. """
    settled: set[PodUID] = field(default_factory=set)
    """ Those that have run, or that it has ended by its own decision. """
    probe_kills: dict[str, ProbeKill] = field(default_factory=dict)
    listening: dict[PodUID, datetime] = field(default_factory=dict)
    failed: dict[str, dict[Call, Failure]] = field(default_factory=dict)
    claims_read: set[str] = field(default_factory=set)
    pauses: RecoveryPauses = field(default_factory=RecoveryPauses)
    listed: bool = False
    secrets_made: dict[str, frozenset[str]] = field(default_factory=dict)
    tokens_made: dict[str, PodTokens] = field(default_factory=dict)
    secrets_checked: dict[str, PodUID] = field(default_factory=dict)
    tokens_renewed: dict[str, tuple[PodUID, TokenSource]] = field(default_factory=dict)
    takes_settings: bool | None = None
    rejection: Rejection | None = None

    def note(self, observation: Observation, decision: Decision) -> None:
        """Note whether a session that has come to rest can use a place."""
        uid = SessionUID(observation.session.metadata.uid)
        if decision.declines_admission:
            self.declined.add(uid)
            self.assumed.pop(uid, None)
        else:
            self.declined.discard(uid)

    def note_secrets(self, observation: Observation, decision: Decision) -> None:
        """Note for which pod the Secret that it mounts was made once more."""
        mounted = any(isinstance(action, CreateSecret) and action.purpose is None for action in decision.actions)
        owned = [pod.uid for pod in observation.pods if pod.owner_uid == observation.session.metadata.uid]
        if mounted and owned:
            self.secrets_checked[observation.session.metadata.name] = owned[0]

    def unstarted(self, pods: list[Json], *, now: datetime) -> dict[PodUID, datetime]:
        """See these pods, and return those of all that never ran."""
        for pod in pods:
            uid = PodUID(pod["metadata"]["uid"])
            if has_run(pod):
                self.settled.add(uid)
            self.pods.setdefault(uid, now)
        return {uid: at for uid, at in self.pods.items() if uid not in self.settled}

    def pods_since(self, name: str, stored: str | None) -> tuple[PodUID, ...]:
        """Return the pods of a session that came after the one in its status."""
        pods = self.created_pods.get(name, [])
        return tuple(pods[pods.index(PodUID(stored)) + 1 :] if stored in pods else pods)

    def failed_calls(self, name: str, *, now: datetime) -> tuple[FailedCall, ...]:
        """Return the calls for a session that were refused."""
        return tuple(
            FailedCall(
                call=call,
                reason="Forbidden",
                message="exceeded quota: pods=10",
                refused=True,
                failures=failure.times,
                lasted=now - failure.first,
                retry_in=max(failure.retry - now, timedelta()),
            )
            for call, failure in self.failed.get(name, {}).items()
        )

    def update_pauses(self, found: Mapping[SessionUID, SessionHealth], *, now: datetime) -> None:
        """See how all sessions are."""
        if not self.listed:
            list(self.pauses.restore(found, now=now))
            self.listed = True
        for uid in {*self.pauses.sessions(None), *found}:
            self.pauses.update(uid, found.get(uid), now=now)
        self.pauses.advance(now)
