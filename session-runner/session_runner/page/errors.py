"""What can go wrong between the runner and the page; one class per thing that the session treats differently.

PageError
├── LaunchError         the browser did not start
├── NavigationError     the document was not fetched
├── ProbeTimeoutError   the page did not answer
├── CallFailedError     a script of ours did not come to its end
└── PageGoneError       the page, the browser or the driver is dead
"""

from session_protocol.vocabulary import StateReason


class PageError(Exception):
    """Something between the runner and the page failed."""


class LaunchError(PageError):
    """The browser did not start."""


class NavigationError(PageError):
    """The document was not fetched; `reason` tells certificates from the rest."""

    def __init__(self, message: str, *, reason: StateReason) -> None:
        super().__init__(message)
        self.reason = reason


class ProbeTimeoutError(PageError):
    """The page did not answer within the deadline."""


class CallFailedError(PageError):
    """The script threw, or the page went to another document meanwhile."""


class PageGoneError(PageError):
    """The page, the browser or the driver is dead."""
