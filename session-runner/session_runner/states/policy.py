"""The settings that decide a state; taken from `settings`, read by `states`."""

from msgspec import Struct
from session_protocol.vocabulary import LinkMethod, OnLogout


class Policy(Struct, frozen=True, kw_only=True):
    """The limits and choices for `classify` and `history`. Times are seconds on the caller's monotonic clock."""

    host: str = "web.whatsapp.com"
    """ The page's host, for messages. """
    startup: float = 60
    """ A page that does nothing but load for so long ends the runner; after half of it the state is LoadError. """
    connection_check: float = 30
    """ For so long a lost connection does not count as Offline, Degraded or Conflict. """
    refresh_patience: float = 15
    """ How long a new QR code may take to appear before the next round is requested. """
    max_rounds: int = 5
    """ Rounds of QR codes, of about 160 seconds each. """
    method: LinkMethod = LinkMethod.QR
    on_logout: OnLogout = OnLogout.RELINK

    @property
    def first_sync(self) -> float:
        """Return how long a first sync may take: with the usual startup timeout ten minutes, as large accounts need."""
        return 10 * self.startup
