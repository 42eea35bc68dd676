"""What an operator's process keeps in memory, and loses when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_operator.core.calls import Call
from whatsapp_operator.core.model import (
    AssumedReservation,
    PodTokens,
    PodUID,
    Refusal,
    Rejection,
    RunnerReport,
    SessionUID,
    TokenSource,
)
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
    refusals: Mapping[SessionUID, Refusal] = field(default_factory=dict)
    reports: dict[str, RunnerReport] = field(default_factory=dict)
    created_pods: dict[str, list[PodUID]] = field(default_factory=dict)
    listening: dict[PodUID, datetime] = field(default_factory=dict)
    failed: dict[str, dict[Call, Failure]] = field(default_factory=dict)
    claims_read: set[str] = field(default_factory=set)
    pauses: RecoveryPauses = field(default_factory=RecoveryPauses)
    listed: bool = False
    secrets_made: dict[str, frozenset[str]] = field(default_factory=dict)
    tokens_made: dict[str, PodTokens] = field(default_factory=dict)
    tokens_renewed: dict[str, tuple[PodUID, TokenSource]] = field(default_factory=dict)
    rejection: Rejection | None = None
