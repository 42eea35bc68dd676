"""Waiting for the kernel, which takes things away a moment after their last user has gone."""

import time
from collections.abc import Callable

from session_devtools.errors import ToolError

__all__ = ["repeat"]

PATIENCE = 20.0  # seconds; it takes milliseconds
PAUSE = 0.05  # seconds between two attempts


def repeat(action: Callable[[], None], *, patience: float = PATIENCE) -> None:
    """Do it until no OSError comes back: a namespace's last mounts and a cgroup's last process need their moment.

    Raises ToolError after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            action()
        except OSError as error:
            if time.monotonic() > deadline:
                raise ToolError(f"something still uses what should be removed ({error}); try again") from error
            time.sleep(PAUSE)
        else:
            return
