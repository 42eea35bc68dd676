"""What an operator's process keeps in memory, and loses when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_operator.core.model import (
    AssumedReservation,
    CreateSecret,
    Decision,
    Observation,
    PodTokens,
    PodUID,
    Refusal,
    RefusedAction,
    Rejection,
    RunnerReport,
    SessionUID,
    TokenSource,
)
from whatsapp_operator.core.recovery.pauses import RecoveryPauses


@dataclass
class Memory:
    """What an operator's process loses when it ends."""

    assumed: dict[SessionUID, AssumedReservation] = field(default_factory=dict)
    declined: set[SessionUID] = field(default_factory=set)
    refusals: Mapping[SessionUID, Refusal] = field(default_factory=dict)
    reports: dict[str, RunnerReport] = field(default_factory=dict)
    created_pods: dict[str, list[PodUID]] = field(default_factory=dict)
    listening: dict[PodUID, datetime] = field(default_factory=dict)
    blocked: dict[str, RefusedAction] = field(default_factory=dict)
    claims_read: set[str] = field(default_factory=set)
    pauses: RecoveryPauses = field(default_factory=RecoveryPauses)
    listed: bool = False
    tokens_made: dict[str, PodTokens] = field(default_factory=dict)
    secrets_checked: dict[str, PodUID] = field(default_factory=dict)
    tokens_renewed: dict[str, tuple[PodUID, TokenSource]] = field(default_factory=dict)
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
