"""Keeps the interpreter's search for cyclic garbage from holding the event loop.

A full search looks at every container of every object in the store: 0.6 s for ten thousand sessions, and the lists of a
resync or an admission round set it off again and again, although JSON has no cycles. So there is no search while a
list is dealt with, and what is left of it in the store afterwards is set apart (`gc.freeze`). What was set apart is
freed like everything else when nobody refers to it; only a cycle in it would stay.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


class Garbage:
    """The interpreter's garbage collection, paused while lists are dealt with."""

    def __init__(self) -> None:
        self._pauses = 0
        self._settled = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Switch the search off inside of the block. Blocks may be nested, and several tasks may be in one."""
        self._pauses += 1
        gc.disable()
        try:
            yield
        finally:
            self._pauses -= 1
            if self._pauses == 0:
                gc.enable()

    def settle(self) -> None:
        """Freeze all present objects, after a full list is in the store and before garbage is searched for again.

        What is garbage already is freed first; not at the first time, when all is new and the search would be as long as
        those that this is to avoid.
        """
        if self._settled:
            gc.collect()
        self._settled = True
        gc.freeze()
