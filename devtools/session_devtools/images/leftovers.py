"""What a build that was cut off leaves in the storage: a working container, with its mount and its files on the disk.

buildah removes its containers when a build ends or fails, and not when it is killed, as Ctrl-C does. So whoever uses
the storage says so by a shared lock, and whoever has it alone removes what is left: nobody's containers are in use then.
"""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def in_use(lock: Path, *, remove: Callable[[], None]) -> Iterator[None]:
    """Use a storage, beside others; `remove` is called before that and after a failure, if nobody else uses it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        _if_alone(file, remove)
        fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield
        except BaseException:
            _if_alone(file, remove)
            raise


def _if_alone(file: TextIO, remove: Callable[[], None]) -> None:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove()
