"""Threads that live in the cluster's network: what they open reaches pods directly, as a pod's neighbour would.

`kubectl port-forward` would add its own start to everything that is timed. A thread may enter a network namespace by
itself while the process stays outside; the threads of this pool do so once, when they start.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CLONE_NEWNET = 0x40000000
""" linux/sched.h """


class PodNetwork:
    """A pool of such threads; a context manager."""

    def __init__(self, namespace: Path, *, threads: int = 16) -> None:
        self._pool = ThreadPoolExecutor(threads, initializer=_enter, initargs=(namespace,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin some work in a thread of the pool."""
        return self._pool.submit(work, *args, **kwargs)

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do some work there and return what it returns."""
        return self.start(work, *args, **kwargs).result()


def _enter(namespace: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with namespace.open() as file:  # a descriptor is all that is wanted
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
