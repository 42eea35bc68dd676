"""Reads the claim that a session names by `existingClaim`. No watch reports it, because watches select our labels.

The core asks for it before it makes a pod (`ReadClaim`). One that cannot be used is read again until it can: somebody has
to make or label it. Once a pod has run, it is forgotten, and read anew for the next pod.
"""

from dataclasses import dataclass
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import ExistingClaim
from whatsapp_operator.core.objects.existing_claim import existing_claim, is_usable
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import NotFound
from whatsapp_operator.runtime.kube.resources import PVCS
from whatsapp_operator.runtime.process.clock import Clock

REREAD_UNUSABLE: Final = 10.0
""" Seconds until a claim that cannot be used is read again, then twice as long each time, … """
LAST_REREAD: Final = 60.0
""" … and so long at most. """
REREAD_USABLE: Final = 60.0
""" Seconds after which one that can be used is read again, if its session still has no pod that ran. """


@dataclass
class ExistingClaimReader:
    """The existing claim of one session."""

    kube: Kube
    clock: Clock
    known: ExistingClaim | None = None
    _read_at: float = 0.0
    _unusable: int = 0
    """ How often in a row it was found unusable. """

    async def read(self, session: ObjectKey, name: str) -> None:
        """Read the claim of this name for the session."""
        try:
            claim = await self.kube.get(PVCS, namespace=session.namespace, name=name)
        except NotFound:
            claim = None
        same = self.known is not None and self.known.name == name
        self.known = existing_claim(name, claim)
        self._read_at = self.clock.monotonic()
        self._unusable = (self._unusable if same else 0) + 1 if self.is_unusable(session) else 0

    async def refresh(self, session: WhatsAppSession) -> None:
        """Read it again when it is time, and forget one that the session does not name any more."""
        name = session.spec.profile.existing_claim if not session.problems else None
        if self.known is None or name is None or self.known.name != name:
            self.known = None
        elif self.is_due(session):
            await self.read(session.key, name)

    def is_due(self, session: WhatsAppSession) -> bool:
        """Whether a claim that was read is to be read again."""
        interval = self._interval if self.is_unusable(session.key) else REREAD_USABLE
        return self.known is not None and self.clock.monotonic() - self._read_at >= interval

    def next_read(self, session: ObjectKey) -> float | None:
        """Return the seconds until one that cannot be used is to be read again; None: there is none."""
        if not self.is_unusable(session):
            return None
        return max(0.0, self._read_at + self._interval - self.clock.monotonic())

    @property
    def _interval(self) -> float:
        return float(min(LAST_REREAD, REREAD_UNUSABLE * 2 ** min(max(self._unusable - 1, 0), 16)))

    def forget(self) -> None:
        """Forget it: a pod runs with it."""
        self.known = None

    def is_unusable(self, session: ObjectKey) -> bool:
        """Whether it was read, and the session waits for somebody to make or release it."""
        return self.known is not None and not is_usable(self.known, session.name)
