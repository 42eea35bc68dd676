"""Keeps the Python process itself small.

`tune` runs before anything else allocates, `settle` once when start-up is over: what has been allocated by then stays
for the life of the process, so it is taken out of the garbage collector's sight, and what was freed goes back.
"""

import contextlib
import ctypes
import gc

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
""" malloc.h """


def tune() -> None:
    """One heap for all threads, and freed memory given back early; a C library without these is left as it is."""
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((M_ARENA_MAX, 1), (M_TRIM_THRESHOLD, 128 * 1024), (M_MMAP_THRESHOLD, 64 * 1024)):
            mallopt(parameter, value)


def settle() -> None:
    """Give back what start-up used."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
