"""Waiting for the kernel, which takes things away a moment after their last user has gone."""

from collections.abc import Callable

from session_devtools.waiting import wait_until

__all__ = ["repeat"]

PATIENCE = 20.0  # seconds; it takes milliseconds


def repeat(action: Callable[[], None], *, patience: float = PATIENCE) -> None:
    """Do it until no OSError comes back: a namespace's last mounts and a cgroup's last process need their moment.

    :raises NotInTime: after `patience` seconds.
    """
    what = "something still uses what should be removed; try again"
    wait_until(what, action, lambda _: True, within=patience, not_yet=OSError)
