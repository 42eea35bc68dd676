"""The version that runs, as the package was built with it."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Final

DISTRIBUTION: Final = "whatsapp-session-operator"


def version() -> str:
    """Return the version; "source" when it runs from a checkout that was never installed."""
    try:
        return installed(DISTRIBUTION)
    except PackageNotFoundError:
        return "source"
