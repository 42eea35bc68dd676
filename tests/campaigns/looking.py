"""Threads that look at something every second until they are stopped."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 1.0
""" Seconds between two looks. """


@contextmanager
def looking(*looks: Callable[[], None], every: float = EVERY) -> Iterator[None]:
    """Do each of these again and again until the block ends.

    :raises Exception: what a look raised, at the end of the block.
    """
    end, failures = threading.Event(), list[Exception]()

    def repeat(look: Callable[[], None]) -> None:
        while not end.is_set():
            begun = time.monotonic()
            try:
                look()
            except Exception as error:  # noqa: BLE001  told by the thread that waits
                failures.append(error)
                return
            end.wait(max(0.0, every - (time.monotonic() - begun)))

    threads = [threading.Thread(target=repeat, args=(look,), daemon=True) for look in looks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join(timeout=60)
    if failures:
        raise failures[0]
