"""What is kept in memory of a session between two reconciliations; all of it can be lost."""

from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.api.constants import SESSION_KIND
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call, CallReason, FailedCall, Verb
from whatsapp_operator.core.model import PodTokens, PodUID, SessionUID
from whatsapp_operator.runtime.kube.existing_claims import ExistingClaimReader
from whatsapp_operator.runtime.kube.namespace_refusals import NamespaceRefusals
from whatsapp_operator.runtime.kube.probe_kills import ProbeKills
from whatsapp_operator.runtime.reconcile.failed_calls import SessionCalls
from whatsapp_operator.runtime.reconcile.status_writer import PendingWrite

MAX_SECRETS: Final = 32
""" Names of Secrets that are remembered of one session: a pod has six, and a renewal makes five more. """


@dataclass
class SessionCacheEntry:
    """What is remembered of one session."""

    key: ObjectKey
    uid: SessionUID
    calls: SessionCalls
    existing_claim: ExistingClaimReader
    namespace_refusals: NamespaceRefusals
    probe_kills: ProbeKills
    pending_write: PendingWrite = field(default_factory=PendingWrite)
    secrets_made: frozenset[str] = frozenset()
    """ The names of the Secrets that were made last. """
    tokens_made: PodTokens | None = None
    """ The tokens that were put into Secrets last. """
    secrets_checked: PodUID | None = None
    """ The pod that was there then. """
    status_reported: bool = False
    """ An event tells that the status cannot be written. """

    @property
    def status_call(self) -> Call:
        """The call that writes the session's status."""
        return Call(Verb.UPDATE_STATUS, SESSION_KIND, self.key.name)

    @property
    def failed_status(self) -> FailedCall | None:
        """The failure of that call, as of now."""
        return self.calls.own.find(self.status_call)

    @property
    def cannot_store(self) -> bool:
        """Whether the API server refuses the session's status, so that a reservation would be in no LIST."""
        failed = self.failed_status
        return failed is not None and failed.refused and failed.reason != CallReason.FIELDS_DROPPED

    def remember_secret(self, name: str) -> None:
        """Remember a Secret that was made; of many the older ones are forgotten, and made again."""
        self.secrets_made = self.secrets_made | {name} if len(self.secrets_made) < MAX_SECRETS else frozenset({name})


def event_call(session: ObjectKey) -> Call:
    """Return the call that records an event about a session."""
    return Call(Verb.CREATE, "Event", f"about {session.name}")
