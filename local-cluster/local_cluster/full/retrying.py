"""Waiting for the kernel, which takes things away a moment after their last user has gone."""

from collections.abc import Callable

from session_devtools.waiting import wait_until

__all__ = ["retry_os_errors"]

TIMEOUT = 20.0  # seconds; it takes milliseconds


def retry_os_errors(action: Callable[[], None], *, timeout: float = TIMEOUT) -> None:
    """Do it until no OSError comes back: a namespace's last mounts and a cgroup's last process need their moment.

    :raises WaitTimeout: `timeout` seconds have passed.
    """
    what = "something still uses what should be removed; try again"
    wait_until(what, action, lambda _: True, within=timeout, retry_on=OSError)
