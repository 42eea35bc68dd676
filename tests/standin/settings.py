"""What can be chosen about a stand-in, in one place: the mode, the page's variant, the times.

The server reads all of it; the page gets `Timing.for_page` and the mode inside its document.
"""

import dataclasses
from enum import StrEnum
from typing import Any

__all__ = ["Language", "Mode", "QrForm", "Timing", "Variant"]


class Mode(StrEnum):
    """Which generation of the real page is played. Tests run in both."""

    LEGACY = "legacy"
    """ wa-js fits it completely: `Cmd.refreshQR`, `Cmd.isMainLoaded`, `logout` on Cmd, ban and 503 on the event bus. """

    MODERN = "modern"
    """ The page of 2026: those are gone; `<name>_from_bridge` events on Cmd and WAWebLaunchSocketUtils instead. """


class Variant(StrEnum):
    """What the document host answers. Changing it concerns the loads after it, never a page that is open."""

    NORMAL = "normal"
    UNSUPPORTED = "unsupported"
    """ The text for unsupported browsers; `__d` is never defined. Browsers that call themselves headless always get it. """
    SPLASH = "splash"
    """ Stays on the first screen for ever: `#app` is there, the modules never come. """
    UNAVAILABLE = "unavailable"
    """ HTTP 503 instead of the document. """


class Language(StrEnum):
    """In which language the page shows its screens. Whoever knows them by their English words does not know the others."""

    ENGLISH = "en"
    GERMAN = "de"


class QrForm(StrEnum):
    """How the text inside the QR code is wrapped; the real server switches between these."""

    PLAIN = "plain"
    LINK = "link"
    """ With the prefix `https://wa.me/settings/linked_devices#`. """
    TRAILING = "trailing"
    """ With `,https://faq.whatsapp.com/r/ld` behind the five fields. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """Every time the stand-in keeps, in seconds. The defaults are the real page's; tests shorten them."""

    first_ref: float = 60.0
    """ How long the first of the six references of a round is shown. """

    next_ref: float = 20.0
    """ How long each of the five others is shown; then the page is idle until somebody asks for a new round. """

    ref_grace: float = 5.0
    """ How long after its showing a code can still be scanned: phones are slower than pages. """

    first_sync: float = 0.3
    """ From login to the end of the first synchronisation after linking. Real accounts need seconds to minutes. """

    sync: float = 0.05
    """ The same for every later login. """

    backoff_base: float = 1.0
    """ First pause before the page connects again; the pauses grow as Fibonacci numbers of it. """

    backoff_limit: float = 900.0
    """ The longest such pause. """

    mutex_answer: float = 1.0
    """ How long a starting page waits for another tab to say that it lives. """

    silence: float = 20.0
    """ A page drops its socket after this long without a word from the server; it pings in time to get one. """

    def for_page(self) -> dict[str, Any]:
        """Give the times the page itself keeps, in milliseconds as JavaScript counts them."""
        names = ("backoff_base", "backoff_limit", "mutex_answer", "silence")
        return {name: round(getattr(self, name) * 1000) for name in names}
