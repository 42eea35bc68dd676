"""The settings that the running pod goes by: those that it was created with, until the operator brings others.

The HTTP API replaces them, the state tells their digest, and whoever goes by them is woken. They count for as long as this
process lives; the next pod is created with those of its day.
"""

from session_protocol.live_settings import LiveSettings, digest_of_settings

from session_runner.signals import Signal
from session_runner.store import StateStore


class Live:
    """The settings of one runner; used from one event loop only."""

    def __init__(self, *, store: StateStore, settings: LiveSettings) -> None:
        self._store = store
        self.settings = settings
        self.changed = Signal()
        store.show_settings(self.digest)

    @property
    def digest(self) -> str | None:
        """By what the operator knows them."""
        return digest_of_settings(self.settings)

    def replace(self, settings: LiveSettings) -> bool:
        """Go by these settings; return whether they differ."""
        if settings == self.settings:
            return False
        self.settings = settings
        self._store.show_settings(self.digest)
        self.changed.emit()
        return True
