"""One writer per profile.

`session` takes the lock first of all: two browsers on one profile destroy the login, and chromium-headless-shell has no
lock of its own. The lock is a `flock` on a file of ours, held for the life of the process and released by the kernel
however it ends. The Singleton links that a full Chromium leaves behind name the host of an earlier pod; they are
removed, but only under our lock, which proves that nobody uses them. A library for lock files would add to this one
system call what is not wanted here: waiting, timeouts, a lock that a dead process leaves.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from session_runner.profile.layout import ProfileLayout

SINGLETON_LINKS = ("SingletonLock", "SingletonSocket", "SingletonCookie")


class ProfileError(Exception):
    """The profile cannot be used."""


class ProfileLockedError(ProfileError):
    """Another process holds the profile."""


class ProfileUnusableError(ProfileError):
    """The profile folder cannot be written."""


@contextlib.contextmanager
def profile_lock(layout: ProfileLayout) -> Iterator[None]:
    """Hold the lock of the profile; never waits for it.

    :raises ProfileLockedError: another process holds it.
    :raises ProfileUnusableError: the folder cannot be written or locked.
    """
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(layout.lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProfileUnusableError(
            f"PROFILE_DIR={layout.root} cannot be written ({error.strerror}); check the volume and its permissions."
        ) from error
    try:
        _take(handle, layout.root)
        _remove_singletons(layout.user_data)
        yield
    finally:
        os.close(handle)


def _take(handle: int, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ProfileLockedError(
            f"PROFILE_DIR={root} is held by another runner; end that one first, or give each session its own claim."
        ) from error
    except OSError as error:
        raise ProfileUnusableError(f"PROFILE_DIR={root} does not support locks ({error.strerror}).") from error


def _remove_singletons(user_data: Path) -> None:
    for name in SINGLETON_LINKS:
        link = user_data / name
        if os.path.lexists(link):  # they dangle, so exists() would say no
            link.unlink()
