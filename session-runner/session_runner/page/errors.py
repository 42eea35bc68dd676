"""The errors between the runner and the page, one class for each that is handled differently.

PageError
├── LaunchError         the browser did not start
├── NavigationError     the document was not fetched
├── OutdatedTrustError  the document was not fetched, and the browser knows authorities of before
├── ProbeTimeoutError   the page did not answer
├── CallFailedError     a script of ours did not finish
└── PageGoneError       the page, the browser or the driver is dead
"""

from session_runner.states.fetch_failures import FetchFailure


class PageError(Exception):
    """Something between the runner and the page failed."""


class LaunchError(PageError):
    """The browser did not start."""


class SandboxRefusedError(LaunchError):
    """It did not start because the container's seccomp profile or the kernel refuses its sandbox."""


class NavigationError(PageError):
    """The document was not fetched."""

    def __init__(self, failure: FetchFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class OutdatedTrustError(PageError):
    """The certificate is not trusted, and EXTRA_CA_FILE has changed since the browser read it at its start."""


class ProbeTimeoutError(PageError):
    """The page did not answer within the deadline."""


class CallFailedError(PageError):
    """The script threw, or the page navigated meanwhile."""


class PageGoneError(PageError):
    """The page, the browser or the driver is dead."""


def first_line(error: BaseException) -> str:
    """Return what an error of a library says, without what follows."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
