"""What the session's owner asked for, as far as it decides a state. Filled from the settings, read by `states`."""

from dataclasses import dataclass

from session_protocol.vocabulary import LinkMethod, OnLogout


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Times in seconds, measured on the monotonic clock of the caller."""

    startup: float = 60
    """ A page that comes no further than loading for so long ends the runner; half of it makes LoadError. """
    connection_check: float = 30
    """ How long a lost connection is just a moment. """
    refresh_patience: float = 15
    """ How long a fresh QR code may take to appear before the next round is asked for. """
    max_rounds: int = 5
    """ Rounds of QR codes, of about 160 seconds each. """
    method: LinkMethod = LinkMethod.QR
    on_logout: OnLogout = OnLogout.RELINK
