"""Keeps the Python process itself small.

`tune` runs before anything else allocates, `settle` once when start-up is over: what has been allocated by then stays
for the life of the process, so the garbage collector need not scan it, and freed memory is returned to the system.
"""

import contextlib
import ctypes
import gc

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
""" malloc.h """


def tune() -> None:
    """Use one heap for all threads and return freed memory early; does nothing with a C library without mallopt."""
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((M_ARENA_MAX, 1), (M_TRIM_THRESHOLD, 128 * 1024), (M_MMAP_THRESHOLD, 64 * 1024)):
            mallopt(parameter, value)


def settle() -> None:
    """Return the memory that start-up used, and exempt what is left from garbage collection."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
